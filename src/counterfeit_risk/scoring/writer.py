"""Writes scores and rejected rows in parts that appear whole or not at all.

A part covers a fixed range of input rows. Its rejected rows are written first and its scores last, so a part is
complete exactly when its scores are there. Knows no model.
"""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from counterfeit_risk.listings.listing import RejectedRow
from counterfeit_risk.scoring.risk_score import SCORE_SCHEMA, RiskScore, to_table

REJECTED_SCHEMA = pa.schema(
    [("row_number", pa.int64()), ("listing_id", pa.string()), ("reason", pa.string()), ("detail", pa.string())]
)


@dataclass(frozen=True)
class Counts:
    """What lies in a folder of parts."""

    scored: int
    scored_in_part: int
    """Scored without some of their photos, or on a title that is missing or was cut."""
    bands: dict[str, int]
    rejected: dict[str, int]
    """By reason."""

    @property
    def rows(self) -> int:
        """Scored and rejected."""
        return self.scored + sum(self.rejected.values())


class PartWriter:
    """Writes the parts of one scoring run."""

    def __init__(self, out: Path) -> None:
        self._scores, self._rejected = out / "scores", out / "rejected"
        self._scores.mkdir(parents=True, exist_ok=True)
        self._rejected.mkdir(exist_ok=True)
        for leftover in (*self._scores.glob("*.partial"), *self._rejected.glob("*.partial")):
            leftover.unlink()

    def is_complete(self, part: int) -> bool:
        """True where an earlier run has finished this part."""
        return (self._scores / part_name(part)).exists()

    def write(self, part: int, rows: Iterable[RiskScore | RejectedRow]) -> None:
        """Writes one part."""
        scores: list[RiskScore] = []
        rejected: list[RejectedRow] = []
        for row in rows:
            if isinstance(row, RejectedRow):
                rejected.append(row)
            else:
                scores.append(row)
        self.write_tables(part, to_table(scores, SCORE_SCHEMA), to_table(rejected, REJECTED_SCHEMA))

    def write_tables(self, part: int, scores: pa.Table, rejected: pa.Table) -> None:
        """Writes one part whose rows are columns already."""
        _write_atomically(rejected, self._rejected / part_name(part))
        _write_atomically(scores, self._scores / part_name(part))

    def count(self) -> Counts:
        """Counts what was written, from the files themselves."""
        bands: Counter[str] = Counter()
        in_part = 0
        for path in self._scores.glob("part-*.parquet"):
            columns = pq.read_table(path, columns=["band", "photo_status", "title_status"]).to_pydict()
            bands.update(columns["band"])
            statuses = zip(columns["photo_status"], columns["title_status"], strict=True)
            in_part += sum(status != ("ok", "ok") for status in statuses)
        rejected: Counter[str] = Counter()
        for path in self._rejected.glob("part-*.parquet"):
            rejected.update(pq.read_table(path, columns=["reason"]).column("reason").to_pylist())
        return Counts(bands.total(), in_part, dict(bands), dict(rejected))


def write_text_atomically(text: str, path: Path) -> None:
    """Writes a text file that appears whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    _commit(partial, path)


def _write_atomically(table: pa.Table, path: Path) -> None:
    partial = path.with_name(path.name + ".partial")
    pq.write_table(table, partial)
    _commit(partial, path)


def _commit(partial: Path, path: Path) -> None:
    """Renames a written file into place, once its bytes are on the disk."""
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name as well
    finally:
        os.close(folder)


def part_name(part: int) -> str:
    """File name of a part's scores, and of its rejected rows."""
    return f"part-{part:06d}.parquet"
