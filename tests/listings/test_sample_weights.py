import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit_risk.listings.listing import Label, LabeledListing, Listing
from counterfeit_risk.listings.sample_weights import sample_weights

Probabilities = list[float | None]

probabilities = st.lists(st.none() | st.floats(0, 1, exclude_min=True) | st.sampled_from([0.001, 0.01, 1]), min_size=1)


def weights_of(picked: Probabilities, **options: float) -> np.ndarray:
    rows = [
        LabeledListing(Listing(f"L{number}", "bag"), Label.GENUINE, inclusion_probability=probability)
        for number, probability in enumerate(picked)
    ]
    return sample_weights(rows, **options)


def test_a_row_counts_for_as_many_as_it_stands_for() -> None:
    assert weights_of([0.5, 0.25, 1.0]) == pytest.approx(np.array([2, 4, 1]) * 3 / 7)


def test_a_row_whose_probability_is_not_known_counts_as_picked_for_sure() -> None:
    assert weights_of([None, 1.0, 0.5]) == pytest.approx(weights_of([1.0, 1.0, 0.5]))


def test_rows_picked_alike_count_one_however_rare() -> None:
    assert weights_of([5e-324] * 4).tolist() == [1, 1, 1, 1]


def test_no_rows_have_no_weights() -> None:
    weights = weights_of([])

    assert weights.shape == (0,)
    assert weights.dtype == np.float64


def test_a_rare_row_is_cut_to_the_cap_and_the_others_keep_their_ratio() -> None:
    weights = weights_of([1e-9, *[0.5] * 20, *[1.0] * 79])

    assert weights[0] == pytest.approx(20)
    assert weights[1] / weights[99] == pytest.approx(2)


def test_rare_rows_within_the_cap_are_not_cut() -> None:
    weights = weights_of([0.1, *[1.0] * 99])

    assert weights[0] / weights[1] == pytest.approx(10)


@given(probabilities, st.floats(1.5, 30))
def test_the_mean_is_one_and_no_row_weighs_more_than_the_cap(picked: Probabilities, most: float) -> None:
    weights = weights_of(picked, most=most)

    assert weights.shape == (len(picked),)
    assert weights.mean() == pytest.approx(1)
    assert weights.max() <= most * (1 + 1e-9)
    assert weights.min() > 0


@given(probabilities)
def test_a_row_less_likely_to_be_picked_never_counts_less(picked: Probabilities) -> None:
    weights = weights_of(picked)

    order = np.argsort([-(probability or 1) for probability in picked], kind="stable")
    assert (np.diff(weights[order]) >= 0).all()


@given(probabilities.flatmap(lambda picked: st.tuples(st.just(picked), st.permutations(range(len(picked))))))
def test_a_weight_does_not_depend_on_the_rows_order(shuffled: tuple[Probabilities, list[int]]) -> None:
    picked, order = shuffled

    assert weights_of([picked[row] for row in order]) == pytest.approx(weights_of(picked)[order])


@given(st.lists(st.floats(0.05, 1), min_size=1, max_size=50))
def test_weights_under_the_cap_are_in_proportion_to_one_over_the_probability(picked: list[float]) -> None:
    weights = weights_of([float(probability) for probability in picked])

    assert weights * picked == pytest.approx(np.full(len(picked), weights[0] * picked[0]))
