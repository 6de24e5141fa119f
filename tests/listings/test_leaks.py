import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from counterfeit_risk.config import SplitSettings
from counterfeit_risk.listings.leaks import SearchCheck, Traces, check_search, find_leaks, random_splits
from counterfeit_risk.listings.splits import Split, SplitRows, split_listings

TRAIN, TEST = Split.TRAIN, Split.TEST


def traces(count: int = 2) -> Traces:
    """Listings that share nothing."""
    alone = [[f"photo {row}"] for row in range(count)]
    return Traces(sellers=[f"s{row}" for row in range(count)], files=alone, copies=alone)


def test_listings_that_share_nothing_leak_nothing() -> None:
    report = find_leaks(traces(), [TRAIN, TEST])

    assert report.rows == {"train": 1, "validation": 0, "calibration": 0, "test": 1, "left_out": 0}
    assert (report.shared_sellers, report.shared_seller_groups, report.shared_files) == (0, 0, 0)
    assert (report.near_duplicate_pairs, report.copied_pairs) == (0, None)


def test_a_seller_in_two_splits_is_a_leak() -> None:
    one_seller = Traces(["a", "a", "a"], [[], [], []], [[], [], []])

    assert find_leaks(one_seller, [TRAIN, TEST, TEST]).shared_sellers == 1
    assert find_leaks(one_seller, [TEST, TEST, TEST]).shared_sellers == 0


def test_linked_sellers_in_two_splits_are_a_leak() -> None:
    linked = Traces(["a", "b"], [[], []], [[], []], seller_groups=["ring", "ring"])

    assert find_leaks(linked, [TRAIN, TEST]).shared_seller_groups == 1


def test_a_file_and_its_copy_are_counted_apart() -> None:
    shared = Traces([None] * 3, [["f"], ["f"], ["g"]], [["f"], ["f"], ["f"]])

    report = find_leaks(shared, [TRAIN, TEST, TEST])

    assert report.shared_files == 1
    assert report.near_duplicate_pairs == 2


def test_what_is_left_out_leaks_nothing() -> None:
    one_seller = Traces(["a", "a"], [["f"], ["f"]], [["f"], ["f"]], origins=[[["o"]], [["o"]]])

    report = find_leaks(one_seller, [TRAIN, Split.LEFT_OUT])

    assert (report.shared_sellers, report.shared_files, report.near_duplicate_pairs, report.copied_pairs) == (0,) * 4


def test_recorded_copies_are_counted_even_where_the_search_missed_them() -> None:
    missed = Traces([None, None], [["f"], ["g"]], [["f"], ["g"]], origins=[[["o"]], [["o", "p"]]])

    report = find_leaks(missed, [TRAIN, TEST])

    assert report.near_duplicate_pairs == 0
    assert report.copied_pairs == 1


def test_the_search_is_held_against_the_record() -> None:
    files = [["a", "b"], ["c"], ["d"], ["e"]]
    origins = [[["1"], ["2"]], [["1"]], [["2"]], [["3"]]]
    found = Traces([None] * 4, files, [["a", "b"], ["a"], ["d"], ["d"]], origins=origins)

    check = check_search(found)

    assert check == SearchCheck(true_pairs=2, found_pairs=1, false_pairs=1, all_pairs=10)
    assert check.to_dict()["recall"] == 0.5


def test_photos_joined_through_a_collage_are_no_false_merge() -> None:
    found = Traces([None] * 3, [["a"], ["b"], ["ab"]], [["a"]] * 3, origins=[[["1"]], [["2"]], [["1", "2"]]])

    assert check_search(found) == SearchCheck(true_pairs=2, found_pairs=2, false_pairs=0, all_pairs=3)


def test_without_a_record_the_search_is_not_judged() -> None:
    assert check_search(traces()) is None


def test_random_splits_have_the_same_sizes() -> None:
    splits = np.array([TRAIN] * 30 + [TEST] * 10, dtype=object)

    dealt = random_splits(splits, seed=1)

    assert sorted(dealt) == sorted(splits)
    assert (dealt != splits).any()


@given(seed=st.integers(0, 2**32 - 1))
def test_our_splits_leak_nothing_where_random_ones_do(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sellers = [f"s{number}" for number in rng.integers(0, 60, 240)]
    photos = [[f"p{number}"] for number in rng.integers(0, 2000, 240)]
    rows = SplitRows([str(row) for row in range(240)], sellers, photos)
    shared = Traces(sellers, photos, photos)

    splits = split_listings(rows, SplitSettings(largest_group=0.99), seed=0)

    ours, by_chance = find_leaks(shared, splits), find_leaks(shared, random_splits(splits, seed=seed))
    assert (ours.shared_sellers, ours.shared_files, ours.near_duplicate_pairs) == (0, 0, 0)
    assert by_chance.shared_sellers > 0
