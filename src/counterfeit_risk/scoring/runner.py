"""Scores a whole dump: every row leaves as a score or as a rejected row with its reason, or the run fails.

A killed run resumes at its first unfinished part; a finished one is left as it is. Knows no queue and no registry.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np

from counterfeit_risk.embeddings.embedder import EmbeddedListings
from counterfeit_risk.embeddings.fingerprint import file_hash
from counterfeit_risk.embeddings.store import EmbeddingStore
from counterfeit_risk.embeddings.towers import Precision
from counterfeit_risk.embeddings.workers import Workers
from counterfeit_risk.errors import ReconciliationError
from counterfeit_risk.export.bundle import ModelBundle
from counterfeit_risk.listings.catalog import ColumnMap, read_listings
from counterfeit_risk.listings.listing import Listing, RejectedRow
from counterfeit_risk.scoring.output import (
    ROWS_PER_PART,
    ScoringManifest,
    check_rejected,
    claim,
    describe_run,
    find_manifest,
    locked,
    write_manifest,
)
from counterfeit_risk.scoring.reader import NumberedRow, ReadRow, chunks, read_rows
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.scoring.scorer import Scorer
from counterfeit_risk.scoring.writer import PartWriter

LISTINGS_AT_ONCE = 256
_PHOTOS_OF_A_GROUP = 128


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


def score_dump(
    bundle: ModelBundle,
    dump: Dump,
    out: Path,
    *,
    max_rejected: float = 1.0,
    precision: Precision | None = None,
    store: Path | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> ScoringManifest:
    """Scores every row of a dump.

    Args:
        bundle: gives the risks.
        dump: the rows.
        out: receives `scores/`, `rejected/` and `manifest.json`.
        max_rejected: share of rejected rows above which the run fails, after writing everything.
        precision: what the towers compute in; the fastest that is good enough where it is not given.
        store: folder of embeddings that are not made again, and are kept for the next night.
        on_progress: is told how many more rows are done.

    Raises:
        ListingTableError: if the table cannot be read.
        UsageError: if `out` holds the scores of another dump or model.
        ReconciliationError: if rows in and rows out differ.
        TooManyRejectedError: if more rows were rejected than allowed.
    """
    rows = read_listings(dump.table, dump.columns)
    out.mkdir(parents=True, exist_ok=True)
    with locked(out), EmbeddingStore(store) if store else nullcontext() as embeddings:
        scorer = Scorer(bundle, precision=precision, store=embeddings)
        source = {
            "table_sha256": file_hash(dump.table),
            "columns": dump.columns.model_dump(mode="json"),
            "image_root": str(dump.root.resolve()),
        }
        claim(out, scorer.method, source)
        manifest = find_manifest(out)
        if manifest is None:
            manifest = _ScoringRun(scorer, dump, out, on_progress).run(rows)
            write_manifest(manifest, out)
    check_rejected(manifest, max_rejected)
    return manifest


class _EmbeddedBatch(NamedTuple):
    rows: list[ReadRow | RejectedRow]
    readable: list[ReadRow]
    embedded: EmbeddedListings | None
    """Of the readable ones."""


class _ScoringRun:
    """Rows flow through three kinds of threads: some read photos ahead, one runs the towers, this one does the rest."""

    def __init__(self, scorer: Scorer, dump: Dump, out: Path, on_progress: Callable[[int], None] | None) -> None:
        self._reader = scorer.reader(dump.root)
        self._scorer = scorer
        self._writer = PartWriter(out)
        self._on_progress = on_progress
        self._unreadable: Counter[str] = Counter()
        self._rows_in, self._rows_scored = 0, 0

    def run(self, rows: Iterable[Listing | RejectedRow]) -> ScoringManifest:
        with Workers(os.cpu_count() or 1) as readers, Workers(1) as encoder:
            read = read_rows(
                self._unfinished(rows), self._reader, readers, ahead=LISTINGS_AT_ONCE, stopwatch=self._scorer.stopwatch
            )
            embedded = encoder.map_ahead(self._embed, _group(read), ahead=1)
            batches = (batch for group in embedded for batch in group)
            for part, of_part in groupby(batches, lambda batch: _part_of(batch.rows[0])):
                self._write(part, [row for batch in of_part for row in self._judge(batch)])
        if self._rows_in == 0:
            self._writer.write(0, [])
        counts = self._writer.count()
        if counts.rows != self._rows_in:
            raise ReconciliationError(self._rows_in, counts.rows)
        return describe_run(
            self._scorer.method,
            counts,
            self._scorer.stopwatch,
            use=self._scorer.embedder.use,
            rows_scored=self._rows_scored,
            unreadable_fields=dict(self._unreadable),
        )

    def _unfinished(self, rows: Iterable[Listing | RejectedRow]) -> Iterator[NumberedRow]:
        """The rows, with their numbers, of parts that no earlier run has finished."""
        for row_number, row in enumerate(rows, start=1):
            self._rows_in += 1
            if isinstance(row, Listing):
                self._unreadable.update(row.unreadable_fields)
            if self._writer.is_complete((row_number - 1) // ROWS_PER_PART):
                self._advance(1)
            else:
                yield row_number, row

    def _embed(self, batches: list[list[ReadRow | RejectedRow]]) -> list[_EmbeddedBatch]:
        """Embeds some batches together: a batch of which little is new would leave the towers half empty."""
        readable = [[row for row in batch if isinstance(row, ReadRow)] for batch in batches]
        every = [row for batch in readable for row in batch]
        if not every:
            return [_EmbeddedBatch(batch, [], None) for batch in batches]
        embedded = self._scorer.embed(every)
        stops = np.cumsum([len(batch) for batch in readable])
        return [
            _EmbeddedBatch(batch, rows, embedded.rows(stop - len(rows), stop))
            for batch, rows, stop in zip(batches, readable, stops.tolist(), strict=True)
        ]

    def _judge(self, batch: _EmbeddedBatch) -> list[RiskScore | RejectedRow]:
        self._advance(len(batch.rows))
        rejected = [row for row in batch.rows if isinstance(row, RejectedRow)]
        if not batch.readable or batch.embedded is None:
            return [*rejected]
        return [*rejected, *self._scorer.judge(batch.readable, batch.embedded, datetime.now(UTC))]

    def _write(self, part: int, rows: list[RiskScore | RejectedRow]) -> None:
        with self._scorer.stopwatch.stage("write"):
            self._writer.write(part, rows)
        self._rows_scored += len(rows)

    def _advance(self, rows: int) -> None:
        if self._on_progress:
            self._on_progress(rows)


def _group(rows: Iterable[ReadRow | RejectedRow]) -> Iterator[list[list[ReadRow | RejectedRow]]]:
    """Batches in groups, none of which goes beyond its part, or holds many photos that are to be encoded."""
    for _, of_part in groupby(rows, _part_of):
        group: list[list[ReadRow | RejectedRow]] = []
        photos = 0
        for batch in chunks(of_part, LISTINGS_AT_ONCE):
            group.append(batch)
            photos += sum(row.content.photos_decoded for row in batch if isinstance(row, ReadRow))
            if photos >= _PHOTOS_OF_A_GROUP:
                yield group
                group, photos = [], 0
        if group:
            yield group


def _part_of(row: ReadRow | RejectedRow) -> int:
    return (row.row_number - 1) // ROWS_PER_PART
