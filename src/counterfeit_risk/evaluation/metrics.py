"""Numbers that say how good risks are, and how sure those numbers are.

Knows arrays only. Every metric takes (N,) labels (True where counterfeit), (N,) risks and (N,) weights not below 0 (a
weight of 2 is the row standing twice), and is NaN where it is not defined. Rows of equal risk enter together.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Metric = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class Measured:
    """A metric with its 95 % interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None
    skipped_draws: int
    """Bootstrap draws in which the metric was not defined."""


@dataclass(frozen=True)
class Cuts:
    """What flagging everything at or above each distinct risk catches; (T,) arrays, from the highest risk down."""

    thresholds: FloatArray
    flagged: FloatArray
    """Weight of the listings flagged."""
    caught: FloatArray
    """Weight of the counterfeits among them."""

    @property
    def precision(self) -> FloatArray:
        """(T,) share of counterfeits among the flagged."""
        return self.caught / self.flagged

    @property
    def recall(self) -> FloatArray:
        """(T,) share of the counterfeits that are flagged; there must be one."""
        return self.caught / float(self.caught[-1])


def cuts(labels: np.ndarray, risks: np.ndarray, weights: np.ndarray) -> Cuts:
    """Sweeps a threshold over the risks; rows of weight 0 do not exist."""
    kept = np.flatnonzero(weights > 0)
    order = kept[np.argsort(-risks[kept], kind="stable")]
    last_of_tie = np.flatnonzero(np.diff(risks[order], append=np.nan))
    flagged = np.cumsum(weights[order], dtype=np.float64)
    caught = np.cumsum(weights[order] * labels[order], dtype=np.float64)
    return Cuts(risks[order][last_of_tie], flagged[last_of_tie], caught[last_of_tie])


def average_precision(labels: np.ndarray, risks: np.ndarray, weights: np.ndarray) -> float:
    """Precision averaged over the counterfeits, from the share of counterfeits (no skill) to 1."""
    if not _has_counterfeit(labels, weights):
        return math.nan
    curve = cuts(labels, risks, weights)
    return float(np.sum(np.diff(curve.recall, prepend=0.0) * curve.precision))


def roc_auc(labels: np.ndarray, risks: np.ndarray, weights: np.ndarray) -> float:
    """Probability that a counterfeit has a higher risk than a genuine listing, ties counting half: 0.5 is no skill."""
    if not (_has_counterfeit(labels, weights) and _has_counterfeit(~labels, weights)):
        return math.nan
    curve = cuts(labels, risks, weights)
    wrongful = curve.flagged - curve.caught
    area = np.trapezoid(np.append(0.0, curve.recall), np.append(0.0, wrongful / wrongful[-1]))
    return float(area)


def brier(labels: np.ndarray, risks: np.ndarray, weights: np.ndarray) -> float:
    """Mean squared distance of risk and outcome, from 0 (best) to 1."""
    return float(np.average((risks - labels) ** 2, weights=weights)) if weights.sum() > 0 else math.nan


def recall_at_precision(labels: np.ndarray, risks: np.ndarray, weights: np.ndarray, *, floor: float) -> float:
    """Largest share of the counterfeits that one threshold catches with a precision of at least `floor`; 0 if none."""
    if not _has_counterfeit(labels, weights):
        return math.nan
    curve = cuts(labels, risks, weights)
    return float(np.max(curve.recall[curve.precision >= floor], initial=0.0))


def precision_at_capacity(labels: np.ndarray, risks: np.ndarray, weights: np.ndarray, *, capacity: int) -> float:
    """Share of counterfeits among the `capacity` riskiest listings."""
    total = float(weights.sum())
    return _caught_at(labels, risks, weights, capacity) / min(capacity, total) if total > 0 else math.nan


def recall_at_capacity(labels: np.ndarray, risks: np.ndarray, weights: np.ndarray, *, capacity: int) -> float:
    """Share of the counterfeits that are among the `capacity` riskiest listings."""
    if not _has_counterfeit(labels, weights):
        return math.nan
    return _caught_at(labels, risks, weights, capacity) / float(weights[labels].sum())


def share_of_oracle(labels: np.ndarray, risks: np.ndarray, weights: np.ndarray, *, capacity: int) -> float:
    """Counterfeits among the `capacity` riskiest, as a share of what a perfect ranking would put there: 1 is best."""
    if not _has_counterfeit(labels, weights):
        return math.nan
    return _caught_at(labels, risks, weights, capacity) / min(capacity, float(weights[labels].sum()))


def calibration_gap(labels: np.ndarray, risks: np.ndarray, weights: np.ndarray) -> float:
    """Mean risk less the share of counterfeits: above 0 where the risks promise too much, 0 is best."""
    total = float(weights.sum())
    return float((weights * (risks - labels)).sum()) / total if total > 0 else math.nan


def calibration_gap_in_top(labels: np.ndarray, risks: np.ndarray, weights: np.ndarray, *, size: int) -> float:
    """The same among the `size` riskiest listings, where decisions are taken; a tie that does not fit whole is shared.

    NaN where there are no more listings than that: all of them are no top.
    """
    if float(weights.sum()) <= size:
        return math.nan
    curve = cuts(labels, risks, weights)
    flagged = np.append(0.0, curve.flagged)
    promised = np.append(0.0, np.cumsum(np.diff(flagged) * curve.thresholds))
    return float(np.interp(size, flagged, promised - np.append(0.0, curve.caught))) / size


@dataclass(frozen=True)
class ReliabilityBin:
    """Listings of similar risk."""

    mean_risk: float
    counterfeit_share: float
    """What the mean risk should equal."""
    weight: float
    """Listings in the bin."""


def reliability_bins(
    labels: np.ndarray, risks: np.ndarray, weights: np.ndarray, *, bins: int = 10
) -> list[ReliabilityBin]:
    """Cuts the listings into at most `bins` of about equal weight, by risk; equal risks share a bin."""
    kept = weights > 0
    if not kept.any():
        return []
    distinct, row = np.unique(risks[kept], return_inverse=True)
    mass = np.bincount(row, weights[kept])
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    place = np.minimum((middle * bins).astype(int), bins - 1)
    counterfeit = np.bincount(place, np.bincount(row, weights[kept] * labels[kept]))
    total, risk = np.bincount(place, mass), np.bincount(place, mass * distinct)
    return [
        ReliabilityBin(float(risk[b] / total[b]), float(counterfeit[b] / total[b]), float(total[b]))
        for b in np.flatnonzero(total)
    ]


def expected_calibration_error(labels: np.ndarray, risks: np.ndarray, weights: np.ndarray, *, bins: int = 10) -> float:
    """Mean distance of risk and counterfeit share over the reliability bins: 0 is best.

    Chance alone keeps it above 0, the more so in bootstrap draws: its interval leans upwards.
    """
    found = reliability_bins(labels, risks, weights, bins=bins)
    total = sum(one.weight for one in found)
    gaps = sum(one.weight * abs(one.mean_risk - one.counterfeit_share) for one in found)
    return gaps / total if total else math.nan


def bootstrap(
    metric: Metric,
    labels: np.ndarray,
    risks: np.ndarray,
    *,
    groups: np.ndarray,
    draws: int,
    rng: np.random.Generator,
) -> Measured:
    """A metric with its percentile interval over bootstrap draws of whole groups.

    A draw takes as many groups as there are, with replacement: each listing gets its group's count as its weight.
    Draws in which the metric is not defined are skipped and counted.
    """
    value = metric(labels, risks, np.ones(labels.size))
    if not math.isfinite(value):
        return Measured(None, None, None, skipped_draws=draws)
    distinct, cluster = np.unique(groups, return_inverse=True)
    drawn = np.empty(draws)
    for draw in range(draws):
        counts = np.bincount(rng.integers(distinct.size, size=distinct.size), minlength=distinct.size)
        drawn[draw] = metric(labels, risks, counts[cluster].astype(np.float64))
    defined = drawn[np.isfinite(drawn)]
    low, high = np.quantile(defined, [0.025, 0.975]).tolist() if defined.size else (None, None)
    return Measured(value, low, high, skipped_draws=draws - defined.size)


def _has_counterfeit(labels: np.ndarray, weights: np.ndarray) -> bool:
    return bool(np.any(labels & (weights > 0)))


def _caught_at(labels: np.ndarray, risks: np.ndarray, weights: np.ndarray, capacity: int) -> float:
    """Counterfeits expected among the `capacity` riskiest; a tie that does not fit whole is drawn from at random."""
    curve = cuts(labels, risks, weights)
    return float(np.interp(capacity, np.append(0.0, curve.flagged), np.append(0.0, curve.caught)))
