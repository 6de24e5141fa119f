"""Takes notices in: acknowledges each, estimates how likely it is right, opens or joins cases, and tells the notifier.

A notice that was taken in before changes nothing. Knows no file: notices, rights and scored listings are handed to it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine, exists, func, select
from sqlalchemy.orm import Session

from counterfeit_risk.listings.listing import Label
from counterfeit_risk.takedown.audit import Journal
from counterfeit_risk.takedown.case import listing_key
from counterfeit_risk.takedown.complaints.messages import acknowledgement, outcome_message
from counterfeit_risk.takedown.complaints.notice import Notice, NoticeItem
from counterfeit_risk.takedown.complaints.rights import Rights
from counterfeit_risk.takedown.complaints.tables import ItemResult, NoticeItemRow, NoticeRow
from counterfeit_risk.takedown.complaints.validity import Assessment, ItemFacts, NoticeOutcome, NotifierRecord, assess
from counterfeit_risk.takedown.consequences import send
from counterfeit_risk.takedown.database import take_numbers, writing
from counterfeit_risk.takedown.loading import Night, ScoredListing, ScoreLoader
from counterfeit_risk.takedown.policy import QUEUE, QueueSettings
from counterfeit_risk.takedown.states import UNDECIDED, CaseState, Lane, Move
from counterfeit_risk.takedown.tables import CaseRow, LabelRow, MemberRow, SnapshotRow

_UNKNOWN = "We know no such listing on this platform; check the platform and the listing's id."
_DECIDED = "People have decided on this listing as it is now: it is genuine. You can complain about that decision."
_DOWN = "This listing was taken down before your notice came in."
_FOR_PEOPLE = frozenset({NoticeOutcome.FAST_LANE, NoticeOutcome.REVIEW})


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """What became of the notices of one file."""

    taken_in: int = 0
    already_known: int = 0
    listings: Mapping[NoticeOutcome, int] | None = None
    """Listings by where the notice led; None before any."""


@dataclass(frozen=True, slots=True)
class KnownListing:
    """What is known of a listing that a notice names."""

    risk: float
    category: str | None
    seller_id: str | None
    platform: str | None


class NoticeDesk:
    """Takes in notices for one queue; each notice is one transaction."""

    def __init__(
        self,
        engine: Engine,
        settings: QueueSettings,
        rights: Rights,
        scored: Mapping[str, ScoredListing],
        night: Night,
    ) -> None:
        """Prepares to take notices in.

        Args:
            engine: the queue's database.
            settings: how the queue is run.
            rights: marks and authorised sellers.
            scored: by key, the listings that notices name as they were last scored.
            night: what is known of the table that they stand in.
        """
        self._engine, self._settings, self._rights = engine, settings, rights
        self._scored, self._night = scored, night

    def take_in(self, notices: Iterable[Notice], now: datetime) -> IntakeResult:
        """Takes notices in, one after the other."""
        taken_in = known = 0
        outcomes: Counter[NoticeOutcome] = Counter()
        for notice in notices:
            with writing(self._engine) as session:
                assessed = self._take_in_one(session, notice, now)
            if assessed is None:
                known += 1
            else:
                taken_in += 1
                outcomes.update(one.outcome for one in assessed)
        return IntakeResult(taken_in, known, dict(outcomes))

    def _take_in_one(self, session: Session, notice: Notice, now: datetime) -> list[Assessment] | None:
        take_numbers(session, "loads", 0)  # one after the other, and loads: each notifier's record is up to date
        if session.get(NoticeRow, notice.notice_id):
            return None
        told = _notice_row(notice, now)
        session.add(told)
        record = count_record(session, notice.notifier.notifier_id, now - self._settings.validity.record_window)
        assessed = [self._assess(session, notice, item, record, now) for item in notice.items]
        numbered = enumerate(zip(notice.items, assessed, strict=True), start=1)
        rows = [_item_row(notice, number, item, one) for number, (item, one) in numbered]
        session.add_all(rows)
        session.flush()
        _lock_cases(session, [row.listing_key for row in rows])
        self._open_cases(session, rows, now)
        final = [self._attach(session, notice, row, one, now) for row, one in zip(rows, assessed, strict=True)]
        texts = (acknowledgement(notice), outcome_message(notice, final))
        messages = [send(session, notice.notifier.email, text, notice.notice_id, now) for text in texts]
        of_no_case = [row for row in rows if row.case_id is None]
        Journal(session, QUEUE, now).note(Move.TAKEN_IN, {"notice": notice.notice_id}, [told, *of_no_case, *messages])
        return final

    def _assess(
        self, session: Session, notice: Notice, item: NoticeItem, record: NotifierRecord, now: datetime
    ) -> Assessment:
        known = self._find(session, item)
        if known is None:
            return Assessment(0.0, NoticeOutcome.MORE_INFORMATION, (_UNKNOWN,))
        marks = self._rights.find_marks(
            notice.brand, known.category, None, now.date(), right=notice.right, number=notice.mark_number
        )
        authorised = self._rights.is_authorised(known.platform, known.seller_id, notice.brand, now.date())
        facts = ItemFacts(notice.notifier.kind, record, notice.right, known.risk, marks, authorised)
        return assess(facts, self._settings.validity)

    def _find(self, session: Session, item: NoticeItem) -> KnownListing | None:
        key = listing_key(item.platform, item.listing_id)
        if key in self._scored:
            score, listing = self._scored[key]
            return KnownListing(score.risk, listing.category, listing.seller_id, listing.platform)
        known_answer = exists().where(
            MemberRow.snapshot_id == SnapshotRow.snapshot_id,
            CaseRow.case_id == MemberRow.case_id,
            CaseRow.lane == Lane.KNOWN_ANSWER,
        )
        of_listing = select(SnapshotRow).where(SnapshotRow.listing_key == key, ~known_answer)
        newest = of_listing.order_by(SnapshotRow.snapshot_id.desc())
        snapshot = session.scalars(newest.limit(1)).one_or_none()
        if snapshot is None:
            return None
        return KnownListing(snapshot.risk, snapshot.category, snapshot.seller_id, snapshot.platform)

    def _open_cases(self, session: Session, rows: Sequence[NoticeItemRow], now: datetime) -> None:
        """Lets the listings that people have to see into the queue, whatever their risk."""
        for_people = [row.listing_key for row in rows if row.outcome in _FOR_PEOPLE]
        wanted = [self._scored[key] for key in for_people if key in self._scored]
        if wanted:
            night = replace(self._night, reported=frozenset(for_people))
            loader = ScoreLoader(session, now, self._settings, night)
            loader.load(wanted)
            loader.finish()

    def _attach(
        self, session: Session, notice: Notice, row: NoticeItemRow, assessment: Assessment, now: datetime
    ) -> Assessment:
        """Ties an item to its listing's case; returns the assessment, or what a decided case makes of it."""
        if row.outcome not in _FOR_PEOPLE:
            return assessment
        holding = select(CaseRow).join(MemberRow, MemberRow.case_id == CaseRow.case_id)
        cases = holding.where(MemberRow.listing_key == row.listing_key, CaseRow.lane != Lane.KNOWN_ANSWER)
        standing = cases.where(CaseRow.state != CaseState.CLOSED).order_by(CaseRow.case_id.desc()).limit(1)
        case = session.scalars(standing.with_for_update(of=CaseRow)).one_or_none()
        if case is None:
            row.outcome = NoticeOutcome.MORE_INFORMATION
            return Assessment(assessment.validity, row.outcome, (_UNKNOWN,))
        row.case_id = case.case_id
        journal = Journal(session, QUEUE, now)
        if case.state in UNDECIDED:
            due_in = self._settings.due_times.of_notice(notice.notifier.kind, row.outcome)
            case.due_at = min(case.due_at, notice.received_at + due_in)
            if case.lane in {Lane.RISK, Lane.AUDIT}:
                case.lane, case.inclusion_probability = Lane.NOTICE, 1.0
            journal.move(case, Move.NOTICED, {"notice": notice.notice_id, "listing": row.listing_key}, [row])
            return assessment
        return _already_decided(session, case, row, assessment, journal)


def count_record(session: Session, notifier_id: str, since: datetime) -> NotifierRecord:
    """What people made of a notifier's listings since then."""
    results = session.execute(
        select(NoticeItemRow.result, func.count())
        .join(NoticeRow, NoticeRow.notice_id == NoticeItemRow.notice_id)
        .where(NoticeRow.notifier_id == notifier_id, NoticeItemRow.decided_at >= since)
        .group_by(NoticeItemRow.result)
    )
    counts = {result: count for result, count in results if result}
    return NotifierRecord(
        decided=sum(counts.values()),
        upheld=counts.get(ItemResult.UPHELD, 0),
        overturned_by_appeal=counts.get(ItemResult.OVERTURNED, 0),
    )


def _lock_cases(session: Session, keys: Sequence[str]) -> None:
    """Holds all cases of some listings before any action is issued, as everybody does who needs both."""
    holding = select(MemberRow.case_id).where(MemberRow.listing_key.in_(keys))
    session.scalars(
        select(CaseRow).where(CaseRow.case_id.in_(holding)).order_by(CaseRow.case_id).with_for_update()
    ).all()


def _already_decided(
    session: Session, case: CaseRow, row: NoticeItemRow, assessment: Assessment, journal: Journal
) -> Assessment:
    standing = select(LabelRow.label).where(LabelRow.listing_key == row.listing_key, LabelRow.withdrawn_at.is_(None))
    down = session.scalar(standing.order_by(LabelRow.label_id.desc()).limit(1)) is Label.COUNTERFEIT
    row.outcome = NoticeOutcome.REVIEW if down else NoticeOutcome.UNFOUNDED
    journal.move(case, Move.NOTICED, {"notice": row.notice_id, "listing": row.listing_key}, [row])
    return Assessment(assessment.validity, row.outcome, (_DOWN if down else _DECIDED,))


def _notice_row(notice: Notice, now: datetime) -> NoticeRow:
    return NoticeRow(
        notice_id=notice.notice_id,
        notifier_id=notice.notifier.notifier_id,
        notifier_name=notice.notifier.name,
        notifier_email=notice.notifier.email,
        notifier_kind=notice.notifier.kind,
        notifier_is_organisation=notice.notifier.is_organisation,
        received_at=notice.received_at,
        acknowledged_at=now,
        brand=notice.brand,
        right=notice.right,
        mark_number=notice.mark_number,
        explanation=notice.explanation,
    )


def _item_row(notice: Notice, number: int, item: NoticeItem, assessment: Assessment) -> NoticeItemRow:
    return NoticeItemRow(
        notice_id=notice.notice_id,
        number=number,
        listing_key=listing_key(item.platform, item.listing_id),
        listing_id=item.listing_id,
        platform=item.platform,
        url=item.url,
        validity=assessment.validity,
        outcome=assessment.outcome,
    )
