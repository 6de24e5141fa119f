import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counterfeit_risk.errors import ListingTableError, SettingsError
from counterfeit_risk.listings.catalog import (
    ColumnMap,
    load_column_map,
    read_labeled_listings,
    read_listings,
    write_labeled_listings,
    write_listings,
)
from counterfeit_risk.listings.listing import Label, LabeledListing, Listing, Photo, RejectedRow

OZON = Path(__file__).parents[2] / "configs" / "sources" / "ozon_ecup_2025.yaml"

text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
names = st.none() | text.filter(lambda name: not name.isspace() and name != "")
times = st.none() | st.datetimes(timezones=st.just(UTC))
paths = text.filter(bool).map(Photo)
in_table = st.builds(Photo, st.none() | text.filter(bool), st.binary(max_size=20))


def labeled_tables(photos: st.SearchStrategy[Photo]) -> st.SearchStrategy[list[LabeledListing]]:
    listings = st.builds(
        Listing,
        listing_id=text.filter(lambda listing_id: not listing_id.isspace() and listing_id != ""),
        title=text,
        photos=st.lists(photos, max_size=3).map(tuple),
        **dict.fromkeys(["brand", "platform", "seller_id", "category", "currency", "language"], names),
        price=st.none() | st.floats(0, allow_infinity=False),
        created_at=times,
        unreadable_fields=st.just(()),
    )
    probabilities = st.none() | st.floats(0, 1, exclude_min=True)
    rows = st.builds(LabeledListing, listings, st.sampled_from(Label), names, times, probabilities, names)
    return st.lists(rows, min_size=1, max_size=4, unique_by=lambda row: row.listing.listing_id)


def rows_of(table: Path, **options: Any) -> list[Listing | RejectedRow]:
    return list(read_listings(table, **options))


def write_text(table: Path, *lines: str) -> Path:
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table


def write_json(table: Path, *rows: dict[str, Any]) -> Path:
    return write_text(table, *(json.dumps({"title": "Bag", "image_path": "a.jpg"} | row) for row in rows))


def only_listing(table: Path) -> Listing:
    (row,) = rows_of(table)
    assert isinstance(row, Listing)
    return row


def reasons(rows: Iterator[Any] | list[Any]) -> list[str | None]:
    return [row.reason.value if isinstance(row, RejectedRow) else None for row in rows]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=25
)
@given(rows=labeled_tables(paths | in_table))
def test_parquet_gives_back_what_was_written(tmp_path: Path, rows: list[LabeledListing]) -> None:
    table = tmp_path / "listings.parquet"

    assert write_labeled_listings(table, rows) == len(rows)
    assert list(read_labeled_listings(table)) == rows


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=25
)
@given(rows=labeled_tables(paths))
def test_json_lines_give_back_what_was_written(tmp_path: Path, rows: list[LabeledListing]) -> None:
    table = tmp_path / "listings.jsonl"

    assert write_labeled_listings(table, rows) == len(rows)
    assert list(read_labeled_listings(table)) == rows


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=40
)
@given(rows=labeled_tables(paths.filter(lambda photo: "|" not in str(photo))))
def test_csv_gives_back_what_was_written(tmp_path: Path, rows: list[LabeledListing]) -> None:
    table = tmp_path / "listings.csv"

    assert write_labeled_listings(table, rows) == len(rows)
    assert list(read_labeled_listings(table)) == rows


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".ndjson", ".parquet", ".CSV"])
def test_listings_without_labels_come_back_too(tmp_path: Path, suffix: str) -> None:
    table = tmp_path / f"listings{suffix}"
    rows = [Listing("1", "Bag", (Photo("a.jpg"), Photo("b.jpg")), price=3.5), Listing("2", "")]

    assert write_listings(table, iter(rows)) == 2
    assert rows_of(table) == rows


def test_the_nth_item_is_the_nth_row(tmp_path: Path) -> None:
    table = write_text(
        tmp_path / "listings.csv",
        "listing_id,title,image_paths",
        "1,Bag,a.jpg",
        "2,Bag",
        "",
        ",Bag,a.jpg",
        "1,Bag,a.jpg",
        "3,Bag,a.jpg,more",
        '4,"Bag" of leather,a.jpg',
        "5,Bag,a.jpg|b.jpg",
    )

    rows = rows_of(table)

    assert reasons(rows) == [
        None,
        "malformed_row",
        "missing_id",
        "duplicate_id",
        "malformed_row",
        "malformed_row",
        None,
    ]
    assert [row.row_number for row in rows if isinstance(row, RejectedRow)] == [2, 3, 4, 5, 6]
    assert rows[-1] == Listing("5", "Bag", (Photo("a.jpg"), Photo("b.jpg")))


def test_a_quote_that_is_never_closed_costs_the_rows_up_to_the_next_quote_and_each_is_counted(tmp_path: Path) -> None:
    table = write_text(
        tmp_path / "listings.csv",
        "listing_id,title,image_path",
        '1,"Bag,a.jpg',
        "2,Bag,a.jpg",
        '3,"Shoe",b.jpg',
        "4,Shoe,b.jpg",
        '5,"Shoe,b.jpg',
    )

    assert reasons(read_listings(table)) == ["malformed_row"] * 3 + [None, "malformed_row"]


def test_a_csv_with_byte_order_mark_and_long_title_is_read(tmp_path: Path) -> None:
    table = tmp_path / "listings.csv"
    table.write_text(f"listing_id,title,image_path\n1,{'x' * 300_000},a.jpg\n", encoding="utf-8-sig")

    assert only_listing(table) == Listing("1", "x" * 300_000, (Photo("a.jpg"),))


def test_text_that_is_not_utf8_keeps_its_row(tmp_path: Path) -> None:
    (tmp_path / "listings.csv").write_bytes(b"listing_id,title,image_path\n1,caf\xe9,a.jpg\n")
    (tmp_path / "listings.jsonl").write_bytes(b'{"listing_id": "1", "title": "caf\xe9", "image_path": "a.jpg"}\n')
    broken = pa.array([b"caf\xe9"], pa.binary()).view(pa.string())
    pq.write_table(
        pa.table({"listing_id": ["1"], "title": broken, "image_path": ["a.jpg"]}), tmp_path / "listings.parquet"
    )

    for suffix in (".csv", ".jsonl", ".parquet"):
        assert only_listing(tmp_path / f"listings{suffix}") == Listing("1", "caf\ufffd", (Photo("a.jpg"),))


def test_nul_and_lone_surrogates_can_be_stored_afterwards(tmp_path: Path) -> None:
    table = write_json(
        tmp_path / "in.jsonl", {"listing_id": "\ud8001", "title": "B\x00ag", "brand": "\udfff", "image_path": "\x00"}
    )

    listing = only_listing(table)
    write_listings(tmp_path / "out.parquet", [listing])

    assert listing == Listing("\ufffd1", "B\ufffdag", (Photo("\ufffd"),), brand="\ufffd")
    assert only_listing(tmp_path / "out.parquet") == listing


def test_a_csv_may_hold_nul(tmp_path: Path) -> None:
    table = write_text(tmp_path / "listings.csv", "listing_id,title,image_path", "1,B\x00ag,a.jpg")

    assert only_listing(table).title == "B\ufffdag"


@pytest.mark.parametrize(
    "line", ["{broken", "[1, 2]", "17", '"text"', "null", "[" * 100_000, '{"listing_id": ' + "9" * 5000 + "}"]
)
def test_a_line_that_is_no_json_object_is_malformed(tmp_path: Path, line: str) -> None:
    table = write_text(tmp_path / "listings.jsonl", '{"listing_id": 1, "title": "", "image_path": ""}', line, "  ")

    assert reasons(read_listings(table)) == [None, "malformed_row"]


def test_ids_and_titles_that_are_numbers_become_text(tmp_path: Path) -> None:
    table = tmp_path / "listings.parquet"
    pq.write_table(pa.table({"listing_id": [7.0, None], "title": [501, 502], "image_path": ["a.jpg", "b.jpg"]}), table)

    rows = rows_of(table)

    assert rows[0] == Listing("7", "501", (Photo("a.jpg"),))
    assert reasons(rows) == [None, "missing_id"]


def test_one_id_written_as_number_and_as_text_is_a_duplicate(tmp_path: Path) -> None:
    table = write_json(tmp_path / "listings.jsonl", {"listing_id": 7}, {"listing_id": "7"}, {"listing_id": 7.0})

    rows = rows_of(table)

    assert reasons(rows) == [None, "duplicate_id", "duplicate_id"]
    assert isinstance(rows[2], RejectedRow)
    assert (rows[2].row_number, rows[2].listing_id) == (3, "7")


def test_an_id_that_is_no_text_is_malformed_and_a_blank_one_missing(tmp_path: Path) -> None:
    table = write_json(tmp_path / "listings.jsonl", {"listing_id": ["1"]}, {"listing_id": "  "}, {"listing_id": None})

    assert reasons(read_listings(table)) == ["malformed_row", "missing_id", "missing_id"]


def test_a_value_that_cannot_be_read_costs_itself_and_is_named(tmp_path: Path) -> None:
    row = {
        "listing_id": 1,
        "title": {},
        "brand": [],
        "price": -1,
        "created_at": "soon",
        "image_path": None,
        "category": " ",
    }

    listing = only_listing(write_json(tmp_path / "listings.jsonl", row))

    assert listing == Listing("1", "", unreadable_fields=listing.unreadable_fields)
    assert set(listing.unreadable_fields) == {"title", "brand", "price", "created_at"}


def test_nan_prices_and_missing_prices_are_told_apart(tmp_path: Path) -> None:
    table = tmp_path / "listings.parquet"
    columns = {"listing_id": ["1", "2"], "title": ["", ""], "image_path": ["", ""], "price": [float("nan"), None]}
    pq.write_table(pa.table(columns), table)

    assert [row.unreadable_fields for row in read_listings(table) if isinstance(row, Listing)] == [("price",), ()]


def test_one_photo_that_cannot_be_read_leaves_the_others(tmp_path: Path) -> None:
    row = {"listing_id": 1, "image_paths": ["a.jpg", {"url": "x"}, [], None, "b|c.jpg"]}

    listing = only_listing(write_json(tmp_path / "listings.jsonl", row))

    assert listing.photos == (Photo("a.jpg"), Photo("b|c.jpg"))
    assert listing.unreadable_fields == ("image_paths",)


def test_a_listing_with_neither_photo_nor_title_is_kept(tmp_path: Path) -> None:
    table = write_text(tmp_path / "listings.csv", "listing_id,title,image_paths", "1,,")

    assert only_listing(table) == Listing("1", "")


STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


@pytest.mark.parametrize(
    ("images", "photos"),
    [
        (pa.array([b"one"], pa.binary()), (Photo(data=b"one"),)),
        (pa.array([[b"one", b"two"]], pa.list_(pa.binary())), (Photo(data=b"one"), Photo(data=b"two"))),
        (pa.array([{"bytes": b"one", "path": "a.jpg"}], STRUCT), (Photo("a.jpg", b"one"),)),
        (
            pa.array([[{"bytes": None, "path": "a.jpg"}, {"bytes": b"two"}, None]], pa.list_(STRUCT)),
            (Photo("a.jpg"), Photo(data=b"two")),
        ),
        (pa.array([None], pa.binary()), ()),
    ],
)
def test_photos_in_parquet_are_read_in_every_form(tmp_path: Path, images: pa.Array, photos: tuple[Photo, ...]) -> None:
    table = tmp_path / "listings.parquet"
    pq.write_table(pa.table({"listing_id": ["1"], "title": ["Bag"], "images": images}), table)

    assert only_listing(table) == Listing("1", "Bag", photos)


@pytest.mark.parametrize(
    ("column", "created_at"),
    [
        (pa.array([1_714_557_600_000_000_001], pa.timestamp("ns")), datetime(2024, 5, 1, 10, tzinfo=UTC)),
        (pa.array([1_714_557_600], pa.timestamp("s", tz="UTC")), datetime(2024, 5, 1, 10, tzinfo=UTC)),
        (pa.array([19_844], pa.date32()), datetime(2024, 5, 1, tzinfo=UTC)),
        (pa.array([2**50], pa.timestamp("s")), None),
        (pa.array([1], pa.timestamp("us", tz="Nowhere/Land")), None),
    ],
)
def test_times_in_parquet_are_read_in_every_unit(tmp_path: Path, column: pa.Array, created_at: datetime | None) -> None:
    table = tmp_path / "listings.parquet"
    pq.write_table(
        pa.table({"listing_id": ["1"], "title": ["Bag"], "image_path": ["a.jpg"], "created_at": column}), table
    )

    listing = only_listing(table)

    assert listing.created_at == created_at
    assert listing.unreadable_fields == (() if created_at else ("created_at",))


def test_a_label_that_is_not_known_rejects_its_row_among_the_labelled_only(tmp_path: Path) -> None:
    rows = [
        {"listing_id": number, "label": label}
        for number, label in enumerate(["genuine", " counterfeit ", "fake", None, []])
    ]
    table = write_json(tmp_path / "listings.jsonl", *rows)

    labeled = list(read_labeled_listings(table))

    assert reasons(labeled) == [None, None, "unknown_label", "unknown_label", "unknown_label"]
    assert [row.label for row in labeled if isinstance(row, LabeledListing)] == [Label.GENUINE, Label.COUNTERFEIT]
    assert isinstance(labeled[2], RejectedRow)
    assert labeled[2].detail == "the label is 'fake'; known are genuine, counterfeit"
    assert reasons(read_listings(table)) == [None] * 5


def test_what_cannot_be_read_about_a_label_is_named(tmp_path: Path) -> None:
    table = write_json(
        tmp_path / "listings.jsonl",
        {"listing_id": 1, "label": "genuine", "inclusion_probability": 0, "labelled_at": "soon"},
    )

    (row,) = read_labeled_listings(table)

    assert isinstance(row, LabeledListing)
    assert (row.inclusion_probability, row.labelled_at) == (None, None)
    assert set(row.listing.unreadable_fields) == {"inclusion_probability", "labelled_at"}


def test_missing_columns_are_refused_before_the_first_row_is_asked_for(tmp_path: Path) -> None:
    table = write_text(tmp_path / "listings.csv", "listing_id,name", "1,Bag")

    with pytest.raises(ListingTableError, match="lacks title, images or image_paths or image_path"):
        read_listings(table)
    with pytest.raises(ListingTableError, match="label"):
        read_labeled_listings(table)


def test_a_file_that_is_no_table_is_refused_before_the_first_row_is_asked_for(tmp_path: Path) -> None:
    contents = {"empty.csv": b"", "empty.jsonl": b"", "damaged.parquet": b"PAR1 and no more", "listings.xlsx": b"PK"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "blank.csv").write_text("\n\n")
    (tmp_path / "list.jsonl").write_text("[]\n")

    for name, problem in {
        "missing.csv": "there is no file",
        "folder.csv": "is not a file",
        "empty.csv": "is empty",
        "empty.jsonl": "is empty",
        "blank.csv": "no line of column names",
        "list.jsonl": "no JSON object",
        "damaged.parquet": "is damaged, or not a Parquet file",
        "listings.xlsx": r"unknown kind; a table of listings ends in \.csv",
    }.items():
        with pytest.raises(ListingTableError, match=problem):
            read_listings(tmp_path / name)


def test_parquet_that_proves_damaged_on_the_way_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "listings.parquet"
    write_listings(table, [Listing(str(number), f"Bag {number}" * 50, (Photo("a.jpg"),)) for number in range(5000)])
    content = bytearray(table.read_bytes())
    content[20 : len(content) // 2] = bytes(len(content) // 2 - 20)
    table.write_bytes(content)

    rows = read_listings(table)

    with pytest.raises(ListingTableError, match="is damaged"):
        list(rows)


def test_a_table_with_column_names_only_has_no_listings(tmp_path: Path) -> None:
    assert rows_of(write_text(tmp_path / "listings.csv", "listing_id,title,image_path")) == []


def test_reading_takes_no_more_rows_than_are_asked_for(tmp_path: Path) -> None:
    table = tmp_path / "listings.parquet"
    write_listings(table, [Listing(str(number), "Bag", (Photo("a.jpg"),)) for number in range(1000)])

    rows = read_listings(table)

    assert [next(rows), next(rows)] == [Listing(number, "Bag", (Photo("a.jpg"),)) for number in "01"]


def test_a_table_that_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    def failing() -> Iterator[Listing]:
        yield Listing("2", "new")
        raise RuntimeError("the source broke")

    for suffix in (".csv", ".jsonl", ".parquet"):
        table = tmp_path / f"listings{suffix}"
        write_listings(table, [Listing("1", "old")])

        with pytest.raises(RuntimeError, match="the source broke"):
            write_listings(table, failing())

        assert rows_of(table) == [Listing("1", "old")]
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("name", "photo", "problem"),
    [
        ("listings.csv", Photo(data=b"one"), "only Parquet can hold them"),
        ("listings.jsonl", Photo("a.jpg", b"one"), "only Parquet can hold them"),
        ("listings.csv", Photo("a|b.jpg"), "stands between photos in CSV"),
        ("listings.xlsx", Photo("a.jpg"), "unknown kind"),
        ("missing/listings.csv", Photo("a.jpg"), "there is no folder"),
        ("", Photo("a.jpg"), "unknown kind"),
    ],
)
def test_what_a_table_cannot_hold_is_refused(tmp_path: Path, name: str, photo: Photo, problem: str) -> None:
    with pytest.raises(ListingTableError, match=problem):
        write_listings(tmp_path / name, [Listing("1", "Bag", (photo,))])

    assert list(tmp_path.iterdir()) == []


def test_no_map_is_the_map_for_our_own_names() -> None:
    assert load_column_map(None) == ColumnMap()


def test_a_map_with_mistakes_is_refused_by_its_name(tmp_path: Path) -> None:
    table = write_text(tmp_path / "map.yaml", "columns: {titel: name}", "labels: {0: fake}", "colour: red")

    with pytest.raises(SettingsError) as caught:
        load_column_map(table)

    assert "map.yaml: 3 mistakes" in str(caught.value)


def test_the_ozon_map_reads_an_ozon_row(tmp_path: Path) -> None:
    table = tmp_path / "train.csv"
    header = ["id", "resolution", "brand_name", "description", "name_rus", "CommercialTypeName4", "PriceDiscounted"]
    with table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([*header, "SellerID", "ItemID"])
        writer.writerow([0, 1, "Nike", "<p>..</p>", "Кроссовки", "Кеды", 1999.0, 12, 345])

    (row,) = read_labeled_listings(table, load_column_map(OZON))

    assert row == LabeledListing(
        Listing(
            "345",
            "Кроссовки",
            (Photo("345.png"),),
            brand="Nike",
            platform="ozon",
            seller_id="12",
            category="Кеды",
            price=1999.0,
            currency="RUB",
            language="ru",
        ),
        Label.COUNTERFEIT,
    )
