from dataclasses import replace

import numpy as np
import pytest

from counterfeit_risk.errors import UsageError
from counterfeit_risk.evaluation.head_to_head import Contender, HeadToHead, Verdict, compare_models
from counterfeit_risk.evaluation.predictions import Predictions
from counterfeit_risk.evaluation.risk_bands import RiskBands

BANDS = RiskBands(review_from=0.5, automatic_from=None, evidence={})


def contender(name: str, skill: float, *, seed: int = 0, listings: int = 600, first: int = 0) -> Contender:
    """A model whose risks follow the label as far as its skill goes; groups of three."""
    rng = np.random.default_rng(seed)
    labels = np.random.default_rng(99).random(listings) < 0.2
    logits = skill * (2 * labels - 1) + rng.normal(size=listings)
    risks = 1 / (1 + np.exp(-logits))
    predictions = Predictions(
        listing_ids=tuple(f"L{first + row}" for row in range(listings)),
        labels=labels,
        logits=np.column_stack([logits, logits, logits]),
        groups=np.arange(listings) // 3,
        slices={"brand": np.where(np.arange(listings) % 2, "odd", "even")},
    )
    return Contender(name, predictions, risks, tuple(BANDS.assign(risks, predictions.complete)))


def held(model: Contender, other: Contender) -> HeadToHead:
    return compare_models(model, other, capacity=100, smallest_slice=30, draws=200, seed=0)


def test_the_better_model_is_called_better_and_the_other_one_worse() -> None:
    good, poor = contender("good", 2.0), contender("poor", 0.3, seed=1)

    assert held(good, poor).verdict is Verdict.BETTER
    assert held(poor, good).verdict is Verdict.WORSE


def test_models_of_one_skill_are_not_told_apart() -> None:
    found = held(contender("one", 1.0), contender("other", 1.0, seed=1))

    assert found.verdict is Verdict.UNDECIDED
    low, high = (getattr(found.metrics["average_precision"].difference, end) for end in ("low", "high"))
    assert low < 0 < high


def test_a_better_ranking_that_catches_fewer_at_capacity_is_worse() -> None:
    good = contender("good", 2.0)
    spoiled = good.risks.copy()
    spoiled[np.flatnonzero(~good.predictions.labels)[:50]] = 0.999999  # fifty reviews are wasted

    found = compare_models(
        replace(good, model_id="spoiled", risks=spoiled), good, capacity=60, smallest_slice=30, draws=200, seed=0
    )

    assert found.verdict is Verdict.WORSE
    assert found.metrics["recall_at_capacity"].difference.high < 0


def test_shared_draws_make_the_difference_surer_than_its_parts() -> None:
    from counterfeit_risk.evaluation import metrics

    model = contender("model", 1.0)
    other = replace(model, model_id="other", risks=np.clip(model.risks + 0.01 * model.predictions.labels, 0, 1))
    difference = held(model, other).metrics["average_precision"].difference
    alone = metrics.bootstrap(
        metrics.average_precision,
        model.predictions.labels,
        model.risks,
        groups=model.predictions.groups,
        draws=200,
        rng=np.random.default_rng(0),
    )

    assert difference.high - difference.low < 0.2 * (alone.high - alone.low)


def test_what_enters_and_leaves_the_queue_is_counted() -> None:
    old = contender("old", 1.0)
    risks = old.risks.copy()
    risks[np.argmin(risks)] = 1.0
    new = replace(old, model_id="new", risks=risks, bands=tuple(BANDS.assign(risks, old.predictions.complete)))

    riskiest, flagged = held(new, old).queue

    assert (riskiest.before, riskiest.after, riskiest.entering, riskiest.leaving) == (100, 100, 1, 1)
    assert flagged.entering == 1
    assert flagged.leaving == 0
    assert riskiest.entering_counterfeits == int(old.predictions.labels[np.argmin(old.risks)])
    assert riskiest.churn == pytest.approx(2 / 101)


def test_only_listings_that_both_judged_are_compared() -> None:
    found = held(contender("one", 1.0), contender("other", 1.0, seed=1, first=100))

    assert (found.listings, found.left_out) == (500, 200)


def test_the_order_of_the_other_model_s_listings_does_not_matter() -> None:
    one, other = contender("one", 1.0), contender("other", 1.5, seed=1)
    shuffled = other.select(np.random.default_rng(3).permutation(600))

    assert held(one, shuffled) == held(one, other)


def test_models_without_a_listing_in_common_are_refused() -> None:
    with pytest.raises(UsageError, match="no listing in common"):
        held(contender("one", 1.0), contender("other", 1.0, first=1000))


def test_slices_are_compared_where_both_kinds_are_there() -> None:
    found = held(contender("good", 2.0), contender("poor", 0.0, seed=1))

    assert [(one.name, one.value) for one in found.slices] == [("brand", "even"), ("brand", "odd")]
    assert all(one.average_precision.difference.low > 0 for one in found.slices)


def test_a_comparison_comes_back_from_its_plain_values() -> None:
    found = held(contender("good", 2.0), contender("poor", 0.0, seed=1))

    assert HeadToHead.from_dict(found.to_dict()) == found
