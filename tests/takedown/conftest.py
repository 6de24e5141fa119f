"""A queue on a fresh database, and ways to fill it.

COUNTERFEIT_RISK_TEST_POSTGRES names an empty PostgreSQL database to run the same tests on.
"""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing, Photo
from counterfeit_risk.scoring.risk_score import PartStatus, RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.queue import TakedownQueue, open_queue
from counterfeit_risk.takedown.tables import Base

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    postgres = os.environ.get("COUNTERFEIT_RISK_TEST_POSTGRES")
    if not postgres:
        return f"sqlite:///{tmp_path / 'takedown.db'}"
    engine = create_engine(postgres)
    Base.metadata.drop_all(engine)
    engine.dispose()
    return postgres


@pytest.fixture
def queue(database_url: str) -> Iterator[TakedownQueue]:
    with open_queue(database_url, create=True) as queue:
        yield queue


@pytest.fixture
def make_score() -> Callable[..., RiskScore]:
    def make(listing_id: str, risk: float = 0.6, band: Band = Band.REVIEW, **others: object) -> RiskScore:
        values = {
            "photo_risk": risk,
            "title_risk": None,
            "photos_used": 1,
            "photo_status": PartStatus.OK,
            "photos_lost": (),
            "title_status": PartStatus.OK,
            "model_id": "model-a",
            "scored_at": NOW,
            "content_hash": f"content of {listing_id}",
        }
        return RiskScore(listing_id=listing_id, risk=risk, band=band, **(values | others))

    return make


@pytest.fixture
def load(queue: TakedownQueue) -> Callable[..., LoadResult]:
    """Loads scores, each with a listing of its own."""

    def load_scores(*scores: RiskScore, now: datetime = NOW, image_root: Path | None = None) -> LoadResult:
        listings = [
            Listing(
                score.listing_id,
                f"title of {score.listing_id}",
                photos=(Photo(f"images/{score.listing_id}.jpg"),),
                brand="Norvell",
                platform="bazaar",
                seller_id="s1",
                category="bags",
                price=12.5,
                currency="EUR",
            )
            for score in scores
        ]
        return queue.load(scores, listings, now, image_root=image_root)

    return load_scores
