"""Ends personal data that was kept long enough: of cases that ended, of notices, and photos that no kept case shows.

Knows how long from the settings; how a row is erased, from `erasure`. Cases whose answer is known are no listings on
sale and are left alone. A photo is removed only a day after it was last brought, since a load keeps its photos before
its cases open.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

import numpy as np
from sqlalchemy import ColumnElement, Engine, and_, exists, select
from sqlalchemy.orm import Session

from counterfeit_risk.takedown.complaints.tables import AppealRow, MessageRow, NoticeItemRow, NoticeRow
from counterfeit_risk.takedown.database import read_pages, reading
from counterfeit_risk.takedown.keeping.erasure import Eraser, Name
from counterfeit_risk.takedown.photo_archive import PhotoArchive
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.states import UNDECIDED, CaseState, Lane, Move
from counterfeit_risk.takedown.tables import Base, CasePhotoRow, CaseRow, EventRow, MemberRow, SnapshotRow

RETENTION = "retention"
"""Why something was erased: it was kept long enough."""

_LOADING = timedelta(days=1)
"""Longer than any load takes."""
_PAGE = 10_000


def erase_old(eraser: Eraser, settings: QueueSettings) -> Iterator[Name]:
    """Erases what was kept long enough, and nothing while an appeal can still come.

    Args:
        eraser: who erases, and when, because of `RETENTION`.
        settings: how long things are kept.

    Yields:
        What was erased.
    """
    before = eraser.now - max(settings.retention, settings.appeal_window)
    over = select(CaseRow).where(_is_over(before), ~_is_done())
    for case in read_pages(eraser.engine, over, CaseRow.case_id):
        yield from eraser.erase_of_case(case.case_id, partial(_choose_of_case, case.case_id, before))
    yield from eraser.erase_of_desk(partial(_choose_of_desk, before))


def remove_photos(engine: Engine, archive: PhotoArchive, names: Collection[Name], now: datetime, *, trial: bool) -> int:
    """Removes photos that nothing shows which is kept.

    Args:
        engine: the queue's database.
        archive: where the photos are.
        names: rows that count as erased already.
        now: the moment.
        trial: whether they are counted only.

    Returns:
        How many.
    """
    erased = {key for table, key in names if table == SnapshotRow.__tablename__}
    with reading(engine) as session:
        shown = np.fromiter((hash(key) for key in _shown_photos(session, erased)), np.int64)
    shown = np.unique(shown)  # 8 bytes each; two photos of one hash keep one photo too many, and lose none
    count = 0
    for key in archive.keys(kept_before=now - _LOADING):
        found = np.searchsorted(shown, hash(key))
        if found == len(shown) or shown[found] != hash(key):
            count += 1
            if not trial:
                archive.remove(key)
    return count


def _shown_photos(session: Session, erased: Collection[int]) -> Iterator[str]:
    whole = select(SnapshotRow.snapshot_id, SnapshotRow.photo_hashes).where(SnapshotRow.erased_at.is_(None))
    for snapshot_id, hashes in session.execute(whole.execution_options(yield_per=_PAGE)):
        if snapshot_id not in erased:
            yield from hashes
    members = select(MemberRow.case_id, MemberRow.snapshot_id).join(MemberRow.snapshot)
    held = members.where(SnapshotRow.erased_at.is_(None)).execution_options(yield_per=_PAGE)
    kept = {case_id for case_id, snapshot_id in session.execute(held) if snapshot_id not in erased}
    photos = select(CasePhotoRow.case_id, CasePhotoRow.photo_key).execution_options(yield_per=_PAGE)
    yield from (key for case_id, key in session.execute(photos) if case_id in kept)


def _is_over(before: datetime) -> ColumnElement[bool]:
    """Whether a case ended before then, and nobody disagrees."""
    later = exists().where(EventRow.case_id == CaseRow.case_id, EventRow.move != Move.ERASED, EventRow.at >= before)
    disagreed = exists().where(AppealRow.case_id == CaseRow.case_id, AppealRow.outcome.is_(None))
    return and_(CaseRow.state.not_in(UNDECIDED), CaseRow.lane != Lane.KNOWN_ANSWER, ~later, ~disagreed)


def _is_done() -> ColumnElement[bool]:
    """Whether nothing happened to a case since it was erased here."""
    return exists().where(
        EventRow.case_id == CaseRow.case_id,
        EventRow.number == CaseRow.event_count,
        EventRow.move == Move.ERASED,
        EventRow.detail["because"].as_string() == RETENTION,
    )


def _choose_of_case(case_id: int, before: datetime, session: Session, rows: Sequence[Base]) -> Sequence[Base]:
    """All of it, if the case is over, and the one that it was merged into, which shows its listings."""
    standing = {case_id, _follow_merges(session, case_id)}
    over = session.scalars(select(CaseRow.case_id).where(CaseRow.case_id.in_(standing), _is_over(before)))
    return rows if set(over) == standing else ()


def _choose_of_desk(before: datetime, session: Session, rows: Sequence[Base]) -> Sequence[Base]:
    """Notices that came in before then and of which every case is over, and what was told of them."""
    notice_ids = {row.notice_id for row in rows if isinstance(row, NoticeRow | MessageRow)} - {None}
    items = select(NoticeItemRow.notice_id, NoticeItemRow.case_id).where(NoticeItemRow.notice_id.in_(notice_ids))
    kept = {notice_id for notice_id, case_id in session.execute(items).all() if _is_kept(session, case_id, before)}
    received = select(NoticeRow.notice_id).where(NoticeRow.notice_id.in_(notice_ids), NoticeRow.received_at < before)
    due = set(session.scalars(received)) - kept
    return [
        row
        for row in rows
        if (isinstance(row, NoticeRow | MessageRow) and row.notice_id in due)
        or (isinstance(row, MessageRow) and row.notice_id is None and row.created_at < before)
    ]


def _is_kept(session: Session, case_id: int | None, before: datetime) -> bool:
    """Whether a notice's case is not over: somebody may still disagree, and be answered."""
    if case_id is None:
        return False
    over = select(CaseRow.case_id).where(CaseRow.case_id == _follow_merges(session, case_id), _is_over(before))
    return session.scalar(over) is None


def _follow_merges(session: Session, case_id: int) -> int:
    """The case that holds a case's listings now."""
    while session.get_one(CaseRow, case_id).state is CaseState.CLOSED:
        merged = select(EventRow.detail).where(EventRow.case_id == case_id, EventRow.move == Move.MERGED)
        detail = session.scalars(merged).one_or_none()
        if detail is None:
            break
        case_id = detail["into"]
    return case_id
