"""Moves a case along and writes the event that says so; no case changes its state in any other way.

Each event carries every row that it added or changed, so that the tables can be rebuilt from the events, and a hash
over itself and the case's event before, so that none can be changed or taken out unseen. Knows which moves are legal
from `states`, and not why one is made.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from counterfeit_risk.takedown.states import CaseState, Move, step
from counterfeit_risk.takedown.tables import Base, CaseRow, EventRow

Detail = dict[str, Any]


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
            detail: what people may want to know of it.
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

    def _write(self, case: CaseRow, move: Move, before: CaseState | None, detail: Detail, rows: Sequence[Base]) -> None:
        case.event_count += 1
        event = EventRow(
            case_id=case.case_id,
            number=case.event_count,
            move=move,
            actor=self.actor,
            at=self.now,
            from_state=before,
            to_state=case.state,
            detail=to_plain({**detail, "rows": [as_record(row) for row in (case, *rows)]}),
        )
        event.sha256 = case.last_sha256 = chain_hash(case.last_sha256, event)
        self.session.add(event)


def chain_hash(before: str, event: EventRow) -> str:
    """sha256 over an event and the hash of the one before."""
    told = [before, event.case_id, event.number, event.move, event.actor, event.at.astimezone(UTC).isoformat()]
    text = json.dumps([*told, event.from_state, event.to_state, event.detail], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def as_record(row: Base) -> Detail:
    """A row's table and columns; of a case not what the chain itself keeps there."""
    return {"table": row.__tablename__, **{name: getattr(row, name) for name in _recorded(type(row))}}


@lru_cache
def _recorded(table: type[Base]) -> tuple[str, ...]:
    return tuple(one.key for one in inspect(table).column_attrs if one.key not in {"event_count", "last_sha256"})


def to_plain(detail: Detail) -> Detail:
    """A detail as JSON gives it back, so that its hash is the same before and after."""
    plain: Detail = json.loads(json.dumps(detail, default=_time_as_text))
    return plain


def _time_as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{value!r} has no place in an event")
