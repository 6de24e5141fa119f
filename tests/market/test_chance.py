import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit_risk.market.chance import Lottery, happens, pick, pick_weighted, zipf_weights

seeds = st.integers(0, 2**32 - 1)


@given(seeds)
def test_the_impossible_never_happens_and_the_certain_always(seed):
    rng = np.random.default_rng(seed)
    assert not happens(rng, 0)
    assert happens(rng, 1)


@given(seeds, st.lists(st.integers(), min_size=1))
def test_a_pick_is_one_of_the_options(seed, options):
    assert pick(np.random.default_rng(seed), options) in options


@given(seeds)
def test_an_option_without_weight_is_never_picked(seed):
    rng = np.random.default_rng(seed)
    assert pick_weighted(rng, {"never": 0.0, "always": 0.3, "never either": 0.0}) == "always"


def test_options_are_picked_as_often_as_their_weights_say():
    rng = np.random.default_rng(0)
    lottery = Lottery({"rare": 1, "frequent": 3})
    drawn = [lottery.draw(rng) for _ in range(4000)]
    assert drawn.count("frequent") / 4000 == pytest.approx(0.75, abs=0.03)


@given(st.integers(1, 500), st.floats(0, 3), st.floats(0, 10))
def test_zipf_weights_fall_and_sum_to_one(count, exponent, shift):
    weights = zipf_weights(count, exponent, shift)
    assert sum(weights) == pytest.approx(1)
    assert weights == sorted(weights, reverse=True)
