"""Reads and writes tables of listings: every row becomes a listing, or a rejected row with a reason.

Opens no photo. A value that cannot be read costs itself and not its row; what each cell may hold stands in `cells`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from counterfeit_risk.errors import SettingsError
from counterfeit_risk.listings import cells
from counterfeit_risk.listings.columns import LABEL_COLUMNS, LISTING_COLUMNS, PHOTO_COLUMNS, TEXT_COLUMNS, check_columns
from counterfeit_risk.listings.columns import ColumnMap as ColumnMap
from counterfeit_risk.listings.listing import LabeledListing, Listing, Photo, RejectedRow, RejectReason
from counterfeit_risk.listings.seen_ids import SeenIds
from counterfeit_risk.listings.table_writer import Record, write_records
from counterfeit_risk.listings.tables import MalformedRow, read_columns, read_rows
from counterfeit_risk.strict_yaml import read_yaml

T = TypeVar("T")

IDENTITY = ColumnMap()
"""For tables that use our names."""

_SHOWN_LABEL_CHARACTERS = 80


def load_column_map(path: Path | None) -> ColumnMap:
    """Reads a column map; None is the map for tables that use our names.

    Raises:
        SettingsError: with every mistake found.
    """
    if path is None:
        return IDENTITY
    values = read_yaml(path)
    try:
        return ColumnMap.model_validate(values)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, p['loc']))}: {p['msg']}".removeprefix(": ") for p in error.errors()]
        raise SettingsError(str(path), problems) from None


def read_listings(table: Path, columns: ColumnMap = IDENTITY) -> Iterator[Listing | RejectedRow]:
    """Reads a table of listings; the n-th item is the table's n-th row, from 1.

    Memory holds a row, or a batch of a Parquet file, and some 30 bytes for each id.

    Args:
        table: CSV (`image_paths` joined by `|`), JSON Lines or Parquet, by its suffix.
        columns: where the table keeps what a listing holds.

    Raises:
        ListingTableError: at once, if the file cannot be read or lacks columns; on the way, if it proves damaged.
    """
    check_columns(table, read_columns(table), columns, labeled=False)
    return (row if isinstance(row, RejectedRow) else row.to_listing() for row in _identified_rows(table, columns))


def read_labeled_listings(table: Path, columns: ColumnMap = IDENTITY) -> Iterator[LabeledListing | RejectedRow]:
    """Reads a table of labelled listings, as `read_listings` does; a row without a known label is rejected.

    An `inclusion_probability` or `labelled_at` that cannot be read is named in the listing's `unreadable_fields`.
    """
    check_columns(table, read_columns(table), columns, labeled=True)
    rows = _identified_rows(table, columns)
    return (row if isinstance(row, RejectedRow) else row.to_labeled_listing(columns) for row in rows)


def write_listings(table: Path, rows: Iterable[Listing]) -> int:
    """Writes listings as CSV, JSON Lines or Parquet, by the suffix; the table appears whole or not at all.

    What it writes, `read_listings` reads back equal; `unreadable_fields` and empty optional text are not written.

    Returns:
        Listings written.

    Raises:
        ListingTableError: if the table cannot be written, or cannot hold these photos: only Parquet holds their
            bytes, and a CSV no path with a `|` in it.
    """
    return write_records(table, (_to_record(row) for row in rows), LISTING_COLUMNS)


def write_labeled_listings(table: Path, rows: Iterable[LabeledListing]) -> int:
    """Writes labelled listings, as `write_listings` does."""
    return write_records(table, (_to_labeled_record(row) for row in rows), LISTING_COLUMNS + LABEL_COLUMNS)


@dataclass
class _Row:
    """One row in our names; gathers the names of what cannot be read."""

    number: int
    listing_id: str
    values: dict[str, object]
    unreadable: list[str] = field(default_factory=list)

    def read(self, name: str, convert: Callable[[object], T | None]) -> T | None:
        return self._convert(name, self.values[name], convert)

    def to_listing(self) -> Listing:
        title, photos = self.read("title", cells.to_text), self._read_photos()
        price, created_at = self.read("price", cells.to_price), self.read("created_at", cells.to_time)
        texts = {name: self.read(name, cells.to_name) for name in TEXT_COLUMNS}
        return Listing(
            self.listing_id,
            title or "",
            photos,
            **texts,
            price=price,
            created_at=created_at,
            unreadable_fields=tuple(dict.fromkeys(self.unreadable)),
        )

    def to_labeled_listing(self, columns: ColumnMap) -> LabeledListing | RejectedRow:
        name = self.read("label", cells.to_name)
        label = columns.labels.get(name.strip()) if name else None
        if label is None:
            shown = "there is no label" if name is None else f"the label is {name[:_SHOWN_LABEL_CHARACTERS]!r}"
            detail = f"{shown}; known are {', '.join(columns.labels)}"
            return RejectedRow(self.number, RejectReason.UNKNOWN_LABEL, detail, self.listing_id)
        source, group = self.read("label_source", cells.to_name), self.read("seller_group", cells.to_name)
        labelled_at = self.read("labelled_at", cells.to_time)
        probability = self.read("inclusion_probability", cells.to_probability)
        return LabeledListing(self.to_listing(), label, source, labelled_at, probability, group)

    def _read_photos(self) -> tuple[Photo, ...]:
        """The photos of the first photo column that has any; one that cannot be read costs itself."""
        for name in PHOTO_COLUMNS:
            value = self.values[name]
            if name == "image_paths" and isinstance(value, str):
                value = value.split("|")
            items = value if isinstance(value, list) else [value]
            photos = [self._convert(name, item, cells.to_photo) for item in items]
            if any(photos):
                return tuple(photo for photo in photos if photo)
        return ()

    def _convert(self, name: str, value: object, convert: Callable[[object], T | None]) -> T | None:
        if value is None:
            return None
        try:
            return convert(value)
        except ValueError:
            self.unreadable.append(name)
            return None


def _identified_rows(table: Path, columns: ColumnMap) -> Iterator[_Row | RejectedRow]:
    """Every row that has an id of its own, and every other row as rejected."""
    seen = SeenIds()
    for number, row in enumerate(read_rows(table, columns.source_columns), start=1):
        if isinstance(row, MalformedRow):
            yield RejectedRow(number, RejectReason.MALFORMED_ROW, row.detail)
            continue
        values = columns.to_ours(row)
        try:
            listing_id = cells.to_name(values["listing_id"])
        except ValueError as error:
            yield RejectedRow(number, RejectReason.MALFORMED_ROW, f"listing_id: {error}")
            continue
        if listing_id is None:
            yield RejectedRow(number, RejectReason.MISSING_ID, "the row has no listing_id")
        elif not seen.add(listing_id):
            yield RejectedRow(number, RejectReason.DUPLICATE_ID, "an earlier row has this id", listing_id)
        else:
            yield _Row(number, listing_id, values)


def _to_record(listing: Listing) -> Record:
    in_table = any(photo.data is not None for photo in listing.photos)
    images = [{"bytes": photo.data, "path": photo.path} for photo in listing.photos]
    record: Record = {name: getattr(listing, name) for name in LISTING_COLUMNS if name not in PHOTO_COLUMNS}
    return record | {
        "images": images if in_table else None,
        "image_paths": None if in_table else [photo.path for photo in listing.photos],
    }


def _to_labeled_record(row: LabeledListing) -> Record:
    label: Record = {name: getattr(row, name) for name in LABEL_COLUMNS}
    return _to_record(row.listing) | label | {"label": row.label.value}
