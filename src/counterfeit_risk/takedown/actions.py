"""The append-only instructions to the platform, and what they make of a listing.

Knows from `states` which verdict leads to which action, and nothing of queues and leases.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfeit_risk.takedown.database import take_numbers
from counterfeit_risk.takedown.states import CONSEQUENCES, STATUS_AFTER, ActionKind, ListingStatus
from counterfeit_risk.takedown.tables import ActionRow, DecisionRow


def listing_statuses(session: Session, listing_ids: Collection[str]) -> dict[str, ListingStatus]:
    """What the actions so far made of each listing; one that is not in the answer had none and is visible."""
    rows = session.execute(
        select(ActionRow.listing_id, ActionRow.kind)
        .where(ActionRow.listing_id.in_(listing_ids))
        .order_by(ActionRow.sequence)
    )
    return {row.listing_id: STATUS_AFTER[row.kind] for row in rows}


def draft_action(kind: ActionKind, decision: DecisionRow) -> ActionRow:
    """An action that is not issued yet; the decision must have its id."""
    return ActionRow(
        kind=kind,
        listing_id=decision.case.listing_id,
        platform=decision.case.platform,
        case_id=decision.case_id,
        decision_id=decision.decision_id,
        reason=decision.reason,
        created_at=decision.decided_at,
    )


def issue_actions(session: Session, drafts: Sequence[ActionRow]) -> None:
    """Gives actions their sequence numbers and adds them.

    Until the transaction ends nobody else can issue any, so long work drafts first and issues last.
    """
    first = take_numbers(session, "actions", len(drafts))
    for sequence, draft in enumerate(drafts, first):
        draft.sequence = sequence
    session.add_all(drafts)


def issue_consequence(session: Session, decision: DecisionRow) -> None:
    """Issues what a person's decision leads to, if anything has to change."""
    listing_id = decision.case.listing_id
    status = listing_statuses(session, [listing_id]).get(listing_id, ListingStatus.VISIBLE)
    kind = CONSEQUENCES.get((status, decision.verdict))
    if kind:
        issue_actions(session, [draft_action(kind, decision)])
