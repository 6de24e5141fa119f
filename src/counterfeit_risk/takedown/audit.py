"""Moves a case along and writes the event that says so; no case changes its state in any other way.

Each event carries every row that it added or changed, so that the tables can be rebuilt from the events, and a hash
over itself and the event before, so that none can be changed or taken out unseen. A row goes into that hash by its own
hash: so it can be erased, or withheld from a reader, and the chain still be followed. Knows which moves are legal from
`states`, and not why one is made.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from counterfeit_risk.takedown.case import Event
from counterfeit_risk.takedown.database import take_numbers
from counterfeit_risk.takedown.states import CaseState, Move, step
from counterfeit_risk.takedown.tables import DESK, Base, CaseRow, EventRow

Detail = dict[str, Any]
Record = dict[str, Any]
"""A row in an event: its table, and its columns by name; or, once erased, its table, its key and `ERASED`."""

ERASED = "erased_sha256"
"""Holds the hash of what a record said before it was erased."""


@dataclass(frozen=True, slots=True)
class Journal:
    """Records what one actor does at one moment, in the transaction of one session."""

    session: Session
    actor: str
    now: datetime

    def open(self, case: CaseRow, *rows: Base) -> None:
        """Adds a new case; `rows` come with it."""
        case.state = step(0, None, Move.OPENED)
        case.event_count, case.last_sha256 = 0, ""
        self.session.add_all([case, *rows])
        self._write(case, Move.OPENED, None, {}, rows)

    def move(self, case: CaseRow, move: Move, detail: Detail | None = None, rows: Sequence[Base] = ()) -> None:
        """Moves a case; a lease ends with every move that leaves the leased state.

        Args:
            case: it is changed.
            move: what happens to it.
            detail: what people may want to know of it; no personal data but who acted.
            rows: what is added or changed along; their ids must be known.

        Raises:
            TransitionError: if the move is not legal from the case's state.
        """
        before = case.state
        case.state = step(case.case_id, before, move)
        if case.state is not CaseState.LEASED:
            case.leased_by = case.lease_expires_at = None
        self.session.add_all(rows)
        self._write(case, move, before, detail or {}, rows)

    def note(self, move: Move, detail: Detail, rows: Sequence[Base]) -> None:
        """Writes an event of no case. The caller holds the number of loads: one after the other."""
        self.session.add_all(rows)
        number = take_numbers(self.session, "desk")
        last = select(EventRow.sha256).where(EventRow.case_id == DESK, EventRow.number == number - 1)
        event = EventRow(case_id=DESK, number=number, move=move, detail=detail)
        self._seal(event, rows, self.session.scalar(last) or "")
        self.session.flush()

    def _write(self, case: CaseRow, move: Move, before: CaseState | None, detail: Detail, rows: Sequence[Base]) -> None:
        case.event_count += 1
        event = EventRow(case_id=case.case_id, number=case.event_count, move=move, detail=detail)
        event.from_state, event.to_state = before, case.state
        case.last_sha256 = self._seal(event, (case, *rows), case.last_sha256)

    def _seal(self, event: EventRow, rows: Sequence[Base], last: str) -> str:
        """Says in an event who, when and what rows, chains it to the one before, adds it, and returns its hash."""
        event.actor, event.at = self.actor, self.now
        event.detail, event.rows = to_plain(event.detail), to_plain([as_record(row) for row in rows])
        event.sha256 = chain_hash(last, event)
        self.session.add(event)
        return event.sha256


def chain_hash(before: str, event: EventRow | Event) -> str:
    """sha256 over an event and the hash of the one before, in hex."""
    told = [before, event.case_id, event.number, event.move, event.actor, event.at.astimezone(UTC).isoformat()]
    rows = [record_hash(record) for record in event.rows]
    return _hash([*told, event.from_state, event.to_state, event.detail, rows])


def broken_links(events: Iterable[EventRow | Event]) -> tuple[str | None, int, str]:
    """Follows a chain from its first event.

    Returns:
        What is wrong, or None; and the number and the hash of the last event before that.
    """
    last, number = "", 0
    for event in events:
        if event.number != number + 1:
            return f"event {number + 1} is missing", number, last
        if event.sha256 != chain_hash(last, event):
            return f"event {event.number} was changed", number, last
        number, last = event.number, event.sha256
    return None, number, last


def as_record(row: Base) -> Record:
    """A row's table and columns; of a case not what the chain itself keeps there."""
    return {"table": row.__tablename__, **{name: getattr(row, name) for name in _recorded(type(row))}}


def record_hash(record: Record) -> str:
    """sha256 over a record, in hex; of one that was erased, of what it said."""
    return str(record[ERASED]) if ERASED in record else _hash(record)


def erase_record(record: Record, keys: Iterable[str]) -> Record:
    """What is left of a record: its table, its key and its hash."""
    return {"table": record["table"], **{key: record[key] for key in keys}, ERASED: record_hash(record)}


@lru_cache
def _recorded(table: type[Base]) -> tuple[str, ...]:
    return tuple(one.key for one in inspect(table).column_attrs if one.key not in {"event_count", "last_sha256"})


def to_plain(value: Any) -> Any:
    """A value as JSON gives it back, so that its hash is the same before and after."""
    return json.loads(json.dumps(value, default=_time_as_text))


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _time_as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{value!r} has no place in an event")
