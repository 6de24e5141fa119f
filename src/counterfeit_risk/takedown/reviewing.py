"""What reviewers do to cases: take a lease, decide, reopen; each in the caller's transaction.

Knows no score: a case is worked on as it was loaded. On PostgreSQL a case that another transaction holds is skipped.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from counterfeit_risk.errors import LeaseError, TransitionError, UnknownCaseError
from counterfeit_risk.takedown.actions import issue_consequence
from counterfeit_risk.takedown.audit import Journal
from counterfeit_risk.takedown.case import LeasedCase
from counterfeit_risk.takedown.policy import QUEUE
from counterfeit_risk.takedown.states import CaseState, Move, Verdict
from counterfeit_risk.takedown.tables import CaseRow, DecisionRow
from counterfeit_risk.takedown.urgency import by_urgency


@dataclass(frozen=True, slots=True)
class Submission:
    """A decision as a reviewer sends it."""

    reviewer: str
    verdict: Verdict
    reason: str
    token: int


def lease_case(session: Session, reviewer: str, now: datetime, expires_at: datetime) -> LeasedCase | None:
    """Gives the reviewer the case they hold, else the most urgent one that waits for them."""
    _end_expired_leases(session, now)
    journal = Journal(session, reviewer, now)
    held = session.scalars(select(CaseRow).where(CaseRow.leased_by == reviewer).with_for_update()).one_or_none()
    case = held or _pick(session, reviewer, now)
    if case is None:
        return None
    if held:
        expires_at = max(expires_at, held.lease_expires_at or expires_at)
    else:
        case.leased_by = reviewer
        case.token += 1
    case.lease_expires_at = expires_at
    journal.move(
        case, Move.RENEWED if held else Move.LEASED, {"token": case.token, "expires_at": expires_at.isoformat()}
    )
    session.flush()
    return LeasedCase(case.to_case(), token=case.token, expires_at=expires_at, renewed=held is not None)


def record_decision(session: Session, case_id: int, submission: Submission, now: datetime) -> DecisionRow:
    """Records a decision with its action, or finds the one that was recorded when it was sent before."""
    case = lock_case(session, case_id)
    recorded = _find_decision(session, case_id, submission)
    if recorded:
        return recorded
    _check_lease(case, submission, now)
    decision = _add_decision(session, case, submission, now)
    journal = Journal(session, submission.reviewer, now)
    detail = {"verdict": submission.verdict, "decision_id": decision.decision_id}
    if submission.verdict is Verdict.UNSURE:
        journal.move(case, Move.RETURNED, detail)
    else:
        journal.move(case, Move.DECIDED, detail)
        case.verdict, case.decided_at = submission.verdict, now
        issue_consequence(session, decision)
    session.flush()
    return decision


def reopen_case(session: Session, case_id: int, due_at: datetime, journal: Journal, reason: str) -> CaseRow:
    """Takes a decided case back into the queue; what was done to the listing stays until it is decided again."""
    case = lock_case(session, case_id)
    newest = session.scalar(
        select(CaseRow.case_id).where(CaseRow.listing_id == case.listing_id).order_by(CaseRow.case_id.desc()).limit(1)
    )
    if newest is not None and newest != case_id:
        raise TransitionError(case_id, f"succeeded by case {newest} on the listing's newer content", Move.REOPENED)
    journal.move(case, Move.REOPENED, {"reason": reason, "verdict": case.verdict})
    case.verdict = case.decided_at = None
    case.due_at = due_at
    return case


def lock_case(session: Session, case_id: int) -> CaseRow:
    """The case, held for this transaction.

    Raises:
        UnknownCaseError: if there is none.
    """
    case = session.scalars(select(CaseRow).where(CaseRow.case_id == case_id).with_for_update()).one_or_none()
    if case is None:
        raise UnknownCaseError(case_id)
    return case


def _end_expired_leases(session: Session, now: datetime) -> None:
    expired = select(CaseRow).where(CaseRow.state == CaseState.LEASED, CaseRow.lease_expires_at <= now)
    journal = Journal(session, QUEUE, now)
    for case in session.scalars(expired.with_for_update(skip_locked=True)).all():
        journal.move(case, Move.EXPIRED, {"leased_by": case.leased_by})
    session.flush()


def _pick(session: Session, reviewer: str, now: datetime) -> CaseRow | None:
    for waiting in by_urgency(_waiting_for(reviewer), now):
        case = session.scalars(waiting.limit(1).with_for_update(skip_locked=True)).one_or_none()
        if case:
            return case
    return None


def _waiting_for(reviewer: str) -> Select[CaseRow]:
    """Open cases on which this reviewer was never unsure."""
    was_unsure = exists().where(
        DecisionRow.case_id == CaseRow.case_id,
        DecisionRow.decided_by == reviewer,
        DecisionRow.verdict == Verdict.UNSURE,
    )
    return select(CaseRow).where(CaseRow.state == CaseState.OPEN, ~was_unsure)


def _add_decision(session: Session, case: CaseRow, submission: Submission, now: datetime) -> DecisionRow:
    decision = DecisionRow(
        case=case,
        token=submission.token,
        verdict=submission.verdict,
        reason=submission.reason,
        decided_by=submission.reviewer,
        automated=False,
        decided_at=now,
        content_hash=case.content_hash,
    )
    session.add(decision)
    session.flush()
    return decision


def _find_decision(session: Session, case_id: int, submission: Submission) -> DecisionRow | None:
    recorded = session.scalars(
        select(DecisionRow).where(
            DecisionRow.case_id == case_id,
            DecisionRow.token == submission.token,
            DecisionRow.decided_by == submission.reviewer,
            DecisionRow.verdict == submission.verdict,
        )
    ).one_or_none()
    return recorded if recorded and recorded.reason == submission.reason else None


def _check_lease(case: CaseRow, submission: Submission, now: datetime) -> None:
    if case.state is CaseState.DECIDED:
        raise TransitionError(case.case_id, f"decided as {case.verdict}", "decided again; reopen it first")
    if case.leased_by is None or case.lease_expires_at is None:
        reason = "is not leased to anyone; its lease ended, or its listing changed meanwhile"
    elif case.leased_by != submission.reviewer:
        reason = f"is leased to {case.leased_by}"
    elif case.token != submission.token:
        reason = f"has been leased anew since token {submission.token}"
    elif case.lease_expires_at <= now:
        reason = f"the lease expired at {case.lease_expires_at:%Y-%m-%d %H:%M:%S} UTC"
    else:
        return
    raise LeaseError(case.case_id, f"{reason}; take the next case")
