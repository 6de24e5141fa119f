"""What reviewers do to cases: take a lease, give it back, decide, undo, reopen; each in the caller's transaction.

Knows no score: a case is worked on as it was loaded. On PostgreSQL a case that another transaction holds is skipped.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from counterfeit_risk.errors import LeaseError, QueueError, TransitionError, UnknownCaseError
from counterfeit_risk.takedown.audit import Journal
from counterfeit_risk.takedown.case import LeasedCase
from counterfeit_risk.takedown.complaints.appeals import find_newer, open_appeals, settle, took_part, unsettle
from counterfeit_risk.takedown.consequences import (
    APPEAL,
    REVIEW,
    apply_decision,
    latest_decision,
    present_snapshots,
    reverse_decision,
    withdraw_labels,
)
from counterfeit_risk.takedown.policy import QUEUE, Order, QueueSettings
from counterfeit_risk.takedown.states import CaseState, Move, Verdict
from counterfeit_risk.takedown.tables import CaseRow, DecisionRow, EventRow
from counterfeit_risk.takedown.urgency import offers

_LEFT_TO_OTHERS = (Move.RETURNED, Move.SKIPPED, Move.ESCALATED)


@dataclass(frozen=True, slots=True)
class Submission:
    """A decision as a reviewer sends it."""

    reviewer: str
    token: int
    verdict: Verdict
    reason: str
    spared: tuple[str, ...] = ()
    """Keys of the listings that a verdict of counterfeit leaves out as genuine."""


def lease_case(
    session: Session, reviewer: str, now: datetime, expires_at: datetime, order: Order, *, specialist: bool
) -> LeasedCase | None:
    """Gives the reviewer the case they hold, else the most urgent one that waits for them."""
    # the one that may have to be waited for comes first, while nothing is held
    held = session.scalars(select(CaseRow).where(CaseRow.leased_by == reviewer).with_for_update()).one_or_none()
    _end_expired_leases(session, now)
    journal = Journal(session, reviewer, now)
    if held and held.state is not CaseState.LEASED:
        held = None
    case = held
    if case is None:
        waiting = offers(_waiting_for(reviewer), reviewer, now, order, specialist=specialist)
        found = (session.scalars(one.limit(1).with_for_update(skip_locked=True)).one_or_none() for one in waiting)
        case = next(filter(None, found), None)
    if case is None:
        return None
    if held:
        expires_at = max(expires_at, held.lease_expires_at or expires_at)
    else:
        case.leased_by = reviewer
        case.token += 1
    case.lease_expires_at = expires_at
    journal.move(case, Move.RENEWED if held else Move.LEASED)
    session.flush()
    return LeasedCase(case.to_case(), token=case.token, expires_at=expires_at, renewed=held is not None)


def leave_case(session: Session, case_id: int, token: int, move: Move, reason: str, journal: Journal) -> CaseRow:
    """Gives a leased case back undecided: skipped, or escalated to specialists. The reviewer does not get it again."""
    case = lock_case(session, case_id)
    _check_lease(case, journal.actor, token, journal.now)
    if move is Move.ESCALATED:
        case.escalated = True
    journal.move(case, move, {"reason": reason})
    return case


def record_decision(
    session: Session, case_id: int, submission: Submission, settings: QueueSettings, now: datetime
) -> DecisionRow:
    """Records a decision with all that follows from it, or finds the one that was recorded when it was sent before."""
    case = lock_case(session, case_id)
    recorded = _find_decision(session, case_id, submission)
    if recorded:
        return recorded
    _check_lease(case, submission.reviewer, submission.token, now)
    _check_spared(case, submission)
    decision = _add_decision(session, case, submission, now)
    journal = Journal(session, submission.reviewer, now)
    detail = {"verdict": submission.verdict, "decision_id": decision.decision_id}
    if submission.verdict is Verdict.UNSURE:
        journal.move(case, Move.RETURNED, detail, [decision])
    else:
        case.verdict, case.decided_at, case.judged = submission.verdict, now, True
        appeals = open_appeals(session, case_id)
        settle(session, appeals, decision)
        rows = apply_decision(session, case, decision, APPEAL if appeals else REVIEW, settings)
        journal.move(case, Move.DECIDED, detail, [decision, *appeals, *rows])
    session.flush()
    session.refresh(decision, ["actions"])
    return decision


def undo_decision(session: Session, case_id: int, reviewer: str, settings: QueueSettings, now: datetime) -> CaseRow:
    """Takes a reviewer's own decision back: the listings are as they were, the labels gone, the case open again.

    Raises:
        TransitionError: if the case is not decided.
        QueueError: if somebody else decided it, or it is too late.
    """
    case = lock_case(session, case_id)
    if case.state is not CaseState.DECIDED:
        raise TransitionError(case_id, case.state, Move.UNDONE)
    decision = latest_decision(session, case_id)
    if decision.decided_by != reviewer:
        raise QueueError(f"case {case_id} was decided by {decision.decided_by}, who alone can undo it; or reopen it")
    if now > decision.decided_at + settings.undo:
        raise QueueError(f"case {case_id} was decided more than {settings.undo} ago: reopen it instead")
    check_newest(session, case, Move.UNDONE)
    undoing = DecisionRow(
        case_id=case_id,
        verdict=Verdict.UNSURE,
        reason="taken back by the reviewer",
        decided_by=reviewer,
        automated=False,
        decided_at=now,
        snapshot_ids=decision.snapshot_ids,
        spared=[],
    )
    session.add(undoing)
    session.flush()
    reversed_rows = reverse_decision(session, decision, undoing, settings)
    rows = [undoing, *reversed_rows, *unsettle(session, decision), *withdraw_labels(session, case_id, now)]
    case.verdict = case.decided_at = None
    Journal(session, reviewer, now).move(case, Move.UNDONE, {"decision_id": decision.decision_id}, rows)
    return case


def reopen_case(session: Session, case_id: int, due_at: datetime, journal: Journal, reason: str) -> CaseRow:
    """Takes a decided case back into the queue; what was done to the listings stays until it is decided again."""
    case = lock_case(session, case_id)
    check_newest(session, case, Move.REOPENED)
    verdict = case.verdict
    case.verdict = case.decided_at = None
    case.due_at = due_at
    labels = withdraw_labels(session, case_id, journal.now)
    journal.move(case, Move.REOPENED, {"reason": reason, "verdict": verdict}, labels)
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


def check_newest(session: Session, case: CaseRow, move: Move) -> None:
    """Refuses a case of which a listing has a newer one.

    Raises:
        TransitionError: if there is one.
    """
    newest = max(find_newer(session, case).values(), default=None)
    if newest is not None:
        raise TransitionError(case.case_id, f"succeeded by case {newest} on newer content", move)


def _end_expired_leases(session: Session, now: datetime) -> None:
    expired = select(CaseRow).where(CaseRow.state == CaseState.LEASED, CaseRow.lease_expires_at <= now)
    journal = Journal(session, QUEUE, now)
    for case in session.scalars(expired.with_for_update(skip_locked=True)).all():
        journal.move(case, Move.EXPIRED, {"leased_by": case.leased_by})
    session.flush()


def _waiting_for(reviewer: str) -> Select[CaseRow]:
    """Open cases that this reviewer has not left to others, and of which no appeal is against their own decision."""
    left = exists().where(
        EventRow.case_id == CaseRow.case_id, EventRow.actor == reviewer, EventRow.move.in_(_LEFT_TO_OTHERS)
    )
    return select(CaseRow).where(CaseRow.state == CaseState.OPEN, ~left, ~took_part(reviewer))


def _add_decision(session: Session, case: CaseRow, submission: Submission, now: datetime) -> DecisionRow:
    decision = DecisionRow(
        case_id=case.case_id,
        token=submission.token,
        verdict=submission.verdict,
        reason=submission.reason,
        decided_by=submission.reviewer,
        automated=False,
        decided_at=now,
        snapshot_ids=[snapshot.snapshot_id for snapshot in present_snapshots(case)],
        spared=sorted(submission.spared),
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
    same = recorded and (recorded.reason, recorded.spared) == (submission.reason, sorted(submission.spared))
    return recorded if same else None


def _check_spared(case: CaseRow, submission: Submission) -> None:
    held = {snapshot.listing_key for snapshot in present_snapshots(case)}
    unknown = sorted(set(submission.spared) - held)
    if unknown:
        raise QueueError(f"case {case.case_id} holds no listing {unknown[0]!r} to spare")
    if submission.spared and submission.verdict is not Verdict.COUNTERFEIT:
        raise QueueError("only a verdict of counterfeit can spare listings")
    if held and held == set(submission.spared):
        raise QueueError("a verdict of counterfeit that spares every listing is one of genuine")


def _check_lease(case: CaseRow, reviewer: str, token: int, now: datetime) -> None:
    if case.state in {CaseState.DECIDED, CaseState.CLOSED}:
        state = f"decided as {case.verdict}" if case.verdict else case.state
        raise TransitionError(case.case_id, state, "decided again; reopen it first" if case.verdict else "decided")
    if case.leased_by is None or case.lease_expires_at is None:
        reason = "is not leased to anyone; its lease ended, or its listing changed meanwhile"
    elif case.leased_by != reviewer:
        reason = f"is leased to {case.leased_by}"
    elif case.token != token:
        reason = f"has been leased anew since token {token}"
    elif case.lease_expires_at <= now:
        reason = f"the lease expired at {case.lease_expires_at:%Y-%m-%d %H:%M:%S} UTC"
    else:
        return
    raise LeaseError(case.case_id, f"{reason}; take the next case")
