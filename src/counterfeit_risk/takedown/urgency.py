"""The order of work: the one place that says which case comes first.

1. What is due soon, or overdue, the earliest first: a promise is kept while it can be, and not broken further.
2. Now and then a random case that passed, or one whose answer is known; their shares are settings.
3. All others by the harm that a reviewer's minute is expected to prevent, the highest first.

Specialists get the escalated cases before all others, and nobody else gets those. Equals come in the order in which
they were opened. Knows no lease.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, Select

from counterfeit_risk.takedown.policy import Order, OrderKind
from counterfeit_risk.takedown.states import Lane
from counterfeit_risk.takedown.tables import CaseRow


def is_overdue(now: datetime) -> ColumnElement[bool]:
    """Whether a case's due time has come."""
    return CaseRow.due_at <= now


def by_urgency(cases: Select[CaseRow], now: datetime, order: Order) -> tuple[Select[CaseRow], Select[CaseRow]]:
    """Two selections to be read one after the other: the cases that are due soon, then all by harm.

    The second gives those of the first again, which the reader has seen by then. Left so, each is read along an index
    of its own, in no time at any length; one ordering over both would sort the whole queue for every reviewer.
    """
    return (
        cases.where(is_overdue(now + order.due_soon)).order_by(CaseRow.due_at, CaseRow.case_id),
        cases.order_by(CaseRow.harm.desc(), CaseRow.case_id),
    )


def offers(
    cases: Select[CaseRow], reviewer: str, now: datetime, order: Order, *, specialist: bool
) -> Iterator[Select[CaseRow]]:
    """Selections to be tried one after the other: the first case that any of them gives is the reviewer's next."""
    if specialist:
        yield cases.where(CaseRow.escalated).order_by(CaseRow.due_at, CaseRow.case_id)
    usual = cases.where(~CaseRow.escalated)
    if order.by is OrderKind.OLDEST:
        yield usual.order_by(CaseRow.opened_at, CaseRow.case_id)
        return
    if order.by is OrderKind.RISK:
        yield usual.order_by(CaseRow.risk.desc(), CaseRow.case_id)
        return
    due_soon, by_harm = by_urgency(usual, now, order)
    yield due_soon
    lane = _drawn_lane(reviewer, now, order)
    if lane:
        yield usual.where(CaseRow.lane == lane).order_by(CaseRow.case_id)
    yield by_harm


def _drawn_lane(reviewer: str, now: datetime, order: Order) -> Lane | None:
    """A lane drawn in its share: nobody can tell beforehand when, and asking at the same moment gives the same."""
    drawn = int.from_bytes(hashlib.blake2b(f"{reviewer} {now.isoformat()}".encode(), digest_size=8).digest()) / 2**64
    if drawn < order.audit_share:
        return Lane.AUDIT
    return Lane.KNOWN_ANSWER if drawn < order.audit_share + order.known_answer_share else None
