"""Writes records as CSV, JSON Lines or Parquet; the file appears whole or not at all.

Knows no listing beyond the names and types of its columns.
"""

import csv
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from counterfeit_risk.errors import ListingTableError

Record = dict[str, Any]

_PHOTO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""As the Image feature of the `datasets` library."""
_TYPES = {
    "images": pa.list_(_PHOTO),
    "image_paths": pa.list_(pa.string()),
    "price": pa.float64(),
    "created_at": pa.timestamp("us", tz="UTC"),
    "labelled_at": pa.timestamp("us", tz="UTC"),
    "inclusion_probability": pa.float64(),
}
_GROUP_ROWS = 4096
_GROUP_PHOTO_BYTES = 64 * 2**20


def write_records(table: Path, records: Iterable[Record], columns: Sequence[str]) -> int:
    """Writes records, one a row.

    Args:
        table: the suffix says the format.
        records: `images` is a list of {bytes, path} or None, `image_paths` a list of paths or None.
        columns: the records' names in the order in which the table shall have them; `image_path` is left out, as
            are `images` where the format holds no bytes.

    Returns:
        Rows written.

    Raises:
        ListingTableError: if the table cannot be written, or cannot hold these photos.
    """
    write = _WRITERS.get(table.suffix.lower())
    if write is None:
        raise ListingTableError(f"{table} is of an unknown kind; a table of listings ends in {', '.join(_WRITERS)}")
    if not table.parent.is_dir():
        raise ListingTableError(f"{table} cannot be written: there is no folder {table.parent}")
    if table.is_dir():
        raise ListingTableError(f"{table} cannot be written: it is a folder")
    with replacing(table) as part:
        return write(part, records, [name for name in columns if name != "image_path"])


@contextmanager
def replacing(table: Path) -> Iterator[Path]:
    """Yields a path to write to; what lies there in the end takes the table's place at once, or never."""
    part = table.with_name(f".{table.name}.{uuid.uuid4().hex}.part")
    try:
        yield part
        part.replace(table)
    finally:
        part.unlink(missing_ok=True)


def _write_csv(part: Path, records: Iterable[Record], columns: Sequence[str]) -> int:
    rows = 0
    with part.open("x", encoding="utf-8", newline="") as stream:
        # csv's own line end, CR LF: with another, it leaves a lone CR in a title unquoted before Python 3.13
        writer = csv.DictWriter(stream, [name for name in columns if name != "images"])
        writer.writeheader()
        for record in records:
            writer.writerow(_without_bytes(record) | {"image_paths": _join_paths(record)})
            rows += 1
    return rows


def _write_jsonl(part: Path, records: Iterable[Record], columns: Sequence[str]) -> int:
    rows = 0
    with part.open("x", encoding="utf-8", newline="\n") as stream:
        for record in records:
            cells = _without_bytes(record)
            present = {name: cells[name] for name in columns if cells.get(name) is not None}
            stream.write(json.dumps(present, ensure_ascii=False) + "\n")
            rows += 1
    return rows


def _write_parquet(part: Path, records: Iterable[Record], columns: Sequence[str]) -> int:
    schema = pa.schema([(name, _TYPES.get(name, pa.string())) for name in columns])
    rows = 0
    with pq.ParquetWriter(part, schema) as writer:
        for group in _row_groups(records):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            rows += len(group)
    return rows


_WRITERS: dict[str, Callable[[Path, Iterable[Record], Sequence[str]], int]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".ndjson": _write_jsonl,
    ".parquet": _write_parquet,
}


def _without_bytes(record: Record) -> Record:
    """The record as text formats hold it, times in ISO 8601."""
    if record["images"] is not None:
        raise ListingTableError(f"listing {record['listing_id']} has its photos' bytes; only Parquet can hold them")
    cells = {name: value for name, value in record.items() if name != "images"}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in cells.items()}


def _join_paths(record: Record) -> str:
    paths = record["image_paths"] or []
    for path in paths:
        if "|" in path:
            raise ListingTableError(
                f"listing {record['listing_id']} has the photo {path!r}, and `|` stands between photos in CSV; "
                f"write JSON Lines or Parquet"
            )
    return "|".join(paths)


def _row_groups(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Gathers records until they are many, or their photos are large."""
    group: list[Record] = []
    photo_bytes = 0
    for record in records:
        group.append(record)
        photo_bytes += sum(len(image["bytes"] or b"") for image in record["images"] or [])
        if len(group) == _GROUP_ROWS or photo_bytes >= _GROUP_PHOTO_BYTES:
            yield group
            group, photo_bytes = [], 0
    if group:
        yield group
