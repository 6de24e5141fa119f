"""Reads the audit log back: is each case's chain whole, do the tables say what it says, and tables made from it anew.

Knows no rule of the queue.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Engine, insert, inspect, select
from sqlalchemy.orm import Session

from counterfeit_risk.takedown.audit import Detail, as_record, chain_hash, to_plain
from counterfeit_risk.takedown.database import read_pages, reading, take_numbers, writing
from counterfeit_risk.takedown.notice_tables import AppealRow, NoticeItemRow
from counterfeit_risk.takedown.tables import (
    ActionRow,
    Base,
    CasePhotoRow,
    CaseRow,
    DecisionRow,
    EventRow,
    LabelRow,
    MemberRow,
    SnapshotRow,
    UtcDateTime,
)

_TABLES: tuple[type[Base], ...] = (
    *(SnapshotRow, CaseRow, MemberRow, CasePhotoRow, DecisionRow, ActionRow, LabelRow),
    *(NoticeItemRow, AppealRow),
)
"""All that events carry, each after those that it refers to."""
_BY_NAME = {table.__tablename__: table for table in _TABLES}
_OF_CASE: tuple[tuple[type[Base], Any], ...] = (
    (MemberRow, MemberRow.case_id),
    (CasePhotoRow, CasePhotoRow.case_id),
    (DecisionRow, DecisionRow.case_id),
    (ActionRow, ActionRow.case_id),
    (NoticeItemRow, NoticeItemRow.case_id),
    (AppealRow, AppealRow.case_id),
)

Key = tuple[str, tuple[Any, ...]]
"""A row's table and primary key."""


def find_damage(engine: Engine) -> Iterator[str]:
    """Says of each case what is wrong with its chain, or with what the tables say of it; nothing if all is well.

    Whoever changes a case, all of its events and their hashes alike leaves no trace here: keep the hash that
    `queue verify` prints somewhere else.
    """
    for case in read_pages(engine, select(CaseRow), CaseRow.case_id):
        with reading(engine) as session:
            events = session.scalars(
                select(EventRow).where(EventRow.case_id == case.case_id).order_by(EventRow.number)
            ).all()
            problems = [*_broken_links(case, events), *_differences(session, case, replay(events))]
        for problem in problems:
            yield f"case {case.case_id}: {problem}"
    with reading(engine) as session:
        lost = select(EventRow.case_id).where(EventRow.case_id.not_in(select(CaseRow.case_id))).distinct()
        for case_id in session.scalars(lost):
            yield f"case {case_id}: it has events and is gone"


def replay(events: Iterable[EventRow]) -> dict[Key, Detail]:
    """What rows events lead to, each as it was last written."""
    rows: dict[Key, Detail] = {}
    for event in events:
        for record in event.detail["rows"]:
            rows[_key_of(record)] = record
    return rows


def rebuild(engine: Engine, into: Engine) -> int:
    """Makes an empty queue's tables from the events of another.

    Returns:
        Rows written, events aside.
    """
    written = 0
    numbers = dict.fromkeys(("cases", "snapshots", "actions", "loads"), 0)
    for case in read_pages(engine, select(CaseRow), CaseRow.case_id):
        with reading(engine) as session:
            history = select(EventRow).where(EventRow.case_id == case.case_id).order_by(EventRow.number)
            events = session.scalars(history).all()
            records = list(replay(events).values())
            copies = [{name: getattr(event, name) for name in _columns(EventRow)} for event in events]
        last = {"event_count": len(copies), "last_sha256": copies[-1]["sha256"]}
        with writing(into) as session:
            for table in _TABLES:
                rows = [_typed(record) for record in records if record["table"] == table.__tablename__]
                if table is CaseRow:
                    rows = [row | last for row in rows]
                if rows:
                    session.execute(insert(table), rows)
                written += len(rows)
            session.execute(insert(EventRow), copies)
        _raise_to(numbers, records)
    with writing(into) as session:
        for name, last_number in numbers.items():
            take_numbers(session, name, last_number)
    return written


def _raise_to(numbers: dict[str, int], records: Iterable[Detail]) -> None:
    columns = {"cases": "case_id", "snapshots": "snapshot_id", "actions": "sequence"}
    for record in records:
        table = record["table"]
        if table in columns:
            numbers[table] = max(numbers[table], record[columns[table]])
        if table == "snapshots":
            numbers["loads"] = max(numbers["loads"], record["load_id"])


def _broken_links(case: CaseRow, events: Iterable[EventRow]) -> Iterator[str]:
    before, number = "", 0
    for number, event in enumerate(events, 1):
        if event.number != number:
            yield f"event {number} is missing"
            return
        if event.sha256 != chain_hash(before, event):
            yield f"event {number} was changed"
            return
        before = event.sha256
    if (number, before) != (case.event_count, case.last_sha256):
        yield f"its last event is number {number}, and it had {case.event_count}"


def _differences(session: Session, case: CaseRow, told: Mapping[Key, Detail]) -> Iterator[str]:
    found = {_key_of(record): record for record in _rows_of(session, case, told)}
    for key in sorted(found.keys() | told.keys(), key=str):
        name = f"{key[0]} {', '.join(map(str, key[1]))}"
        if key not in found:
            yield f"{name} is gone"
        elif key not in told:
            yield f"{name} is in no event"
        elif found[key] != told[key]:
            changed = sorted(column for column in found[key] if found[key][column] != told[key].get(column))
            yield f"{name} was changed in {', '.join(changed)}"


def _rows_of(session: Session, case: CaseRow, told: Mapping[Key, Detail]) -> Iterator[Detail]:
    yield to_plain(as_record(case))
    for table, of_case in _OF_CASE:
        for row in session.scalars(select(table).where(of_case == case.case_id)):
            yield to_plain(as_record(row))
    decisions = select(DecisionRow.decision_id).where(DecisionRow.case_id == case.case_id)
    for label in session.scalars(select(LabelRow).where(LabelRow.decision_id.in_(decisions))):
        yield to_plain(as_record(label))
    snapshots = [key[0] for name, key in told if name == SnapshotRow.__tablename__]
    for snapshot in session.scalars(select(SnapshotRow).where(SnapshotRow.snapshot_id.in_(snapshots))):
        yield to_plain(as_record(snapshot))


def _key_of(record: Detail) -> Key:
    keys = inspect(_BY_NAME[record["table"]]).primary_key
    return record["table"], tuple(record[column.name] for column in keys)


def _columns(table: type[Base]) -> list[str]:
    return list(inspect(table).mapper.column_attrs.keys())


def _typed(record: Detail) -> Detail:
    """A record with its times as times again."""
    columns = _BY_NAME[record["table"]].__table__.columns
    return {
        name: datetime.fromisoformat(value)
        if value is not None and isinstance(columns[name].type, (DateTime, UtcDateTime))
        else value
        for name, value in record.items()
        if name != "table"
    }
