"""A folder of scores: who may write to it, whose scores it holds, and what its finished run says of itself.

Knows no row.
"""

import fcntl
import json
import resource
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from counterfeit_risk.embeddings.embedder import StoreUse
from counterfeit_risk.embeddings.stopwatch import Stopwatch
from counterfeit_risk.embeddings.towers import Precision
from counterfeit_risk.errors import ListingTableError, TooManyRejectedError, UsageError
from counterfeit_risk.export.runtimes import Runtime
from counterfeit_risk.scoring.writer import Counts, write_text_atomically

ROWS_PER_PART = 1024
_LOCK, _MANIFEST, _MARK = ".lock", "manifest.json", "run.json"


@dataclass(frozen=True)
class ScoringManifest:
    """What a finished run says of itself."""

    model_id: str
    runtime: Runtime
    precision: Precision
    rows_in: int
    scored: int
    scored_in_part: int
    bands: dict[str, int]
    rejected: dict[str, int]
    """By reason."""
    unreadable_fields: dict[str, int]
    """Optional columns whose value could not be read and counts as absent, by column."""
    resumed: bool
    """True where parts of an earlier run were kept; seconds and speed speak of this run only."""
    embeddings: dict[str, int]
    """Distinct photos and titles whose embeddings were found in the store, and those that were encoded."""
    stage_seconds: dict[str, float]
    """Of all threads together, so that they may exceed the total."""
    listings_per_second: float
    peak_memory_mb: float
    finished_at: str


@dataclass(frozen=True)
class ScoringMethod:
    """All that a risk depends on beside its listing."""

    model_id: str
    runtime: Runtime
    precision: Precision


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keeps a second run out of a folder; the lock goes with the process, however it ends."""
    with (out / _LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"another run is writing to {out}") from None
        yield


def claim(out: Path, method: ScoringMethod, source: Mapping[str, Any]) -> None:
    """Marks a folder as the place of the scores of a source by a method.

    Raises:
        UsageError: if it holds those of another one, or anything else.
    """
    wanted = {**asdict(method), "rows_per_part": ROWS_PER_PART, **source}
    mark = out / _MARK
    if mark.exists():
        found = json.loads(mark.read_text(encoding="utf-8"))
        differing = [key for key in wanted | found if found.get(key) != wanted.get(key)]
        if differing:
            raise UsageError(f"{out} holds the scores of another run (other {', '.join(differing)}); name a new folder")
    elif any(path.name != _LOCK for path in out.iterdir()):
        raise UsageError(f"{out} is not empty and holds no scores; name a new folder")
    else:
        write_text_atomically(json.dumps(wanted, indent=2), mark)


def find_manifest(out: Path) -> ScoringManifest | None:
    """What a finished run says of itself; None where this folder holds none.

    Raises:
        ListingTableError: if another version wrote it.
    """
    path = out / _MANIFEST
    if not path.exists():
        return None
    values = json.loads(path.read_text(encoding="utf-8"))
    try:
        return ScoringManifest(**values | {"precision": Precision(values["precision"])})
    except (KeyError, TypeError, ValueError):
        raise ListingTableError(f"{path} is not the manifest of a run of this version: score anew") from None


def write_manifest(manifest: ScoringManifest, out: Path) -> None:
    """Marks a run as finished."""
    write_text_atomically(json.dumps(asdict(manifest), indent=2), out / _MANIFEST)


def describe_run(
    method: ScoringMethod,
    counts: Counts,
    stopwatch: Stopwatch,
    *,
    use: StoreUse,
    rows_scored: int,
    unreadable_fields: dict[str, int],
) -> ScoringManifest:
    """The manifest of a run that has just ended.

    Args:
        method: how it scored.
        counts: of all that lies in the folder.
        stopwatch: its seconds.
        use: of the store.
        rows_scored: by this run; the rest was there before.
        unreadable_fields: by column.
    """
    seconds = stopwatch.seconds()
    return ScoringManifest(
        **asdict(method),
        rows_in=counts.rows,
        scored=counts.scored,
        scored_in_part=counts.scored_in_part,
        bands=counts.bands,
        rejected=counts.rejected,
        unreadable_fields=unreadable_fields,
        resumed=rows_scored < counts.rows,
        embeddings=asdict(use),
        stage_seconds=seconds,
        listings_per_second=round(rows_scored / seconds["total"], 1),
        peak_memory_mb=round(_peak_memory_mb(), 1),
        finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def check_rejected(manifest: ScoringManifest, max_rejected: float) -> None:
    """Fails a run that rejected too much.

    Raises:
        TooManyRejectedError: if more than that share of the rows was rejected.
    """
    rejected = sum(manifest.rejected.values())
    if rejected > max_rejected * manifest.rows_in:
        raise TooManyRejectedError(rejected, manifest.rows_in, max_rejected)


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
