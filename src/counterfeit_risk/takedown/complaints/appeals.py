"""Appeals: a seller or a notifier disagrees with a decision, and somebody who had no part in it decides again.

Knows no lease: an appealed case waits in the queue like any other, and not for those who decided it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from counterfeit_risk.errors import QueueError, TransitionError
from counterfeit_risk.takedown.audit import Journal
from counterfeit_risk.takedown.complaints.tables import AppealOutcome, AppealRow, Appellant
from counterfeit_risk.takedown.consequences import latest_decision, verdict_on, withdraw_labels
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.states import CaseState, Lane, Move, Verdict
from counterfeit_risk.takedown.tables import CaseRow, DecisionRow, EventRow, MemberRow

_DISAGREES_WITH = {Appellant.SELLER: Verdict.COUNTERFEIT, Appellant.NOTIFIER: Verdict.GENUINE}


@dataclass(frozen=True, slots=True)
class Appeal:
    """An appeal as it is filed."""

    listing_key: str
    by: Appellant
    grounds: str


def file_appeal(
    session: Session, case: CaseRow, appeal: Appeal, settings: QueueSettings, journal: Journal
) -> AppealRow:
    """Takes a decided case back into the queue because somebody disagrees; the listings stay as they are meanwhile.

    Raises:
        TransitionError: if the case is not decided.
        QueueError: if it is too late, was done before, or the decision on the listing is none to disagree with.
    """
    if case.state is not CaseState.DECIDED:
        raise TransitionError(case.case_id, case.state, Move.APPEALED)
    decision = latest_decision(session, case.case_id)
    verdict = verdict_on(session, decision, appeal.listing_key)
    if case.lane is Lane.KNOWN_ANSWER:  # nothing followed from it, and nobody outside knows of it
        verdict = None
    if verdict is not _DISAGREES_WITH[appeal.by]:
        said = f"was found {verdict}" if verdict else "was not decided on"
        raise QueueError(
            f"listing {appeal.listing_key!r} {said} in case {case.case_id}: no {appeal.by} can appeal that"
        )
    if journal.now > decision.decided_at + settings.appeal_window:
        raise QueueError(f"case {case.case_id} was decided more than {settings.appeal_window.days} days ago")
    before = select(AppealRow).where(
        AppealRow.case_id == case.case_id, AppealRow.listing_key == appeal.listing_key, AppealRow.by == appeal.by
    )
    stands = AppealRow.outcome.is_(None) | (AppealRow.outcome == AppealOutcome.UPHELD)
    if session.scalars(before.where(stands).limit(1)).one_or_none():
        raise QueueError(f"the {appeal.by} has appealed case {case.case_id} before; a court or a dispute body is next")
    left = _leave_newer(session, case, appeal)
    row = AppealRow(
        case_id=case.case_id,
        decision_id=decision.decision_id,
        listing_key=appeal.listing_key,
        by=appeal.by,
        grounds=appeal.grounds,
        filed_at=journal.now,
    )
    session.add(row)
    session.flush()
    case.verdict = case.decided_at = None
    case.due_at = journal.now + settings.due_times.appeal
    labels = withdraw_labels(session, case.case_id, journal.now)
    journal.move(case, Move.APPEALED, {"by": appeal.by, "listing": appeal.listing_key}, [row, *left, *labels])
    return row


def find_newer(session: Session, case: CaseRow) -> dict[str, int]:
    """Of a case's listings those that a newer case is about, and the newest such case of each."""
    keys = [member.listing_key for member in case.members]
    newer = (
        select(MemberRow.listing_key, func.max(MemberRow.case_id))
        .join(CaseRow, CaseRow.case_id == MemberRow.case_id)
        .where(MemberRow.listing_key.in_(keys), MemberRow.case_id > case.case_id)
        .where(CaseRow.state != CaseState.CLOSED, CaseRow.lane != Lane.KNOWN_ANSWER)
        .group_by(MemberRow.listing_key)
    )
    return {row[0]: row[1] for row in session.execute(newer)}


def _leave_newer(session: Session, case: CaseRow, appeal: Appeal) -> list[MemberRow]:
    """Takes listings out of a case that a newer one is about, and returns the rows that say so.

    So one seller's edit does not stand in the way of another's appeal.
    """
    newer = find_newer(session, case)
    if appeal.listing_key in newer:
        newest = newer[appeal.listing_key]
        raise TransitionError(case.case_id, f"succeeded by case {newest} on newer content", Move.APPEALED)
    left = [member for member in case.members if member.listing_key in newer]
    for member in left:
        member.present = False
    return left


def open_appeals(session: Session, case_id: int) -> list[AppealRow]:
    """Appeals of a case on which nobody has decided yet."""
    return list(session.scalars(select(AppealRow).where(AppealRow.case_id == case_id, AppealRow.outcome.is_(None))))


def took_part(reviewer: str) -> ColumnElement[bool]:
    """Whether a case is under appeal, and this reviewer decided on it before, and did not take that back."""
    theirs = (DecisionRow.case_id == CaseRow.case_id) | (DecisionRow.decision_id == AppealRow.decision_id)
    taken_back = exists().where(
        EventRow.case_id == DecisionRow.case_id,
        EventRow.move == Move.UNDONE,
        EventRow.detail["decision_id"].as_integer() == DecisionRow.decision_id,
    )
    return exists().where(
        AppealRow.case_id == CaseRow.case_id,
        AppealRow.outcome.is_(None),
        theirs,
        ~DecisionRow.automated,
        DecisionRow.verdict != Verdict.UNSURE,
        DecisionRow.decided_by == reviewer,
        ~taken_back,
    )


def settle(session: Session, appeals: list[AppealRow], decision: DecisionRow) -> None:
    """Says of each appeal whether the new decision overturned the one that it is against."""
    for appeal in appeals:
        before = verdict_on(session, session.get_one(DecisionRow, appeal.decision_id), appeal.listing_key)
        now = verdict_on(session, decision, appeal.listing_key)
        appeal.outcome = AppealOutcome.UPHELD if now in {before, None} else AppealOutcome.OVERTURNED
        appeal.decided_at = decision.decided_at


def unsettle(session: Session, decision: DecisionRow) -> list[AppealRow]:
    """Makes the appeals on which a decision was taken open again, as it is taken back."""
    settled = select(AppealRow).where(
        AppealRow.case_id == decision.case_id, AppealRow.decided_at == decision.decided_at
    )
    appeals = list(session.scalars(settled))
    for appeal in appeals:
        appeal.outcome = appeal.decided_at = None
    return appeals


def close_appeals(session: Session, case_id: int, now: datetime) -> list[AppealRow]:
    """Ends what is open of a case's appeals, as there is nothing left to decide on."""
    appeals = open_appeals(session, case_id)
    for appeal in appeals:
        appeal.outcome, appeal.decided_at = AppealOutcome.MOOT, now
    return appeals
