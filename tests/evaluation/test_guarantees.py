import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from counterfeit_risk.evaluation import guarantees

QUICK = settings(max_examples=40, deadline=None)


@pytest.mark.parametrize(("share", "fewest"), [(0.05, 59), (0.01, 299), (0.001, 2995)])
def test_the_fewest_listings_are_those_of_the_literature(share: float, fewest: int) -> None:
    assert guarantees.fewest_listings(share, 0.95) == fewest


@QUICK
@given(st.integers(0, 30), st.floats(0.01, 0.5), st.floats(0.5, 0.99))
def test_the_listings_needed_are_just_enough(failures: int, share: float, confidence: float) -> None:
    needed = guarantees.listings_needed(failures, share=share, confidence=confidence)
    assert binom.cdf(failures, needed, share) <= 1 - confidence
    assert needed == failures + 1 or binom.cdf(failures, needed - 1, share) > 1 - confidence


@QUICK
@given(st.integers(1, 400), st.floats(0.01, 0.5), st.floats(0.5, 0.99))
def test_the_certified_rank_is_the_largest_that_holds(size: int, share: float, confidence: float) -> None:
    rank = guarantees.certified_rank(size, share=share, confidence=confidence)
    assert rank == 0 or binom.cdf(rank - 1, size, share) <= 1 - confidence
    assert binom.cdf(rank, size, share) >= 1 - confidence


def test_an_empty_sample_certifies_nothing() -> None:
    assert guarantees.certified_rank(0, share=0.1, confidence=0.95) == 0


def test_testing_stops_at_the_first_refusal_even_if_later_ones_would_pass() -> None:
    failures, sizes = np.array([0, 50, 0]), np.array([100, 200, 300])
    assert guarantees.certified_steps(failures, sizes, share=0.05, confidence=0.95) == 1


def test_all_steps_are_certified_where_none_is_refused() -> None:
    assert guarantees.certified_steps(np.zeros(3), np.array([60, 70, 80]), share=0.05, confidence=0.95) == 3
