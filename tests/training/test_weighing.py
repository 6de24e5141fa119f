import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from counterfeit_risk.evaluation.metrics import average_precision
from counterfeit_risk.training.weighing import weigh_evidence


def rows(strengths: tuple[float, ...], *, count: int = 600, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Evidence of four kinds, each of which knows the label as well as its strength says."""
    rng = np.random.default_rng(seed)
    labels = rng.random(count) < 0.2
    return rng.normal(size=(count, 4)) + labels[:, None] * np.array(strengths), labels


def precision(scores: np.ndarray, labels: np.ndarray) -> float:
    return average_precision(labels, scores, np.ones(labels.size))


@given(st.tuples(*[st.floats(-2, 3)] * 4), st.integers(0, 50))
@settings(deadline=None, max_examples=40)
def test_no_weight_is_negative_and_the_whole_is_no_worse_than_its_better_half(strengths, seed) -> None:
    evidence, labels = rows(strengths, count=200, seed=seed)

    weights, offset = weigh_evidence(evidence, labels)

    assert (weights >= 0).all()
    assert np.isfinite(offset)
    best = max(precision(evidence[:, column], labels) for column in range(3))
    assert precision(evidence @ weights, labels) >= best - 1e-12


def test_evidence_that_speaks_for_the_genuine_is_not_listened_to() -> None:
    weights, _ = weigh_evidence(*rows((1.0, 1.0, -2.0, 1.0)))

    assert weights[2] == 0
    assert (weights[[0, 1, 3]] > 0).all()


def test_weights_are_those_of_logistic_regression_where_all_evidence_counts() -> None:
    evidence, labels = rows((1.0, 0.8, 0.6, 0.9))
    evidence = (evidence - evidence.mean(axis=0)) / evidence.std(axis=0)

    weights, offset = weigh_evidence(evidence, labels)

    oracle = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(evidence, labels)
    np.testing.assert_allclose(weights, oracle.coef_[0], atol=1e-3)
    prior = np.log(labels.mean() / (1 - labels.mean()))
    assert offset + prior == pytest.approx(oracle.intercept_[0], abs=1e-3)


def test_rows_of_one_class_leave_the_pair_as_it_is() -> None:
    weights, offset = weigh_evidence(np.ones((5, 4)), np.zeros(5, bool))

    assert weights.tolist() == [1, 0, 0, 0]
    assert offset == 0
