"""Scores labelled listings with a bundle, so that `evaluation` can judge the risks as they are served.

Knows no metric.
"""

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from counterfeit_risk.embeddings.content import ContentReader
from counterfeit_risk.errors import ListingTableError
from counterfeit_risk.evaluation.calibration import Calibration, Calibrations
from counterfeit_risk.evaluation.predictions import Predictions
from counterfeit_risk.export.bundle import ModelBundle
from counterfeit_risk.listings.catalog import read_labeled_listings
from counterfeit_risk.listings.listing import Label, LabeledListing, Listing, RejectedRow
from counterfeit_risk.listings.splits import group_listings
from counterfeit_risk.scoring.reader import ReadRow, chunks, read_rows
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.scoring.runner import LISTINGS_AT_ONCE, Dump
from counterfeit_risk.scoring.scorer import Scorer

logger = logging.getLogger(__name__)

_AS_SERVED = Calibration(slope=1.0, intercept=0.0, fitted_prevalence=0.5, deployed_prevalence=0.5)
AS_SERVED = Calibrations(_AS_SERVED, _AS_SERVED, _AS_SERVED)
"""Calibrations that leave served risks as they are."""
_SMALLEST_RISK = 1e-7


@dataclass(frozen=True)
class _Judged:
    row: LabeledListing
    photo_hashes: tuple[str, ...]
    score: RiskScore


def predict_labelled(
    bundle: ModelBundle, dump: Dump, *, on_progress: Callable[[int], None] | None = None
) -> Predictions:
    """Scores the labelled listings of a table.

    Returns:
        Predictions whose logits are the log odds of the served risks; `AS_SERVED` turns them back into risks.

    Raises:
        ListingTableError: if the table cannot be read, or no row of it can be scored.
    """
    judged = _judge(bundle, dump, on_progress)
    if not judged:
        raise ListingTableError(f"{dump.table} holds no labelled listing that can be scored")
    scores = [one.score for one in judged]
    listings = [one.row.listing for one in judged]
    risks = np.array([[s.risk, _or_nan(s.photo_risk), _or_nan(s.title_risk)] for s in scores])
    return Predictions(
        listing_ids=tuple(score.listing_id for score in scores),
        labels=np.array([one.row.label is Label.COUNTERFEIT for one in judged]),
        logits=_log_odds(risks),
        groups=group_listings(
            [one.row.seller_group or one.row.listing.seller_id for one in judged], [one.photo_hashes for one in judged]
        ),
        slices={
            "brand": np.array([listing.brand or "" for listing in listings]),
            "platform": np.array([listing.platform or "" for listing in listings]),
            "missing": np.array([_missing(score) for score in scores]),
        },
    )


def _judge(bundle: ModelBundle, dump: Dump, on_progress: Callable[[int], None] | None) -> list[_Judged]:
    reader = ContentReader(dump.root, bundle.manifest.image_preprocessing, bundle.manifest.max_photos)
    scorer = Scorer(bundle)
    labelled: dict[int, LabeledListing] = {}
    rejected: Counter[str] = Counter()
    judged: list[_Judged] = []

    def unlabelled() -> Iterator[tuple[int, Listing | RejectedRow]]:
        for number, row in enumerate(read_labeled_listings(dump.table, dump.columns), start=1):
            if isinstance(row, LabeledListing):
                labelled[number] = row
            yield number, row.listing if isinstance(row, LabeledListing) else row

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = read_rows(unlabelled(), reader, pool, ahead=2 * LISTINGS_AT_ONCE)
        for batch in chunks(rows, LISTINGS_AT_ONCE):
            readable = [row for row in batch if isinstance(row, ReadRow)]
            rejected.update(row.reason for row in batch if isinstance(row, RejectedRow))
            scores = scorer.score(readable, datetime.now(UTC)) if readable else []
            for row, score in zip(readable, scores, strict=True):
                label = labelled.pop(row.row_number)
                if isinstance(score, RejectedRow):
                    rejected.update([score.reason])
                else:
                    judged.append(_Judged(label, row.content.photo_hashes, score))
            if on_progress:
                on_progress(len(batch))
    if rejected:
        logger.warning("%d rows could not be judged: %s", rejected.total(), dict(rejected))
    return judged


def _log_odds(risks: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.clip(risks, _SMALLEST_RISK, 1 - _SMALLEST_RISK)
    odds: NDArray[np.float64] = np.log(inside / (1 - inside))
    return odds


def _or_nan(risk: float | None) -> float:
    return float("nan") if risk is None else risk


def _missing(score: RiskScore) -> str:
    if score.photo_risk is None:
        return "photos"
    return "nothing" if score.title_risk is not None else "title"
