"""Weighs a head's evidence on validation rows, so that the fused logit is no worse there than its better half.

Knows no model: it is given what the head saw.
"""

import logging
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from counterfeit_risk.evaluation.metrics import average_precision
from counterfeit_risk.model.fusion import EVIDENCE

logger = logging.getLogger(__name__)

_RIDGE = 1.0
"""Strength of the pull of each weight towards 0, against the summed loss; columns have a deviation of 1."""
_ALONE = ("pair", "photo", "title")
"""Evidence that can stand for all of it."""


class EvidenceWeights(NamedTuple):
    """fused logit = evidence · weights + offset."""

    weights: NDArray[np.float64]
    """(4,) by `EVIDENCE`, none below 0: more evidence is never less risk."""
    offset: float


def weigh_evidence(evidence: NDArray[np.float64], labels: NDArray[np.bool_]) -> EvidenceWeights:
    """Fits weights by logistic regression; where one kind of evidence ranks better alone, it is left alone.

    Stacking with weights that cannot be negative is Breiman's (1996, "Stacked regressions", Machine Learning 24): a
    head that has learned the training sellers by heart gets a weight of 0 here, where sellers are new.

    Args:
        evidence: (N, 4) of rows with photos and title that no weight of the model was fitted on.
        labels: (N,), True for a counterfeit.
    """
    alone = {name: _only(name) for name in _ALONE}
    if len(np.unique(labels)) < 2:
        return alone["pair"]
    candidates = {"all of it": _fit(evidence, labels)} | alone
    ones = np.ones(labels.size)
    precision = {
        name: average_precision(labels, evidence @ candidate.weights, ones) for name, candidate in candidates.items()
    }
    best = max(candidates, key=lambda name: precision[name])  # the first of equals
    logger.info(
        "validation average precision: %s", ", ".join(f"{name} {value:.3f}" for name, value in precision.items())
    )
    return candidates[best]


def _only(name: str) -> EvidenceWeights:
    return EvidenceWeights(np.array([float(name == one) for one in EVIDENCE]), 0.0)


def _fit(evidence: NDArray[np.float64], labels: NDArray[np.bool_]) -> EvidenceWeights:
    centre, spread = evidence.mean(axis=0), evidence.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    columns = np.column_stack([(evidence - centre) / spread, np.ones(labels.size)])
    signs = np.where(labels, 1.0, -1.0)
    prior = np.log(labels.mean() / (1 - labels.mean()))  # as in training: a logit of 0 knows nothing

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margins = signs * (columns @ values + prior)
        pull = np.append(values[:-1], 0.0)  # not on the offset
        slope = -signs / (1 + np.exp(np.clip(margins, -500, 500)))
        return float(np.logaddexp(0, -margins).sum() + _RIDGE / 2 * pull @ pull), columns.T @ slope + _RIDGE * pull

    bounds = [(0.0, None)] * len(EVIDENCE) + [(None, None)]
    found = minimize(loss, np.zeros(len(bounds)), jac=True, method="L-BFGS-B", bounds=bounds).x
    weights = found[:-1] / spread
    return EvidenceWeights(weights, float(found[-1] - weights @ centre))
