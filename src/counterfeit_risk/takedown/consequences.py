"""What follows from a person's decision, in its transaction: actions and labels; and how all of it is taken back.

Knows no lease and no order of work.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfeit_risk.listings.listing import Label
from counterfeit_risk.takedown.actions import draft_consequences, draft_reversals, issue_actions
from counterfeit_risk.takedown.states import Lane, Verdict
from counterfeit_risk.takedown.tables import Base, CaseRow, DecisionRow, LabelRow, SnapshotRow

REVIEW = "review"
APPEAL = "appeal"

_LABELS = {Verdict.COUNTERFEIT: Label.COUNTERFEIT, Verdict.GENUINE: Label.GENUINE}


def present_snapshots(case: CaseRow) -> list[SnapshotRow]:
    """The newest snapshot of each of a case's listings that is still offered, by listing."""
    return [member.snapshot for member in case.members if member.present]


def apply_decision(session: Session, case: CaseRow, decision: DecisionRow, source: str) -> Sequence[Base]:
    """Does what a verdict of counterfeit or genuine leads to, and returns the rows that say so.

    From a case whose answer is known nothing follows: it is no listing that is on sale.
    """
    if case.lane is Lane.KNOWN_ANSWER:
        return ()
    verdicts = [
        (one, Verdict.GENUINE if one.listing_key in decision.spared else decision.verdict)
        for one in present_snapshots(case)
    ]
    actions = draft_consequences(session, decision, verdicts)
    issue_actions(session, actions)
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
    session.flush()
    return [*actions, *labels]


def withdraw_labels(session: Session, case_id: int, now: datetime) -> list[LabelRow]:
    """Takes a case's labels back: nobody learns from a decision that no longer stands."""
    of_case = select(DecisionRow.decision_id).where(DecisionRow.case_id == case_id)
    standing = select(LabelRow).where(LabelRow.decision_id.in_(of_case), LabelRow.withdrawn_at.is_(None))
    labels = list(session.scalars(standing))
    for label in labels:
        label.withdrawn_at = now
    return labels


def reverse_actions(session: Session, decision: DecisionRow, undoing: DecisionRow) -> Sequence[Base]:
    """Gives the listings of a decision the status back that they had, and returns the rows that say so."""
    actions = draft_reversals(session, decision, undoing)
    issue_actions(session, actions)
    session.flush()
    return actions
