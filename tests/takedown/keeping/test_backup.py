"""A copy of a queue is a queue like the original, in either database."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, delete, func, make_url, select, text, update
from typer.testing import CliRunner

from counterfeit_risk.cli.queue import app
from counterfeit_risk.errors import QueueError, WorkError
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.complaints.appeals import Appeal
from counterfeit_risk.takedown.complaints.notice import Notice, NoticeItem, Notifier, NotifierKind, Right
from counterfeit_risk.takedown.complaints.rights import Rights
from counterfeit_risk.takedown.complaints.tables import Appellant
from counterfeit_risk.takedown.database import open_database, reading, writing
from counterfeit_risk.takedown.keeping.backup import Copy, copy_queue, rebuild_queue
from counterfeit_risk.takedown.queue import TakedownQueue, open_queue
from counterfeit_risk.takedown.schema import ALL
from counterfeit_risk.takedown.states import Verdict
from counterfeit_risk.takedown.tables import CasePhotoRow, CaseRow, EventRow, MemberRow, QueueNumber

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]


@pytest.fixture(params=["sqlite", "postgresql"])
def to(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a copy goes: a file that is not there, or an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'copy.db'}"
        return
    server = request.getfixturevalue("postgresql_server")
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE restored"))
        yield server.set(drivername="postgresql", database="restored").render_as_string()
        connection.execute(text("DROP DATABASE restored WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
def worked(queue: TakedownQueue, load: Load, make_score: MakeScore) -> TakedownQueue:
    """A queue in which something of every kind has happened; case 2 went into case 1."""
    load(make_score("a", photo_hashes=("p1",)), make_score("b", photo_hashes=("p2",)))
    load(make_score("c", 0.9, Band.AUTOMATIC, photo_hashes=("p1", "p2")), make_score("d", title_risk=0.125))
    notifier = Notifier("customs", "Douane française \U0001f6c3", "ipr@customs.example", NotifierKind.AUTHORITY)
    items = tuple(NoticeItem("bazaar", one, f"https://bazaar.example/{one}") for one in ("d", "unknown"))
    why = "Seized parcels of this seller held counterfeits."
    notice = Notice("n1", notifier, NOW, "Norvell", Right.TRADEMARK, why, good_faith=True, items=items)
    queue.notice_desk(Rights([], []), {}).take_in([notice], NOW)
    leased = queue.next_case("ada", NOW)
    while leased:
        queue.decide(leased.case.case_id, "ada", Verdict.COUNTERFEIT, "seen", leased.token, NOW)
        leased = queue.next_case("ada", NOW)
    queue.appeal(1, Appeal("bazaar/a", Appellant.SELLER, "an invoice"), "desk", NOW)
    load(make_score("e"), make_score("f"))
    queue.next_case("ada", NOW)
    return queue


def rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    engine = open_database(url)
    found = {}
    with reading(engine) as session:
        for table in ALL:
            one = table.__table__
            found[table.__tablename__] = [tuple(row) for row in session.execute(select(one).order_by(*one.primary_key))]
    engine.dispose()
    return found


def copy(do: Callable[..., Copy], source: str, to: str) -> Copy:
    engine = open_database(source)
    try:
        return do(engine, to)
    finally:
        engine.dispose()


def work_on(url: str, make_score: MakeScore) -> list[str]:
    """Does something of every kind that gives out ids, and says what came of it."""
    later = NOW + timedelta(hours=1)
    with open_queue(url) as queue:
        queue.load([make_score("new", 0.97, Band.AUTOMATIC)], [Listing("new", "a new one", platform="bazaar")], later)
        said = []
        for reviewer in ("bob", "eve"):
            leased = queue.next_case(reviewer, later)
            assert leased
            decision = queue.decide(leased.case.case_id, reviewer, Verdict.COUNTERFEIT, "seen", leased.token, later)
            said.append(f"{leased.case.case_id} {decision.decision_id} {decision.actions}")
        queue.appeal(3, Appeal("bazaar/d", Appellant.SELLER, "an invoice"), "desk", later)
        assert list(queue.find_damage()) == []
        return said + [f"{one.sequence} {one.listing_key}" for one in queue.actions()]


def test_a_copy_holds_what_the_queue_holds_and_goes_on_alike(
    worked: TakedownQueue, database_url: str, to: str, make_score: MakeScore
) -> None:
    said = copy(copy_queue, database_url, to)

    assert rows(to) == rows(database_url)
    assert said.rows == {name: len(of_table) for name, of_table in rows(to).items()}
    assert min(count for name, count in said.rows.items() if name != "brand_labels") > 0
    assert (said.cases, said.last_sha256) == worked.last_event()
    assert work_on(to, make_score) == work_on(database_url, make_score)


def test_restoring_is_copying_back(worked: TakedownQueue, database_url: str, to: str, tmp_path: Path) -> None:
    before = rows(database_url)
    copy(copy_queue, database_url, to)
    restored = f"sqlite:///{tmp_path / 'restored.db'}"
    copy(copy_queue, to, restored)
    assert rows(restored) == before


def test_a_queue_rebuilt_from_its_events_goes_on_alike(
    worked: TakedownQueue, database_url: str, to: str, make_score: MakeScore
) -> None:
    said = copy(rebuild_queue, database_url, to)

    assert said.problems == ()
    rebuilt, before = rows(to), rows(database_url)
    assert [name for name in before if name != QueueNumber.__tablename__ and rebuilt[name] != before[name]] == []
    assert work_on(to, make_score)[2:] == work_on(database_url, make_score)[2:]


def test_a_case_that_is_gone_is_rebuilt(worked: TakedownQueue, database_url: str, tmp_path: Path) -> None:
    to = f"sqlite:///{tmp_path / 'rebuilt.db'}"
    engine = open_database(database_url)
    with writing(engine) as session:
        case_id = session.scalars(select(func.max(CaseRow.case_id))).one()
        for table in (MemberRow, CasePhotoRow, CaseRow):
            session.execute(delete(table).where(table.case_id == case_id))
    engine.dispose()
    copy(rebuild_queue, database_url, to)
    assert case_id in [row[0] for row in rows(to)["cases"]]


def test_a_database_that_holds_anything_is_refused(worked: TakedownQueue, database_url: str, to: str) -> None:
    copy(copy_queue, database_url, to)
    before = rows(to)
    for do in (copy_queue, rebuild_queue):
        with pytest.raises(QueueError, match="holds snapshots already; name an empty database"):
            copy(do, database_url, to)
        with pytest.raises(QueueError, match="name an empty database"):
            copy(do, database_url, database_url)
    assert rows(to) == before


def test_a_new_queue_without_cases_takes_a_copy(worked: TakedownQueue, database_url: str, to: str) -> None:
    open_queue(to, create=True).close()
    copy(copy_queue, database_url, to)
    assert rows(to) == rows(database_url)


def test_a_copy_that_fails_leaves_nothing(load: Load, make_score: MakeScore, database_url: str, to: str) -> None:
    load(make_score("a"), make_score("b"))
    engine = open_database(database_url)
    with engine.connect() as connection:  # a listing of a case without what it refers to, as damage may leave it
        off = {"sqlite": "PRAGMA foreign_keys = OFF", "postgresql": "SET session_replication_role = replica"}
        connection.exec_driver_sql("COMMIT")  # SQLite takes it outside a transaction only
        connection.exec_driver_sql(off[engine.dialect.name])
        connection.exec_driver_sql("BEGIN")
        connection.execute(update(MemberRow).where(MemberRow.case_id == 2).values(snapshot_id=99))
        connection.commit()
    engine.dispose()
    with pytest.raises(WorkError, match="contradict each other"):
        copy(copy_queue, database_url, to)
    check_nothing_is_left(to)


def test_a_rebuilding_that_fails_leaves_nothing(load: Load, make_score: MakeScore, database_url: str, to: str) -> None:
    load(make_score("a"), make_score("b"))
    engine = open_database(database_url)
    with writing(engine) as session:
        event = session.scalars(select(EventRow).where(EventRow.case_id == 1)).one()
        event.rows = [{**row, "snapshot_id": 99} if row["table"] == "case_members" else row for row in event.rows]
    engine.dispose()
    with pytest.raises(WorkError, match="contradict each other"):
        copy(rebuild_queue, database_url, to)
    check_nothing_is_left(to)


def check_nothing_is_left(to: str) -> None:
    file = make_url(to).database
    if to.startswith("sqlite"):
        assert list(Path(str(file)).parent.glob("copy.db*")) == []
    else:
        left = rows(to)
        assert {name for name, of_table in left.items() if of_table} == {QueueNumber.__tablename__}


def run(database_url: str, *arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), env={"COUNTERFEIT_RISK_DB": database_url})
    if result.exception:
        raise result.exception
    return result.stdout


def test_commands_say_what_was_copied_and_how_it_ends(worked: TakedownQueue, database_url: str, tmp_path: Path) -> None:
    cases, last = worked.last_event()
    for command, file in (("backup", "one"), ("rebuild", "two"), ("backup", "three")):
        to = f"sqlite:///{tmp_path / file}.db"
        if file == "three":
            assert json.loads(run(database_url, command, "--to", to, "--json"))["cases"] == cases
        else:
            assert f"the last of {cases} cases ends with {last}" in run(database_url, command, "--to", to)
        assert "is whole" in run(to, "verify")


def test_what_was_rebuilt_from_broken_histories_is_named(
    worked: TakedownQueue, database_url: str, tmp_path: Path
) -> None:
    engine = open_database(database_url)
    with writing(engine) as session:
        session.execute(update(EventRow).where(EventRow.case_id == 3, EventRow.number == 2).values(actor="eve"))
        last = select(EventRow.event_id).where(EventRow.case_id == 1).order_by(EventRow.number.desc()).limit(1)
        session.execute(delete(EventRow).where(EventRow.event_id == session.scalar(last)))
        newest = select(func.max(CaseRow.case_id)).scalar_subquery()
        session.execute(delete(EventRow).where(EventRow.case_id == newest))
    engine.dispose()
    to = f"sqlite:///{tmp_path / 'rebuilt.db'}"
    with pytest.raises(WorkError, match="3 things are not as the queue left them: do not work on what was rebuilt"):
        run(database_url, "rebuild", "--to", to)
    with open_queue(to) as rebuilt:
        problems = list(rebuilt.find_damage())
    assert "case 3: event 2 was changed" in problems
    assert any(one.startswith("case 1: its last event is number") for one in problems)
