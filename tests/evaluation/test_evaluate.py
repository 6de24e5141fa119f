import dataclasses
import json

import numpy as np
import pytest

from counterfeit_risk.config import EvaluationSettings
from counterfeit_risk.evaluation import metrics
from counterfeit_risk.evaluation.calibration import Calibrations
from counterfeit_risk.evaluation.evaluate import Evaluation, evaluate
from counterfeit_risk.evaluation.predictions import HEADS, Predictions
from counterfeit_risk.evaluation.risk_bands import Band, RiskBands


def test_a_head_is_judged_on_the_listings_that_have_what_it_reads(
    predictions: Predictions, evaluation: Evaluation
) -> None:
    for column, head in enumerate(HEADS):
        assert evaluation.heads[head].listings == np.isfinite(predictions.logits[:, column]).sum()
    assert evaluation.heads["photo"].listings < evaluation.heads["fused"].listings == evaluation.listings


def test_metrics_are_those_of_the_calibrated_risks(
    predictions: Predictions, calibrations: Calibrations, evaluation: Evaluation
) -> None:
    risks = calibrations.risks(predictions)[:, 2]
    rows = ~np.isnan(risks)
    expected = metrics.brier(predictions.labels[rows], risks[rows], np.ones(rows.sum()))
    assert evaluation.heads["title"].metrics["brier"].value == expected


def test_every_metric_that_is_defined_has_an_interval(evaluation: Evaluation) -> None:
    for judged in evaluation.heads.values():
        for name, measured in judged.metrics.items():
            if name.startswith("calibration_gap_in_top") and judged.listings <= int(name.rsplit("_", 1)[1]):
                assert measured.value is None
                continue
            assert measured.low is not None
            assert measured.high is not None
            assert measured.low <= measured.high


def test_one_seed_gives_one_evaluation(
    predictions: Predictions,
    calibrations: Calibrations,
    bands: RiskBands,
    settings: EvaluationSettings,
    evaluation: Evaluation,
) -> None:
    assert evaluate(predictions, calibrations, bands, settings, seed=0) == evaluation
    assert evaluate(predictions, calibrations, bands, settings, seed=1) != evaluation


def test_bands_hold_every_listing_once(evaluation: Evaluation) -> None:
    assert {band.band for band in evaluation.bands} == set(Band)
    assert sum(band.listings for band in evaluation.bands) == evaluation.listings
    assert sum(band.counterfeits for band in evaluation.bands) == evaluation.counterfeits
    assert sum(band.recall or 0.0 for band in evaluation.bands) == pytest.approx(1.0)


def test_the_histogram_holds_every_listing_once(evaluation: Evaluation) -> None:
    assert sum(evaluation.histogram.counterfeit) == evaluation.counterfeits
    assert sum(evaluation.histogram.genuine) == evaluation.listings - evaluation.counterfeits


def test_slices_are_known_values_with_enough_listings(evaluation: Evaluation, settings: EvaluationSettings) -> None:
    assert [one.value for one in evaluation.slices] == ["<b>Bo</b>", "Ace", "東京 $x$"]
    assert all(one.listings >= settings.smallest_slice for one in evaluation.slices)


def test_a_slice_of_one_class_or_few_listings_is_left_out(
    predictions: Predictions, calibrations: Calibrations, bands: RiskBands, settings: EvaluationSettings
) -> None:
    by_class = np.where(predictions.labels, "only counterfeit", "only genuine").astype(object)
    few = np.where(np.arange(400) < settings.smallest_slice - 1, "few", "").astype(object)
    sliced = dataclasses.replace(predictions, slices={"class": by_class, "few": few})
    assert evaluate(sliced, calibrations, bands, settings, seed=0).slices == []


def test_the_curve_is_thinned_and_keeps_both_ends(evaluation: Evaluation) -> None:
    curve = evaluation.heads["fused"].curve
    assert len(curve) == 200
    assert [point.recall for point in curve] == sorted(point.recall for point in curve)
    assert curve[-1].recall == 1.0
    assert curve[-1].precision == pytest.approx(evaluation.counterfeits / evaluation.listings)
    assert curve[0].threshold == max(point.threshold for point in curve)


def test_an_evaluation_is_plain_json(evaluation: Evaluation) -> None:
    values = evaluation.to_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values


@pytest.mark.parametrize("rows", [np.array([], dtype=int), np.array([0])])
def test_what_is_not_defined_is_null(
    rows: np.ndarray,
    predictions: Predictions,
    calibrations: Calibrations,
    bands: RiskBands,
    settings: EvaluationSettings,
) -> None:
    found = evaluate(predictions.select(rows), calibrations, bands, settings, seed=0)
    assert found.heads["fused"].metrics["roc_auc"].value is None
    assert "test/fused/roc_auc" not in found.flat_metrics()
    json.dumps(found.to_dict(), allow_nan=False)


def test_flat_metrics_carry_the_prefix_and_plain_numbers(evaluation: Evaluation) -> None:
    flat = evaluation.flat_metrics(prefix="validation")
    assert flat["validation/fused/average_precision"] == evaluation.heads["fused"].metrics["average_precision"].value
    assert flat["validation/review/listings"] == evaluation.bands[1].listings
    assert all(type(value) is float for value in flat.values())
