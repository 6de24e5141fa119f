"""Scores labelled listings with a bundle, so that `evaluation` can judge the risks as they are served.

Knows no metric.
"""

import logging
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from counterfeit_risk.embeddings.workers import Workers
from counterfeit_risk.errors import ListingTableError
from counterfeit_risk.evaluation.calibration import Calibration, Calibrations
from counterfeit_risk.evaluation.predictions import Predictions
from counterfeit_risk.export.bundle import ModelBundle
from counterfeit_risk.listings.catalog import read_labeled_listings
from counterfeit_risk.listings.listing import Label, LabeledListing
from counterfeit_risk.listings.splits import group_listings
from counterfeit_risk.scoring.reader import ReadRow, chunks, read_rows
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.scoring.runner import LISTINGS_AT_ONCE, Dump
from counterfeit_risk.scoring.scorer import Scorer

logger = logging.getLogger(__name__)

_AS_SERVED = Calibration(slope=1.0, intercept=0.0, floor=-math.inf, fitted_prevalence=0.5, deployed_prevalence=0.5)
AS_SERVED = Calibrations(*[_AS_SERVED] * 5)
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
            [one.row.listing.seller_id for one in judged],
            [one.photo_hashes for one in judged],
            seller_groups=[one.row.seller_group for one in judged],
        ),
        slices={
            "brand": np.array([listing.brand or "" for listing in listings]),
            "platform": np.array([listing.platform or "" for listing in listings]),
            "missing": np.array([_missing(score) for score in scores]),
        },
    )


def _judge(bundle: ModelBundle, dump: Dump, on_progress: Callable[[int], None] | None) -> list[_Judged]:
    rows = list(read_labeled_listings(dump.table, dump.columns))
    numbered = [(n, row.listing if isinstance(row, LabeledListing) else row) for n, row in enumerate(rows, start=1)]
    scorer = Scorer(bundle)
    reader = scorer.reader(dump.root)
    judged: list[_Judged] = []
    with Workers(os.cpu_count() or 1) as workers:
        for batch in chunks(read_rows(numbered, reader, workers, ahead=LISTINGS_AT_ONCE), LISTINGS_AT_ONCE):
            readable = [row for row in batch if isinstance(row, ReadRow)]
            for row, score in zip(readable, scorer.score(readable, datetime.now(UTC)), strict=True):
                labelled = rows[row.row_number - 1]
                if isinstance(score, RiskScore) and isinstance(labelled, LabeledListing):
                    judged.append(_Judged(labelled, row.content.photo_hashes, score))
            if on_progress:
                on_progress(len(batch))
    if len(judged) < len(rows):
        logger.warning("%d of %d rows could not be judged", len(rows) - len(judged), len(rows))
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
