"""The parts of `counterfeit-risk explain` that need no model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit_risk.cli.explain import file_name, find_listing
from counterfeit_risk.errors import UsageError
from counterfeit_risk.scoring.runner import Dump


@pytest.fixture
def dump(tmp_path) -> Dump:
    table = tmp_path / "listings.csv"
    table.write_text("listing_id,title,image_paths\na,first,\na,again,\n../x,second,p.jpg\n", encoding="utf-8")
    return Dump(table)


def test_a_listing_is_found_by_its_id(dump) -> None:
    assert find_listing(dump, "../x").title == "second"


def test_the_first_row_of_an_id_is_the_listing(dump) -> None:
    assert find_listing(dump, "a").title == "first"


def test_an_unknown_id_is_named(dump) -> None:
    with pytest.raises(UsageError, match="has no listing 'b'"):
        find_listing(dump, "b")


def test_a_plain_id_names_its_files() -> None:
    assert file_name("L000_12-b") == "L000_12-b"


@given(st.text(st.characters(), min_size=1))
def test_any_id_becomes_a_name_that_stays_in_its_folder(listing_id) -> None:
    name = file_name(listing_id)
    assert name.isascii()
    assert 0 < len(name) <= 89
    assert not set(name) & set("./\\: \0")


def test_ids_that_look_alike_as_names_stay_apart() -> None:
    assert len({file_name(listing_id) for listing_id in ("a/b", "a.b", "a_b", "a b")}) == 4
