"""Reads what only the maker of a market knows of its listings: Parquet, a row a listing, by `listing_id`.

Knows no listing table and no model. Real listings have no such table.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from counterfeit_risk.errors import UsageError
from counterfeit_risk.evaluation.metrics import FloatArray
from counterfeit_risk.evaluation.predictions import HEADS


def read_posteriors(table: Path, listing_ids: Sequence[str]) -> FloatArray:
    """The true probability of being counterfeit, given what each head may see.

    Args:
        table: with `listing_id`, `fused_posterior`, `photo_posterior` and `title_posterior`.
        listing_ids: the N listings wanted, each once in the table.

    Returns:
        (N, 3) in the order of `HEADS`, in [0, 1]; NaN where the table says nothing.

    Raises:
        UsageError: if the table cannot be read, lacks one of these listings, or holds what is no probability.
    """
    names = [f"{head}_posterior" for head in HEADS]
    ids, *columns = _read_columns(table, ["listing_id", *names])
    row_of = _row_numbers(table, ids)
    missing = [one for one in listing_ids if one not in row_of]
    if missing:
        raise UsageError(f"{table} has no posterior for {len(missing):,} of these listings, first {missing[0]!r}")
    try:
        values = np.column_stack([column.cast(pa.float64()).to_numpy(zero_copy_only=False) for column in columns])
    except pa.ArrowInvalid:
        raise UsageError(f"{table}: the columns {', '.join(names)} must be numbers") from None
    wanted = values[[row_of[one] for one in listing_ids]]
    if not (np.isnan(wanted) | ((wanted >= 0) & (wanted <= 1))).all():
        raise UsageError(f"{table}: a posterior must be in [0, 1]")
    return wanted


def read_ids(table: Path) -> frozenset[str]:
    """The listings that a table names.

    Raises:
        UsageError: if the table cannot be read, or names a listing twice.
    """
    (ids,) = _read_columns(table, ["listing_id"])
    return frozenset(_row_numbers(table, ids))


def read_plain_ids(table: Path) -> frozenset[str]:
    """The listings that evade nothing: those whose bool `evades` is false.

    Raises:
        UsageError: if the table cannot be read, or names a listing twice.
    """
    ids, evades = _read_columns(table, ["listing_id", "evades"])
    if not pa.types.is_boolean(evades.type) or evades.null_count:
        raise UsageError(f"{table}: the column evades must be true or false, not {evades.type} or null")
    evading = evades.to_pylist()
    return frozenset(one for one, row in _row_numbers(table, ids).items() if not evading[row])


def _read_columns(table: Path, names: Sequence[str]) -> list[pa.ChunkedArray]:
    try:
        with pq.ParquetFile(table) as file:
            missing = [name for name in names if name not in file.schema_arrow.names]
            if missing:
                raise UsageError(f"{table} has no column {', '.join(missing)}; it needs {', '.join(names)}")
            read = file.read(columns=list(names))
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{table} cannot be read as Parquet: {error}") from None
    return [read.column(name) for name in names]


def _row_numbers(table: Path, ids: pa.ChunkedArray) -> dict[str, int]:
    row_of = {str(one): row for row, one in enumerate(ids.to_pylist())}
    if len(row_of) < len(ids):
        raise UsageError(f"{table} names a listing twice")
    return row_of
