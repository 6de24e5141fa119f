from hypothesis import given
from hypothesis import strategies as st

from counterfeit_risk.listings.seen_ids import SeenIds


@given(st.lists(st.text(st.characters(), max_size=3)))
def test_an_id_is_new_only_the_first_time(ids: list[str]) -> None:
    seen = SeenIds()

    assert [seen.add(listing_id) for listing_id in ids] == [
        n == ids.index(listing_id) for n, listing_id in enumerate(ids)
    ]


def test_ids_are_still_known_after_many_more() -> None:
    seen = SeenIds()

    assert all(seen.add(str(number)) for number in range(40_000))
    assert not any(seen.add(str(number)) for number in range(0, 40_000, 7))
    assert seen.add("40000")
