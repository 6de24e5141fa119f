"""Scores a whole dump: every row leaves as a score or as a rejected row with its reason, or the run fails.

A killed run resumes at its first unfinished part; a finished one is left as it is. Knows no queue and no registry.
"""

import fcntl
import json
import logging
import os
import resource
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from counterfeit_risk.embeddings.fingerprint import file_hash
from counterfeit_risk.errors import ReconciliationError, TooManyRejectedError, UsageError
from counterfeit_risk.export.bundle import ModelBundle
from counterfeit_risk.listings.catalog import ColumnMap, read_listings
from counterfeit_risk.listings.listing import Listing, RejectedRow
from counterfeit_risk.scoring.reader import ReadRow, chunks, read_rows
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.scoring.scorer import Scorer
from counterfeit_risk.scoring.writer import Counts, PartWriter, write_text_atomically

logger = logging.getLogger(__name__)

ROWS_PER_PART = 1024
LISTINGS_AT_ONCE = 64

Item = TypeVar("Item")
_LOCK = ".lock"


@dataclass(frozen=True)
class Dump:
    """A listing table to score, and where its photos lie."""

    table: Path
    columns: ColumnMap = field(default_factory=ColumnMap)
    image_root: Path | None = None
    """The table's folder where it is not given."""

    @property
    def root(self) -> Path:
        """Where photo paths start."""
        return self.image_root or self.table.parent


@dataclass(frozen=True)
class ScoringManifest:
    """What a finished run says of itself."""

    model_id: str
    table_sha256: str
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
    stage_seconds: dict[str, float]
    listings_per_second: float
    peak_memory_mb: float
    finished_at: str


def score_dump(
    bundle: ModelBundle,
    dump: Dump,
    out: Path,
    *,
    max_rejected: float = 1.0,
    on_progress: Callable[[int], None] | None = None,
) -> ScoringManifest:
    """Scores every row of a dump.

    Args:
        bundle: gives the risks.
        dump: the rows.
        out: receives `scores/`, `rejected/` and `manifest.json`.
        max_rejected: share of rejected rows above which the run fails, after writing everything.
        on_progress: is told how many more rows are done.

    Raises:
        ListingTableError: if the table cannot be read.
        UsageError: if `out` holds the scores of another dump or model.
        ReconciliationError: if rows in and rows out differ.
        TooManyRejectedError: if more rows were rejected than allowed.
    """
    rows = read_listings(dump.table, dump.columns)
    out.mkdir(parents=True, exist_ok=True)
    with _lock(out):
        manifest = _score_or_find(bundle, dump, out, rows, on_progress)
    rejected = sum(manifest.rejected.values())
    if rejected > max_rejected * manifest.rows_in:
        raise TooManyRejectedError(rejected, manifest.rows_in, max_rejected)
    return manifest


def _score_or_find(
    bundle: ModelBundle,
    dump: Dump,
    out: Path,
    rows: Iterable[Listing | RejectedRow],
    on_progress: Callable[[int], None] | None,
) -> ScoringManifest:
    table_sha256 = _claim(out, bundle, dump)
    finished = out / "manifest.json"
    if finished.exists():
        logger.info("%s is finished; nothing is left to do", out)
        manifest = ScoringManifest(**json.loads(finished.read_text(encoding="utf-8")))
    else:
        manifest = _ScoringRun(bundle, dump, out, on_progress).run(rows, table_sha256)
        write_text_atomically(json.dumps(asdict(manifest), indent=2), finished)
    return manifest


class _ScoringRun:
    def __init__(self, bundle: ModelBundle, dump: Dump, out: Path, on_progress: Callable[[int], None] | None) -> None:
        self._reader = bundle.reader(dump.root)
        self._scorer = Scorer(bundle)
        self._writer = PartWriter(out)
        self._on_progress = on_progress
        self._unreadable: Counter[str] = Counter()

    def run(self, rows: Iterable[Listing | RejectedRow], table_sha256: str) -> ScoringManifest:
        rows_in, rows_scored, resumed = 0, 0, False
        stopwatch = self._scorer.stopwatch
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for part, chunk in enumerate(chunks(enumerate(rows, start=1), ROWS_PER_PART)):
                rows_in += len(chunk)
                for _, row in chunk:
                    if isinstance(row, Listing):
                        self._unreadable.update(row.unreadable_fields)
                if self._writer.is_complete(part):
                    resumed = True
                    self._advance(len(chunk))
                    continue
                scored = list(self._score(chunk, pool))
                rows_scored += len(scored)
                with stopwatch.stage("write"):
                    self._writer.write(part, scored)
        if rows_in == 0:
            self._writer.write(0, [])
        counts = self._writer.count()
        if counts.rows != rows_in:
            raise ReconciliationError(rows_in, counts.rows)
        return self._manifest(table_sha256, rows_in, counts, rows_scored=rows_scored, resumed=resumed)

    def _score(
        self, chunk: list[tuple[int, Listing | RejectedRow]], pool: Executor
    ) -> Iterator[RiskScore | RejectedRow]:
        rows = self._timed(read_rows(chunk, self._reader, pool, ahead=2 * LISTINGS_AT_ONCE))
        for batch in chunks(rows, LISTINGS_AT_ONCE):
            readable = [row for row in batch if isinstance(row, ReadRow)]
            yield from (row for row in batch if isinstance(row, RejectedRow))
            yield from self._scorer.score(readable, datetime.now(UTC))
            self._advance(len(batch))

    def _advance(self, rows: int) -> None:
        if self._on_progress:
            self._on_progress(rows)

    def _timed(self, rows: Iterator[Item]) -> Iterator[Item]:
        """Counts the time spent waiting for rows towards reading."""
        while True:
            with self._scorer.stopwatch.stage("read"):
                try:
                    row = next(rows)
                except StopIteration:
                    return
            yield row

    def _manifest(
        self, table_sha256: str, rows_in: int, counts: Counts, *, rows_scored: int, resumed: bool
    ) -> ScoringManifest:
        seconds = self._scorer.stopwatch.seconds()
        return ScoringManifest(
            model_id=self._scorer.bundle.manifest.model_id,
            table_sha256=table_sha256,
            rows_in=rows_in,
            scored=counts.scored,
            scored_in_part=counts.scored_in_part,
            bands=counts.bands,
            rejected=counts.rejected,
            unreadable_fields=dict(self._unreadable),
            resumed=resumed,
            stage_seconds=seconds,
            listings_per_second=round(rows_scored / seconds["total"], 1),
            peak_memory_mb=round(_peak_memory_mb(), 1),
            finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )


@contextmanager
def _lock(out: Path) -> Iterator[None]:
    """Keeps a second run out of a folder; the lock goes with the process, however it ends."""
    with (out / _LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"another run is writing to {out}") from None
        yield


def _claim(out: Path, bundle: ModelBundle, dump: Dump) -> str:
    """Marks a folder as the place of this dump's scores by this model, and returns the table's sha256."""
    table_sha256 = file_hash(dump.table)
    wanted = {
        "model_id": bundle.manifest.model_id,
        "table_sha256": table_sha256,
        "columns": dump.columns.model_dump(mode="json"),
        "image_root": str(dump.root.resolve()),
        "rows_per_part": ROWS_PER_PART,
    }
    mark = out / "run.json"
    if mark.exists():
        found = json.loads(mark.read_text(encoding="utf-8"))
        differing = [key for key, value in wanted.items() if found.get(key) != value]
        if differing:
            raise UsageError(f"{out} holds the scores of another run (other {', '.join(differing)}); name a new folder")
    elif any(path.name != _LOCK for path in out.iterdir()):
        raise UsageError(f"{out} is not empty and holds no scores; name a new folder")
    else:
        write_text_atomically(json.dumps(wanted, indent=2), mark)
    return table_sha256


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
