"""What follows from a person's decision, in its transaction: actions, labels, answers to notices; and its undoing.

Knows no lease and no order of work.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfeit_risk.listings.listing import Label
from counterfeit_risk.takedown.actions import draft_consequences, draft_reversals, issue_actions
from counterfeit_risk.takedown.complaints.messages import decision_message
from counterfeit_risk.takedown.complaints.tables import ItemResult, MessageRow, NoticeItemRow, NoticeRow
from counterfeit_risk.takedown.database import take_numbers
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.statements.reasons import Measure, state_reasons
from counterfeit_risk.takedown.statements.tables import StatementRow
from counterfeit_risk.takedown.states import Lane, Verdict
from counterfeit_risk.takedown.tables import ActionRow, Base, CaseRow, DecisionRow, EventRow, LabelRow, SnapshotRow

REVIEW = "review"
APPEAL = "appeal"

_LABELS = {Verdict.COUNTERFEIT: Label.COUNTERFEIT, Verdict.GENUINE: Label.GENUINE}


def present_snapshots(case: CaseRow) -> list[SnapshotRow]:
    """The newest snapshot of each of a case's listings that is still offered, by listing."""
    return [member.snapshot for member in case.members if member.present]


def latest_decision(session: Session, case_id: int) -> DecisionRow:
    """What a person last said of a decided case."""
    said = select(DecisionRow).where(DecisionRow.case_id == case_id, ~DecisionRow.automated)
    return session.scalars(said.order_by(DecisionRow.decision_id.desc()).limit(1)).one()


def verdict_on(session: Session, decision: DecisionRow, listing_key: str) -> Verdict | None:
    """What a decision says of one listing; None where it was none of those decided on."""
    of_listing = select(SnapshotRow.snapshot_id).where(SnapshotRow.listing_key == listing_key)
    if not set(session.scalars(of_listing)) & set(decision.snapshot_ids):
        return None
    return Verdict.GENUINE if listing_key in decision.spared else decision.verdict


def apply_decision(
    session: Session, case: CaseRow, decision: DecisionRow, source: str, settings: QueueSettings
) -> Sequence[Base]:
    """Does what a verdict of counterfeit or genuine leads to, and returns the rows that say so.

    From a case whose answer is known nothing follows: it is no listing that is on sale.

    Raises:
        StatementError: if the reasons for a restriction cannot be stated.
    """
    if case.lane is Lane.KNOWN_ANSWER:
        return ()
    verdicts = [
        (one, Verdict.GENUINE if one.listing_key in decision.spared else decision.verdict)
        for one in present_snapshots(case)
    ]
    actions = draft_consequences(session, decision, verdicts)
    issue_actions(session, actions)
    statements = _state_reasons(session, actions, [snapshot for snapshot, _ in verdicts], settings)
    labels = [
        LabelRow(
            listing_key=snapshot.listing_key,
            snapshot_id=snapshot.snapshot_id,
            decision_id=decision.decision_id,
            label=_LABELS[verdict],
            source=source,
            known_at=decision.decided_at,
            inclusion_probability=case.inclusion_probability,
        )
        for snapshot, verdict in verdicts
    ]
    session.add_all(labels)
    answers = _answer_notices(
        session, case, {one.listing_key: verdict for one, verdict in verdicts}, decision.decided_at
    )
    session.flush()
    return [*actions, *statements, *labels, *answers]


def withdraw_labels(session: Session, case_id: int, now: datetime) -> list[LabelRow]:
    """Takes a case's labels back: nobody learns from a decision that no longer stands."""
    of_case = select(DecisionRow.decision_id).where(DecisionRow.case_id == case_id)
    standing = select(LabelRow).where(LabelRow.decision_id.in_(of_case), LabelRow.withdrawn_at.is_(None))
    labels = list(session.scalars(standing))
    for label in labels:
        label.withdrawn_at = now
    return labels


def reverse_decision(
    session: Session, decision: DecisionRow, undoing: DecisionRow, settings: QueueSettings
) -> Sequence[Base]:
    """Gives the listings of a decision the status back that they had, and notices the result that they had.

    Returns:
        The rows that say so.
    """
    actions = draft_reversals(session, decision, undoing)
    issue_actions(session, actions)
    snapshots = [session.get_one(SnapshotRow, snapshot_id) for snapshot_id in decision.snapshot_ids]
    statements = _state_reasons(session, actions, snapshots, settings)
    items = list(session.scalars(select(NoticeItemRow).where(NoticeItemRow.case_id == decision.case_id)))
    before = _results_before(session, decision)
    for item in items:
        result, decided_at = before.get((item.notice_id, item.number), (None, None))
        item.result = ItemResult(result) if result else None
        item.decided_at = datetime.fromisoformat(decided_at) if decided_at else None
    session.flush()
    return [*actions, *statements, *items]


def _results_before(session: Session, decision: DecisionRow) -> dict[tuple[str, int], tuple[str | None, str | None]]:
    """Of each notice's item what people had found, and when, until a decision: as its case's events tell."""
    told: dict[tuple[str, int], tuple[str | None, str | None]] = {}
    history = select(EventRow).where(EventRow.case_id == decision.case_id).order_by(EventRow.number)
    for event in session.scalars(history):
        if event.detail.get("decision_id") == decision.decision_id:
            break
        for row in event.rows:
            if row["table"] == NoticeItemRow.__tablename__:
                told[row["notice_id"], row["number"]] = row["result"], row["decided_at"]
    return told


def send(session: Session, email: str, text: str, notice_id: str | None, now: datetime) -> MessageRow:
    """Puts a message into the outbox."""
    sequence = take_numbers(session, "messages")
    message = MessageRow(sequence=sequence, email=email, text=text, notice_id=notice_id, created_at=now)
    session.add(message)
    return message


def _state_reasons(
    session: Session, actions: Sequence[ActionRow], snapshots: Sequence[SnapshotRow], settings: QueueSettings
) -> list[StatementRow]:
    by_key = {snapshot.listing_key: snapshot for snapshot in snapshots}
    measures = [Measure(action, by_key[action.listing_key], len(by_key)) for action in actions]
    return state_reasons(session, measures, settings)


def _answer_notices(session: Session, case: CaseRow, verdicts: Mapping[str, Verdict], now: datetime) -> list[Base]:
    """Says of each notice what people found, and tells who gave it; returns the rows that say so."""
    items = session.scalars(select(NoticeItemRow).where(NoticeItemRow.case_id == case.case_id)).all()
    answered = [item for item in items if item.listing_key in verdicts]
    for item in answered:
        found = verdicts[item.listing_key] is Verdict.COUNTERFEIT
        was_upheld = item.result in {ItemResult.UPHELD, ItemResult.OVERTURNED}
        item.result = ItemResult.UPHELD if found else ItemResult.OVERTURNED if was_upheld else ItemResult.REJECTED
        item.decided_at = now
    messages = []
    for notice_id in sorted({item.notice_id for item in answered}):
        notice = session.get_one(NoticeRow, notice_id)
        if notice.erased_at:
            continue  # nobody is known any longer whom to tell
        found_of = [
            (item.listing_id, item.platform, item.result is ItemResult.UPHELD)
            for item in answered
            if item.notice_id == notice_id
        ]
        text = decision_message(notice.notifier_name, notice_id, found_of)
        messages.append(send(session, notice.notifier_email, text, notice_id, now))
    return [*answered, *messages]
