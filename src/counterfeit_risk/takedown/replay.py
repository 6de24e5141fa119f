"""Reads the audit log back: is each chain whole, do the tables say what it says, and tables made from it anew.

Knows no rule of the queue.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Engine, func, insert, inspect, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from counterfeit_risk.takedown.audit import ERASED, Record, as_record, broken_links, to_plain
from counterfeit_risk.takedown.complaints.tables import AppealRow, MessageRow, NoticeItemRow, NoticeRow
from counterfeit_risk.takedown.database import reading, take_numbers, writing
from counterfeit_risk.takedown.exchange.tables import BrandLabelRow
from counterfeit_risk.takedown.schema import IDENTITY, NUMBERS, RECORDED
from counterfeit_risk.takedown.statements.tables import StatementRow
from counterfeit_risk.takedown.tables import (
    DESK,
    ActionRow,
    Base,
    CasePhotoRow,
    CaseRow,
    DecisionRow,
    EventRow,
    LabelRow,
    MemberRow,
    QueueNumber,
    SnapshotRow,
    UtcDateTime,
)

_BY_NAME = {table.__tablename__: table for table in RECORDED}
_OF_CASE: tuple[tuple[type[Base], InstrumentedAttribute[Any]], ...] = (
    (CaseRow, CaseRow.case_id),
    (MemberRow, MemberRow.case_id),
    (CasePhotoRow, CasePhotoRow.case_id),
    (DecisionRow, DecisionRow.case_id),
    (ActionRow, ActionRow.case_id),
    (StatementRow, StatementRow.case_id),
    (NoticeItemRow, NoticeItemRow.case_id),
    (AppealRow, AppealRow.case_id),
    (BrandLabelRow, BrandLabelRow.case_id),
)
_BY_KEY: tuple[tuple[type[Base], InstrumentedAttribute[Any]], ...] = (
    (SnapshotRow, SnapshotRow.snapshot_id),
    (NoticeRow, NoticeRow.notice_id),
    (MessageRow, MessageRow.sequence),
)
"""Tables of which rows do not say what chain they are told in: those that a chain tells of are looked up."""

_BATCH = 1000

Key = tuple[str, tuple[Any, ...]]
"""A row's table and primary key."""


def find_damage(engine: Engine) -> Iterator[str]:
    """Says of each chain what is wrong with it, or with what the tables say of it; nothing if all is well.

    Whoever changes a row, all of the events that tell of it and their hashes alike leaves no trace here: keep the hash
    that `queue verify` prints somewhere else.
    """
    told: Counter[str] = Counter()
    with reading(engine) as session:  # all of one moment: people work meanwhile
        history = _history(session, DESK)
        rows = _own(DESK, replay(history))
        told.update(name for name, _ in rows)
        problem, _, _ = broken_links(history)
        found = [problem] if problem else _differences(_rows_of_desk(session, rows), rows)
        yield from (f"notices: {one}" for one in found)
        for case in _each_case(session):
            history = _history(session, case.case_id)
            rows = _own(case.case_id, replay(history))
            told.update(name for name, _ in rows)
            problems = [*_broken_chain(case, history), *_differences(_rows_of(session, case, rows), rows)]
            yield from (f"case {case.case_id}: {problem}" for problem in problems)
        yield from _find_untold(session, told)


def _each_case(session: Session) -> Iterator[CaseRow]:
    after, cases = 0, select(CaseRow).order_by(CaseRow.case_id).limit(_BATCH)
    while page := session.scalars(cases.where(CaseRow.case_id > after)).all():
        yield from page
        after = page[-1].case_id
        session.expunge_all()


def replay(events: Iterable[EventRow]) -> dict[Key, Record]:
    """What rows events lead to, each as it was last written."""
    return {_key_of(record): record for event in events for record in event.rows}


def rebuild(engine: Engine, into: Engine) -> int:
    """Makes an empty queue's tables from the events of another as they stand at one moment, all of it or nothing.

    A number that the database itself gives out continues where it does by itself: see `keeping.backup`.

    Returns:
        Rows written, events aside.
    """
    numbers = dict.fromkeys((*NUMBERS, "desk"), 0)
    with reading(engine) as source, writing(into) as target:
        # a case shows listings that were told in the newer ones that were merged into it: those come before it
        chains = select(EventRow.case_id).distinct().order_by(EventRow.case_id.desc())
        written = sum(_rebuild_chain(source, target, case_id, numbers) for case_id in source.scalars(chains).all())
        for name, number in numbers.items():
            take_numbers(target, name, number)
        for name in (IDENTITY, "loads"):  # no event tells of a night that opened nothing
            target.get_one(QueueNumber, name).value = source.get_one(QueueNumber, name).value
    return written


def _rebuild_chain(source: Session, target: Session, case_id: int, numbers: dict[str, int]) -> int:
    events = _history(source, case_id)
    records = list(_own(case_id, replay(events)).values())
    for table in RECORDED:
        rows = [_typed(record) for record in records if record["table"] == table.__tablename__]
        if table is CaseRow:
            rows = [{**row, **_end_of_chain(source, events)} for row in rows]
        if rows:
            target.execute(insert(table), rows)
    target.execute(insert(EventRow), [{name: getattr(event, name) for name in _columns(EventRow)} for event in events])
    if case_id == DESK:
        numbers["desk"] = len(events)
    for name, column in NUMBERS.items():
        seen = [record[column.key] for record in records if record["table"] == column.class_.__tablename__]
        numbers[name] = max([numbers[name], *seen])
    return len(records)


def _own(case_id: int, rows: dict[Key, Record]) -> dict[Key, Record]:
    """Without those that went on to another case, whose chain tells of them since.

    One that was erased and is not told whole since is such a row too: else the tables hold a row that no event tells.
    """
    return {key: row for key, row in rows.items() if row.get("case_id") in {case_id, None} and ERASED not in row}


def _end_of_chain(source: Session, events: Sequence[EventRow]) -> Record:
    """What a case says of its last event, so that one is missed that is gone; where the case is gone, what is there."""
    case = source.get(CaseRow, events[-1].case_id)
    if case is None:
        return {"event_count": events[-1].number, "last_sha256": events[-1].sha256}
    return {"event_count": case.event_count, "last_sha256": case.last_sha256}


def _history(session: Session, case_id: int) -> Sequence[EventRow]:
    return session.scalars(select(EventRow).where(EventRow.case_id == case_id).order_by(EventRow.number)).all()


def _broken_chain(case: CaseRow, events: Sequence[EventRow]) -> Iterator[str]:
    problem, number, last = broken_links(events)
    if problem:
        yield problem
    elif (number, last) != (case.event_count, case.last_sha256):
        yield f"its last event is number {number}, and it had {case.event_count}"


def _differences(found_rows: Iterable[Record], told: Mapping[Key, Record]) -> Iterator[str]:
    found = {_key_of(record): record for record in found_rows}
    for key in sorted(found.keys() | told.keys(), key=str):
        name = f"{key[0]} {', '.join(map(str, key[1]))}"
        if key not in found:
            yield f"{name} is gone"
        elif key not in told:
            yield f"{name} is in no event"
        elif found[key] != told[key]:
            changed = sorted(column for column in found[key] if found[key][column] != told[key].get(column))
            yield f"{name} was changed in {', '.join(changed)}"


def _rows_of(session: Session, case: CaseRow, told: Mapping[Key, Record]) -> Iterator[Record]:
    for table, of_case in _OF_CASE:
        for row in session.scalars(select(table).where(of_case == case.case_id)):
            yield to_plain(as_record(row))
    decisions = select(DecisionRow.decision_id).where(DecisionRow.case_id == case.case_id)
    for label in session.scalars(select(LabelRow).where(LabelRow.decision_id.in_(decisions))):
        yield to_plain(as_record(label))
    yield from _rows_by_key(session, told)


def _rows_of_desk(session: Session, told: Mapping[Key, Record]) -> Iterator[Record]:
    for item in session.scalars(select(NoticeItemRow).where(NoticeItemRow.case_id.is_(None))):
        yield to_plain(as_record(item))
    yield from _rows_by_key(session, told)


def _rows_by_key(session: Session, told: Mapping[Key, Record]) -> Iterator[Record]:
    for table, column in _BY_KEY:
        keys = [key[0] for name, key in told if name == table.__tablename__]
        for start in range(0, len(keys), _BATCH):
            for row in session.scalars(select(table).where(column.in_(keys[start : start + _BATCH]))):
                yield to_plain(as_record(row))


def _find_untold(session: Session, told: Mapping[str, int]) -> Iterator[str]:
    """Rows that no chain tells of, in the tables that were looked up by what the chains tell."""
    for table, _ in _BY_KEY:
        count = session.scalar(select(func.count()).select_from(table)) or 0
        if count > told[table.__tablename__]:
            yield f"{table.__tablename__}: {count - told[table.__tablename__]} rows are in no event"
    cases = select(CaseRow.case_id)
    lost = select(EventRow.case_id).where(EventRow.case_id != DESK, EventRow.case_id.not_in(cases)).distinct()
    for case_id in session.scalars(lost):
        yield f"case {case_id}: it has events and is gone"


def _key_of(record: Record) -> Key:
    return record["table"], tuple(record[column] for column in primary_key(record["table"]))


def primary_key(table: str) -> tuple[str, ...]:
    """The columns that name a row of a table."""
    return tuple(column.name for column in inspect(_BY_NAME[table]).primary_key)


def _columns(table: type[Base]) -> list[str]:
    return list(inspect(table).mapper.column_attrs.keys())


def _typed(record: Record) -> Record:
    """A record with its times as times again."""
    columns = _BY_NAME[record["table"]].__table__.columns
    return {
        name: datetime.fromisoformat(value)
        if value is not None and isinstance(columns[name].type, (DateTime, UtcDateTime))
        else value
        for name, value in record.items()
        if name != "table"
    }
