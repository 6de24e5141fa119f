"""Where a foreign table keeps what a listing holds, and whether it keeps enough.

Knows no file format.
"""

import difflib
import string
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from counterfeit_risk.errors import ListingTableError
from counterfeit_risk.listings.cells import UNREADABLE, to_name, to_text
from counterfeit_risk.listings.listing import Label
from counterfeit_risk.listings.tables import TableColumns
from counterfeit_risk.sections import Section

PHOTO_COLUMNS = ("images", "image_paths", "image_path")
"""In the order of preference."""
TEXT_COLUMNS = ("brand", "platform", "seller_id", "category", "currency", "language")
LISTING_COLUMNS = ("listing_id", "title", *PHOTO_COLUMNS, *TEXT_COLUMNS, "price", "created_at")
LABEL_COLUMNS = ("label", "label_source", "labelled_at", "inclusion_probability", "seller_group")
COLUMNS = LISTING_COLUMNS + LABEL_COLUMNS

_Value = TypeVar("_Value", str, str | float)

_SHOWN_COLUMNS, _SHOWN_CHARACTERS = 30, 60


def _ours(values: dict[str, _Value]) -> dict[str, _Value]:
    unknown = [_describe_unknown(name) for name in values if name not in COLUMNS]
    if unknown:
        raise ValueError("; ".join(unknown))
    return values


def _with_text_keys(values: object) -> object:
    """YAML reads `0: genuine` with a number for a key."""
    return {to_text(key): value for key, value in values.items()} if isinstance(values, Mapping) else values


class ColumnMap(Section):
    """How a table's columns become ours; a column that is not named here keeps its name."""

    columns: Annotated[dict[str, str], AfterValidator(_ours)] = Field(default={})
    """Ours to theirs."""
    image_template: str | None = None
    """Path of a listing's one photo, made from source columns: `{ItemID}.png`."""
    labels: Annotated[dict[str, Label], BeforeValidator(_with_text_keys)] = Field(
        default={label.value: label for label in Label}
    )
    """Their label to ours."""
    constants: Annotated[dict[str, str | float], AfterValidator(_ours)] = Field(default={})
    """Ours to the value that every row has."""

    @model_validator(mode="after")
    def _names_columns_once(self) -> Self:
        problems = [f"{name} is both a column and a constant" for name in self.columns if name in self.constants]
        own = [name for name in ("listing_id", *PHOTO_COLUMNS) if name in self.constants]
        problems += [f"{name} cannot be a constant: each listing has its own" for name in own]
        if self.image_template is not None:
            problems += self._problems_of_template()
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def template_columns(self) -> tuple[str, ...]:
        """Source columns in the image template."""
        fields = string.Formatter().parse(self.image_template or "")
        return tuple(name for _, name, _, _ in fields if name is not None)

    @cached_property
    def _sources(self) -> dict[str, str]:
        return {name: self.source_of(name) for name in COLUMNS}

    @property
    def source_columns(self) -> frozenset[str]:
        """Every column that is wanted of a source."""
        return frozenset(self._sources.values()).union(self.template_columns)

    def source_of(self, name: str) -> str:
        """The source's name of our column."""
        return self.columns.get(name, name)

    def to_ours(self, row: Mapping[str, object]) -> dict[str, object]:
        """The cells of a source's row under our names."""
        cells = {name: row.get(source) for name, source in self._sources.items()} | self.constants
        if self.image_template is not None:
            cells |= dict.fromkeys(PHOTO_COLUMNS) | {"image_path": self._fill_template(row)}
        return cells

    def _fill_template(self, row: Mapping[str, object]) -> object:
        """A path; None where one of the cells that make it is blank."""
        path = ""
        for literal, name, _, _ in string.Formatter().parse(self.image_template or ""):
            try:
                text = "" if name is None else to_name(row.get(name))
            except ValueError:
                return UNREADABLE
            if text is None:
                return None
            path += literal + text
        return path

    def _problems_of_template(self) -> list[str]:
        try:
            fields = list(string.Formatter().parse(self.image_template or ""))
        except ValueError as error:
            return [f"image_template {self.image_template!r}: {error}"]
        problems = [
            f"{name} and image_template both say where the photos are" for name in PHOTO_COLUMNS if name in self.columns
        ]
        if not any(name for _, name, _, _ in fields):
            problems.append(f"image_template {self.image_template!r} names no column; write it as {{ItemID}}.png")
        if any(name == "" or format_spec or conversion for _, name, format_spec, conversion in fields):
            problems.append(f"image_template {self.image_template!r}: only a column's name stands between braces")
        return problems


def check_columns(table: Path, found: TableColumns, columns: ColumnMap, *, labeled: bool) -> None:
    """Checks that a table has what listings need, and what the column map says it has.

    Raises:
        ListingTableError: with everything that is missing, or the columns that stand twice.
    """
    twice = sorted(name for name in columns.source_columns if found.names.count(name) > 1)
    if twice:
        raise ListingTableError(f"{table} has more than one column named {', '.join(twice)}")
    missing = _missing_columns(found, columns, labeled=labeled)
    if missing:
        raise ListingTableError(
            f"{table} cannot be read as {'labelled ' if labeled else ''}listings, as it lacks {', '.join(missing)}; "
            f"its columns are {_shorten(found.names)}; a column map can rename them, see configs/sources"
        )


def _missing_columns(found: TableColumns, columns: ColumnMap, *, labeled: bool) -> list[str]:
    required = {"listing_id", "title", "label"}
    if found.complete:  # else a column that few rows have may just not have come yet
        required |= columns.columns.keys()
    names = [name for name in (COLUMNS if labeled else LISTING_COLUMNS) if name in required - columns.constants.keys()]
    wanted = {columns.source_of(name): name for name in names} | dict.fromkeys(
        columns.template_columns, "image_template"
    )
    missing = [_describe_missing(source, name, found) for source, name in wanted.items() if source not in found.names]
    photos = [columns.source_of(name) for name in PHOTO_COLUMNS]
    if columns.image_template is None and not set(photos).intersection(found.names):
        missing.append(_describe_missing(" or ".join(photos), photos[0], found))
    return missing


def _describe_missing(source: str, name: str, found: TableColumns) -> str:
    close = difflib.get_close_matches(source, found.names, n=1)
    notes = ([] if name in source else [f"for {name}"]) + ([f"did you mean {_shorten(close)}?"] if close else [])
    return source + (f" ({', '.join(notes)})" if notes else "")


def _describe_unknown(name: str) -> str:
    close = difflib.get_close_matches(name, COLUMNS, n=1)
    return f"unknown column {name!r}; " + (f"did you mean {close[0]}?" if close else f"ours are {', '.join(COLUMNS)}")


def _shorten(names: Sequence[str]) -> str:
    shown = [
        name if len(name) <= _SHOWN_CHARACTERS else f"{name[:_SHOWN_CHARACTERS]}…" for name in names[:_SHOWN_COLUMNS]
    ]
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(names) > len(shown) else "")
