"""Reads a file of records whole, CSV or JSON Lines, or says line by line what is wrong with it.

Knows no mark and no seller: what a record holds, its dataclass says.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TextIO, TypeVar

from pydantic import TypeAdapter, ValidationError

from counterfeit_risk.errors import SettingsError
from counterfeit_risk.takedown.complaints.particulars import describe_problems, shorten

Record = TypeVar("Record")
Row = dict[str, Any] | str
"""Cells by column, or what is wrong with the line."""

_SHOWN_PROBLEMS = 20


class RightsError(SettingsError):
    """One or more mistakes in a file of marks or of authorised sellers."""

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        more = [f"and {len(problems) - _SHOWN_PROBLEMS} more"] if len(problems) > _SHOWN_PROBLEMS else []
        super().__init__(str(path), [*problems[:_SHOWN_PROBLEMS], *more])


def read_records(path: Path, kind: type[Record]) -> dict[int, Record]:
    """All records of a file, by the line on which each begins; an empty cell counts as none.

    Args:
        path: ends in .csv, .jsonl or .ndjson; in UTF-8.
        kind: a dataclass whose fields are the columns.

    Raises:
        RightsError: with the mistakes, by line and column, if there is any.
    """
    adapter = TypeAdapter(kind)
    records: dict[int, Record] = {}
    problems: list[str] = []
    for line, row in _read_rows(path, kind):
        if isinstance(row, str):
            problems.append(f"line {line}{row}")
            continue
        try:
            records[line] = adapter.validate_python({name: cell for name, cell in row.items() if cell is not None})
        except ValidationError as error:
            problems += [f"line {line}, {problem}" for problem in describe_problems(error)]
    if problems:
        raise RightsError(path, problems)
    return records


def _read_rows(path: Path, kind: type[Any]) -> Iterator[tuple[int, Row]]:
    suffix = path.suffix.lower()
    if suffix not in {".csv", ".jsonl", ".ndjson"}:
        raise RightsError(path, ["is of an unknown kind; its name must end in .csv, .jsonl or .ndjson"])
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield from _csv_rows(path, stream, kind) if suffix == ".csv" else _json_rows(stream)
    except OSError as error:
        raise RightsError(path, [f"cannot be opened: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise RightsError(path, ["is not UTF-8"]) from None


def _json_rows(stream: TextIO) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(stream, start=1):
        if line.isspace():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, f": is not JSON: {error}"
            continue
        yield number, value if isinstance(value, dict) else ": is JSON, but not an object"


def _csv_rows(path: Path, stream: TextIO, kind: type[Any]) -> Iterator[tuple[int, Row]]:
    reader = csv.reader(stream, strict=True)
    columns = None
    line = 1
    try:
        for cells in reader:
            if cells and columns is None:
                columns = [name.strip() for name in cells]
                _check_columns(path, line, columns, kind)
            elif columns and len(cells) == len(columns):
                yield line, {name: cell for name, cell in zip(columns, cells, strict=True) if cell.strip()}
            elif columns and cells:
                yield line, f": has {len(cells)} cells under {len(columns)} column names"
            line = reader.line_num + 1
    except csv.Error as error:
        yield line, f": is not CSV, from here on: {error}"
    else:
        if columns is None:
            raise RightsError(path, ["has no line of column names"])


def _check_columns(path: Path, line: int, columns: Sequence[str], kind: type[Any]) -> None:
    known = [field.name for field in fields(kind)]
    needed = [field.name for field in fields(kind) if field.default is MISSING]
    problems = [
        *(f"line {line}, {name}: the column is missing" for name in needed if name not in columns),
        *(
            f"line {line}, {shorten(name)}: is no column that is known; they are {', '.join(known)}"
            for name in columns
            if name not in known
        ),
        *(f"line {line}, {name}: stands more than once" for name in known if columns.count(name) > 1),
    ]
    if problems:
        raise RightsError(path, problems)
