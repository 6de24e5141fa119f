import json

import numpy as np
import pytest
from mapie.risk_control import BinaryClassificationController, control_fwer
from mapie.risk_control.methods import compute_hoeffding_bentkus_p_value

from counterfeit_risk.config import RiskSettings
from counterfeit_risk.evaluation import guarantees
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
    evidence = fit_risk_bands(risks, np.ones(40, bool), np.arange(40), SETTINGS, seed=0).evidence["automatic"]
    assert evidence["certified"] is False
    assert evidence["listings"] == 0
    assert evidence["more_listings_needed"] == 59 - 40
    assert evidence["more_groups_needed"] == 59 - 40  # all that were seen are counterfeit


def test_too_few_listings_count_for_as_long_as_they_are_counterfeit() -> None:
    risks = np.linspace(0, 1, 40)
    evidence = fit_risk_bands(risks, risks > 0.88, np.arange(40), SETTINGS, seed=0).evidence["automatic"]
    assert evidence["more_listings_needed"] == 59 - 5
    assert evidence["more_groups_needed"] == (59 - 5) * 40 / 5


def test_a_wrongful_listing_at_the_top_leaves_nothing_to_build_on() -> None:
    risks = np.linspace(0, 1, 100)
    evidence = fit_risk_bands(risks, risks < 0.995, np.arange(100), SETTINGS, seed=0).evidence["automatic"]
    assert (evidence["listings"], evidence["wrongful"]) == (59, 1)
    assert evidence["more_listings_needed"] == 59
    assert evidence["more_groups_needed"] is None


@pytest.mark.parametrize("first_genuine", [3, 30, 58])
def test_the_listings_needed_are_what_it_takes(first_genuine: int) -> None:
    risks, labels = np.linspace(0.8, 0.1, 400), np.arange(400) != first_genuine
    needed = fit_risk_bands(risks, labels, np.arange(400), SETTINGS, seed=0).evidence["automatic"]
    assert needed["certified"] is False
    assert isinstance(needed["more_listings_needed"], int)
    step = 5  # of the ranks tested: 1 % of all, which are more then
    for more, enough in ((needed["more_listings_needed"] - step, False), (needed["more_listings_needed"] + step, True)):
        grown, found = (
            np.append(np.linspace(1, 0.9, max(more, 0)), risks),
            np.append(np.ones(max(more, 0), bool), labels),
        )
        bands = fit_risk_bands(grown, found, np.arange(grown.size), SETTINGS, seed=0)
        assert (bands.automatic_from is not None) == enough


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


def draw_case(seed: int) -> tuple[np.ndarray, np.ndarray, RiskSettings]:
    """Distinct risks and labels of a model of some quality, and promises of some strictness."""
    rng = np.random.default_rng(seed)
    listings = int(rng.integers(100, 1500))
    risks = (rng.permutation(listings) / listings).astype(np.float32).astype(np.float64)
    odds = np.exp(rng.uniform(2, 20) * (risks - rng.uniform(0.2, 0.8)))
    promises = RiskSettings(wrongful_share=rng.choice([0.05, 0.1, 0.2]), confidence=rng.choice([0.8, 0.9, 0.95]))
    return risks, rng.random(listings) < odds / (1 + odds), promises


def ranks_to_test(listings: int, settings: RiskSettings) -> np.ndarray:
    """The riskiest 1 %, 2 %, ... that can certify anything."""
    ranks = np.unique(np.ceil(np.arange(1, 101) / 100 * listings).astype(int))
    return ranks[ranks >= guarantees.fewest_listings(settings.wrongful_share, settings.confidence)]


def automatic_listings(risks: np.ndarray, labels: np.ndarray, settings: RiskSettings) -> int:
    start = fit_risk_bands(risks, labels, np.arange(risks.size), settings, seed=0).automatic_from
    return 0 if start is None else int((risks >= start).sum())


@pytest.mark.parametrize("seed", range(60))
def test_the_automatic_band_is_what_mapie_certifies(seed: int) -> None:
    risks, labels, settings = draw_case(seed)
    ranks = ranks_to_test(risks.size, settings)
    shares = np.cumsum(~labels[np.argsort(-risks)])[ranks - 1] / ranks
    exactly = np.nextafter(shares, 0)  # never rounds up to one failure more
    p_values = compute_hoeffding_bentkus_p_value(exactly, ranks, settings.wrongful_share, binary=True)[:, 0]
    certified = control_fwer(p_values, 1 - settings.confidence, "fixed_sequence")
    assert automatic_listings(risks, labels, settings) == (ranks[certified[-1]] if certified.size else 0)


@pytest.mark.filterwarnings("ignore::UserWarning:mapie")
def test_the_automatic_band_is_no_narrower_than_that_of_mapies_controller_which_rounds_failures_up() -> None:
    ours, theirs = [], []
    for seed in range(60):
        risks, labels, settings = draw_case(seed)
        controller = BinaryClassificationController(
            lambda these: np.column_stack([1 - these, these]),
            "precision",
            1 - settings.wrongful_share,
            confidence_level=settings.confidence,
            list_predict_params=np.sort(risks)[-ranks_to_test(risks.size, settings)[::-1]],
            fwer_method="fixed_sequence",
        )
        controller.calibrate(risks, labels)
        start = controller.best_predict_param
        theirs.append(0 if start is None else int((risks >= start).sum()))
        ours.append(automatic_listings(risks, labels, settings))
    assert (np.array(ours) >= np.array(theirs)).all()
    assert (np.array(ours) == np.array(theirs)).mean() > 0.8
    assert np.count_nonzero(theirs) > 20
