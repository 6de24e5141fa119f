"""The best that any model can reach on listings whose true posterior is known, and how much of it a model reaches.

No ranking has a higher expected average precision than that by the true posterior. Knows no model, and no way to find
a posterior: only the maker of a market has them.
"""

from dataclasses import dataclass

import numpy as np

from counterfeit_risk.errors import UsageError
from counterfeit_risk.evaluation import metrics
from counterfeit_risk.evaluation.metrics import FloatArray, Measured
from counterfeit_risk.evaluation.predictions import HEADS, Predictions


@dataclass(frozen=True)
class HeadCeiling:
    """What one head could reach on the listings for which it has a risk."""

    average_precision: Measured
    """Of ranking by the true posterior."""
    expected: float | None
    """The same for labels drawn from the posteriors: far from the value above, they are not those of these listings."""
    share_reached: Measured
    """The model's average precision as a share of the ceiling's; on few listings chance can lift it above 1."""


@dataclass(frozen=True)
class Ceilings:
    """What every head could reach."""

    heads: dict[str, HeadCeiling]
    untellable: Measured
    """Share of the counterfeits that photos and title together make no likelier than any listing."""


def find_ceilings(
    predictions: Predictions, risks: FloatArray, posteriors: FloatArray, *, draws: int, rng: np.random.Generator
) -> Ceilings:
    """Judges the true posteriors as `evaluate` judges risks, and the risks against them.

    Args:
        predictions: of N listings.
        risks: (N, 3) the model's, in the order of `HEADS`; NaN where a head has none.
        posteriors: (N, 3) true ones, in the same order.
        draws: of the bootstrap by group, and of labels for the expected value.
        rng: draws both.

    Raises:
        UsageError: if a head has a risk where its posterior is missing.
    """
    heads = {}
    for column, head in enumerate(HEADS):
        rows = ~np.isnan(risks[:, column])
        both = np.column_stack([risks[rows, column], posteriors[rows, column]])
        chosen = predictions.select(rows)
        _check_known(chosen.listing_ids, both[:, 1], head)
        heads[head] = _find_ceiling(chosen, both, draws=draws, rng=rng)
    untellable = metrics.bootstrap(
        untellable_share, predictions.labels, posteriors[:, 0], groups=predictions.groups, draws=draws, rng=rng
    )
    return Ceilings(heads, untellable)


def share_reached(labels: np.ndarray, both: np.ndarray, weights: np.ndarray) -> float:
    """Average precision of the risks over that of the posteriors; `both` is (N, 2), risks and posteriors."""
    risks, posteriors = both.T
    best = metrics.average_precision(labels, posteriors, weights)
    return metrics.average_precision(labels, risks, weights) / best


def untellable_share(labels: np.ndarray, posteriors: np.ndarray, weights: np.ndarray) -> float:
    """Share of the counterfeits whose posterior is at most the prevalence."""
    caught = weights * labels
    if not caught.sum():
        return float("nan")
    prevalence = caught.sum() / weights.sum()
    return float(caught[posteriors <= prevalence].sum() / caught.sum())


def expected_average_precision(posteriors: FloatArray, *, draws: int, rng: np.random.Generator) -> float | None:
    """Mean average precision of a ranking by the posteriors, over labels drawn from them; None without any."""
    ones = np.ones(posteriors.size)
    drawn = [metrics.average_precision(rng.random(ones.size) < posteriors, posteriors, ones) for _ in range(draws)]
    defined = [value for value in drawn if not np.isnan(value)]
    return float(np.mean(defined)) if defined else None


def _find_ceiling(chosen: Predictions, both: FloatArray, *, draws: int, rng: np.random.Generator) -> HeadCeiling:
    labels, groups = chosen.labels, chosen.groups
    return HeadCeiling(
        average_precision=metrics.bootstrap(
            metrics.average_precision, labels, both[:, 1], groups=groups, draws=draws, rng=rng
        ),
        expected=expected_average_precision(both[:, 1], draws=draws, rng=rng),
        share_reached=metrics.bootstrap(share_reached, labels, both, groups=groups, draws=draws, rng=rng),
    )


def _check_known(listing_ids: tuple[str, ...], posteriors: FloatArray, head: str) -> None:
    unknown = np.flatnonzero(np.isnan(posteriors))
    if unknown.size:
        raise UsageError(
            f"{unknown.size:,} listings with a {head} risk have no true {head} posterior, "
            f"first {listing_ids[unknown[0]]!r}"
        )
