"""Measures the takedown queue with a million open cases: loading, and what each reviewer waits for the next one.

An ordinary night is loaded first, of which one score in fifty is flagged, and then as many scores that all are.

`.venv/bin/python scripts/bench/takedown_queue.py` runs on a PostgreSQL of its own, which writes as safely as it does
by default, and on SQLite. Reviewers ask, decide, and ask again after a pause; none may be given what another had.
"""

import multiprocessing
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from postgresql_server import empty_database, running_server
from queue_scores import make_score

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing, Photo
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.database import open_database
from counterfeit_risk.takedown.queue import TakedownQueue, open_queue
from counterfeit_risk.takedown.states import Verdict

_PROCESSES = 4
_FLAGGED = 0.02
"""Share of an ordinary night's scores."""
_BRANDS, _SELLERS = 500, 50_000

Handed = list[tuple[int, float]]
"""Cases that reviewers got, and the seconds that each took."""


def main(
    cases: Annotated[int, typer.Option(min=1000)] = 1_000_000,
    reviewers: Annotated[int, typer.Option(min=4, help="On PostgreSQL; on SQLite there are 4.")] = 50,
    seconds: Annotated[float, typer.Option(min=1)] = 120,
    pause: Annotated[float, typer.Option(min=0, help="Seconds between a decision and the next case.")] = 5,
    *,
    postgresql: Annotated[bool, typer.Option(help="Measure on PostgreSQL.")] = True,
    sqlite: Annotated[bool, typer.Option(help="Measure on SQLite.")] = True,
) -> None:
    """Measure the queue."""
    if postgresql:
        with running_server({}) as server, empty_database(server) as url:
            _measure("PostgreSQL", url, cases, reviewers, seconds, pause)
    if sqlite:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder) / 'takedown.db'}"
            _measure("SQLite", url, cases, _PROCESSES, seconds, pause)


def _measure(name: str, url: str, cases: int, reviewers: int, seconds: float, pause: float) -> None:
    for night, flagged in (("night", _FLAGGED), ("cases", 1.0)):
        started = time.monotonic()
        now = datetime.now(UTC)
        with open_queue(url, create=True) as queue:
            opened = queue.load(_scores(night, cases, flagged, now), _listings(night, cases), now).opened
        typer.echo(f"{name}: {cases:,} scores, {opened:,} cases opened, in {time.monotonic() - started:,.0f} s")
    _settle(url)
    share = [reviewers // _PROCESSES + (number < reviewers % _PROCESSES) for number in range(_PROCESSES)]
    with multiprocessing.get_context("spawn").Pool(_PROCESSES) as pool:
        parts = pool.starmap(partial(_work, url, seconds, pause), list(enumerate(share)))
    handed = [one for part in parts for one in part]
    numbers = [case_id for case_id, _ in handed]
    waits = 1000 * np.array([wait for _, wait in handed])
    p50, p99 = np.percentile(waits, [50, 99])
    doubled = len(numbers) - len(set(numbers))
    typer.echo(
        f"{name}: {reviewers} reviewers in {_PROCESSES} processes had {len(numbers):,} cases in {seconds:.0f} s; "
        f"next took {p50:.1f} ms (median), {p99:.1f} ms (99 %), {waits.max():.0f} ms at most; {doubled} twice"
    )


def _settle(url: str) -> None:
    """Ends what a server still does for a load, so that reviewers are measured and not that: it takes minutes."""
    engine = open_database(url)
    if engine.dialect.name == "postgresql":
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
            connection.exec_driver_sql("CHECKPOINT")
    engine.dispose()


def _work(url: str, seconds: float, pause: float, process: int, reviewers: int) -> Handed:
    handed: Handed = []
    with open_queue(url) as queue:
        until = time.monotonic() + seconds
        threads = [
            threading.Thread(target=_review, args=(queue, f"reviewer {process}-{number}", until, pause, handed))
            for number in range(reviewers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return handed


def _review(queue: TakedownQueue, reviewer: str, until: float, pause: float, handed: Handed) -> None:
    rng = np.random.default_rng(abs(hash(reviewer)))
    queue.stats(datetime.now(UTC))  # the connection is there before the first case is asked for
    time.sleep(rng.uniform(0, pause))
    while time.monotonic() < until:
        started = time.perf_counter()
        leased = queue.next_case(reviewer, datetime.now(UTC))
        if leased is None:
            return
        handed.append((leased.case.case_id, time.perf_counter() - started))
        verdict = rng.choice([Verdict.COUNTERFEIT, Verdict.GENUINE])
        queue.decide(leased.case.case_id, reviewer, Verdict(verdict), "seen", leased.token, datetime.now(UTC))
        time.sleep(rng.uniform(0.5, 1.5) * pause)


def _scores(name: str, count: int, flagged: float, now: datetime) -> Iterator[RiskScore]:
    rng = np.random.default_rng(0)
    risks, drawn = rng.uniform(0.2, 0.9, count), rng.uniform(0, 1, count)
    for number in range(count):
        band = Band.REVIEW if drawn[number] < flagged else Band.PASS
        yield make_score(f"{name} {number}", float(risks[number]), band, f"{name} {number:064x}", now)


def _listings(name: str, count: int) -> Iterator[Listing]:
    for number in range(count):
        yield Listing(
            f"{name} {number}",
            f"A bag of the season, number {number}",
            (Photo(f"images/{number}.jpg"),),
            brand=f"brand {number % _BRANDS}",
            platform="bazaar",
            seller_id=f"seller {number % _SELLERS}",
            category="bags",
            price=12.5,
            currency="EUR",
        )


if __name__ == "__main__":
    typer.run(main)
