from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfeit_risk.config import SplitShares
from counterfeit_risk.errors import ListingTableError
from counterfeit_risk.listings.splits import Split, group_listings, split_listings

SHARES = SplitShares(train=0.6, validation=0.1, calibration=0.15, test=0.15)


def market(listings: int = 1000, sellers: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Labels and groups: one listing in ten is a counterfeit."""
    rng = np.random.default_rng(1)
    return rng.random(listings) < 0.1, rng.integers(0, sellers, listings)


def test_listings_are_linked_through_sellers_and_photos_in_turn() -> None:
    sellers = ["anna", "anna", "boris", None, "clara"]
    photos = [{"p1"}, {"p2"}, {"p2", "p3"}, {"p3"}, {"p4"}]

    assert group_listings(sellers, photos).tolist() == [0, 0, 0, 0, 1]


def test_no_seller_and_no_photo_links_nothing() -> None:
    assert group_listings([None, None, None], [[], [], []]).tolist() == [0, 1, 2]


def test_a_seller_is_no_photo_of_the_same_name() -> None:
    assert group_listings(["p1", None], [[], ["p1"]]).tolist() == [0, 1]


def test_no_listings_are_no_groups() -> None:
    groups = group_listings([], [])

    assert groups.shape == (0,)
    assert groups.dtype == np.int64


@given(
    st.lists(
        st.tuples(st.none() | st.sampled_from("abcdef"), st.sets(st.sampled_from("pqrstuv"), max_size=2)), max_size=12
    )
)
def test_groups_are_those_that_merging_pairs_finds(rows: list[tuple[str | None, set[str]]]) -> None:
    expected = list(range(len(rows)))
    for _ in rows:
        for one, other in combinations(range(len(rows)), 2):
            if (rows[one][0] is not None and rows[one][0] == rows[other][0]) or rows[one][1] & rows[other][1]:
                expected[one] = expected[other] = min(expected[one], expected[other])

    groups = group_listings([seller for seller, _ in rows], [photos for _, photos in rows])

    same = [[groups[one] == groups[other] for other in range(len(rows))] for one in range(len(rows))]
    assert same == [[expected[one] == expected[other] for other in range(len(rows))] for one in range(len(rows))]


@settings(max_examples=30)
@given(sizes=st.lists(st.integers(1, 12), min_size=60, max_size=90), seed=st.integers(0, 2**32 - 1))
def test_no_group_straddles_two_splits(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(np.arange(len(sizes)) * 7, sizes))
    labels = rng.random(groups.size) < 0.3

    splits = split_listings(labels, groups, SHARES, seed=seed)

    assert set(splits) == set(Split)
    assert all(len(set(splits[groups == group])) == 1 for group in np.unique(groups))


def test_each_split_gets_its_share_of_both_classes() -> None:
    labels, groups = market()

    splits = split_listings(labels, groups, SHARES, seed=0)

    for split in Split:
        for of_class in (labels, ~labels):
            assert np.mean(splits[of_class] == split) == pytest.approx(getattr(SHARES, split), abs=0.02)


def test_the_seed_decides_and_nothing_else() -> None:
    labels, groups = market()

    first = split_listings(labels, groups, SHARES, seed=0)

    assert (split_listings(labels, groups, SHARES, seed=0) == first).all()
    assert (split_listings(labels, groups, SHARES, seed=1) != first).any()


def test_a_few_counterfeits_reach_every_split() -> None:
    labels = np.arange(60) < 6

    splits = split_listings(labels, np.arange(60), SHARES, seed=0)

    assert set(splits[labels]) == set(Split)


def test_a_group_that_fits_the_largest_split_goes_there() -> None:
    labels, _ = market(listings=200)
    groups = np.maximum(np.arange(200), 110)

    splits = split_listings(labels, groups, SHARES, seed=0)

    assert set(splits[:110]) == {Split.TRAIN}


def test_a_group_larger_than_every_split_is_refused_with_its_size() -> None:
    labels, _ = market(listings=200)
    groups = np.maximum(np.arange(200), 149)

    with pytest.raises(ListingTableError, match=r"one group .* holds 75\.0% of all listings"):
        split_listings(labels, groups, SHARES, seed=0)


def test_a_class_that_cannot_reach_a_split_is_refused_and_named() -> None:
    labels = np.arange(60) < 1

    with pytest.raises(
        ListingTableError, match=r"59 genuine and 1 counterfeit .* validation has no counterfeit listing"
    ) as caught:
        split_listings(labels, np.arange(60), SHARES, seed=0)

    assert "train has no" not in str(caught.value)
    assert "test has no counterfeit" in str(caught.value)


def test_a_table_of_one_class_is_refused() -> None:
    with pytest.raises(ListingTableError, match="train has no counterfeit listing"):
        split_listings(np.zeros(50, dtype=bool), np.arange(50), SHARES, seed=0)


def test_no_listings_are_refused() -> None:
    with pytest.raises(ListingTableError, match="no listings"):
        split_listings(np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int64), SHARES, seed=0)


def test_a_seller_with_and_without_a_known_group_is_one_seller() -> None:
    groups = group_listings(["s1", "s1", "s2", "s3"], [[], [], [], []], seller_groups=["g1", None, "g1", None])
    assert groups[0] == groups[1] == groups[2]
    assert groups[3] != groups[0]
