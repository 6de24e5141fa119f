"""The append-only instructions to the platform, and what they make of a listing.

Knows from `states` which verdict leads to which action, and nothing of queues and leases.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfeit_risk.takedown.database import take_numbers
from counterfeit_risk.takedown.states import BACK_TO, CONSEQUENCES, STATUS_AFTER, ActionKind, ListingStatus, Verdict
from counterfeit_risk.takedown.tables import ActionRow, DecisionRow, SnapshotRow


def listing_statuses(session: Session, listing_keys: Collection[str]) -> dict[str, ListingStatus]:
    """What the actions so far made of each listing; one that is not in the answer had none and is visible."""
    rows = session.execute(
        select(ActionRow.listing_key, ActionRow.kind)
        .where(ActionRow.listing_key.in_(listing_keys))
        .order_by(ActionRow.sequence)
    )
    return {row.listing_key: STATUS_AFTER[row.kind] for row in rows}


def draft_action(kind: ActionKind, decision: DecisionRow, listing: SnapshotRow | ActionRow) -> ActionRow:
    """An action on a listing that is not issued yet; the decision must have its id."""
    return ActionRow(
        kind=kind,
        listing_key=listing.listing_key,
        listing_id=listing.listing_id,
        platform=listing.platform,
        case_id=decision.case_id,
        decision_id=decision.decision_id,
        reason=decision.reason,
        created_at=decision.decided_at,
    )


def issue_actions(session: Session, drafts: Sequence[ActionRow]) -> None:
    """Gives actions their sequence numbers and adds them.

    Until the transaction ends nobody else can issue any, so long work drafts first and issues last.
    """
    if not drafts:
        return
    first = take_numbers(session, "actions", len(drafts))
    for sequence, draft in enumerate(drafts, first):
        draft.sequence = sequence
    session.add_all(drafts)


def draft_consequences(
    session: Session, decision: DecisionRow, verdicts: Sequence[tuple[SnapshotRow, Verdict]]
) -> list[ActionRow]:
    """What a person's decision leads to, for each listing to which something has to be done."""
    statuses = listing_statuses(session, [snapshot.listing_key for snapshot, _ in verdicts])
    drafts = []
    for snapshot, verdict in verdicts:
        kind = CONSEQUENCES.get((statuses.get(snapshot.listing_key, ListingStatus.VISIBLE), verdict))
        if kind:
            drafts.append(draft_action(kind, decision, snapshot))
    return drafts


def draft_reversals(session: Session, decision: DecisionRow, undoing: DecisionRow) -> list[ActionRow]:
    """What gives each listing the status back that it had before a decision."""
    done = {action.listing_key: action for action in decision.actions}
    earlier = session.scalars(select(ActionRow).where(ActionRow.listing_key.in_(done)).order_by(ActionRow.sequence))
    before = dict.fromkeys(done, ListingStatus.VISIBLE)
    for action in earlier:
        if action.sequence < done[action.listing_key].sequence:
            before[action.listing_key] = STATUS_AFTER[action.kind]
    return [draft_action(BACK_TO[before[key]], undoing, action) for key, action in done.items()]
