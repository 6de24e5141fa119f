"""What scoring says of one listing, and how that is laid out in Parquet.

Knows no model and no image: a `RiskScore` is written by the writer and read by whoever uses scores.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from counterfeit_risk.errors import ListingTableError
from counterfeit_risk.evaluation.risk_bands import Band


class PartStatus(StrEnum):
    """What became of a listing's photos, or of its title."""

    OK = "ok"
    PARTIAL = "partial"
    """Some photos were lost, or the title was cut at the token limit."""
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class RiskScore:
    """The risk of one listing. A risk is a calibrated probability of being counterfeit, in [0, 1]."""

    listing_id: str
    risk: float
    band: Band
    photo_risk: float | None
    """Risk from the photos alone; None where no photo could be read."""
    title_risk: float | None
    """Risk from the title alone; None where there is no title."""
    photos_used: int
    photo_status: PartStatus
    photos_lost: tuple[str, ...]
    """One `name: why` for each photo that could not be used."""
    title_status: PartStatus
    model_id: str
    scored_at: datetime
    content_hash: str
    """sha256 over the title and the photos' own hashes: at one price, equal hashes get equal risks from one model."""
    photo_hashes: tuple[str, ...] = ()
    """sha256 of each photo that was used: with the fields below, all that another head needs."""
    title_hash: str | None = None
    """sha256 of the title as the towers read it; None where there is none."""
    price: float | None = None
    currency: str | None = None
    brand: str | None = None
    category: str | None = None


SCORE_SCHEMA = pa.schema(
    [
        ("listing_id", pa.string()),
        ("risk", pa.float64()),
        ("band", pa.string()),
        ("photo_risk", pa.float64()),
        ("title_risk", pa.float64()),
        ("photos_used", pa.int32()),
        ("photo_status", pa.string()),
        ("photos_lost", pa.list_(pa.string())),
        ("title_status", pa.string()),
        ("model_id", pa.string()),
        ("scored_at", pa.timestamp("us", tz="UTC")),
        ("content_hash", pa.string()),
        ("photo_hashes", pa.list_(pa.string())),
        ("title_hash", pa.string()),
        ("price", pa.float64()),
        ("currency", pa.string()),
        ("brand", pa.string()),
        ("category", pa.string()),
    ]
)


def to_table(rows: Sequence[object], schema: pa.Schema) -> pa.Table:
    """Lays out rows that have an attribute for each column."""
    columns = [pa.array([getattr(row, field.name) for row in rows], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def read_scores(folder: Path) -> Iterator[RiskScore]:
    """Reads the scores of a run, part by part.

    Args:
        folder: what `counterfeit-risk score` wrote; it holds `scores/part-*.parquet`.

    Raises:
        ListingTableError: if the folder holds no scores, or only a part of them: their counts were never reconciled.
    """
    if not (folder / "manifest.json").is_file():
        raise ListingTableError(f"{folder} holds no finished run; run `score --out {folder}` again until it is done")
    parts = sorted((folder / "scores").glob("part-*.parquet"))
    if not parts:
        raise ListingTableError(f"{folder} holds no scores/part-*.parquet; name the folder that `score --out` wrote")
    for part in parts:
        for row in pq.read_table(part, schema=SCORE_SCHEMA).to_pylist():
            yield RiskScore(
                **row
                | {
                    "band": Band(row["band"]),
                    "photo_status": PartStatus(row["photo_status"]),
                    "photos_lost": tuple(row["photos_lost"]),
                    "photo_hashes": tuple(row["photo_hashes"] or ()),
                    "title_status": PartStatus(row["title_status"]),
                }
            )
