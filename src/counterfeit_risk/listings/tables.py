"""Reads CSV, JSON Lines and Parquet files as plain rows, one at a time, whatever they hold.

Knows no listing: cells come as the format gives them. Text that is not UTF-8 keeps its row, with U+FFFD where
it cannot be decoded.
"""

import csv
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from counterfeit_risk.errors import ListingTableError
from counterfeit_risk.listings.cells import UNREADABLE

SUFFIXES = (".csv", ".jsonl", ".ndjson", ".parquet")

RawRow = dict[str, object]

_CELL_CHARACTERS = 2**24
"""Longest CSV cell: also what a quote that is never closed can swallow before its row is given up."""
_ROWS_FOR_COLUMNS = 100
_BATCH_ROWS = 64
"""Few, as each row may hold the bytes of a dozen photos."""


@dataclass(frozen=True, slots=True)
class MalformedRow:
    """A row whose cells cannot be told apart."""

    detail: str


@dataclass(frozen=True, slots=True)
class TableColumns:
    """The columns of a table."""

    names: tuple[str, ...]
    complete: bool
    """False where rows may hold keys that the first rows do not (JSON Lines)."""


def read_columns(table: Path) -> TableColumns:
    """Finds the columns of a table.

    Raises:
        ListingTableError: if the file is not there, is empty, or is no table.
    """
    _check_file(table)
    match table.suffix.lower():
        case ".csv":
            with _open_text(table, newline="") as stream:
                return TableColumns(_read_header(table, _csv_reader(stream)), complete=True)
        case ".parquet":
            with _open_parquet(table) as file:
                return TableColumns(tuple(file.schema_arrow.names), complete=True)
    rows = [row for row in islice(_json_rows(table), _ROWS_FOR_COLUMNS) if isinstance(row, dict)]
    if not rows:
        raise ListingTableError(f"{table} holds no JSON object in its first {_ROWS_FOR_COLUMNS} lines")
    return TableColumns(tuple(dict.fromkeys(name for row in rows for name in row)), complete=False)


def read_rows(table: Path, columns: Collection[str]) -> Iterator[RawRow | MalformedRow]:
    """Reads a table's data rows in order; blank lines of CSV and JSON Lines are no rows.

    Args:
        table: the file. No more than a row, or a batch of a Parquet file, is held in memory.
        columns: those wanted; others may be left out.

    Raises:
        ListingTableError: if the file proves damaged on the way.
    """
    match table.suffix.lower():
        case ".csv":
            return _csv_rows(table)
        case ".parquet":
            return _parquet_rows(table, columns)
    return _json_rows(table)


def _check_file(table: Path) -> None:
    if table.suffix.lower() not in SUFFIXES:
        raise ListingTableError(f"{table} is of an unknown kind; a table of listings ends in {', '.join(SUFFIXES)}")
    if not table.exists():
        raise ListingTableError(f"there is no file {table}")
    if not table.is_file():
        raise ListingTableError(f"{table} is not a file")
    if not table.stat().st_size:
        raise ListingTableError(f"{table} is empty")


@contextmanager
def _open_text(table: Path, *, newline: str) -> Iterator[TextIO]:
    try:
        stream = table.open(encoding="utf-8-sig", errors="replace", newline=newline)
    except OSError as error:
        raise ListingTableError(f"{table} cannot be opened: {error.strerror}") from error
    with stream:
        yield stream


def _csv_reader(stream: TextIO) -> Any:
    # the limit belongs to the process and is only ever raised; csv's own would refuse long titles
    csv.field_size_limit(max(csv.field_size_limit(), _CELL_CHARACTERS))
    # strict: a stray quote costs its own rows, up to the next quote, and not the rest of the file
    return csv.reader(stream, strict=True)


def _read_header(table: Path, reader: Iterator[list[str]]) -> tuple[str, ...]:
    try:
        for cells in reader:
            if cells:
                return tuple(cells)
    except csv.Error as error:
        raise ListingTableError(f"{table}: the line of column names cannot be read: {error}") from None
    raise ListingTableError(f"{table} has no line of column names")


def _csv_rows(table: Path) -> Iterator[RawRow | MalformedRow]:
    with _open_text(table, newline="") as stream:
        reader = _csv_reader(stream)
        names = _read_header(table, reader)
        while True:
            lines_before = reader.line_num
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                # a quote that is never closed swallows the lines after it, and each of them may be a row
                for _ in range(lines_before, reader.line_num):
                    yield MalformedRow(f"lines {lines_before + 1} to {reader.line_num}: {error}")
                continue
            if len(cells) == len(names):
                yield dict(zip(names, cells, strict=True))
            elif cells:
                yield MalformedRow(f"{len(cells)} cells under {len(names)} column names")


def _json_rows(table: Path) -> Iterator[RawRow | MalformedRow]:
    with _open_text(table, newline="\n") as stream:
        for line in stream:
            if not line.isspace():
                yield _parse_json(line)


def _parse_json(line: str) -> RawRow | MalformedRow:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return MalformedRow(f"is not JSON: {error}")
    return value if isinstance(value, dict) else MalformedRow("is JSON, but not an object")


@contextmanager
def _open_parquet(table: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(table, buffer_size=2**20) as file:
            yield file
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ListingTableError(f"{table} is damaged, or not a Parquet file: {error}") from error


def _parquet_rows(table: Path, columns: Collection[str]) -> Iterator[RawRow]:
    with _open_parquet(table) as file:
        names = [name for name in file.schema_arrow.names if name in columns]
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=names):
            cells = [_to_cells(batch.column(name)) for name in names]
            for row in zip(*cells, strict=True):
                yield dict(zip(names, row, strict=True))


def _to_cells(column: pa.Array) -> list[object]:
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)  # datetime holds no nanoseconds
    try:
        cells: list[object] = column.to_pylist()
    except (ValueError, OverflowError):
        cells = [_to_cell(scalar) for scalar in column]
    return cells


def _to_cell(scalar: pa.Scalar) -> object:
    try:
        return scalar.as_py()
    except (ValueError, OverflowError):
        is_text = pa.types.is_string(scalar.type) or pa.types.is_large_string(scalar.type)
        return scalar.as_buffer().to_pybytes() if is_text else UNREADABLE
