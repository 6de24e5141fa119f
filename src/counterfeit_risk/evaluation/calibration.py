"""Turns logits into calibrated risks: Platt scaling with a floor, moved to the prevalence where the model will score.

Knows no threshold and no band. Applying a calibration needs NumPy only; fitting one needs SciPy.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np

from counterfeit_risk.evaluation.predictions import Predictions

logger = logging.getLogger(__name__)

_CALIBRATED = ("fused", "photo", "title", "no_title", "no_photo")
_FEWEST_OF_A_HEAD = 2
"""Listings of each class that a head's calibration needs."""
_FEWEST_WITHOUT_A_PART = 10
"""The same for listings that lack a part: with fewer, the calibration of the head that speaks for them is surer."""
_SMALLEST_SLOPE = 1e-3
"""Per standard deviation of the logits."""
_LOWEST_FLOOR = -30.0
"""Log odds that nobody can tell from certainty."""


@dataclass(frozen=True)
class Calibration:
    """risk = sigmoid(log(exp(floor) + exp(slope * logit + intercept)) + prior_shift).

    The floor is there for counterfeits that show nothing: however harmless a listing looks, it may be one of them. A
    line that had to follow them would fall too slowly, and promise too little at the top.
    """

    slope: float
    """Above 0, so that a higher logit is never a lower risk."""
    intercept: float
    floor: float
    """Log odds that none falls below, at the fitted prevalence."""
    fitted_prevalence: float
    """Share of counterfeits among the listings it was fitted on."""
    deployed_prevalence: float
    """Share of counterfeits where the model will score."""

    @property
    def prior_shift(self) -> float:
        """Log odds of the deployed prevalence less those of the fitted one."""
        return _log_odds(self.deployed_prevalence) - _log_odds(self.fitted_prevalence)

    def risk(self, logits: np.ndarray) -> np.ndarray:
        """Probability of being counterfeit, the logits' shape, in [0, 1]; NaN stays NaN."""
        line = self.slope * np.asarray(logits, dtype=np.float64) + self.intercept
        with np.errstate(invalid="ignore"):  # NaN is no mistake here
            return _sigmoid(np.logaddexp(self.floor, line) + self.prior_shift)

    def to_dict(self) -> dict[str, float]:
        """Plain numbers for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Reads what `to_dict` wrote."""
        return cls(**{name: float(value) for name, value in values.items()})


@dataclass(frozen=True)
class Calibrations:
    """One calibration for each thing that a risk can be based on."""

    fused: Calibration
    """Of the fused logit, where a listing has photos and a title."""
    photo: Calibration
    """Of the photo logit."""
    title: Calibration
    """Of the title logit."""
    no_title: Calibration
    """Of the fused logit of listings without a title, which is their photo logit."""
    no_photo: Calibration
    """Of the fused logit of listings without a photo, which is their title logit."""

    def risks(self, predictions: Predictions) -> np.ndarray:
        """(N, 3) risks, columns fused, photo and title; NaN where that part is missing."""
        has_photo, has_title = (~np.isnan(predictions.logits[:, column]) for column in (1, 2))
        return self.risks_of(predictions.logits, has_photo=has_photo, has_title=has_title)

    def risks_of(self, logits: np.ndarray, *, has_photo: np.ndarray, has_title: np.ndarray) -> np.ndarray:
        """(N, 3) risks of (N, 3) logits, given which of the N listings have photos and a title."""
        fused, photo, title = logits.T
        without = np.where(has_photo, self.no_title.risk(fused), self.no_photo.risk(fused))
        return np.column_stack(
            [
                np.where(has_photo & has_title, self.fused.risk(fused), without),
                self.photo.risk(photo),
                self.title.risk(title),
            ]
        )

    def deployed_at(self, prevalence: float) -> Self:
        """The same calibrations for a market with another share of counterfeits."""
        moved = {name: replace(getattr(self, name), deployed_prevalence=prevalence) for name in _CALIBRATED}
        return type(self)(**moved)

    def to_dict(self) -> dict[str, dict[str, float]]:
        """Plain numbers for JSON, by name."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Mapping[str, Any]]) -> Self:
        """Reads what `to_dict` wrote."""
        return cls(**{name: Calibration.from_dict(values[name]) for name in _CALIBRATED})


def fit_calibration(logits: np.ndarray, labels: np.ndarray, *, deployed_prevalence: float | None = None) -> Calibration:
    """Fits slope, intercept and floor by maximum likelihood.

    The targets are Platt's (1999, "Probabilistic outputs for support vector machines", section 2.2): (n+ + 1)/(n+ + 2)
    and 1/(n- + 2), not 1 and 0, so that logits which separate the classes still get a finite slope.

    Args:
        logits: (N,); rows that hold NaN or an infinity are left out.
        labels: (N,) bool, True where counterfeit.
        deployed_prevalence: in (0, 1); that of the rows used where it is not given.

    Raises:
        ValueError: if the rows used hold one class only.
    """
    usable = np.isfinite(logits)
    scores, counterfeit = logits[usable].astype(np.float64), labels[usable].astype(bool)
    positives, negatives = int(counterfeit.sum()), int((~counterfeit).sum())
    if not positives or not negatives:
        raise ValueError(f"a calibration needs both classes, not {positives} counterfeit and {negatives} genuine")
    targets = np.where(counterfeit, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    slope, intercept, floor = _fit_log_odds(scores, targets)
    prevalence = positives / counterfeit.size
    return Calibration(slope, intercept, floor, prevalence, deployed_prevalence or prevalence)


def fit_calibrations(predictions: Predictions, *, deployed_prevalence: float | None = None) -> Calibrations:
    """Fits the calibrations, each on the listings that it is for; one with too few of them borrows another.

    Raises:
        ValueError: if the predictions hold one class only.
    """
    has_photo, has_title = (~np.isnan(predictions.logits[:, column]) for column in (1, 2))

    def fit(column: int, rows: np.ndarray, fewest: int) -> Calibration | None:
        labels = predictions.labels[rows]
        if min(labels.sum(), (~labels).sum()) < fewest:
            return None
        return fit_calibration(predictions.logits[rows, column], labels, deployed_prevalence=deployed_prevalence)

    fused = fit(0, has_photo & has_title, _FEWEST_OF_A_HEAD) or fit_calibration(
        predictions.logits[:, 0], predictions.labels, deployed_prevalence=deployed_prevalence
    )
    photo = fit(1, has_photo, _FEWEST_OF_A_HEAD) or _borrow("the photo head", fused)
    title = fit(2, has_title, _FEWEST_OF_A_HEAD) or _borrow("the title head", fused)
    return Calibrations(
        fused,
        photo,
        title,
        no_title=fit(0, has_photo & ~has_title, _FEWEST_WITHOUT_A_PART) or photo,
        no_photo=fit(0, has_title & ~has_photo, _FEWEST_WITHOUT_A_PART) or title,
    )


def _borrow(name: str, fused: Calibration) -> Calibration:
    logger.warning("too few listings to calibrate %s, it borrows the fused calibration", name)
    return fused


def _fit_log_odds(scores: np.ndarray, targets: np.ndarray) -> tuple[float, float, float]:
    """Slope, intercept and floor at which the log loss of soft targets is smallest."""
    from scipy.optimize import minimize  # a scoring image applies calibrations without it

    centre, spread, mean = float(scores.mean()), float(scores.std()) or 1.0, float(targets.mean())
    standard = (scores - centre) / spread
    if (standard * targets).mean() < _SMALLEST_SLOPE * mean * (1 - mean):  # a line fitted to them would fall
        logger.warning("a higher logit does not mean a higher risk here: risks will be nearly equal")
        slope = _SMALLEST_SLOPE / spread
        return slope, _log_odds(mean) - slope * centre, _LOWEST_FLOOR

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        log_slope, intercept, floor = parameters
        rise = np.exp(log_slope) * standard
        log_odds = np.logaddexp(floor, rise + intercept)
        excess = _sigmoid(log_odds) - targets
        by_line = excess * np.exp(rise + intercept - log_odds)
        gradient = [(by_line * rise).mean(), by_line.mean(), (excess * np.exp(floor - log_odds)).mean()]
        return float((np.logaddexp(0, log_odds) - targets * log_odds).mean()), np.array(gradient)

    start = _log_odds(mean) - 1
    bounds = [(math.log(_SMALLEST_SLOPE), math.log(1 / _SMALLEST_SLOPE)), (None, None), (_LOWEST_FLOOR, None)]
    fitted = minimize(
        loss,
        np.array([0.0, start, start]),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"ftol": 1e-14, "gtol": 1e-9, "maxiter": 1000},
    )
    log_slope, intercept, floor = (float(value) for value in fitted.x)
    slope = math.exp(log_slope) / spread
    return slope, intercept - slope * centre, floor


def _sigmoid(values: np.ndarray) -> np.ndarray:
    decay = np.exp(-np.abs(values))  # at most 1: no overflow at either end
    risks: np.ndarray = np.where(values >= 0, 1.0, decay) / (1 + decay)
    return risks


def _log_odds(share: float) -> float:
    return math.log(share) - math.log1p(-share)
