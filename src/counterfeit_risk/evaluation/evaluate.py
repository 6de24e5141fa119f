"""Judges calibrated predictions: every head, every slice, every band, as one value that JSON can hold.

Knows no file and no figure. What is not defined is None, never NaN.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from counterfeit_risk.config import EvaluationSettings
from counterfeit_risk.evaluation import metrics
from counterfeit_risk.evaluation.calibration import Calibrations
from counterfeit_risk.evaluation.metrics import Measured, Metric, ReliabilityBin
from counterfeit_risk.evaluation.predictions import HEADS, Predictions
from counterfeit_risk.evaluation.reference import NO_REFERENCE, Comparison, Reference, compare
from counterfeit_risk.evaluation.risk_bands import Band, RiskBands

_SLICE_METRICS: Mapping[str, Metric] = {
    "average_precision": metrics.average_precision,
    "roc_auc": metrics.roc_auc,
    "brier": metrics.brier,
    "calibration_gap": metrics.calibration_gap,
}
_CURVE_POINTS = 200
_HISTOGRAM_BINS = 40


@dataclass(frozen=True)
class CurvePoint:
    """What flagging every listing at or above one risk gives."""

    threshold: float
    precision: float
    recall: float


@dataclass(frozen=True)
class HeadEvaluation:
    """One head on the listings for which it has a risk."""

    listings: int
    counterfeits: int
    metrics: dict[str, Measured]
    no_skill: dict[str, float | None]
    """What a risk that knows nothing but the prevalence gets, for the metrics where that is a plain number."""
    curve: list[CurvePoint]
    """At most 200 points, from the highest threshold down."""
    reliability: list[ReliabilityBin]


@dataclass(frozen=True)
class SliceEvaluation:
    """The fused head on the listings of one slice."""

    name: str
    value: str
    listings: int
    counterfeits: int
    metrics: dict[str, Measured]


@dataclass(frozen=True)
class BandEvaluation:
    """What fell into one band."""

    band: Band
    listings: int
    counterfeits: int
    precision: float | None
    """Share of counterfeits in the band."""
    recall: float | None
    """Share of all counterfeits that are in the band."""


@dataclass(frozen=True)
class Histogram:
    """How many genuine and counterfeit listings have which fused risk; edges (bins + 1,) from 0 to 1."""

    edges: list[float]
    genuine: list[int]
    counterfeit: list[int]


@dataclass(frozen=True)
class Evaluation:
    """How good a model's risks are on labelled listings that it has not seen."""

    listings: int
    counterfeits: int
    groups: int
    settings: dict[str, Any]
    """The `EvaluationSettings` it was made with."""
    heads: dict[str, HeadEvaluation]
    slices: list[SliceEvaluation]
    bands: list[BandEvaluation]
    risk_bands: dict[str, Any]
    """The thresholds and their evidence, as `RiskBands.to_dict` lays them out."""
    histogram: Histogram
    comparison: Comparison

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def flat_metrics(self, prefix: str = "test") -> dict[str, float]:
        """The defined values by name, such as "test/fused/average_precision", for a tracker."""
        flat = {
            f"{prefix}/{head}/{name}": measured.value
            for head, judged in self.heads.items()
            for name, measured in judged.metrics.items()
        }
        for band in self.bands:
            flat |= {
                f"{prefix}/{band.band}/{name}": getattr(band, name) for name in ("listings", "precision", "recall")
            }
        flat |= {f"{prefix}/{name}": value for name, value in self.comparison.flat_metrics().items()}
        return {name: float(value) for name, value in flat.items() if value is not None}


def evaluate(
    predictions: Predictions,
    calibrations: Calibrations,
    bands: RiskBands,
    settings: EvaluationSettings,
    *,
    seed: int,
    reference: Reference = NO_REFERENCE,
) -> Evaluation:
    """Judges risks.

    Args:
        predictions: of listings that neither the model, nor its calibration, nor its bands were fitted on.
        calibrations: turn their logits into risks.
        bands: cut those risks.
        settings: what to report.
        seed: of the bootstrap, which draws whole groups.
        reference: what to hold them against.

    Raises:
        UsageError: if a head has a risk where its true posterior is missing.
    """
    rng = np.random.default_rng(seed)
    risks = calibrations.risks(predictions)
    heads = {head: _evaluate_head(predictions, risks[:, column], settings, rng) for column, head in enumerate(HEADS)}
    return Evaluation(
        listings=predictions.labels.size,
        counterfeits=int(predictions.labels.sum()),
        groups=np.unique(predictions.groups).size,
        settings=settings.model_dump(mode="json"),
        heads=heads,
        slices=_evaluate_slices(predictions, risks[:, 0], settings, rng),
        bands=_evaluate_bands(predictions, risks[:, 0], bands),
        risk_bands=bands.to_dict(),
        histogram=_histogram(predictions.labels, risks[:, 0]),
        comparison=compare(predictions, risks, reference, draws=settings.bootstrap_draws, rng=rng),
    )


def named_metrics(settings: EvaluationSettings) -> dict[str, Metric]:
    """The metrics of a head, by the name they are reported under."""
    return {
        **_SLICE_METRICS,
        "expected_calibration_error": metrics.expected_calibration_error,
        "calibration_gap_in_top_100": partial(metrics.calibration_gap_in_top, size=100),
        "calibration_gap_in_top_1000": partial(metrics.calibration_gap_in_top, size=1000),
        "recall_at_precision": partial(metrics.recall_at_precision, floor=settings.precision_floor),
        "precision_at_capacity": partial(metrics.precision_at_capacity, capacity=settings.review_capacity),
        "recall_at_capacity": partial(metrics.recall_at_capacity, capacity=settings.review_capacity),
        "share_of_oracle": partial(metrics.share_of_oracle, capacity=settings.review_capacity),
    }


def _evaluate_head(
    predictions: Predictions, risks: np.ndarray, settings: EvaluationSettings, rng: np.random.Generator
) -> HeadEvaluation:
    rows = ~np.isnan(risks)
    labels, risks, groups = predictions.labels[rows], risks[rows], predictions.groups[rows]
    return HeadEvaluation(
        listings=labels.size,
        counterfeits=int(labels.sum()),
        metrics={
            name: metrics.bootstrap(metric, labels, risks, groups=groups, draws=settings.bootstrap_draws, rng=rng)
            for name, metric in named_metrics(settings).items()
        },
        no_skill=_no_skill(labels, settings.review_capacity),
        curve=_curve(labels, risks),
        reliability=metrics.reliability_bins(labels, risks, np.ones(labels.size)),
    )


def _no_skill(labels: np.ndarray, capacity: int) -> dict[str, float | None]:
    if not labels.size:
        return {}
    prevalence = float(labels.mean())
    return {
        "average_precision": prevalence,
        "roc_auc": 0.5,
        "brier": prevalence * (1 - prevalence),
        "precision_at_capacity": prevalence,
        "recall_at_capacity": min(1.0, capacity / labels.size),
    }


def _curve(labels: np.ndarray, risks: np.ndarray) -> list[CurvePoint]:
    if not labels.any():
        return []
    cuts = metrics.cuts(labels, risks, np.ones(labels.size))
    last = cuts.thresholds.size - 1
    kept = np.unique(np.linspace(0, last, min(last + 1, _CURVE_POINTS)).round().astype(int))
    points = np.column_stack([cuts.thresholds, cuts.precision, cuts.recall])[kept]
    return [CurvePoint(*point) for point in points.tolist()]


def _evaluate_slices(
    predictions: Predictions, risks: np.ndarray, settings: EvaluationSettings, rng: np.random.Generator
) -> list[SliceEvaluation]:
    found = []
    for name, value, rows in predictions.judgeable_slices(settings.smallest_slice):
        labels, groups = predictions.labels[rows], predictions.groups[rows]
        measured = {
            metric_name: metrics.bootstrap(
                metric, labels, risks[rows], groups=groups, draws=settings.bootstrap_draws, rng=rng
            )
            for metric_name, metric in _SLICE_METRICS.items()
        }
        found.append(SliceEvaluation(name, value, labels.size, int(labels.sum()), measured))
    return found


def _evaluate_bands(predictions: Predictions, risks: np.ndarray, bands: RiskBands) -> list[BandEvaluation]:
    assigned = np.array(bands.assign(risks, predictions.complete), dtype=object)
    counterfeits = int(predictions.labels.sum())
    found = []
    for band in Band:
        rows = assigned == band
        listings, caught = int(rows.sum()), int(predictions.labels[rows].sum())
        precision = caught / listings if listings else None
        found.append(BandEvaluation(band, listings, caught, precision, caught / counterfeits if counterfeits else None))
    return found


def _histogram(labels: np.ndarray, risks: np.ndarray) -> Histogram:
    edges = np.linspace(0, 1, _HISTOGRAM_BINS + 1)
    genuine, counterfeit = (np.histogram(risks[rows], edges)[0].tolist() for rows in (~labels, labels))
    return Histogram(edges.tolist(), genuine, counterfeit)
