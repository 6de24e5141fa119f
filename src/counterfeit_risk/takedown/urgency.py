"""The order of work: the one place that says which case comes first.

1. Overdue cases, the earliest due time first: a promise that is broken already is not broken further.
2. All others by expected harm, the highest first. Harm is the risk alone for now; how often a listing is seen, and
   what its goods can do to people, would be factors here.

Equals come in the order in which they were opened. Knows no reviewer and no lease.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, Select

from counterfeit_risk.takedown.tables import CaseRow


def is_overdue(now: datetime) -> ColumnElement[bool]:
    """Whether a case's due time has come."""
    return CaseRow.due_at <= now


def by_urgency(cases: Select[CaseRow], now: datetime) -> tuple[Select[CaseRow], Select[CaseRow]]:
    """Two selections to be read one after the other: the overdue cases, then all by harm.

    The second gives the overdue cases again, which the reader has seen by then. Left so, each is read along an index of
    its own, in no time at any length; one ordering over both would sort the whole queue for every reviewer.
    """
    return (
        cases.where(is_overdue(now)).order_by(CaseRow.due_at, CaseRow.case_id),
        cases.order_by(CaseRow.risk.desc(), CaseRow.case_id),
    )
