import json
import logging
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from counterfeit_risk.evaluation.calibration import Calibration, Calibrations, fit_calibration, fit_calibrations
from counterfeit_risk.evaluation.predictions import Predictions

QUICK = settings(max_examples=40, deadline=None)
PLAIN = Calibration(slope=1.0, intercept=0.0, floor=-math.inf, fitted_prevalence=0.5, deployed_prevalence=0.5)


def draw(listings: int, *, slope: float, intercept: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=listings) * 2
    return logits, rng.random(listings) < 1 / (1 + np.exp(-(slope * logits + intercept)))


def test_the_line_that_made_the_labels_is_found_again() -> None:
    fitted = fit_calibration(*draw(10_000, slope=0.6, intercept=-1.0))
    assert fitted.slope == pytest.approx(0.6, abs=0.05)
    assert fitted.intercept == pytest.approx(-1.0, abs=0.06)


def test_counterfeits_that_show_nothing_are_a_floor_and_not_a_flatter_line() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=20_000) * 3
    labels = rng.random(20_000) < 1 / (1 + np.exp(-np.logaddexp(-2.5, 1.5 * logits - 1)))

    fitted = fit_calibration(logits, labels)

    assert fitted.floor == pytest.approx(-2.5, abs=0.1)
    assert fitted.slope == pytest.approx(1.5, abs=0.1)
    assert fitted.risk(np.array([-1000.0])) == pytest.approx(1 / (1 + np.exp(2.5)), abs=0.01)


def test_the_floor_moves_with_the_prevalence() -> None:
    fitted = Calibration(slope=1.0, intercept=0.0, floor=-2.0, fitted_prevalence=0.5, deployed_prevalence=0.1)
    assert fitted.risk(np.array([-1000.0])) == pytest.approx(1 / (1 + 9 * np.exp(2.0)))


def test_risks_average_to_the_prevalence_fitted_on() -> None:
    logits, labels = draw(500, slope=1.5, intercept=-2.0)
    assert fit_calibration(logits, labels).risk(logits).mean() == pytest.approx(labels.mean(), abs=0.005)


def test_separable_labels_get_platts_targets_and_not_certainty() -> None:
    logits, labels = np.repeat([-5.0, 5.0], 10), np.repeat([False, True], 10)
    risks = fit_calibration(logits, labels).risk(np.array([-5.0, 5.0]))
    assert risks == pytest.approx([1 / 12, 11 / 12], abs=1e-4)


def test_scaling_the_logits_leaves_the_risks() -> None:
    logits, labels = draw(300, slope=1.0, intercept=0.0)
    risks = fit_calibration(logits, labels).risk(logits)
    assert fit_calibration(1000 * logits + 7, labels).risk(1000 * logits + 7) == pytest.approx(risks, abs=1e-6)


def test_rows_without_a_logit_change_nothing() -> None:
    logits, labels = draw(200, slope=1.0, intercept=0.0)
    longer = np.append(logits, [np.nan, np.inf]), np.append(labels, [True, False])
    assert fit_calibration(*longer) == fit_calibration(logits, labels)


def test_a_model_that_ranks_backwards_is_floored_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    logits, labels = draw(500, slope=-2.0, intercept=0.0)
    with caplog.at_level(logging.WARNING):
        fitted = fit_calibration(logits, labels)
    assert fitted.slope > 0
    assert fitted.risk(logits) == pytest.approx(labels.mean(), abs=0.01)
    assert "does not mean a higher risk" in caplog.text


def test_equal_logits_get_the_prevalence() -> None:
    fitted = fit_calibration(np.full(40, 3.0), np.repeat([True, False], [10, 30]))
    assert fitted.risk(np.array([3.0])) == pytest.approx(0.25, abs=0.03)


@QUICK
@given(arrays(np.float64, 12, elements=st.floats(-1000, 1000)), st.integers(1, 11))
def test_any_logits_of_both_classes_get_a_rising_finite_line(logits: np.ndarray, counterfeits: int) -> None:
    fitted = fit_calibration(logits, np.arange(12) < counterfeits)
    assert fitted.slope > 0
    assert np.isfinite(fitted.intercept)
    assert fitted.risk(logits).mean() == pytest.approx(counterfeits / 12, abs=0.1)


@pytest.mark.parametrize("label", [True, False])
def test_one_class_alone_is_refused(label: bool) -> None:
    with pytest.raises(ValueError, match="both classes"):
        fit_calibration(np.arange(5.0), np.full(5, label))


def test_no_finite_logit_is_refused() -> None:
    with pytest.raises(ValueError, match="both classes"):
        fit_calibration(np.full(4, np.nan), np.array([True, False, True, False]))


def test_the_deployed_prevalence_moves_the_odds_by_the_ratio_of_the_priors() -> None:
    logits, labels = draw(400, slope=1.0, intercept=0.0)
    here, there = fit_calibration(logits, labels), fit_calibration(logits, labels, deployed_prevalence=0.01)
    odds_here, odds_there = (c.risk(logits) / (1 - c.risk(logits)) for c in (here, there))
    prior = labels.mean()
    assert odds_there / odds_here == pytest.approx(0.01 / 0.99 * (1 - prior) / prior)


@QUICK
@given(arrays(np.float64, 20, elements=st.floats(-1000, 1000)))
def test_a_higher_logit_is_never_a_lower_risk(logits: np.ndarray) -> None:
    risks = PLAIN.risk(np.sort(logits))
    assert np.all(np.diff(risks) >= 0)
    assert np.all((risks >= 0) & (risks <= 1))


def test_extreme_logits_and_nan_pass_through() -> None:
    risks = PLAIN.risk(np.array([-1000.0, 0.0, 1000.0, np.nan]))
    np.testing.assert_array_equal(risks, [0.0, 0.5, 1.0, np.nan])


def test_small_risks_keep_their_precision() -> None:
    assert PLAIN.risk(np.array([-50.0]))[0] == pytest.approx(np.exp(-50))


def test_a_head_with_too_few_rows_of_a_class_borrows_the_fused_calibration(
    predictions: Predictions, caplog: pytest.LogCaptureFixture
) -> None:
    logits = predictions.logits.copy()
    logits[np.flatnonzero(predictions.labels)[1:], 1] = np.nan
    starved = Predictions(predictions.listing_ids, predictions.labels, logits, predictions.groups, {})
    fitted = fit_calibrations(starved)
    assert fitted.photo == fitted.fused != fitted.title
    assert "photo" in caplog.text


def test_risks_are_missing_exactly_where_logits_are(predictions: Predictions, calibrations: Calibrations) -> None:
    risks = calibrations.risks(predictions)
    np.testing.assert_array_equal(np.isnan(risks), np.isnan(predictions.logits))
    np.testing.assert_array_equal(risks[:, 2], calibrations.title.risk(predictions.logits[:, 2]))


def test_calibrations_survive_json(calibrations: Calibrations) -> None:
    assert Calibrations.from_dict(json.loads(json.dumps(calibrations.to_dict()))) == calibrations


def _without(part: int, listings: int, *, rate: float, seed: int = 0) -> Predictions:
    """Listings half of which lack photos (1) or a title (2); the fused logit is then the other part's."""
    rng = np.random.default_rng(seed)
    lacking = np.arange(listings) % 2 == 0
    labels = rng.random(listings) < np.where(lacking, rate, 0.5)
    photo, title = (np.where(labels, 1.0, -1.0) + rng.normal(size=listings) for _ in range(2))
    logits = np.column_stack([np.where(lacking, title if part == 1 else photo, photo + title), photo, title])
    logits[lacking, part] = np.nan
    ids = tuple(f"L{number}" for number in range(listings))
    return Predictions(ids, labels, logits, np.arange(listings), {})


@pytest.mark.parametrize("part", [1, 2])
def test_listings_that_lack_a_part_are_calibrated_on_their_like(part: int) -> None:
    predictions = _without(part, 4000, rate=0.1)

    risks = fit_calibrations(predictions).risks(predictions)[:, 0]

    lacking = ~predictions.complete
    assert risks[lacking].mean() == pytest.approx(predictions.labels[lacking].mean(), abs=0.01)
    assert risks[~lacking].mean() == pytest.approx(predictions.labels[~lacking].mean(), abs=0.01)


@pytest.mark.parametrize(("part", "name", "head"), [(1, "no_photo", "title"), (2, "no_title", "photo")])
def test_too_few_of_them_borrow_from_the_head_that_speaks_for_them(part: int, name: str, head: str) -> None:
    predictions = _without(part, 400, rate=0.1).select(np.r_[0:8:2, 1:400:2])

    fitted = fit_calibrations(predictions)

    assert getattr(fitted, name) == getattr(fitted, head)
    assert getattr(fitted, name) != fitted.fused


def test_calibrations_move_to_another_prevalence_and_keep_their_order() -> None:
    predictions = _without(1, 2000, rate=0.4)
    here = fit_calibrations(predictions)

    there = here.deployed_at(0.01)

    risks, moved = here.risks(predictions)[:, 1], there.risks(predictions)[:, 1]
    shift = np.log(0.01 / 0.99) - np.log(here.photo.fitted_prevalence / (1 - here.photo.fitted_prevalence))
    known = ~np.isnan(risks)
    odds, moved_odds = (np.log(one[known] / (1 - one[known])) for one in (risks, moved))
    np.testing.assert_allclose(moved_odds - odds, shift, atol=1e-6)
    assert there.deployed_at(here.fused.deployed_prevalence).fused == here.fused
