from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfeit_risk.config import SplitSettings
from counterfeit_risk.errors import ListingTableError
from counterfeit_risk.listings.splits import USED_SPLITS, Split, SplitRows, group_listings, split_listings

SHARES = SplitSettings(largest_group=0.99)
START = datetime(2025, 1, 1, tzinfo=UTC)


def rows_of(labels: np.ndarray | None, groups: np.ndarray, **known: Any) -> SplitRows:
    """Listings of the same group have the same seller."""
    ids = [f"L{row}" for row in range(len(groups))]
    return SplitRows(ids, [f"s{group}" for group in groups], [()] * len(groups), labels=labels, **known)


def split(labels: np.ndarray | None, groups: np.ndarray, settings: SplitSettings = SHARES, *, seed: int = 0) -> Any:
    return split_listings(rows_of(labels, groups), settings, seed=seed)


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

    splits = split(labels, groups, seed=seed)

    assert set(splits) == set(USED_SPLITS)
    assert all(len(set(splits[groups == group])) == 1 for group in np.unique(groups))


def test_each_split_gets_its_share_of_both_classes() -> None:
    labels, groups = market()

    splits = split(labels, groups, seed=0)

    for part in USED_SPLITS:
        for of_class in (labels, ~labels):
            assert np.mean(splits[of_class] == part) == pytest.approx(getattr(SHARES, part), abs=0.02)


def test_the_seed_decides_and_nothing_else() -> None:
    labels, groups = market()

    first = split(labels, groups, seed=0)

    assert (split(labels, groups, seed=0) == first).all()
    assert (split(labels, groups, seed=1) != first).any()


def test_a_few_counterfeits_reach_every_split() -> None:
    labels = np.arange(60) < 6

    splits = split(labels, np.arange(60), seed=0)

    assert set(splits[labels]) == set(USED_SPLITS)


def test_a_group_that_fits_the_largest_split_goes_there() -> None:
    labels, _ = market(listings=200)
    groups = np.maximum(np.arange(200), 110)

    splits = split(labels, groups, seed=0)

    assert set(splits[:110]) == {Split.TRAIN}


def test_a_group_larger_than_allowed_is_refused_with_what_joined_it() -> None:
    sellers = ["anna"] * 12 + ["boris"] * 3 + [f"s{row}" for row in range(185)]
    photos = [["placeholder"] if 11 <= row < 17 else [f"p{row}"] for row in range(200)]
    rows = SplitRows([f"L{row}" for row in range(200)], sellers, photos)

    with pytest.raises(ListingTableError) as caught:
        split_listings(rows, SplitSettings(largest_group=0.05), seed=0)

    message = str(caught.value)
    assert "holds 8.5% of all listings (17 of 200), more than splits.largest_group allows (5.0%)" in message
    assert "it joins 4 sellers and 12 photos" in message
    assert "Seller 'anna' alone has 12 of them" in message
    assert "One photo, first seen in listing 'L11', is in 6 of them" in message
    assert "raise splits.largest_group" in message


def test_a_group_as_large_as_allowed_is_split() -> None:
    groups = np.maximum(np.arange(200), 9)

    assert set(split(None, groups, SplitSettings(largest_group=0.05))) == set(USED_SPLITS)


def test_a_class_that_cannot_reach_a_split_is_refused_and_named() -> None:
    labels = np.arange(60) < 1

    with pytest.raises(
        ListingTableError, match=r"59 genuine and 1 counterfeit .* validation has no counterfeit listing"
    ) as caught:
        split(labels, np.arange(60), seed=0)

    assert "train has no" not in str(caught.value)
    assert "test has no counterfeit" in str(caught.value)


def test_a_table_of_one_class_is_refused() -> None:
    with pytest.raises(ListingTableError, match="train has no counterfeit listing"):
        split(np.zeros(50, dtype=bool), np.arange(50), seed=0)


def test_no_listings_are_refused() -> None:
    with pytest.raises(ListingTableError, match="no listings"):
        split(np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int64), seed=0)


def test_a_seller_with_and_without_a_known_group_is_one_seller() -> None:
    groups = group_listings(["s1", "s1", "s2", "s3"], [[], [], [], []], seller_groups=["g1", None, "g1", None])
    assert groups[0] == groups[1] == groups[2]
    assert groups[3] != groups[0]


def test_listings_without_labels_are_split_by_their_number_alone() -> None:
    splits = split(None, np.arange(400))

    assert [int((splits == part).sum()) for part in USED_SPLITS] == [240, 40, 60, 60]


def test_too_few_listings_without_labels_are_refused() -> None:
    with pytest.raises(ListingTableError, match="would hold no listing"):
        split(None, np.arange(2))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 4))
def test_forward_in_time_nothing_learned_from_is_newer_than_what_is_tested(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 400 // size, 400)
    days = rng.permutation(400)
    rows = rows_of(None, groups, created_at=[START + timedelta(days=int(day)) for day in days])

    splits = split_listings(rows, SplitSettings(forward_in_time=True, largest_group=0.9), seed=0)

    between = np.isin(splits, [Split.VALIDATION, Split.CALIBRATION])
    assert days[splits == Split.TRAIN].max() < days[between].min()
    assert days[between].max() < days[splits == Split.TEST].min()
    used = splits != Split.LEFT_OUT
    assert all(len(set(splits[used & (groups == group)])) <= 1 for group in np.unique(groups))


def test_forward_in_time_only_rows_out_of_their_groups_time_are_left_out() -> None:
    groups = np.arange(100)
    groups[99] = 0
    rows = rows_of(None, groups, created_at=[START + timedelta(days=day) for day in range(100)])

    splits = split_listings(rows, SplitSettings(forward_in_time=True), seed=0)

    assert np.flatnonzero(splits == Split.LEFT_OUT).tolist() == [99]
    assert splits[0] == Split.TRAIN


def test_forward_in_time_a_listing_without_a_time_is_left_out() -> None:
    times = [None, *(START + timedelta(days=day) for day in range(99))]

    splits = split_listings(
        rows_of(None, np.arange(100), created_at=times), SplitSettings(forward_in_time=True), seed=0
    )

    assert np.flatnonzero(splits == Split.LEFT_OUT).tolist() == [0]


def test_times_that_nobody_gave_are_refused() -> None:
    with pytest.raises(ListingTableError, match="created_at"):
        split(None, np.arange(100), SplitSettings(forward_in_time=True))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_brand_that_is_left_out_stands_in_test_only(seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 150, 400)
    brands = rng.choice(["Orrin", "Vesh", "Talu"], 400, p=[0.1, 0.4, 0.5])
    rows = rows_of(rng.random(400) < 0.3, groups, brands=brands.tolist())

    splits = split_listings(rows, SplitSettings(leave_out_brands=("orrin",), largest_group=0.9), seed=0)

    assert set(splits[brands == "Orrin"]) <= {Split.TEST, Split.LEFT_OUT}
    assert Split.LEFT_OUT not in set(splits[brands != "Orrin"])
    used = splits != Split.LEFT_OUT
    assert all(len(set(splits[used & (groups == group)])) <= 1 for group in np.unique(groups))


def test_a_seller_of_nothing_but_a_left_out_brand_is_tested() -> None:
    brands = ["Orrin"] * 10 + ["Vesh"] * 190
    groups = np.maximum(np.arange(200), 9)

    splits = split_listings(
        rows_of(None, groups, brands=brands), SplitSettings(leave_out_brands=("Orrin",), largest_group=0.1), seed=0
    )

    assert set(splits[:10]) == {Split.TEST}


def test_an_unknown_brand_is_refused() -> None:
    with pytest.raises(ListingTableError, match="no listing is of the brand 'Orin'"):
        split_listings(
            rows_of(None, np.arange(100), brands=["Orrin"] * 100), SplitSettings(leave_out_brands=("Orin",)), seed=0
        )
