"""The audit log: nothing is changed or taken out unseen, and the tables can be made from it anew."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, select, update

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.complaints.appeals import Appeal
from counterfeit_risk.takedown.complaints.notice import Notice, NoticeItem, Notifier, NotifierKind, Right
from counterfeit_risk.takedown.complaints.rights import Rights
from counterfeit_risk.takedown.complaints.tables import Appellant, MessageRow, NoticeItemRow, NoticeRow
from counterfeit_risk.takedown.database import open_database, reading, take_numbers, writing
from counterfeit_risk.takedown.queue import TakedownQueue
from counterfeit_risk.takedown.replay import find_damage, rebuild
from counterfeit_risk.takedown.statements.tables import StatementRow
from counterfeit_risk.takedown.states import Verdict
from counterfeit_risk.takedown.tables import (
    ActionRow,
    Base,
    CaseRow,
    DecisionRow,
    EventRow,
    LabelRow,
    MemberRow,
    QueueNumber,
    SnapshotRow,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]


@pytest.fixture
def worked(queue: TakedownQueue, load: Load, make_score: MakeScore) -> TakedownQueue:
    """A queue in which something of every kind has happened."""
    load(*(make_score(name, 0.9, Band.AUTOMATIC, photo_hashes=("p1",)) for name in "ab"), make_score("c", 0.5))
    notifier = Notifier("customs", "Customs", "ipr@customs.example", NotifierKind.AUTHORITY)
    items = tuple(NoticeItem("bazaar", one, f"https://bazaar.example/{one}") for one in ("c", "unknown"))
    why = "Seized parcels of this seller held counterfeits."
    notice = Notice("n1", notifier, NOW, "Norvell", Right.TRADEMARK, why, good_faith=True, items=items)
    queue.notice_desk(Rights([], []), {}).take_in([notice], NOW)
    while leased := queue.next_case("ada", NOW):
        verdict = Verdict.COUNTERFEIT if leased.case.case_id == 1 else Verdict.GENUINE
        spared = ("bazaar/b",) if verdict is Verdict.COUNTERFEIT else ()
        queue.decide(leased.case.case_id, "ada", verdict, "seen \ud83d\ude00", leased.token, NOW, spared=spared)
    queue.undo(2, "ada", NOW)
    queue.appeal(1, Appeal("bazaar/a", Appellant.SELLER, "an invoice"), "desk", NOW)
    return queue


@pytest.fixture
def engine(worked: TakedownQueue, database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    yield engine
    engine.dispose()


def test_a_queue_that_nobody_touched_is_whole(engine: Engine) -> None:
    assert list(find_damage(engine)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (update(EventRow).where(EventRow.number == 2).values(actor="eve"), "case 1: event 2 was changed"),
        (delete(EventRow).where(EventRow.number == 2), "case 1: event 2 is missing"),
        (update(CaseRow).where(CaseRow.case_id == 2).values(risk=0.1), "case 2: cases 2 was changed in risk"),
        (update(DecisionRow).values(verdict=Verdict.GENUINE), "decisions 1 was changed in verdict"),
        (update(LabelRow).values(source="brand"), "labels 1 was changed in source"),
        (update(SnapshotRow).values(title="innocent"), "snapshots 1 was changed in title"),
        (update(ActionRow).values(kind="reinstate"), "actions 1 was changed in kind"),
        (update(NoticeRow).values(notifier_name="Eve"), "notices: notices n1 was changed in notifier_name"),
        (delete(NoticeItemRow).where(NoticeItemRow.number == 2), "notices: notice_items n1, 2 is gone"),
        (update(MessageRow).values(text="no"), "messages 1 was changed in text"),
        (update(StatementRow).values(seller_text="no"), "statements 1 was changed in seller_text"),
        (delete(MemberRow).where(MemberRow.listing_key == "bazaar/b"), "case_members 1, bazaar/b is gone"),
    ],
)
def test_whoever_changes_a_row_is_found_out(engine: Engine, change: object, said: str) -> None:
    with writing(engine) as session:
        session.execute(change)
    assert any(said in problem for problem in find_damage(engine))


def test_a_message_that_no_event_tells_of_is_found_out(engine: Engine) -> None:
    with writing(engine) as session:
        session.add(MessageRow(sequence=99, email="eve@example.org", text="hello", created_at=NOW))
    assert list(find_damage(engine)) == ["messages: 1 rows are in no event"]


def test_an_event_at_the_end_is_missed(engine: Engine) -> None:
    with writing(engine) as session:
        last = select(EventRow.event_id).where(EventRow.case_id == 1).order_by(EventRow.number.desc()).limit(1)
        session.execute(delete(EventRow).where(EventRow.event_id == session.scalar(last)))
    assert any("its last event is number" in problem for problem in find_damage(engine))


def test_the_tables_can_be_made_anew_from_the_events(engine: Engine, worked: TakedownQueue, tmp_path: Path) -> None:
    empty = open_database(f"sqlite:///{tmp_path / 'again.db'}", create=True)
    with TakedownQueue(empty) as again:
        rebuild(engine, empty)
        for table in Base.metadata.sorted_tables:
            if table.name != QueueNumber.__tablename__:
                order = list(table.primary_key)
                with reading(engine) as one, reading(empty) as other:
                    rows = [session.execute(select(table).order_by(*order)).all() for session in (one, other)]
                assert rows[0] == rows[1]
                assert rows[0] or table.name == "brand_labels"
        assert list(again.find_damage()) == []
        assert list(again.actions()) == list(worked.actions())
        with writing(engine) as one, writing(empty) as other:
            assert take_numbers(one, "actions") == take_numbers(other, "actions")
