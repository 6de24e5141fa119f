import json

import numpy as np
import pytest

from counterfeit_risk.config import RiskSettings
from counterfeit_risk.evaluation.risk_bands import Band, RiskBands, fit_risk_bands

SETTINGS = RiskSettings()
BANDS = RiskBands(review_from=0.3, automatic_from=0.9, evidence={})
MARKETS = 200


def draw(listings: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Calibrated risks, uniform on [0, 1]: above t, (1 - t) / 2 are genuine; below t lie t² of the counterfeits."""
    rng = np.random.default_rng(seed)
    risks = rng.random(listings)
    return risks, rng.random(listings) < risks, np.arange(listings)


def test_a_risk_at_a_threshold_lies_above_it() -> None:
    risks = np.array([0.9, np.nextafter(0.9, 0), 0.3, np.nextafter(0.3, 0)])
    assert BANDS.assign(risks, np.ones(4, bool)) == [Band.AUTOMATIC, Band.REVIEW, Band.REVIEW, Band.PASS]


def test_a_listing_with_a_missing_part_is_never_automatic() -> None:
    assert BANDS.assign(np.array([0.99, 0.1]), np.array([False, False])) == [Band.REVIEW, Band.PASS]


def test_nothing_is_automatic_without_a_certified_threshold() -> None:
    assert RiskBands(0.3, None, {}).assign(np.array([1.0]), np.array([True])) == [Band.REVIEW]


def test_a_risk_that_is_nan_does_not_pass_unseen() -> None:
    with pytest.raises(ValueError, match="1 of 2"):
        BANDS.assign(np.array([np.nan, 0.1]), np.ones(2, bool))


def test_no_listings_have_no_bands() -> None:
    assert BANDS.assign(np.array([]), np.array([], bool)) == []


def test_bands_survive_json() -> None:
    bands = fit_risk_bands(*draw(2000, seed=1), SETTINGS, seed=0)
    assert RiskBands.from_dict(json.loads(json.dumps(bands.to_dict(), allow_nan=False))) == bands


def test_both_promises_hold_as_often_as_they_say() -> None:
    fitted = [fit_risk_bands(*draw(1500, seed), SETTINGS, seed=seed) for seed in range(MARKETS)]
    automatic = [bands.automatic_from for bands in fitted if bands.automatic_from is not None]
    broken = sum((1 - start) / 2 > SETTINGS.wrongful_share for start in automatic)
    missed = sum(bands.review_from**2 > SETTINGS.missed_share for bands in fitted)
    most = MARKETS * 0.05 + 3 * np.sqrt(MARKETS * 0.05 * 0.95)
    assert broken <= most
    assert 0 < missed <= most
    assert len(automatic) > MARKETS / 4


def test_ties_break_no_promise() -> None:
    broken = 0
    for seed in range(MARKETS):
        risks, _, groups = draw(1000, seed)
        coarse = np.ceil(risks * 10) / 10
        labels = np.random.default_rng(seed + MARKETS).random(1000) < np.where(coarse == 1.0, 0.94, coarse / 2)
        broken += fit_risk_bands(coarse, labels, groups, SETTINGS, seed=0).automatic_from is not None
    assert broken <= MARKETS * 0.05 + 3 * np.sqrt(MARKETS * 0.05 * 0.95)


def test_copies_within_a_group_certify_nothing_more() -> None:
    risks, labels, groups = draw(500, seed=3)
    once = fit_risk_bands(risks, labels, groups, SETTINGS, seed=0)
    copied = fit_risk_bands(*(np.repeat(values, 5) for values in (risks, labels, groups)), SETTINGS, seed=0)
    assert copied == once


def test_a_perfect_model_certifies_its_counterfeits_and_no_more() -> None:
    risks = np.linspace(0, 1, 1000)
    bands = fit_risk_bands(risks, risks > 0.7, np.arange(1000), SETTINGS, seed=0)
    assert bands.automatic_from is not None
    assert 0.65 < bands.automatic_from <= 0.7
    assert bands.review_from <= bands.automatic_from
    assert bands.evidence["automatic"]["certified"] is True
    assert bands.evidence["automatic"]["more_listings_needed"] == 0


def test_too_few_listings_say_how_many_more_are_needed() -> None:
    risks = np.linspace(0.5, 1, 40)
    bands = fit_risk_bands(risks, np.ones(40, bool), np.arange(40), SETTINGS, seed=0)
    assert bands.automatic_from is None
    assert bands.evidence["automatic"]["listings"] == 0
    assert bands.evidence["automatic"]["more_listings_needed"] == 59 - 40


def test_a_wrongful_listing_at_the_top_says_how_many_more_are_needed() -> None:
    risks = np.linspace(0, 1, 100)
    labels = np.ones(100, bool)
    labels[99] = False
    bands = fit_risk_bands(risks, labels, np.arange(100), SETTINGS, seed=0)
    assert bands.automatic_from is None
    assert bands.evidence["automatic"]["more_listings_needed"] == 93 - 59  # P(Bin(93, 5 %) <= 1) is below 5 %


def test_too_few_counterfeits_start_the_review_at_the_smallest_seen() -> None:
    risks = np.linspace(0, 1, 100)
    bands = fit_risk_bands(risks, risks >= 0.8, np.arange(100), SETTINGS, seed=0)
    assert bands.review_from == np.float32(risks[risks >= 0.8].min())
    assert bands.evidence["review"]["certified"] is False
    assert bands.evidence["review"]["more_counterfeits_needed"] == 29 - 20


def test_without_any_counterfeit_everything_is_reviewed() -> None:
    bands = fit_risk_bands(np.linspace(0, 1, 100), np.zeros(100, bool), np.arange(100), SETTINGS, seed=0)
    assert (bands.review_from, bands.automatic_from) == (0.0, None)


def test_listings_that_can_never_be_automatic_do_not_count_for_it() -> None:
    risks = np.linspace(0, 1, 1000)
    labels = risks > 0.7
    unsure = labels & (np.arange(1000) % 2 == 0)
    labels[unsure] = np.arange(unsure.sum()) % 4 == 0
    groups = np.arange(1000)
    assert fit_risk_bands(risks, labels, groups, SETTINGS, seed=0).automatic_from is None
    assert fit_risk_bands(risks, labels, groups, SETTINGS, seed=0, complete=~unsure).automatic_from is not None


def test_a_rarer_deployed_prevalence_asks_for_more_evidence() -> None:
    risks = np.linspace(0, 1, 1000)
    labels, groups = risks > 0.5, np.arange(1000)
    rare = RiskSettings(deployed_prevalence=0.01)
    assert fit_risk_bands(risks, labels, groups, SETTINGS, seed=0).automatic_from is not None
    bands = fit_risk_bands(risks, labels, groups, rare, seed=0)
    assert bands.automatic_from is None
    tested = bands.evidence["automatic"]["wrongful_share_tested"]
    assert isinstance(tested, float)
    odds = tested / (1 - tested) * 99  # half of these listings are counterfeit, one in a hundred there
    assert odds / (1 + odds) == pytest.approx(SETTINGS.wrongful_share)
