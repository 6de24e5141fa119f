"""Ends personal data when its subject asks for it; every hash chain stays whole.

In each event that tells of a row, the row's record gives way to its key and its hash; the row itself loses what is
personal, and an event of the same chain tells what is left of it. Work goes chain by chain, each in a transaction of
its own: whoever is interrupted starts again, and what is left to do is done. A listing's id stays, and so does what
people decided and why: it cannot tell whether a reviewer wrote a name into a reason. Nor does a hash hide what somebody
could guess word for word.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Engine, Select, func, inspect, select
from sqlalchemy.orm import Session

from counterfeit_risk.errors import QueueError, WorkError
from counterfeit_risk.takedown.audit import ERASED, Journal, Record, as_record, erase_record
from counterfeit_risk.takedown.case import listing_key
from counterfeit_risk.takedown.complaints.tables import AppealRow, Appellant, MessageRow, NoticeItemRow, NoticeRow
from counterfeit_risk.takedown.database import reading, take_numbers, writing
from counterfeit_risk.takedown.exchange.tables import BrandLabelRow
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.replay import primary_key
from counterfeit_risk.takedown.reviewing import lock_case
from counterfeit_risk.takedown.statements.tables import StatementRow
from counterfeit_risk.takedown.states import UNDECIDED, Lane, Move
from counterfeit_risk.takedown.tables import DESK, Base, CaseRow, EventRow, MemberRow, SnapshotRow

_PERSONAL: dict[type[Base], Record] = {
    SnapshotRow: {"title": "", "seller_id": None, "photo_paths": [], "photo_hashes": [], "image_root": None},
    StatementRow: {"seller_id": None, "seller_text": ""},
    AppealRow: {"grounds": ""},
    NoticeRow: {"notifier_name": "", "notifier_email": "", "explanation": ""},
    MessageRow: {"email": "", "text": ""},
    BrandLabelRow: {"note": ""},
}
"""What is personal in a row, and what it is once erased."""
_BY_NAME = {table.__tablename__: table for table in _PERSONAL}
_KEYS = {table: inspect(table).primary_key[0] for table in _PERSONAL}

_PAGE = 200
"""Events of the desk that are gone through at once: loads and notices wait meanwhile."""
_BATCH = 1000

REQUEST = "request"
"""Why something was erased: its subject asked for it, or a court."""

Name = tuple[str, Any]
"""A row's table and primary key."""
Choose = Callable[[Session, Sequence[Base]], Sequence[Base]]
"""Of rows that a chain tells of, those to erase."""


@dataclass(frozen=True, slots=True)
class Eraser:
    """Erases what one person has to, at one moment."""

    engine: Engine
    actor: str
    now: datetime
    why: str
    is_trial: bool = False
    """True if nothing is changed, and what would be erased is said only."""

    def erase_of_case(self, case_id: int, choose: Choose) -> list[Name]:
        """Erases rows that a case's chain tells of, and returns those that were whole until now."""
        return self._erase(case_id, _history(case_id), choose)

    def erase_of_desk(self, choose: Choose) -> Iterator[Name]:
        """Erases rows that the desk's chain tells of, a page at a time; yields those that were whole until now.

        `choose` is asked again for what was erased before: an older event may still tell of it.
        """
        with reading(self.engine) as session:
            last = session.scalar(select(func.max(EventRow.number)).where(EventRow.case_id == DESK)) or 0
        for first in range(1, last + 1, _PAGE):
            page = _history(DESK).where(EventRow.number.between(first, first + _PAGE - 1))
            yield from self._erase(DESK, page, choose)

    def _erase(self, case_id: int, history: Select[EventRow], choose: Choose) -> list[Name]:
        """Looks first, so that nobody waits where there is nothing to erase."""
        with reading(self.engine) as session:
            rows = choose(session, _rows_told(session, session.scalars(history).all()))
            if not rows or self.is_trial:
                return [_name(record) for record in map(as_record, rows) if not _is_erased(record)]
        with writing(self.engine) as session:
            case = None
            if case_id == DESK:
                take_numbers(session, "loads", 0)
            else:
                case = lock_case(session, case_id)
            events = session.scalars(history).all()
            rows = choose(session, _rows_told(session, events))
            _erase_records(events, {_name(as_record(row)) for row in rows})
            whole = [row for row in rows if not _is_erased(as_record(row))]
            _erase_rows(whole, self.now)
            journal = Journal(session, self.actor, self.now)
            if whole and case:
                journal.move(case, Move.ERASED, {"because": self.why}, whole)
            elif whole:
                journal.note(Move.ERASED, {"because": self.why}, whole)
            return [_name(as_record(row)) for row in whole]


def erase_notifier(eraser: Eraser, notifier_id: str) -> Iterator[Name]:
    """Erases who gave notices, what they wrote and what they were told; their id and the outcomes stay.

    Yields:
        What was erased.

    Raises:
        QueueError: if nobody with this id gave a notice.
        WorkError: if a message to them is told where it was not looked for.
    """
    of_theirs = NoticeRow.notifier_id == notifier_id
    # every case in which the listings were: that it was merged into another, too
    named = select(MemberRow.case_id).join(NoticeItemRow, NoticeItemRow.listing_key == MemberRow.listing_key)
    items = named.join(NoticeRow, NoticeRow.notice_id == NoticeItemRow.notice_id).distinct()
    messages = select(func.count(MessageRow.sequence)).join(NoticeRow, NoticeRow.notice_id == MessageRow.notice_id)
    with reading(eraser.engine) as session:
        if session.scalar(select(NoticeRow.notice_id).where(of_theirs).limit(1)) is None:
            raise QueueError(f"no notifier {notifier_id!r} gave a notice")
        cases = sorted(session.scalars(items.where(of_theirs)))
    choose = partial(_choose_of_notifier, notifier_id)
    yield from eraser.erase_of_desk(choose)  # first: what is sent from now on knows no name
    for case_id in cases:
        yield from eraser.erase_of_case(case_id, choose)
    with reading(eraser.engine) as session:
        left = session.scalar(messages.where(of_theirs, MessageRow.email != ""))
    if left and not eraser.is_trial:
        raise WorkError(
            f"{left} messages to notifier {notifier_id!r} are left: no history of their cases tells of them"
        )


def erase_seller(
    eraser: Eraser, seller_id: str, platform: str | None, settings: QueueSettings, *, is_ordered: bool = False
) -> Iterator[Name]:
    """Erases a seller's listings, and what the seller was told and wrote.

    Args:
        eraser: who erases, and when.
        seller_id: as the listings name it.
        platform: whose seller it is; None for listings that name none.
        settings: how long an appeal is open.
        is_ordered: whether a court or an authority said so: then even of cases under way.

    Yields:
        What was erased.

    Raises:
        QueueError: if nothing of the seller is held, or, unless it is ordered, a case of theirs is under way.
    """
    until = None if is_ordered else eraser.now - settings.appeal_window
    with reading(eraser.engine) as session:
        keys, cases = _find_seller(session, seller_id, platform)
        if not cases:
            raise QueueError(f"the queue holds nothing of seller {seller_id!r} of platform {platform!r}")
        _refuse_under_way(session, cases, until)
    for case_id in cases:

        def choose(session: Session, rows: Sequence[Base], case_id: int = case_id) -> Sequence[Base]:
            _refuse_under_way(session, [case_id], until)  # somebody may have appealed just now
            return [row for row in rows if _is_of_seller(row, seller_id, platform, keys)]

        yield from eraser.erase_of_case(case_id, choose)


def _choose_of_notifier(notifier_id: str, session: Session, rows: Sequence[Base]) -> Sequence[Base]:
    named = [row.notice_id for row in rows if isinstance(row, MessageRow) and row.notice_id]
    of_theirs = select(NoticeRow.notice_id).where(NoticeRow.notifier_id == notifier_id, NoticeRow.notice_id.in_(named))
    theirs = set(session.scalars(of_theirs))
    return [
        row
        for row in rows
        if (isinstance(row, NoticeRow) and row.notifier_id == notifier_id)
        or (isinstance(row, MessageRow) and row.notice_id in theirs)
    ]


def _find_seller(session: Session, seller_id: str, platform: str | None) -> tuple[set[str], list[int]]:
    """The keys of a seller's listings, and every case in which one was: that it was merged into another, too."""
    shown = select(SnapshotRow.listing_key).where(SnapshotRow.seller_id == seller_id)
    keys = set(session.scalars(shown.where(SnapshotRow.platform.is_not_distinct_from(platform))))
    told = select(StatementRow.listing_key, StatementRow.case_id).where(StatementRow.seller_id == seller_id)
    of_platform = listing_key(platform, "")
    statements = [(key, case_id) for key, case_id in session.execute(told) if key.startswith(of_platform)]
    cases = {case_id for _, case_id in statements}
    listings = sorted(keys)
    for start in range(0, len(listings), _BATCH):
        batch = listings[start : start + _BATCH]
        cases |= set(session.scalars(select(MemberRow.case_id).where(MemberRow.listing_key.in_(batch))))
    return keys | {key for key, _ in statements}, sorted(cases)


def _refuse_under_way(session: Session, cases: Sequence[int], until: datetime | None) -> None:
    """Refuses cases that are undecided, or were decided since then; none if that is None."""
    if until is None:
        return
    found = [session.get_one(CaseRow, case_id) for case_id in cases]
    under_way = [
        str(case.case_id)
        for case in found
        if case.lane is not Lane.KNOWN_ANSWER
        and (case.state in UNDECIDED or (case.decided_at is not None and case.decided_at >= until))
    ]
    if under_way:
        raise QueueError(
            f"cases {', '.join(under_way)} are undecided, or can still be appealed; "
            "only a court or an authority ends them (--force)"
        )


def _is_of_seller(row: Base, seller_id: str, platform: str | None, keys: set[str]) -> bool:
    if isinstance(row, SnapshotRow):
        return (row.seller_id, row.platform) == (seller_id, platform)
    if isinstance(row, StatementRow):
        return row.seller_id == seller_id and row.listing_key in keys
    return isinstance(row, AppealRow) and row.by is Appellant.SELLER and row.listing_key in keys


def _erase_records(events: Sequence[EventRow], names: set[Name]) -> None:
    """Takes what is personal of some rows out of the events that tell of them."""
    for event in events:
        if any(_is_personal(record) and _name(record) in names for record in event.rows):
            event.rows = [
                erase_record(record, primary_key(record["table"]))
                if _is_personal(record) and _name(record) in names
                else record
                for record in event.rows
            ]


def _erase_rows(rows: Sequence[Base], now: datetime) -> None:
    for row in rows:
        for column, value in _PERSONAL[type(row)].items():
            setattr(row, column, value)
        if isinstance(row, SnapshotRow | NoticeRow):
            row.erased_at = now


def _rows_told(session: Session, events: Sequence[EventRow]) -> list[Base]:
    """The rows of which events tell what is personal, as they are now."""
    told: dict[type[Base], dict[Any, None]] = defaultdict(dict)
    for record in (record for event in events for record in event.rows if _is_personal(record)):
        told[_BY_NAME[record["table"]]][_name(record)[1]] = None
    rows: list[Base] = []
    for table, of_table in told.items():
        keys = list(of_table)
        for start in range(0, len(keys), _BATCH):
            rows += session.scalars(select(table).where(_KEYS[table].in_(keys[start : start + _BATCH])))
    return rows


def _is_personal(record: Record) -> bool:
    return record["table"] in _BY_NAME and ERASED not in record and not _is_erased(record)


def _is_erased(record: Record) -> bool:
    """Whether a row, told in full, holds nothing personal: `erased_at` tells where there is one."""
    if "erased_at" in record:
        return record["erased_at"] is not None
    return all(record[column] == value for column, value in _PERSONAL[_BY_NAME[record["table"]]].items())


def _name(record: Record) -> Name:
    return record["table"], record[_KEYS[_BY_NAME[record["table"]]].name]


def _history(case_id: int) -> Select[EventRow]:
    return select(EventRow).where(EventRow.case_id == case_id).order_by(EventRow.number)
