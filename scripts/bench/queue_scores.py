"""Scores as a night brings them, for the benchmarks of the queue."""

from datetime import datetime

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.scoring.risk_score import PartStatus, RiskScore


def make_score(listing_id: str, risk: float, band: Band, photo: str, scored_at: datetime) -> RiskScore:
    """The score of a listing that shows one photo."""
    return RiskScore(
        listing_id,
        risk,
        band,
        photo_risk=risk,
        title_risk=risk,
        photos_used=1,
        photo_status=PartStatus.OK,
        photos_lost=(),
        title_status=PartStatus.OK,
        model_id="model",
        scored_at=scored_at,
        content_hash=listing_id,
        photo_hashes=(photo,),
    )
