"""Kills a process that works the takedown queue between two of its statements, and checks that nothing is lost.

`.venv/bin/python scripts/bench/queue_crashes.py` does so on SQLite and on PostgreSQL, each time on an empty database:
a process is killed, no case's history may be damaged, and once another has done the same work from the start all must
be as if nobody had been killed. The work is loads, notices, decisions with their statements of reasons, an appeal, and
a night taken back.
"""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from postgresql_server import empty_database, running_server
from queue_scores import make_score
from sqlalchemy import event, select

from counterfeit_risk.errors import QueueError
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.takedown.complaints.appeals import Appeal
from counterfeit_risk.takedown.complaints.notice import Notice, NoticeItem, Notifier, NotifierKind, Right
from counterfeit_risk.takedown.complaints.rights import Rights
from counterfeit_risk.takedown.complaints.tables import Appellant
from counterfeit_risk.takedown.database import open_database, reading
from counterfeit_risk.takedown.queue import TakedownQueue, open_queue
from counterfeit_risk.takedown.states import Verdict
from counterfeit_risk.takedown.tables import CaseRow

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
_BANDS = (Band.AUTOMATIC, Band.REVIEW, Band.REVIEW, Band.PASS)

Summary = dict[str, Any]


def main(
    kills: Annotated[int, typer.Option(min=1, help="On each database.")] = 200,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Kill the queue's processes."""
    rng = np.random.default_rng(seed)
    with running_server({"fsync": "off"}) as server:
        for name, make in (("SQLite", sqlite_file), ("PostgreSQL", lambda: empty_database(server))):
            with make() as url:
                statements = work(url)
                expected = summarise(url)
            wrong = 0
            for _ in range(kills):
                with make() as url:
                    wrong += survive(url, int(rng.integers(1, statements + 1))) != expected
            cases, actions = len(expected["cases"]), len(expected["actions"])
            typer.echo(
                f"{name}: {statements} statements, {cases} cases, {actions} actions; "
                f"of {kills} kills {wrong} left anything lost, doubled or half done"
            )


def survive(url: str, kill_at: int) -> Summary | list[str]:
    """Kills a process at a statement, and lets another do all of the work; what stands then, or what is damaged."""
    open_queue(url, create=True).close()
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            work(url, kill_at=kill_at)
        os._exit(1)
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status):
        return [f"the process was to be killed at statement {kill_at}, and ended by itself"]
    with open_queue(url) as queue:
        damage = list(queue.find_damage())
    if damage:
        return damage
    work(url)
    return summarise(url)


def work(url: str, *, kill_at: int | None = None) -> int:
    """Does each step; one that was done before changes nothing. Returns how many statements it took."""
    engine = open_database(url, create=True)
    count = 0

    def next_statement(*_: object) -> None:
        nonlocal count
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "before_cursor_execute", next_statement)
    event.listen(engine, "commit", next_statement)
    with TakedownQueue(engine) as queue:
        _load(queue, "first", NOW, range(12))
        queue.notice_desk(Rights([], []), {}).take_in([_notice(number) for number in range(3)], NOW)
        _review(queue, "ada", NOW)
        with suppress(QueueError):  # done before
            queue.appeal(1, Appeal("/first 0", Appellant.SELLER, "an invoice"), "desk", NOW)
        _review(queue, "bob", NOW)
        last = _load(queue, "second", NOW + timedelta(days=1), range(8))
        for load_id in range(
            1, last + 1
        ):  # whichever opened cases that are undecided: people have seen the first night
            queue.withdraw(load_id, "lead", NOW + timedelta(days=1))
    return count


def summarise(url: str) -> Summary:
    """All that must be the same with and without a kill: no ids that a second try may skip, and no times."""
    engine = open_database(url)
    with TakedownQueue(engine) as queue, reading(engine) as session:
        cases = session.scalars(select(CaseRow).order_by(CaseRow.case_id)).all()
        listings = {case.case_id: sorted(member.listing_key for member in case.members) for case in cases}
        return {
            "cases": sorted((listings[case.case_id], case.state, case.verdict) for case in cases),
            "actions": [(action.kind, action.listing_key) for action in queue.actions()],
            "labels": sorted((one.listing.listing_id, one.label, one.label_source) for one in queue.labels()),
            "statements": [(statement.sequence, statement.listing_key) for statement in queue.statements()],
            "messages": [message.text for message in queue.messages()],
            "damage": list(queue.find_damage()),
        }


@contextmanager
def sqlite_file() -> Iterator[str]:
    """An empty SQLite database that is gone at the end; gives its URL."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'takedown.db'}"


def _load(queue: TakedownQueue, name: str, now: datetime, numbers: range) -> int:
    """Listings of which each third shows the photo of another; returns the load's number."""
    scores = [
        make_score(f"{name} {number}", (number + 1) / 40, _BANDS[number % len(_BANDS)], f"{name} {number // 3}", now)
        for number in numbers
    ]
    return queue.load(scores, [Listing(score.listing_id, "a bag", brand="Norvell") for score in scores], now).load_id


def _notice(number: int) -> Notice:
    notifier = Notifier("customs", "Customs", "ipr@customs.example", NotifierKind.AUTHORITY)
    item = NoticeItem("bazaar", f"first {number}", f"https://bazaar.example/{number}")
    why = "Seized parcels of this seller held counterfeits."
    return Notice(f"n{number}", notifier, NOW, "Norvell", Right.TRADEMARK, why, good_faith=True, items=(item,))


def _review(queue: TakedownQueue, reviewer: str, now: datetime) -> None:
    """Decides whatever there is, by the name of the riskiest listing, which is all that the verdict may depend on."""
    waiting = [case.riskiest.listing.listing_id for case in queue.top(now, 100)]
    if any(name.startswith("second") for name in waiting):
        return  # the first night was worked through before
    while leased := queue.next_case(reviewer, now):
        name = leased.case.riskiest.listing.listing_id
        verdict = Verdict.GENUINE if int(name.split()[1]) % 2 else Verdict.COUNTERFEIT
        queue.decide(leased.case.case_id, reviewer, verdict, "looked", leased.token, now)


if __name__ == "__main__":
    typer.run(main)
