"""Moves a case along and writes the event that says so; no case changes its state in any other way.

Knows which moves are legal from `states`, and not why one is made.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from counterfeit_risk.takedown.states import CaseState, Move, step
from counterfeit_risk.takedown.tables import CaseRow, EventRow


@dataclass(frozen=True, slots=True)
class Journal:
    """Records what one actor does at one moment, in the transaction of one session."""

    session: Session
    actor: str
    now: datetime

    def open(self, case: CaseRow) -> None:
        """Adds a new case."""
        case.state = step(0, None, Move.OPENED)
        self.session.add(case)
        self._write(case, Move.OPENED, None, {"risk": case.risk, "band": case.band, "model_id": case.model_id})

    def move(self, case: CaseRow, move: Move, detail: dict[str, Any] | None = None) -> None:
        """Moves a case; a lease ends with every move that leaves the leased state.

        Raises:
            TransitionError: if the move is not legal from the case's state.
        """
        before = case.state
        case.state = step(case.case_id, before, move)
        if case.state is not CaseState.LEASED:
            case.leased_by = case.lease_expires_at = None
        self._write(case, move, before, detail or {})

    def _write(self, case: CaseRow, move: Move, before: CaseState | None, detail: dict[str, Any]) -> None:
        self.session.add(
            EventRow(
                case=case,
                move=move,
                actor=self.actor,
                at=self.now,
                from_state=before,
                to_state=case.state,
                detail=detail,
            )
        )
