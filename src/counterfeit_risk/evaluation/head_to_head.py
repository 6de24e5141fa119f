"""Is one model better than another? Both judge the same listings, and the same bootstrap draws judge both.

Knows arrays and bands only: who made the risks, and what follows from the verdict, is decided elsewhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Self

import numpy as np

from counterfeit_risk.errors import UsageError
from counterfeit_risk.evaluation import metrics
from counterfeit_risk.evaluation.metrics import FloatArray, Measured, Metric
from counterfeit_risk.evaluation.predictions import Predictions
from counterfeit_risk.evaluation.risk_bands import Band


class Verdict(StrEnum):
    """What the intervals of the differences say."""

    BETTER = "better"
    """It ranks better, and catches no fewer counterfeits at capacity."""
    WORSE = "worse"
    """It ranks worse, or catches fewer counterfeits at capacity."""
    UNDECIDED = "undecided"
    """These listings cannot tell."""


@dataclass(frozen=True, eq=False)
class Contender:
    """One model and what it says of N listings."""

    model_id: str
    predictions: Predictions
    risks: FloatArray
    """(N,) fused risks."""
    bands: tuple[Band, ...]
    """(N,)."""

    def select(self, rows: np.ndarray) -> Self:
        """Keeps some rows, in the order given."""
        bands = tuple(self.bands[row] for row in rows)
        return type(self)(self.model_id, self.predictions.select(rows), self.risks[rows], bands)


@dataclass(frozen=True)
class Compared:
    """One metric of both models, and by how much the first is higher."""

    model: float | None
    other: float | None
    difference: Measured
    """With its 95 % interval from draws that both models share."""


@dataclass(frozen=True)
class Slice:
    """Average precision of both on the listings of one slice."""

    name: str
    value: str
    listings: int
    counterfeits: int
    average_precision: Compared


@dataclass(frozen=True)
class QueueChange:
    """What changes in a queue that is filled by the first model instead of the other."""

    rule: str
    """What is in the queue."""
    before: int
    after: int
    entering: int
    leaving: int
    entering_counterfeits: int
    leaving_counterfeits: int

    @property
    def churn(self) -> float:
        """Share of the cases in either queue that are in one of them only: 0 is the same queue, 1 another one."""
        together = self.before + self.entering
        return (self.entering + self.leaving) / together if together else 0.0


@dataclass(frozen=True)
class HeadToHead:
    """A model against another on the same listings."""

    model_id: str
    other_id: str
    listings: int
    counterfeits: int
    groups: int
    left_out: int
    """Listings that only one of the two could judge."""
    capacity: int
    calibration_error: float
    """Of the first model, on these listings."""
    metrics: dict[str, Compared]
    queue: list[QueueChange]
    slices: list[Slice]
    verdict: Verdict

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Reads what `to_dict` wrote."""
        plain = dict(values)
        plain["metrics"] = {name: _compared(value) for name, value in values["metrics"].items()}
        plain["queue"] = [QueueChange(**change) for change in values["queue"]]
        plain["slices"] = [
            Slice(**one | {"average_precision": _compared(one["average_precision"])}) for one in values["slices"]
        ]
        return cls(**plain | {"verdict": Verdict(values["verdict"])})


def compare_models(
    model: Contender, other: Contender, *, capacity: int, smallest_slice: int, draws: int, seed: int
) -> HeadToHead:
    """Holds one model against another.

    Args:
        model: the one to judge.
        other: what it is held against.
        capacity: listings that people can review out of these.
        smallest_slice: listings that a slice needs.
        draws: of the bootstrap, which draws whole groups.
        seed: of the bootstrap.

    Raises:
        UsageError: if no listing was judged by both.
    """
    model, other, left_out = _align(model, other)
    rng = np.random.default_rng(seed)
    labels, groups = model.predictions.labels, model.predictions.groups
    both = np.column_stack([model.risks, other.risks])
    measure = partial(_compare, groups=groups, draws=draws, rng=rng)
    compared = {
        "average_precision": measure(metrics.average_precision, labels, both),
        "recall_at_capacity": measure(partial(metrics.recall_at_capacity, capacity=capacity), labels, both),
    }
    return HeadToHead(
        model_id=model.model_id,
        other_id=other.model_id,
        listings=labels.size,
        counterfeits=int(labels.sum()),
        groups=np.unique(groups).size,
        left_out=left_out,
        capacity=capacity,
        calibration_error=metrics.expected_calibration_error(labels, model.risks, np.ones(labels.size)),
        metrics=compared,
        queue=_queue_changes(model, other, capacity),
        slices=list(_compare_slices(model.predictions, both, smallest_slice, draws=draws, rng=rng)),
        verdict=_verdict(compared),
    )


def _align(model: Contender, other: Contender) -> tuple[Contender, Contender, int]:
    """Both on the listings that both judged, in the first one's order, and how many only one of them did."""
    place = {listing_id: row for row, listing_id in enumerate(other.predictions.listing_ids)}
    shared = [row for row, listing_id in enumerate(model.predictions.listing_ids) if listing_id in place]
    if not shared:
        raise UsageError("the two models have judged no listing in common")
    theirs = [place[model.predictions.listing_ids[row]] for row in shared]
    left_out = len(model.risks) + len(other.risks) - 2 * len(shared)
    return model.select(np.array(shared)), other.select(np.array(theirs)), left_out


def _compare(
    metric: Metric,
    labels: np.ndarray,
    both: FloatArray,
    *,
    groups: np.ndarray,
    draws: int,
    rng: np.random.Generator,
) -> Compared:
    ones = np.ones(labels.size)
    model, other = (_defined(metric(labels, both[:, column], ones)) for column in (0, 1))
    difference = metrics.bootstrap(_difference(metric), labels, both, groups=groups, draws=draws, rng=rng)
    return Compared(model, other, difference)


def _difference(metric: Metric) -> Callable[[np.ndarray, np.ndarray, np.ndarray], float]:
    def difference(labels: np.ndarray, both: np.ndarray, weights: np.ndarray) -> float:
        return metric(labels, both[:, 0], weights) - metric(labels, both[:, 1], weights)

    return difference


def _defined(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _queue_changes(model: Contender, other: Contender, capacity: int) -> list[QueueChange]:
    labels = model.predictions.labels
    after, before = (_riskiest(contender.risks, capacity) for contender in (model, other))
    flagged, flagged_before = (_flagged(contender.bands) for contender in (model, other))
    return [
        _queue_change(f"the {min(capacity, labels.size):,} riskiest", after, before, labels),
        _queue_change("its own review and automatic band", flagged, flagged_before, labels),
    ]


def _flagged(bands: tuple[Band, ...]) -> np.ndarray:
    return np.array([band is not Band.PASS for band in bands])


def _riskiest(risks: FloatArray, capacity: int) -> np.ndarray:
    chosen = np.zeros(risks.size, np.bool_)
    chosen[np.argsort(-risks, kind="stable")[:capacity]] = True
    return chosen


def _queue_change(rule: str, after: np.ndarray, before: np.ndarray, labels: np.ndarray) -> QueueChange:
    entering, leaving = after & ~before, before & ~after
    return QueueChange(
        rule=rule,
        before=int(before.sum()),
        after=int(after.sum()),
        entering=int(entering.sum()),
        leaving=int(leaving.sum()),
        entering_counterfeits=int((entering & labels).sum()),
        leaving_counterfeits=int((leaving & labels).sum()),
    )


def _compare_slices(
    predictions: Predictions, both: FloatArray, smallest: int, *, draws: int, rng: np.random.Generator
) -> list[Slice]:
    found = []
    for name, value, rows in predictions.judgeable_slices(smallest):
        labels = predictions.labels[rows]
        compared = _compare(
            metrics.average_precision, labels, both[rows], groups=predictions.groups[rows], draws=draws, rng=rng
        )
        found.append(Slice(name, value, labels.size, int(labels.sum()), compared))
    return found


def _verdict(compared: Mapping[str, Compared]) -> Verdict:
    differences = {name: one.difference for name, one in compared.items()}
    if any(one.high is not None and one.high < 0 for one in differences.values()):
        return Verdict.WORSE
    low = differences["average_precision"].low
    return Verdict.BETTER if low is not None and low > 0 else Verdict.UNDECIDED


def _compared(values: Mapping[str, Any]) -> Compared:
    return Compared(values["model"], values["other"], Measured(**values["difference"]))
