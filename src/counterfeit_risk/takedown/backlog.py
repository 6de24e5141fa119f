"""What a night does to cases beyond its scores: listings that are gone, due times to move, a night taken back.

Knows no score and no reviewer.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing, RejectedRow
from counterfeit_risk.takedown.actions import draft_action, issue_actions, listing_statuses
from counterfeit_risk.takedown.audit import Detail, Journal
from counterfeit_risk.takedown.case import listing_key
from counterfeit_risk.takedown.complaints.appeals import close_appeals
from counterfeit_risk.takedown.states import UNDECIDED, ActionKind, CaseState, Lane, ListingStatus, Move, Verdict
from counterfeit_risk.takedown.tables import Base, CaseRow, DecisionRow, MemberRow

_DAY = timedelta(days=1)
_BATCH = 500
_IS_PROMISED = CaseRow.judged | (CaseRow.lane == Lane.NOTICE)
"""Somebody waits for people's answer: they complained, or disagree with a decision."""


class OfferedListings:
    """Follows a whole dump to learn which listings of undecided cases it no longer has.

    Only platforms that the dump holds listings of can have lost one. A row that cannot be read counts as offered.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        undecided = select(MemberRow.listing_key).join(CaseRow, CaseRow.case_id == MemberRow.case_id)
        wanted = undecided.where(MemberRow.present, CaseRow.state.in_(UNDECIDED), CaseRow.lane != Lane.KNOWN_ANSWER)
        self._missing = set(session.scalars(wanted))
        self._platforms: set[str] = set()
        self._unreadable: set[str] = set()

    def follow(self, rows: Iterable[Listing | RejectedRow]) -> Iterator[Listing | RejectedRow]:
        """Passes a table's rows on."""
        for row in rows:
            if isinstance(row, Listing):
                key = listing_key(row.platform, row.listing_id)
                self._missing.discard(key)
                self._platforms.add(key.partition("/")[0])
            elif row.listing_id is not None:
                self._unreadable.add(row.listing_id)
            yield row

    def gone(self) -> set[str]:
        """Keys of the listings that are offered no longer; the table must have been followed to its end."""
        parts = {key: key.partition("/") for key in self._missing}
        return {
            key
            for key, (platform, _, listing) in parts.items()
            if platform in self._platforms and listing not in self._unreadable
        }


def close_gone(session: Session, keys: Collection[str], journal: Journal) -> int:
    """Takes listings out of their undecided cases, and closes those of which nothing is left; without a label.

    What was hidden or taken down is missing for that reason, and stays: somebody has appealed, or people have yet to
    confirm it.

    Returns:
        How many listings.
    """
    gone, remaining = 0, sorted(keys)
    for start in range(0, len(remaining), _BATCH):
        batch = remaining[start : start + _BATCH]
        statuses = listing_statuses(session, batch)
        batch = [key for key in batch if statuses.get(key, ListingStatus.VISIBLE) is ListingStatus.VISIBLE]
        gone += len(batch)
        rows = select(CaseRow, MemberRow).join(MemberRow, MemberRow.case_id == CaseRow.case_id)
        held = rows.where(MemberRow.listing_key.in_(batch), MemberRow.present, CaseRow.state.in_(UNDECIDED))
        for case, member in session.execute(held.order_by(CaseRow.case_id).with_for_update()).all():
            member.present = False
            detail = {"listing": member.listing_key}
            if any(one.present for one in case.members):
                journal.move(case, Move.LISTING_GONE, detail, [member])
            else:
                _close(case, Move.GONE, detail, journal, [member, *close_appeals(session, case.case_id, journal.now)])
        session.flush()
    return gone


def slip(session: Session, reviews_a_day: int, journal: Journal) -> int:
    """Moves the due time of the least harmful cases of the review band by a day, where people cannot see them all.

    Returns:
        How many slipped. Those that policy has hidden, that somebody has or waits for, or that are overdue keep their
        due time.
    """
    until = journal.now + _DAY
    due = CaseRow.state.in_(UNDECIDED) & (CaseRow.due_at > journal.now) & (CaseRow.due_at <= until)
    excess = (session.scalar(select(func.count()).where(due)) or 0) - reviews_a_day
    if excess <= 0:
        return 0
    lowest = select(CaseRow).where(due, CaseRow.state == CaseState.OPEN, CaseRow.band != Band.AUTOMATIC, ~_IS_PROMISED)
    slipped = session.scalars(
        lowest.order_by(CaseRow.harm, CaseRow.case_id).limit(excess).with_for_update(skip_locked=True)
    ).all()
    for case in slipped:
        before, case.due_at = case.due_at, case.due_at + _DAY
        journal.move(case, Move.SLIPPED, {"due_at": [before.isoformat(), case.due_at.isoformat()]})
    return len(slipped)


def withdraw_load(session: Session, load_id: int, journal: Journal) -> tuple[int, int]:
    """Closes the undecided cases that one load opened, and gives back what policy hid in them; without a label.

    A case on which people once decided, or somebody complained about, stays open: they wait for an answer.

    Returns:
        Cases closed, and listings given back.
    """
    theirs = select(CaseRow).where(CaseRow.load_id == load_id, CaseRow.state.in_(UNDECIDED), ~_IS_PROMISED)
    undecided = theirs.order_by(CaseRow.case_id).with_for_update()
    closed = given_back = 0
    for case in session.scalars(undecided).all():
        decision = _give_back(session, case, journal)
        rows = [decision, *decision.actions] if decision else []
        _close(case, Move.WITHDRAWN, {"load_id": load_id}, journal, rows)
        closed, given_back = closed + 1, given_back + len(rows[1:])
    return closed, given_back


def _give_back(session: Session, case: CaseRow, journal: Journal) -> DecisionRow | None:
    if case.lane is Lane.KNOWN_ANSWER:
        return None  # what was done to its listings, other cases did
    snapshots = [member.snapshot for member in case.members if member.present]
    statuses = listing_statuses(session, [snapshot.listing_key for snapshot in snapshots])
    hidden = [one for one in snapshots if statuses.get(one.listing_key) is ListingStatus.HIDDEN]
    if not hidden:
        return None
    decision = DecisionRow(
        case_id=case.case_id,
        verdict=Verdict.UNSURE,
        reason="the night that hid it was taken back",
        decided_by=journal.actor,
        automated=True,
        decided_at=journal.now,
        snapshot_ids=[snapshot.snapshot_id for snapshot in hidden],
        spared=[],
    )
    session.add(decision)
    session.flush()
    issue_actions(session, [draft_action(ActionKind.REINSTATE, decision, snapshot) for snapshot in hidden])
    session.flush()
    session.refresh(decision, ["actions"])
    return decision


def _close(case: CaseRow, move: Move, detail: Detail, journal: Journal, rows: Sequence[Base]) -> None:
    if case.state is CaseState.LEASED:
        journal.move(case, Move.REVOKED, {"leased_by": case.leased_by})
    journal.move(case, move, detail, rows)
