"""Predictions of a made-up classifier that knows something, from photos more than from titles."""

from collections.abc import Callable

import numpy as np
import pytest

from counterfeit_risk.config import EvaluationSettings, RiskSettings
from counterfeit_risk.evaluation.calibration import Calibrations, fit_calibrations
from counterfeit_risk.evaluation.evaluate import Evaluation, evaluate
from counterfeit_risk.evaluation.predictions import Predictions
from counterfeit_risk.evaluation.reference import Reference
from counterfeit_risk.evaluation.risk_bands import RiskBands, fit_risk_bands


def make_predictions(listings: int, *, seed: int) -> Predictions:
    rng = np.random.default_rng(seed)
    labels = rng.random(listings) < 0.3
    photo = 3 * labels + rng.normal(size=listings) - 2
    title = 2 * labels + rng.normal(size=listings) - 1
    fused = photo + title
    photo[rng.random(listings) < 0.1] = np.nan
    title[rng.random(listings) < 0.1] = np.nan
    brands = np.array(["Ace", "東京 $x$", "<b>Bo</b>", ""], dtype=object)[rng.integers(4, size=listings)]
    return Predictions(
        listing_ids=tuple(f"L{number}" for number in range(listings)),
        labels=labels,
        logits=np.column_stack([fused, photo, title]),
        groups=rng.integers(listings, size=listings),
        slices={"brand": brands},
    )


@pytest.fixture(scope="session")
def predictions() -> Predictions:
    return make_predictions(400, seed=1)


@pytest.fixture(scope="session")
def calibrations() -> Calibrations:
    return fit_calibrations(make_predictions(600, seed=2))


@pytest.fixture(scope="session")
def bands(calibrations: Calibrations) -> RiskBands:
    fitted_on = make_predictions(600, seed=2)
    risks = calibrations.risks(fitted_on)[:, 0]
    return fit_risk_bands(risks, fitted_on.labels, fitted_on.groups, RiskSettings(), seed=0)


@pytest.fixture(scope="session")
def settings() -> EvaluationSettings:
    return EvaluationSettings(bootstrap_draws=20, review_capacity=50)


@pytest.fixture(scope="session")
def evaluation(
    predictions: Predictions, calibrations: Calibrations, bands: RiskBands, settings: EvaluationSettings
) -> Evaluation:
    return evaluate(predictions, calibrations, bands, settings, seed=0)


@pytest.fixture
def comparing(
    predictions: Predictions, calibrations: Calibrations, bands: RiskBands, settings: EvaluationSettings
) -> Callable[..., Evaluation]:
    """Evaluates against made-up posteriors and two baselines, of which the seller may know the label."""

    def compare(*, leaky: bool) -> Evaluation:
        risks = calibrations.risks(predictions)
        posteriors = np.where(predictions.labels[:, None], 0.5 + risks / 2, risks / 2)
        prevalence = np.full(predictions.labels.size, 0.3)
        baselines = {"seller": prevalence + leaky * predictions.labels, "exact_photo": prevalence}
        reference = Reference(posteriors, baselines)
        return evaluate(predictions, calibrations, bands, settings, seed=0, reference=reference)

    return compare
