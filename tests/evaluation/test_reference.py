from collections.abc import Callable

import numpy as np
import pytest

from counterfeit_risk.config import EvaluationSettings
from counterfeit_risk.errors import UsageError
from counterfeit_risk.evaluation.calibration import Calibrations
from counterfeit_risk.evaluation.evaluate import Evaluation, evaluate
from counterfeit_risk.evaluation.predictions import HEADS, Predictions
from counterfeit_risk.evaluation.reference import Reference
from counterfeit_risk.evaluation.risk_bands import RiskBands


def test_a_reference_leaves_the_model_s_own_numbers_as_they_are(
    comparing: Callable[..., Evaluation], evaluation: Evaluation
) -> None:
    compared = comparing(leaky=False)
    assert compared.heads == evaluation.heads
    assert compared.slices == evaluation.slices
    assert evaluation.comparison.ceilings is None
    assert evaluation.comparison.baselines == {}


def test_every_head_has_a_ceiling_and_a_share_of_it(comparing: Callable[..., Evaluation]) -> None:
    found = comparing(leaky=False)
    assert found.comparison.ceilings
    for head in HEADS:
        ceiling, reached = found.comparison.ceilings.heads[head], found.heads[head].metrics["average_precision"]
        assert ceiling.average_precision.value
        assert reached.value
        assert ceiling.share_reached.value == pytest.approx(reached.value / ceiling.average_precision.value)


def test_a_baseline_that_must_be_at_chance_and_is_not_is_a_leak(comparing: Callable[..., Evaluation]) -> None:
    assert comparing(leaky=False).comparison.leaks == []
    assert comparing(leaky=True).comparison.leaks == ["seller"]


def test_ceilings_and_baselines_go_to_the_tracker(comparing: Callable[..., Evaluation]) -> None:
    flat = comparing(leaky=True).flat_metrics()
    assert flat["test/baselines/seller/roc_auc"] == 1.0
    assert flat["test/baselines/exact_photo/roc_auc"] == 0.5
    assert {"test/untellable", "test/fused/ceiling", "test/title/share_of_ceiling"} <= flat.keys()


def test_a_listing_without_a_posterior_is_refused(
    predictions: Predictions, calibrations: Calibrations, bands: RiskBands, settings: EvaluationSettings
) -> None:
    posteriors = np.full((400, 3), 0.5)
    posteriors[7, 0] = np.nan
    with pytest.raises(UsageError, match="'L7'"):
        evaluate(predictions, calibrations, bands, settings, seed=0, reference=Reference(posteriors))
