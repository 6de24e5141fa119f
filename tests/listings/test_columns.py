from pathlib import Path

import pytest
from pydantic import ValidationError

from counterfeit_risk.errors import ListingTableError
from counterfeit_risk.listings.cells import UNREADABLE
from counterfeit_risk.listings.columns import ColumnMap, check_columns
from counterfeit_risk.listings.listing import Label
from counterfeit_risk.listings.tables import TableColumns

TABLE = Path("dump.csv")
IDENTITY = ColumnMap()


def check(*names: str, columns: ColumnMap = IDENTITY, labeled: bool = False, complete: bool = True) -> None:
    check_columns(TABLE, TableColumns(names, complete), columns, labeled=labeled)


def test_our_own_names_need_no_map() -> None:
    check("listing_id", "title", "image_path")
    check("listing_id", "title", "images", "label", labeled=True)


def test_everything_missing_is_named_with_what_is_there() -> None:
    with pytest.raises(ListingTableError) as caught:
        check("listing_ids", "name", labeled=True)

    message = str(caught.value)
    assert message.startswith(
        "dump.csv cannot be read as labelled listings, as it lacks listing_id (did you mean listing_ids?)"
    )
    assert all(name in message for name in ("title", "label", "images or image_paths or image_path"))
    assert "its columns are listing_ids, name;" in message
    assert "column map" in message


def test_a_label_is_missed_only_where_it_is_needed() -> None:
    check("listing_id", "title", "image_paths")

    with pytest.raises(ListingTableError, match="lacks label;"):
        check("listing_id", "title", "image_paths", labeled=True)


def test_a_mapped_column_that_is_not_there_is_missed_under_both_names() -> None:
    columns = ColumnMap(columns={"price": "Price"})

    with pytest.raises(ListingTableError, match=r"lacks Price \(for price, did you mean Prices\?\)"):
        check("listing_id", "title", "image_path", "Prices", columns=columns)


def test_a_mapped_column_may_come_later_where_rows_differ() -> None:
    check("listing_id", "title", "image_path", columns=ColumnMap(columns={"price": "Price"}), complete=False)


def test_a_constant_is_not_missed() -> None:
    check("listing_id", "image_path", columns=ColumnMap(constants={"title": ""}))


def test_a_template_needs_its_columns_and_no_photo_column() -> None:
    columns = ColumnMap(image_template="{shop}/{number}.png")

    check("listing_id", "title", "shop", "number", columns=columns)
    with pytest.raises(ListingTableError, match=r"lacks number \(for image_template\);"):
        check("listing_id", "title", "shop", columns=columns)


def test_a_column_that_stands_twice_is_refused_if_it_is_ours() -> None:
    check("listing_id", "title", "image_path", "x", "x")

    with pytest.raises(ListingTableError, match="more than one column named title"):
        check("listing_id", "title", "image_path", "title")


def test_a_hostile_header_makes_no_endless_message() -> None:
    with pytest.raises(ListingTableError) as caught:
        check(*(f"{number}{'x' * 500}" for number in range(2000)))

    assert len(str(caught.value)) < 3000


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"columns": {"titel": "name"}}, "unknown column 'titel'; did you mean title?"),
        ({"constants": {"colour": "red"}}, "unknown column 'colour'; ours are listing_id"),
        ({"columns": {"brand": "b"}, "constants": {"brand": "Nike"}}, "brand is both a column and a constant"),
        ({"constants": {"listing_id": "1"}}, "listing_id cannot be a constant"),
        ({"labels": {"0": "fake"}}, "'genuine' or 'counterfeit'"),
        ({"image_template": "photo.png"}, "names no column"),
        ({"image_template": "{a"}, "image_template '{a'"),
        ({"image_template": "{a!r}.png"}, "only a column's name"),
        ({"image_template": "{a:>9}.png"}, "only a column's name"),
        ({"image_template": "{}.png"}, "only a column's name"),
        ({"image_template": "{a}.png", "columns": {"image_path": "b"}}, "both say where the photos are"),
        ({"colums": {}}, "Extra inputs"),
    ],
)
def test_a_mistake_in_a_map_is_named(values: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ColumnMap.model_validate(values)

    assert problem in str(caught.value)


def test_labels_may_be_numbers_and_truth_values_in_yaml() -> None:
    columns = ColumnMap.model_validate({"labels": {0: "genuine", True: "counterfeit"}})

    assert columns.labels == {"0": Label.GENUINE, "true": Label.COUNTERFEIT}


def test_a_row_comes_under_our_names_with_constants() -> None:
    columns = ColumnMap(columns={"listing_id": "ID"}, constants={"platform": "ozon"})

    ours = columns.to_ours({"ID": 7, "title": "Bag", "platform": "theirs"})

    assert (ours["listing_id"], ours["title"], ours["platform"], ours["brand"]) == (7, "Bag", "ozon", None)


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ({"a.b": "shop", "ID": 7.0}, "shop/7.png"),
        ({"a.b": "shop", "ID": None}, None),
        ({"a.b": " ", "ID": 7}, None),
        ({"a.b": "shop"}, None),
        ({"a.b": [], "ID": 7}, UNREADABLE),
    ],
)
def test_a_template_makes_a_path_from_whole_cells_only(row: dict[str, object], path: object) -> None:
    columns = ColumnMap(image_template="{a.b}/{ID}.png")

    ours = columns.to_ours(row | {"images": "ignored"})

    assert (ours["image_path"], ours["images"]) == (path, None)
