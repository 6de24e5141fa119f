from itertools import product

import numpy as np
import pytest

from counterfeit_risk.errors import UsageError
from counterfeit_risk.evaluation import metrics
from counterfeit_risk.evaluation.ceiling import (
    expected_average_precision,
    find_ceilings,
    share_reached,
    untellable_share,
)
from counterfeit_risk.evaluation.predictions import Predictions

LABELS = np.array([True, False, True, False])
POSTERIORS = np.array([0.9, 0.8, 0.6, 0.1])
ONES = np.ones(4)


def made_up(listings: int, *, seed: int) -> tuple[Predictions, np.ndarray]:
    """Listings whose labels are drawn from their joint posterior, and the (N, 3) posteriors."""
    rng = np.random.default_rng(seed)
    joint = rng.beta(0.5, 2.0, size=listings)
    labels = rng.random(listings) < joint
    posteriors = np.column_stack([joint, np.clip(joint + rng.normal(0, 0.1, listings), 0, 1), np.full(listings, 0.2)])
    logits = np.column_stack([np.log(joint / (1 - joint)) + rng.normal(size=listings), joint, joint])
    ids = tuple(f"L{number}" for number in range(listings))
    return Predictions(ids, labels, logits, np.arange(listings), {}), posteriors


def test_the_ceiling_is_the_average_precision_of_the_posteriors() -> None:
    predictions = Predictions(tuple("abcd"), LABELS, np.zeros((4, 3)), np.arange(4), {})
    posteriors = np.column_stack([POSTERIORS, POSTERIORS[::-1], np.full(4, 0.5)])
    found = find_ceilings(predictions, np.full((4, 3), 0.5), posteriors, draws=20, rng=np.random.default_rng(0)).heads
    # counterfeits at ranks 1 and 3; at ranks 2 and 4; all tied
    assert found["fused"].average_precision.value == pytest.approx((1 + 2 / 3) / 2)
    assert found["photo"].average_precision.value == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert found["title"].average_precision.value == pytest.approx(0.5)
    assert found["fused"].share_reached.value == pytest.approx(0.5 / (5 / 6))


def test_ranking_by_the_posterior_reaches_the_whole_ceiling() -> None:
    both = np.column_stack([POSTERIORS**3, POSTERIORS])
    assert share_reached(LABELS, both, ONES) == 1.0


def test_the_expected_value_is_the_mean_over_all_labels_that_the_posteriors_allow() -> None:
    total = certain = 0.0
    for drawn in product([False, True], repeat=4):
        labels = np.array(drawn)
        if labels.any():
            likelihood = np.prod(np.where(labels, POSTERIORS, 1 - POSTERIORS))
            certain += likelihood
            total += likelihood * metrics.average_precision(labels, POSTERIORS, ONES)
    found = expected_average_precision(POSTERIORS, draws=4000, rng=np.random.default_rng(0))
    assert found == pytest.approx(total / certain, abs=0.01)


def test_honest_posteriors_foretell_their_ceiling_and_a_noisy_model_stays_below() -> None:
    predictions, posteriors = made_up(3000, seed=1)
    risks = 1 / (1 + np.exp(-predictions.logits))
    ceiling = find_ceilings(predictions, risks, posteriors, draws=50, rng=np.random.default_rng(0)).heads["fused"]
    low, high = ceiling.average_precision.low, ceiling.average_precision.high
    assert low is not None
    assert high is not None
    assert low < (ceiling.expected or 0.0) < high
    assert (ceiling.share_reached.high or 1.0) < 1.0


def test_a_counterfeit_at_or_below_the_prevalence_cannot_be_told() -> None:
    labels = np.array([True, True, True, False, False, False])
    posteriors = np.array([0.9, 0.5, 0.2, 0.2, 0.2, 0.1])
    assert untellable_share(labels, posteriors, np.ones(6)) == pytest.approx(2 / 3)
    # a row that stands twice moves both the prevalence and the share
    assert untellable_share(labels, posteriors, np.array([1.0, 1.0, 2.0, 1.0, 1.0, 1.0])) == pytest.approx(3 / 4)


def test_a_head_is_bounded_on_the_listings_that_it_judges() -> None:
    predictions, posteriors = made_up(200, seed=2)
    risks = np.full((200, 3), 0.5)
    risks[:100, 1] = posteriors[:100, 1] = np.nan
    found = find_ceilings(predictions, risks, posteriors, draws=20, rng=np.random.default_rng(0)).heads["photo"]
    expected = metrics.average_precision(predictions.labels[100:], posteriors[100:, 1], np.ones(100))
    assert found.average_precision.value == expected


def test_a_risk_without_a_posterior_is_refused() -> None:
    predictions, posteriors = made_up(10, seed=3)
    posteriors[4, 2] = np.nan
    with pytest.raises(UsageError, match="no true title posterior, first 'L4'"):
        find_ceilings(predictions, np.full((10, 3), 0.5), posteriors, draws=20, rng=np.random.default_rng(0))


def test_nothing_to_judge_has_no_ceiling() -> None:
    predictions, posteriors = made_up(10, seed=3)
    nothing = predictions.select(np.zeros(10, dtype=bool))
    found = find_ceilings(nothing, np.empty((0, 3)), posteriors[:0], draws=20, rng=np.random.default_rng(0))
    assert found.untellable.value is found.heads["fused"].expected is None
