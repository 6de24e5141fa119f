"""Gives the listings of an earlier run the risks of another head, from what that run recorded and from the store.

No photo is opened and no title is read. Works on columns, so that a listing costs microseconds. Letters: B listings, K
photos a listing, D embedding.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from counterfeit_risk.embeddings.embedder import HeadInput, StoreUse
from counterfeit_risk.embeddings.stopwatch import Stopwatch
from counterfeit_risk.embeddings.store import EmbeddingStore, TowerStore
from counterfeit_risk.embeddings.towers import Floats
from counterfeit_risk.embeddings.workers import Workers
from counterfeit_risk.errors import ListingTableError, ReconciliationError, StoreError
from counterfeit_risk.export.bundle import ModelBundle
from counterfeit_risk.export.runtimes import fingerprints
from counterfeit_risk.listings.listing import Listing, RejectReason
from counterfeit_risk.scoring.output import (
    ROWS_PER_PART,
    ScoringManifest,
    ScoringMethod,
    check_rejected,
    claim,
    describe_run,
    find_manifest,
    locked,
    write_manifest,
)
from counterfeit_risk.scoring.risk_score import SCORE_SCHEMA
from counterfeit_risk.scoring.scorer import NO_FINITE_RISK, Judge
from counterfeit_risk.scoring.writer import REJECTED_SCHEMA, PartWriter, part_name

_OFFER = ("price", "currency", "brand", "category")


def rescore(
    bundle: ModelBundle,
    recorded: Path,
    out: Path,
    *,
    store: Path,
    max_rejected: float = 1.0,
    on_progress: Callable[[int], None] | None = None,
) -> ScoringManifest:
    """Scores the listings of an earlier run again.

    Args:
        bundle: gives the risks; its towers must be those of the earlier run.
        recorded: folder of that run.
        out: receives `scores/`, `rejected/` and `manifest.json`; what was rejected then is rejected again.
        store: folder of embeddings.
        max_rejected: share of rejected rows above which the run fails, after writing everything.
        on_progress: is told how many more rows are done.

    Raises:
        ListingTableError: if `recorded` holds no finished run.
        StoreError: if an embedding is not in the store.
        UsageError: if `out` holds the scores of another run.
        ReconciliationError: if rows in and rows out differ.
        TooManyRejectedError: if more rows were rejected than allowed.
    """
    earlier = find_manifest(recorded)
    if earlier is None:
        raise ListingTableError(f"{recorded} holds no finished run")
    out.mkdir(parents=True, exist_ok=True)
    with locked(out), EmbeddingStore(store, create=False) as embeddings:
        method = ScoringMethod(bundle.manifest.model_id, earlier.runtime, earlier.precision)
        claim(out, method, {"rescored_from": str(recorded.resolve()), "recorded_at": earlier.finished_at})
        manifest = find_manifest(out)
        if manifest is None:
            manifest = _Rescoring(bundle, method, embeddings).run(recorded, out, earlier, on_progress)
            write_manifest(manifest, out)
    check_rejected(manifest, max_rejected)
    return manifest


class _Part(NamedTuple):
    number: int
    scores: pa.Table
    rejected: pa.Table
    inputs: HeadInput | None
    """Of the scored listings; None where there are none."""


class _Rescoring:
    """One thread finds embeddings ahead, this one judges and writes."""

    def __init__(self, bundle: ModelBundle, method: ScoringMethod, store: EmbeddingStore) -> None:
        self._method, self._stopwatch, self._use = method, Stopwatch(), StoreUse()
        self._judged_by = Judge(bundle)
        self._prices = bundle.price_model()
        keys, head = fingerprints(bundle, method.runtime, method.precision), self._judged_by.head
        self._photos, self._titles = store.tower(keys.image, head.image_dim), store.tower(keys.text, head.text_dim)

    def run(
        self, recorded: Path, out: Path, earlier: ScoringManifest, on_progress: Callable[[int], None] | None
    ) -> ScoringManifest:
        writer, rows_scored = PartWriter(out), 0
        parts = [part for part in range(max(1, -(-earlier.rows_in // ROWS_PER_PART))) if not writer.is_complete(part)]
        with Workers(1) as workers:
            for part in workers.map_ahead(partial(self._read, recorded), parts, ahead=1):
                scores, lost = self._judge(part)
                with self._stopwatch.stage("write"):
                    writer.write_tables(part.number, scores, pa.concat_tables([part.rejected, lost]))
                rows = part.scores.num_rows + part.rejected.num_rows
                rows_scored += rows
                if on_progress:
                    on_progress(rows)
        counts = writer.count()
        if counts.rows != earlier.rows_in:
            raise ReconciliationError(earlier.rows_in, counts.rows)
        return describe_run(
            self._method,
            counts,
            self._stopwatch,
            use=self._use,
            rows_scored=rows_scored,
            unreadable_fields=earlier.unreadable_fields,
        )

    def _read(self, recorded: Path, part: int) -> _Part:
        with self._stopwatch.stage("read"):
            scores = pq.read_table(recorded / "scores" / part_name(part), schema=SCORE_SCHEMA)
            rejected = pq.read_table(recorded / "rejected" / part_name(part), schema=REJECTED_SCHEMA)
        with self._stopwatch.stage("find embeddings"):
            return _Part(part, scores, rejected, self._embed(scores) if scores.num_rows else None)

    def _judge(self, part: _Part) -> tuple[pa.Table, pa.Table]:
        """The part's scores by this head, and the rows that it gives none."""
        if part.inputs is None:
            return part.scores, REJECTED_SCHEMA.empty_table()
        with self._stopwatch.stage("judge"):
            risks, bands, known = self._judged_by.judge(part.inputs)
        has_photo, has_title = part.inputs.photo_mask.any(axis=1), part.inputs.title_mask
        now = pa.scalar(datetime.now(UTC), pa.timestamp("us", tz="UTC"))
        changed = {
            "risk": risks.risk.astype(np.float64),
            "band": bands,
            "photo_risk": pa.array(risks.photo_risk.astype(np.float64), mask=~has_photo),
            "title_risk": pa.array(risks.title_risk.astype(np.float64), mask=~has_title),
            "model_id": pa.repeat(self._method.model_id, len(known)),
            "scored_at": pa.repeat(now, len(known)),
        }
        scores = part.scores
        for name, values in changed.items():
            column = pa.array(values, SCORE_SCHEMA.field(name).type) if not isinstance(values, pa.Array) else values
            scores = scores.set_column(SCORE_SCHEMA.get_field_index(name), SCORE_SCHEMA.field(name), column)
        lost = scores.filter(pa.array(~known))
        rejected = {
            "listing_id": lost["listing_id"],
            "reason": pa.repeat(RejectReason.RISK_NOT_A_NUMBER.value, lost.num_rows),
            "detail": pa.repeat(NO_FINITE_RISK, lost.num_rows),
            "row_number": pa.nulls(lost.num_rows, pa.int64()),  # an earlier score does not know it
        }
        return scores.filter(pa.array(known)), pa.table(rejected).select(REJECTED_SCHEMA.names).cast(REJECTED_SCHEMA)

    def _embed(self, scores: pa.Table) -> HeadInput:
        """Finds the embeddings of B scored listings, B of 1 or more.

        Raises:
            StoreError: if one of them is not in the store.
        """
        photos, titles = self._photos, self._titles
        counts = scores["photos_used"].to_numpy()
        mask = np.arange(max(1, counts.max())) < counts[:, None]
        photo_hashes = scores["photo_hashes"].combine_chunks().flatten().to_pylist()
        if len(photo_hashes) != counts.sum():
            raise ListingTableError("the earlier run recorded no hashes: score the dump itself with --store first")
        photo_embeddings = np.zeros((*mask.shape, photos.dim), np.float32)
        photo_embeddings[mask] = _find(photo_hashes, photos, "photos")
        title_hashes = scores["title_hash"].to_pylist()
        title_mask = np.array([key is not None for key in title_hashes])
        title_embeddings = np.zeros((len(title_hashes), titles.dim), np.float32)
        title_embeddings[title_mask] = _find([key for key in title_hashes if key is not None], titles, "titles")
        offers = zip(*(scores[name].to_pylist() for name in _OFFER), strict=True)
        evidence = [
            self._prices.evidence(Listing("", "", price=price, currency=currency, brand=brand, category=category))
            for price, currency, brand, category in offers
        ]
        self._use.photos_found += len(set(photo_hashes))
        self._use.titles_found += len(set(title_hashes) - {None})
        return HeadInput(photo_embeddings, mask, title_embeddings, title_mask, np.array(evidence, np.float32))


def _find(hashes: Sequence[str], store: TowerStore, what: str) -> Floats:
    """(N, D) embeddings of N contents."""
    place = {key: number for number, key in enumerate(dict.fromkeys(hashes))}
    embeddings, found = store.get_many([bytes.fromhex(key) for key in place])
    if not found.all():
        raise StoreError(
            f"the store lacks {int((~found).sum()):,} of {found.size:,} {what} of a part for this bundle's towers: "
            f"score the dump itself with --store first"
        )
    return embeddings[[place[key] for key in hashes]]
