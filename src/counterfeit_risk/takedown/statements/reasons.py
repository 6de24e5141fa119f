"""A statement of reasons for every restriction, in the transaction that restricts: none is imposed without one.

Every field is derived from what the queue holds of the listing, its case and the notices that name it. Knows no file.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.takedown.complaints.notice import NotifierKind
from counterfeit_risk.takedown.complaints.tables import NoticeItemRow, NoticeRow
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.schema import IDENTITY
from counterfeit_risk.takedown.statements.batches import StatementError
from counterfeit_risk.takedown.statements.rules import find_problems
from counterfeit_risk.takedown.statements.statement import (
    Restriction,
    StatementSource,
    draft_statement,
    seller_notice,
)
from counterfeit_risk.takedown.statements.tables import StatementRow
from counterfeit_risk.takedown.states import ActionKind
from counterfeit_risk.takedown.tables import ActionRow, QueueNumber, SnapshotRow

_BATCH = 500
_RESTRICTING = frozenset({ActionKind.HIDE, ActionKind.TAKE_DOWN})
_SOURCES = {
    NotifierKind.TRUSTED_FLAGGER: StatementSource.TRUSTED_FLAGGER,
    NotifierKind.AUTHORITY: StatementSource.OTHER_NOTIFICATION,
}
"""Of notices; all others are ordinary ones."""


@dataclass(frozen=True, slots=True)
class Measure:
    """An action that was issued, and what it is about."""

    action: ActionRow
    snapshot: SnapshotRow
    listings: int
    """Of the case."""


def state_reasons(session: Session, measures: Sequence[Measure], settings: QueueSettings) -> list[StatementRow]:
    """Adds a statement for each action that restricts a listing, and returns them in the order of the actions.

    Policy alone hides and people alone take down, so the kind of action tells who decided.

    Raises:
        StatementError: if the database would refuse one.
    """
    restricting = [one for one in measures if one.action.kind in _RESTRICTING]
    queue_id = session.get_one(QueueNumber, IDENTITY).value if restricting else 0
    statements = []
    for start in range(0, len(restricting), _BATCH):
        batch = restricting[start : start + _BATCH]
        notices = _first_notices(session, [one.action for one in batch])
        places = ((one, (one.action.case_id, one.action.listing_key)) for one in batch)
        statements += [_state(queue_id, one, notices.get(place), settings) for one, place in places]
    session.add_all(statements)
    return statements


def _state(queue_id: int, measure: Measure, notice: NoticeRow | None, settings: QueueSettings) -> StatementRow:
    restriction = _restriction(queue_id, measure, notice)
    payload = draft_statement(restriction, settings.statements)
    if problems := find_problems(payload):
        raise StatementError(restriction.puid, problems)
    return StatementRow(
        sequence=measure.action.sequence,
        puid=restriction.puid,
        case_id=measure.action.case_id,
        listing_key=measure.action.listing_key,
        seller_id=measure.snapshot.seller_id,
        payload=payload,
        seller_text=seller_notice(restriction, settings.statements, settings.appeal_window),
        created_at=measure.action.created_at,
    )


def _restriction(queue_id: int, measure: Measure, notice: NoticeRow | None) -> Restriction:
    action, snapshot = measure.action, measure.snapshot
    return Restriction(
        queue_id=queue_id,
        decision_id=action.decision_id,
        listing_key=action.listing_key,
        platform=snapshot.platform,
        brand=snapshot.brand,
        category=snapshot.category,
        kind=action.kind,
        automated=action.kind is ActionKind.HIDE,
        flagged_by_model=snapshot.band is not Band.PASS,
        source=_SOURCES.get(notice.notifier_kind, StatementSource.NOTICE) if notice else StatementSource.OWN_INITIATIVE,
        notifier=notice.notifier_name if notice and notice.notifier_is_organisation else None,
        language=snapshot.language,
        listed_on=snapshot.created_at.astimezone(UTC).date() if snapshot.created_at else None,
        applied_at=action.created_at,
        mark=notice.mark_number if notice else None,
        listings=measure.listings,
    )


def _first_notices(session: Session, actions: Collection[ActionRow]) -> dict[tuple[int, str], NoticeRow]:
    """By case and listing, the first notice because of which people see it there."""
    rows = session.execute(
        select(NoticeItemRow.case_id, NoticeItemRow.listing_key, NoticeRow)
        .join(NoticeRow, NoticeRow.notice_id == NoticeItemRow.notice_id)
        .where(NoticeItemRow.listing_key.in_({action.listing_key for action in actions}))
        .where(NoticeItemRow.case_id.in_({action.case_id for action in actions}))
        .order_by(NoticeRow.received_at.desc(), NoticeRow.notice_id)
    )
    return {(row[0] or 0, row[1]): row[2] for row in rows}
