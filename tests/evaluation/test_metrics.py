from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, precision_recall_curve, roc_auc_score

from counterfeit_risk.evaluation import metrics
from counterfeit_risk.evaluation.metrics import Metric

ALL: dict[str, Metric] = {
    "average_precision": metrics.average_precision,
    "roc_auc": metrics.roc_auc,
    "brier": metrics.brier,
    "expected_calibration_error": metrics.expected_calibration_error,
    "recall_at_precision": partial(metrics.recall_at_precision, floor=0.6),
    "precision_at_capacity": partial(metrics.precision_at_capacity, capacity=5),
    "recall_at_capacity": partial(metrics.recall_at_capacity, capacity=5),
    "share_of_oracle": partial(metrics.share_of_oracle, capacity=5),
}
RANKING = [name for name in ALL if name not in {"brier", "expected_calibration_error"}]
EVERY = pytest.mark.parametrize("metric", ALL.values(), ids=ALL.keys())

QUICK = settings(max_examples=15, deadline=None)
Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


@st.composite
def rows(draw: Callable[..., list[int]]) -> Rows:
    """Both classes, many ties, whole weights of which some are 0."""
    size = draw(st.integers(4, 30))
    column = partial(st.lists, min_size=size, max_size=size)
    labels = np.array(draw(column(st.booleans())), dtype=bool)
    risks = np.array(draw(column(st.integers(0, 8)))) / 8
    weights = np.array(draw(column(st.integers(0, 3))), dtype=np.float64)
    assume(weights[labels].sum() > 0 and weights[~labels].sum() > 0)
    return labels, risks, weights


@QUICK
@given(rows())
def test_ranking_metrics_and_brier_agree_with_scikit_learn(drawn: Rows) -> None:
    labels, risks, weights = drawn
    assert metrics.average_precision(*drawn) == pytest.approx(
        average_precision_score(labels, risks, sample_weight=weights)
    )
    assert metrics.roc_auc(*drawn) == pytest.approx(roc_auc_score(labels, risks, sample_weight=weights))
    assert metrics.brier(*drawn) == pytest.approx(brier_score_loss(labels, risks, sample_weight=weights))


@QUICK
@given(rows(), st.sampled_from([0.3, 0.5, 0.9]))
def test_recall_at_precision_agrees_with_scikit_learns_curve(drawn: Rows, floor: float) -> None:
    labels, risks, weights = drawn
    kept = weights > 0
    precision, recall, _ = precision_recall_curve(labels[kept], risks[kept], sample_weight=weights[kept])
    expected = recall[precision >= floor].max()
    assert metrics.recall_at_precision(*drawn, floor=floor) == pytest.approx(expected)


@EVERY
@QUICK
@given(drawn=rows())
def test_a_weight_is_the_row_standing_that_often(metric: Metric, drawn: Rows) -> None:
    labels, risks, weights = drawn
    often = weights.astype(int)
    repeated = metric(np.repeat(labels, often), np.repeat(risks, often), np.ones(often.sum()))
    assert metric(*drawn) == pytest.approx(repeated)


@EVERY
@QUICK
@given(drawn=rows(), seed=st.integers(0, 9))
def test_the_order_of_rows_does_not_matter(metric: Metric, drawn: Rows, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(drawn[0].size)
    labels, risks, weights = (values[order] for values in drawn)
    assert metric(labels, risks, weights) == pytest.approx(metric(*drawn))


@pytest.mark.parametrize("name", RANKING)
@QUICK
@given(drawn=rows())
def test_ranking_metrics_see_the_order_of_risks_only(name: str, drawn: Rows) -> None:
    labels, risks, weights = drawn
    assert ALL[name](labels, risks**3 / 2, weights) == pytest.approx(ALL[name](*drawn))


@EVERY
@QUICK
@given(drawn=rows())
def test_every_metric_lies_between_0_and_1(metric: Metric, drawn: Rows) -> None:
    assert -1e-12 <= metric(*drawn) <= 1 + 1e-12


@pytest.mark.parametrize("name", [name for name in RANKING if name != "precision_at_capacity"])
@pytest.mark.parametrize("rows_left", [0, 3])
def test_without_counterfeits_ranking_is_not_defined(name: str, rows_left: int) -> None:
    assert np.isnan(ALL[name](np.zeros(rows_left, bool), np.zeros(rows_left), np.ones(rows_left)))


@pytest.mark.parametrize("name", ["brier", "expected_calibration_error", "precision_at_capacity"])
def test_without_listings_nothing_is_defined(name: str) -> None:
    assert np.isnan(ALL[name](np.zeros(0, bool), np.zeros(0), np.zeros(0)))


def test_capacity_counts_what_people_open() -> None:
    labels, risks, weights = np.array([True, False, True, True]), np.array([0.9, 0.8, 0.7, 0.1]), np.ones(4)
    assert metrics.precision_at_capacity(labels, risks, weights, capacity=2) == 0.5
    assert metrics.recall_at_capacity(labels, risks, weights, capacity=2) == pytest.approx(1 / 3)
    assert metrics.share_of_oracle(labels, risks, weights, capacity=2) == 0.5


def test_a_tie_that_does_not_fit_gives_its_average() -> None:
    labels, risks = np.array([True, True, False, False]), np.full(4, 0.5)
    assert metrics.precision_at_capacity(labels, risks, np.ones(4), capacity=1) == 0.5


def test_more_capacity_than_listings_opens_all_of_them() -> None:
    labels, risks = np.array([True, False]), np.array([0.1, 0.9])
    assert metrics.precision_at_capacity(labels, risks, np.ones(2), capacity=9) == 0.5
    assert metrics.recall_at_capacity(labels, risks, np.ones(2), capacity=9) == 1.0


def test_an_oracle_gets_all_of_what_capacity_allows() -> None:
    labels = np.arange(20) < 8
    for capacity in (3, 8, 15):
        assert metrics.share_of_oracle(labels, labels.astype(float), np.ones(20), capacity=capacity) == 1.0


@QUICK
@given(rows())
def test_reliability_bins_hold_every_listing_once_and_rise(drawn: Rows) -> None:
    labels, risks, weights = drawn
    bins = metrics.reliability_bins(labels, risks, weights)
    assert len(bins) <= 10
    assert sum(one.weight for one in bins) == pytest.approx(weights.sum())
    assert sum(one.weight * one.mean_risk for one in bins) == pytest.approx((weights * risks).sum())
    assert sum(one.weight * one.counterfeit_share for one in bins) == pytest.approx(weights[labels].sum())
    assert [one.mean_risk for one in bins] == sorted(one.mean_risk for one in bins)


def test_distinct_risks_fill_reliability_bins_equally() -> None:
    bins = metrics.reliability_bins(np.zeros(50, bool), np.linspace(0, 1, 50), np.ones(50), bins=5)
    assert [one.weight for one in bins] == [10.0] * 5


def test_calibration_error_is_the_gap_of_risk_and_share() -> None:
    labels = np.arange(100) < 30
    assert metrics.expected_calibration_error(labels, np.full(100, 0.5), np.ones(100)) == pytest.approx(0.2)
    assert metrics.expected_calibration_error(labels, np.full(100, 0.3), np.ones(100)) == pytest.approx(0.0)


def sample(listings: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    risks = rng.random(listings)
    return rng.random(listings) < risks, risks


def test_the_interval_holds_the_estimate() -> None:
    labels, risks = sample()
    for name in ("average_precision", "roc_auc", "brier"):
        found = metrics.bootstrap(
            ALL[name], labels, risks, groups=np.arange(300), draws=100, rng=np.random.default_rng(0)
        )
        assert found.low is not None
        assert found.value is not None
        assert found.high is not None
        assert found.low < found.value < found.high
        assert found.skipped_draws == 0


def width(groups: np.ndarray) -> float:
    labels, risks = sample()
    copies = groups.size // labels.size
    found = metrics.bootstrap(
        metrics.brier,
        np.tile(labels, copies),
        np.tile(risks, copies),
        groups=groups,
        draws=200,
        rng=np.random.default_rng(0),
    )
    assert found.low is not None
    assert found.high is not None
    return found.high - found.low


def test_copies_in_one_group_do_not_narrow_the_interval() -> None:
    alone, grouped, ungrouped = width(np.arange(300)), width(np.tile(np.arange(300), 4)), width(np.arange(1200))
    assert grouped == pytest.approx(alone)
    assert ungrouped < 0.7 * alone


def test_draws_without_a_counterfeit_are_skipped_and_counted() -> None:
    labels = np.arange(10) == 0
    found = metrics.bootstrap(
        metrics.roc_auc, labels, labels.astype(float), groups=np.arange(10), draws=200, rng=np.random.default_rng(0)
    )
    assert found.value == found.low == found.high == 1.0
    assert 40 < found.skipped_draws < 110  # (9 / 10)^10 of 200 draws: 70


def test_an_undefined_metric_has_no_interval() -> None:
    found = metrics.bootstrap(
        metrics.roc_auc, np.zeros(5, bool), np.zeros(5), groups=np.arange(5), draws=20, rng=np.random.default_rng(0)
    )
    assert (found.value, found.low, found.high, found.skipped_draws) == (None, None, None, 20)


def test_the_calibration_gap_is_what_risks_promise_beyond_what_is_there() -> None:
    labels, risks = np.array([True, False, False, False]), np.array([0.9, 0.5, 0.3, 0.3])

    assert metrics.calibration_gap(labels, risks, np.ones(4)) == pytest.approx(0.25)
    assert metrics.calibration_gap(labels, risks, np.array([2, 0, 0, 0])) == pytest.approx(-0.1)


def test_the_gap_in_the_top_looks_at_the_riskiest_only() -> None:
    labels, risks = np.array([False, True, False, False]), np.array([0.3, 0.9, 0.5, 0.3])

    assert metrics.calibration_gap_in_top(labels, risks, np.ones(4), size=1) == pytest.approx(-0.1)
    assert metrics.calibration_gap_in_top(labels, risks, np.ones(4), size=2) == pytest.approx(0.2)
    assert metrics.calibration_gap_in_top(labels, risks, np.array([1, 1, 1, 0]), size=2) == pytest.approx(0.2)


def test_a_tie_at_the_end_of_the_top_is_shared() -> None:
    labels, risks = np.array([True, True, False]), np.array([0.8, 0.4, 0.4])

    assert metrics.calibration_gap_in_top(labels, risks, np.ones(3), size=2) == pytest.approx((1.2 - 1.5) / 2)


def test_all_listings_are_no_top() -> None:
    assert np.isnan(metrics.calibration_gap_in_top(np.ones(3, bool), np.ones(3), np.ones(3), size=3))
