"""Holds risks against what bounds them: from above the true posteriors, from below baselines that anyone could build.

Knows no market and no training row: posteriors and baseline scores arrive as arrays.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from counterfeit_risk.evaluation import metrics
from counterfeit_risk.evaluation.ceiling import Ceilings, find_ceilings
from counterfeit_risk.evaluation.metrics import FloatArray, Measured, Metric
from counterfeit_risk.evaluation.predictions import Predictions

_METRICS: Mapping[str, Metric] = {"average_precision": metrics.average_precision, "roc_auc": metrics.roc_auc}
AT_CHANCE_BASELINES = ("seller", "exact_photo")
"""No seller and no photo stands on both sides of an honest split, so that these know nothing there."""


@dataclass(frozen=True, eq=False)
class Reference:
    """What the risks of N listings are held against, in the order of their predictions."""

    posteriors: FloatArray | None = None
    """(N, 3) true ones, in the order of `HEADS`; None where nobody knows them."""
    baselines: Mapping[str, FloatArray] = field(default_factory=dict)
    """(N,) scores by baseline, learned from the rows that the model learned from."""


NO_REFERENCE = Reference()


@dataclass(frozen=True)
class Comparison:
    """What a model could reach, and what it must beat."""

    ceilings: Ceilings | None
    """None where the true posteriors are not known."""
    baselines: dict[str, dict[str, Measured]]
    """Average precision and ROC AUC by baseline; empty where none has learned from the model's training rows."""

    @property
    def leaks(self) -> list[str]:
        """Baselines that an honest split puts at chance, and that are above it here."""
        known = {name: self.baselines[name]["roc_auc"].low for name in AT_CHANCE_BASELINES if name in self.baselines}
        return [name for name, low in known.items() if low is not None and low > 0.5]

    def flat_metrics(self) -> dict[str, float | None]:
        """Values by name, such as "fused/ceiling"."""
        flat = {
            f"baselines/{baseline}/{name}": measured.value
            for baseline, found in self.baselines.items()
            for name, measured in found.items()
        }
        if self.ceilings:
            flat["untellable"] = self.ceilings.untellable.value
            for head, ceiling in self.ceilings.heads.items():
                flat[f"{head}/ceiling"] = ceiling.average_precision.value
                flat[f"{head}/share_of_ceiling"] = ceiling.share_reached.value
        return flat


def compare(
    predictions: Predictions, risks: FloatArray, reference: Reference, *, draws: int, rng: np.random.Generator
) -> Comparison:
    """Measures ceilings and baselines on exactly the listings judged, with the same bootstrap by group.

    Args:
        predictions: of N listings.
        risks: (N, 3) theirs.
        reference: what to hold them against.
        draws: of the bootstrap.
        rng: draws it.

    Raises:
        UsageError: if a head has a risk where its true posterior is missing.
    """
    ceilings = None
    if reference.posteriors is not None:
        ceilings = find_ceilings(predictions, risks, reference.posteriors, draws=draws, rng=rng)
    labels, groups = predictions.labels, predictions.groups
    baselines = {
        baseline: {
            name: metrics.bootstrap(metric, labels, scores, groups=groups, draws=draws, rng=rng)
            for name, metric in _METRICS.items()
        }
        for baseline, scores in reference.baselines.items()
    }
    return Comparison(ceilings, baselines)
