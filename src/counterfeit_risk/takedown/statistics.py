"""Counts over the whole queue: how much waits, how much is late, what was decided and how fast.

Reads only; knows no reviewer.
"""

from datetime import datetime
from statistics import median

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from counterfeit_risk.takedown.case import QueueStats
from counterfeit_risk.takedown.states import UNDECIDED, CaseState, Verdict
from counterfeit_risk.takedown.tables import CaseRow, DecisionRow
from counterfeit_risk.takedown.urgency import is_overdue


def count_cases(session: Session, now: datetime) -> QueueStats:
    """Counts the cases as they stand at `now`."""
    state = _state_at(now).label("state_now")
    by_state_and_band = session.execute(select(state, CaseRow.band, func.count()).group_by(state, CaseRow.band))
    overdue = session.scalar(select(func.count()).where(CaseRow.state.in_(UNDECIDED), is_overdue(now)))
    by_verdict = session.execute(
        select(CaseRow.verdict, func.count()).where(CaseRow.verdict.is_not(None)).group_by(CaseRow.verdict)
    )
    return QueueStats(
        cases={(row[0], row[1]): row[2] for row in by_state_and_band},
        overdue=overdue or 0,
        decided={verdict: count for verdict, count in by_verdict if verdict},
        median_hours=_median_hours(session),
    )


def _state_at(now: datetime) -> ColumnElement[CaseState]:
    expired = (CaseRow.state == CaseState.LEASED) & (CaseRow.lease_expires_at <= now)
    return case((expired, CaseState.OPEN), else_=CaseRow.state)


def _median_hours(session: Session) -> float | None:
    first = (
        select(DecisionRow.case_id, func.min(DecisionRow.decided_at).label("decided_at"))
        .where(~DecisionRow.automated, DecisionRow.verdict != Verdict.UNSURE)
        .group_by(DecisionRow.case_id)
        .subquery()
    )
    times = session.execute(
        select(CaseRow.opened_at, first.c.decided_at).join(first, first.c.case_id == CaseRow.case_id)
    )
    hours = [(decided_at - opened_at).total_seconds() / 3600 for opened_at, decided_at in times]
    return median(hours) if hours else None
