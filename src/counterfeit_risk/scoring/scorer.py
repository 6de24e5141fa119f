"""Gives listings their risk and band; a risk that is not a number rejects its row.

Knows no file.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from counterfeit_risk.embeddings.content import ContentReader, ListingContent
from counterfeit_risk.embeddings.embedder import EmbeddedListings, Embedder, HeadInput
from counterfeit_risk.embeddings.fingerprint import title_hash
from counterfeit_risk.embeddings.stopwatch import Stopwatch
from counterfeit_risk.embeddings.store import EmbeddingStore
from counterfeit_risk.embeddings.towers import Precision
from counterfeit_risk.evaluation.risk_bands import Band, RiskBands
from counterfeit_risk.export.bundle import TOKENIZER, ModelBundle
from counterfeit_risk.export.onnx_head import OnnxHead, Risks
from counterfeit_risk.export.runtimes import open_towers
from counterfeit_risk.listings.listing import RejectedRow, RejectReason
from counterfeit_risk.scoring.output import ScoringMethod
from counterfeit_risk.scoring.reader import ReadRow
from counterfeit_risk.scoring.risk_score import PartStatus, RiskScore

NO_FINITE_RISK = "the model gave no finite risk"


class Judge:
    """A bundle's head and bands."""

    def __init__(self, bundle: ModelBundle, *, threads: int | None = None) -> None:
        self.head = OnnxHead(bundle.folder, threads=threads)
        self._bands = RiskBands.from_dict(bundle.manifest.bands)

    def judge(self, inputs: HeadInput) -> tuple[Risks, list[Band], NDArray[np.bool_]]:
        """Risks of B listings, their bands, and (B,) which of them are numbers at all."""
        risks = self.head.judge(*inputs)
        complete: NDArray[np.bool_] = inputs.photo_mask.any(axis=1) & inputs.title_mask
        # a NaN would fall below every threshold and pass for genuine
        known: NDArray[np.bool_] = np.isfinite(np.sum(risks, axis=0))
        return risks, self._bands.assign(np.where(known, risks.risk, 0.0), complete), known


class Scorer:
    """Scores listings with one bundle."""

    def __init__(
        self,
        bundle: ModelBundle,
        *,
        precision: Precision | None = None,
        store: EmbeddingStore | None = None,
        threads: int | None = None,
    ) -> None:
        """Opens a bundle's towers and head.

        Args:
            bundle: gives the risks.
            precision: what its towers compute in; the fastest that is good enough where it is not given.
            store: keeps the embeddings.
            threads: processor cores to use; all where it is not given.
        """
        self.bundle, self.stopwatch = bundle, Stopwatch()
        self.running = open_towers(bundle, precision, threads=threads)
        towers = self.running.towers
        self._photo_store = store.tower(self.running.fingerprints.image, towers.image_dim) if store else None
        self.embedder = Embedder(
            towers,
            Tokenizer.from_file(str(bundle.path(TOKENIZER))),
            photos=self._photo_store,
            titles=store.tower(self.running.fingerprints.text, towers.text_dim) if store else None,
            stopwatch=self.stopwatch,
        )
        self._judge = Judge(bundle, threads=threads)

    @property
    def method(self) -> ScoringMethod:
        """How it scores."""
        return ScoringMethod(self.bundle.manifest.model_id, self.running.runtime, self.running.precision)

    def reader(self, image_root: Path) -> ContentReader:
        """Reads listings for this scorer; photos that the store knows are not decoded."""
        return replace(self.bundle.reader(image_root), store=self._photo_store)

    def score(self, rows: Sequence[ReadRow], scored_at: datetime) -> list[RiskScore | RejectedRow]:
        """Scores rows, in their order."""
        return self.judge(rows, self.embed(rows), scored_at) if rows else []

    def embed(self, rows: Sequence[ReadRow]) -> EmbeddedListings:
        """Runs the towers over rows, or finds their embeddings in the store; one thread at a time."""
        return self.embedder.embed([row.content for row in rows])

    def judge(
        self, rows: Sequence[ReadRow], embedded: EmbeddedListings, scored_at: datetime
    ) -> list[RiskScore | RejectedRow]:
        """Scores rows that are embedded."""
        with self.stopwatch.stage("judge"):
            risks, bands, known = self._judge.judge(embedded.inputs)
            judged = zip(
                rows, known, bands, risks.risk, risks.photo_risk, risks.title_risk, embedded.title_cut, strict=True
            )
            return [
                self._to_score(
                    row, band, (float(risk), float(photo_risk), float(title_risk)), cut=bool(cut), scored_at=scored_at
                )
                if is_known
                else _reject(row)
                for row, is_known, band, risk, photo_risk, title_risk, cut in judged
            ]

    def _to_score(
        self, row: ReadRow, band: Band, risks: tuple[float, float, float], *, cut: bool, scored_at: datetime
    ) -> RiskScore:
        content = row.content
        risk, photo_risk, title_risk = risks
        return RiskScore(
            listing_id=row.listing.listing_id,
            risk=risk,
            band=band,
            photo_risk=photo_risk if content.photo_hashes else None,
            title_risk=title_risk if content.title else None,
            photos_used=len(content.photo_hashes),
            photo_status=_photo_status(content),
            photos_lost=content.photos_lost,
            title_status=_title_status(content, cut=cut or content.title_cut),
            model_id=self.bundle.manifest.model_id,
            scored_at=scored_at,
            content_hash=content.content_hash,
            photo_hashes=content.photo_hashes,
            title_hash=title_hash(content.title).hex() if content.title else None,
            price=row.listing.price,
            currency=row.listing.currency,
            brand=row.listing.brand,
            category=row.listing.category,
        )


def _reject(row: ReadRow) -> RejectedRow:
    return RejectedRow(row.row_number, RejectReason.RISK_NOT_A_NUMBER, NO_FINITE_RISK, row.listing.listing_id)


def _photo_status(content: ListingContent) -> PartStatus:
    if not content.photo_hashes:
        return PartStatus.MISSING
    return PartStatus.PARTIAL if content.photos_lost else PartStatus.OK


def _title_status(content: ListingContent, *, cut: bool) -> PartStatus:
    if not content.title:
        return PartStatus.MISSING
    return PartStatus.PARTIAL if cut else PartStatus.OK
