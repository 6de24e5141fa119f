import csv
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit_risk.errors import SettingsError
from counterfeit_risk.market.items import PLAIN_CATEGORIES
from counterfeit_risk.market.pictures.products import PRODUCTS
from counterfeit_risk.takedown.complaints.notice import Right
from counterfeit_risk.takedown.complaints.rights import (
    Authorisation,
    Mark,
    MarkKind,
    Rights,
    RightsError,
    nice_classes_of,
    read_authorisations,
    read_marks,
)

TODAY = date(2026, 3, 1)
MARK = Mark(
    brand="Norvell",
    office="EUIPO",
    number="018 123 456",
    kind=MarkKind.WORD,
    territories=frozenset({"EU"}),
    valid_from=date(2020, 1, 1),
    valid_to=date(2029, 12, 31),
    nice_classes=frozenset({18, 25}),
    aliases=frozenset({"诺维尔"}),
)
LEAVE = Authorisation("bazaar", "s1", "Norvell", date(2026, 1, 1), date(2026, 12, 31))

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes rows as CSV or JSON Lines, by the name."""

    def write_rows(name: str, *rows: dict[str, Any]) -> Path:
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as stream:
            if path.suffix == ".csv":
                writer = csv.DictWriter(stream, rows[0])
                writer.writeheader()
                writer.writerows(rows)
            else:
                stream.writelines(f"{json.dumps(row)}\n" for row in rows)
        return path

    return write_rows


def mark_row(**changes: object) -> dict[str, Any]:
    """`MARK` as it stands in a CSV file."""
    return {
        "brand": "Norvell",
        "office": "EUIPO",
        "number": "018 123 456",
        "kind": "word",
        "nice_classes": "18|25",
        "territories": "EU",
        "valid_from": "2020-01-01",
        "valid_to": "2029-12-31",
        "aliases": "诺维尔",
        **changes,
    }


def seller_row(**changes: object) -> dict[str, Any]:
    return {
        "platform": "bazaar",
        "seller_id": "s1",
        "brand": "Norvell",
        "valid_from": "2026-01-01",
        "valid_to": "2026-12-31",
        **changes,
    }


def test_marks_read_alike_from_both_kinds_of_file(write: Write) -> None:
    lists = mark_row(nice_classes=[18, 25], territories=["EU"], aliases=["诺维尔"])

    assert read_marks(write("marks.csv", mark_row())) == (MARK,)
    assert read_marks(write("marks.jsonl", lists, mark_row())) == (MARK, MARK)


def test_authorisations_read_alike_from_both_kinds_of_file(write: Write) -> None:
    unending = replace(LEAVE, valid_to=None)

    assert read_authorisations(write("sellers.csv", seller_row(), seller_row(valid_to=" "))) == (LEAVE, unending)
    assert read_authorisations(write("sellers.ndjson", seller_row(), seller_row(valid_to=None))) == (LEAVE, unending)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"brand": ""}, "brand: is required"),
        (
            {"kind": "logo"},
            "kind: must be 'word', 'figurative', 'shape', 'design', 'copyright' or 'patent', not 'logo'",
        ),
        ({"nice_classes": "18|46"}, r"nice_classes\[1\]: must be less than or equal to 45, not '46'"),
        ({"nice_classes": "bags"}, r"nice_classes\[0\]: must be a valid integer"),
        ({"nice_classes": ""}, "nice_classes: a trademark has at least one"),
        ({"territories": ""}, "territories: is required"),
        (
            {"territories": "EU|Germany"},
            r"territories\[1\]: must be two capital letters such as DE or EU, not 'Germany'",
        ),
        ({"valid_from": "01.01.2020"}, "valid_from: must be a date such as 2026-03-01"),
        ({"valid_to": "2019-12-31"}, "valid_to: 2019-12-31 lies before valid_from, 2020-01-01"),
    ],
)
@pytest.mark.parametrize("name", ["marks.csv", "marks.jsonl"])
def test_a_mistake_is_named_by_file_line_and_column(
    write: Write, name: str, changes: dict[str, str], problem: str
) -> None:
    rows = [mark_row(), mark_row(**changes)]
    if name == "marks.jsonl":
        rows = [{column: cell or None for column, cell in row.items()} for row in rows]
    line = 3 if name == "marks.csv" else 2

    with pytest.raises(RightsError, match=rf"{name}: 1 mistake\n  line {line}, {problem}"):
        read_marks(write(name, *rows))


def test_all_mistakes_of_a_file_are_told_at_once(write: Write) -> None:
    path = write("sellers.csv", seller_row(brand="", valid_from=""), seller_row(), seller_row(valid_to="soon"))

    with pytest.raises(RightsError) as caught:
        read_authorisations(path)

    assert caught.value.problems == (
        "line 2, brand: is required",
        "line 2, valid_from: is required",
        "line 4, valid_to: must be a date such as 2026-03-01",
    )


def test_of_very_many_mistakes_the_first_are_told_and_the_rest_counted(write: Write) -> None:
    with pytest.raises(RightsError) as caught:
        read_authorisations(write("sellers.csv", *[seller_row(brand="")] * 50))

    assert len(caught.value.problems) == 21
    assert caught.value.problems[-1] == "and 30 more"


def test_the_columns_of_a_csv_are_checked_before_its_rows(write: Write) -> None:
    row = {**seller_row(), "scope": "bags"}
    del row["platform"]

    with pytest.raises(RightsError) as caught:
        read_authorisations(write("sellers.csv", row, row))

    assert caught.value.problems == (
        "line 1, platform: the column is missing",
        "line 1, scope: is no column that is known; they are platform, seller_id, brand, valid_from, valid_to",
    )


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("sellers.txt", b"", "must end in .csv, .jsonl or .ndjson"),
        ("sellers.csv", b"", "has no line of column names"),
        ("sellers.csv", b"platform,seller_id,brand,valid_from\nb,s1,N\n", "line 2: has 3 cells under 4 column names"),
        ("sellers.csv", b"platform,seller_id,brand,valid_from,brand\n", "line 1, brand: stands more than once"),
        ("sellers.csv", b'platform,seller_id,brand,valid_from\n\nb,"s1\n', "line 3: is not CSV, from here on"),
        ("sellers.csv", b"platform,\xff\n", "is not UTF-8"),
        ("sellers.jsonl", b"\n{\n", "line 2: is not JSON"),
        ("sellers.jsonl", b"[1]\n", "line 1: is JSON, but not an object"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(RightsError) as caught:
        read_authorisations(path)

    assert problem in str(caught.value)


def test_a_file_that_is_not_there_is_a_mistake_in_what_was_given(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be opened: No such file"):
        read_marks(tmp_path / "marks.csv")


@pytest.mark.parametrize(("brand", "alias"), [("Ottermoor", "诺维尔"), ("Ottermoor", "NORVELL"), ("诺维尔", "otter")])
def test_a_name_belongs_to_one_brand(write: Write, brand: str, alias: str) -> None:
    with pytest.raises(RightsError, match="is a name of another brand too"):
        read_marks(write("marks.csv", mark_row(), mark_row(brand=brand, aliases=alias)))


@pytest.mark.parametrize("name", ["Norvell", "NORVELL", " norvell ", "Ｎｏｒｖｅｌｌ", "诺维尔"])
def test_a_brand_is_found_in_any_spelling_and_by_its_alias(name: str) -> None:
    rights = Rights([MARK], [replace(LEAVE, brand="norvell")])

    assert rights.find_marks(name, "bags", "DE", TODAY) == (MARK,)
    assert rights.is_authorised("bazaar", "s1", name, TODAY)


def test_an_authorisation_under_an_alias_is_for_the_brand() -> None:
    assert Rights([MARK], [replace(LEAVE, brand="诺维尔")]).is_authorised("bazaar", "s1", "Norvell", TODAY)


@pytest.mark.parametrize(
    ("category", "found"),
    [("bags", True), ("Sneaker", True), ("perfume", False), ("watch", False), ("Обувь", True), (None, True)],
)
def test_a_mark_protects_the_goods_of_its_classes_and_goods_that_are_not_known(
    category: str | None, found: bool
) -> None:
    assert bool(Rights([MARK], []).find_marks("Norvell", category, None, TODAY)) is found


def test_a_patent_has_no_classes_and_protects_any_goods() -> None:
    patent = replace(MARK, kind=MarkKind.PATENT, nice_classes=frozenset())

    assert Rights([patent], []).find_marks("Norvell", "watch", None, TODAY) == (patent,)
    assert patent.right is Right.PATENT


@pytest.mark.parametrize(
    ("territories", "territory", "found"),
    [
        ({"EU"}, "DE", True),
        ({"EU"}, "EU", True),
        ({"EU"}, "GB", False),
        ({"BX"}, "NL", True),
        ({"BX"}, "DE", False),
        ({"US", "GB"}, "GB", True),
        ({"US"}, None, True),
    ],
)
def test_a_mark_holds_where_it_is_registered(territories: set[str], territory: str | None, found: bool) -> None:
    mark = replace(MARK, territories=frozenset(territories))

    assert bool(Rights([mark], []).find_marks("Norvell", "bags", territory, TODAY)) is found


@given(st.integers(-3, 3), st.integers(-3, 3))
def test_marks_and_authorisations_hold_from_their_first_day_through_their_last(first: int, length: int) -> None:
    start = TODAY + timedelta(days=first)
    end = start + timedelta(days=length) if length >= 0 else None
    rights = Rights([replace(MARK, valid_from=start, valid_to=end)], [replace(LEAVE, valid_from=start, valid_to=end)])
    holds = first <= 0 and (length < 0 or first + length >= 0)

    assert bool(rights.find_marks("Norvell", "bags", None, TODAY)) is holds
    assert rights.is_authorised("bazaar", "s1", "Norvell", TODAY) is holds


def test_a_mark_proves_its_own_right_only() -> None:
    rights = Rights([MARK], [])

    assert rights.find_marks("Norvell", "bags", None, TODAY, right=Right.TRADEMARK) == (MARK,)
    assert rights.find_marks("Norvell", "bags", None, TODAY, right=Right.PATENT) == ()


@pytest.mark.parametrize(("number", "found"), [("018123456", True), ("018-123-456", True), ("018 123 457", False)])
def test_a_number_is_found_however_it_is_spaced(number: str, found: bool) -> None:
    assert bool(Rights([MARK], []).find_marks("Norvell", "bags", None, TODAY, number=number)) is found


@pytest.mark.parametrize(
    ("platform", "seller", "brand"),
    [
        ("other", "s1", "Norvell"),
        ("bazaar", "S1", "Norvell"),
        ("bazaar", "s1", "Ottermoor"),
        (None, "s1", "Norvell"),
        ("bazaar", None, "Norvell"),
    ],
)
def test_an_authorisation_is_for_one_seller_on_one_platform_and_one_brand(
    platform: str | None, seller: str | None, brand: str
) -> None:
    assert not Rights([MARK], [LEAVE]).is_authorised(platform, seller, brand, TODAY)


def test_the_market_sells_nothing_whose_class_is_not_known() -> None:
    categories = {*PRODUCTS, *(category for names in PLAIN_CATEGORIES.values() for category in names)}

    assert len(categories) > 10
    assert [category for category in categories if not nice_classes_of(category)] == []
