"""Gives listings their risk and band; a risk that is not a number rejects its row.

Knows no file.
"""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from counterfeit_risk.embeddings.content import ListingContent
from counterfeit_risk.evaluation.risk_bands import Band, RiskBands
from counterfeit_risk.export.bundle import ModelBundle
from counterfeit_risk.export.onnx_classifier import OnnxClassifier
from counterfeit_risk.listings.listing import RejectedRow, RejectReason
from counterfeit_risk.scoring.embedder import Embedder
from counterfeit_risk.scoring.reader import ReadRow
from counterfeit_risk.scoring.risk_score import PartStatus, RiskScore
from counterfeit_risk.scoring.stopwatch import Stopwatch


class Scorer:
    """Scores listings with one bundle."""

    def __init__(self, bundle: ModelBundle, *, stopwatch: Stopwatch | None = None, threads: int | None = None) -> None:
        self.bundle = bundle
        self.stopwatch = stopwatch or Stopwatch()
        self._classifier = OnnxClassifier(bundle.folder, threads=threads)
        self._embedder = Embedder(bundle, self._classifier, self.stopwatch)
        self._bands = RiskBands.from_dict(bundle.manifest.bands)

    def score(self, rows: Sequence[ReadRow], scored_at: datetime) -> list[RiskScore | RejectedRow]:
        """Scores rows, in their order."""
        if not rows:
            return []
        embedded = self._embedder.embed([row.content for row in rows])
        with self.stopwatch.stage("judge"):
            risks = self._classifier.judge(*embedded[:5])
        complete: NDArray[np.bool_] = embedded.photo_mask.any(axis=1) & embedded.title_mask
        # a NaN would fall below every threshold and pass for genuine
        known = np.isfinite(np.sum(risks, axis=0))
        bands = self._bands.assign(np.where(known, risks.risk, 0.0), complete)
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
        )


def _reject(row: ReadRow) -> RejectedRow:
    detail = "the model gave no finite risk"
    return RejectedRow(row.row_number, RejectReason.RISK_NOT_A_NUMBER, detail, row.listing.listing_id)


def _photo_status(content: ListingContent) -> PartStatus:
    if not content.photo_hashes:
        return PartStatus.MISSING
    return PartStatus.PARTIAL if content.photos_lost else PartStatus.OK


def _title_status(content: ListingContent, *, cut: bool) -> PartStatus:
    if not content.title:
        return PartStatus.MISSING
    return PartStatus.PARTIAL if cut else PartStatus.OK
