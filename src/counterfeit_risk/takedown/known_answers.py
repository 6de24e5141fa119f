"""Cases whose answer is known, to learn what reviewers miss: opened from labelled listings, and shown like all others.

Nothing follows from a verdict on one, and no listing joins one. Knows no file, and not how sure an answer is: who
loads it vouches for that. A listing that the queue knows already is refused, since reviewers may remember it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import LabeledListing
from counterfeit_risk.takedown.audit import Journal
from counterfeit_risk.takedown.case import LISTING_COLUMNS, listing_key
from counterfeit_risk.takedown.clusters import brand_key
from counterfeit_risk.takedown.database import take_numbers, writing
from counterfeit_risk.takedown.policy import QUEUE, QueueSettings
from counterfeit_risk.takedown.states import CaseState, Lane
from counterfeit_risk.takedown.tables import CaseRow, MemberRow, SnapshotRow

MODEL_ID = "known answer"
"""Stands where a score has its model."""
_BATCH = 500


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """A listing of which it is sure what it is."""

    row: LabeledListing
    photo_hashes: tuple[str, ...] = ()
    """sha256 of each of its photos that could be read."""

    @property
    def key(self) -> str:
        """Names the listing among those of all platforms."""
        return listing_key(self.row.listing.platform, self.row.listing.listing_id)


@dataclass(frozen=True, slots=True)
class KnownAnswersLoaded:
    """What became of the listings of one load."""

    load_id: int | None
    """To take it back with; None where no case was opened."""
    opened: int
    already_known: int
    refused: tuple[tuple[str, str], ...]
    """Listing ids, and why not."""


def load_known_answers(
    engine: Engine, answers: Sequence[KnownAnswer], settings: QueueSettings, now: datetime, image_root: Path | None
) -> KnownAnswersLoaded:
    """Opens a case for each listing, all or none; loading the same again changes nothing.

    An undecided case whose answer was wrong goes away when its load is withdrawn, after which it can be loaded anew.

    Args:
        engine: the queue's database.
        answers: each listing once.
        settings: how the queue is run.
        now: when the cases open.
        image_root: folder under which the listings' photo paths start.
    """
    with writing(engine) as session:
        take_numbers(session, "loads", 0)  # another load waits here until this transaction ends
        held = _read_held(session, [answer.key for answer in answers])
        new, refused = [], []
        for answer in answers:
            before = held.get(answer.key)
            if before is None:
                new.append(answer)
            elif before.content_hash != content_hash(answer.row):
                refused.append((answer.row.listing.listing_id, f"case {before.case_id} {before.what}"))
        load_id = _open_cases(session, new, settings, now, image_root) if new else None
    return KnownAnswersLoaded(load_id, len(new), len(answers) - len(new) - len(refused), tuple(refused))


def content_hash(row: LabeledListing) -> str:
    """sha256 over a listing and its answer, in hex."""
    told = asdict(row.listing)
    told["photos"] = [
        hashlib.sha256(photo.data).hexdigest() if photo.data is not None else photo.path for photo in row.listing.photos
    ]
    text = json.dumps([told, row.label], sort_keys=True, default=datetime.isoformat)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class _Held:
    """A case that holds a listing; `content_hash` is None where it is none whose answer is known."""

    case_id: int
    content_hash: str | None
    what: str


def _read_held(session: Session, keys: Sequence[str]) -> Mapping[str, _Held]:
    held = {}
    for start in range(0, len(keys), _BATCH):
        rows = (
            select(CaseRow.case_id, CaseRow.lane, SnapshotRow.listing_key, SnapshotRow.content_hash)
            .join(MemberRow, MemberRow.case_id == CaseRow.case_id)
            .join(SnapshotRow, SnapshotRow.snapshot_id == MemberRow.snapshot_id)
            .where(MemberRow.listing_key.in_(keys[start : start + _BATCH]), CaseRow.state != CaseState.CLOSED)
            .order_by((CaseRow.lane == Lane.KNOWN_ANSWER), CaseRow.case_id)
        )
        for row in session.execute(rows):
            if row.lane is Lane.KNOWN_ANSWER:
                held[row.listing_key] = _Held(row.case_id, row.content_hash, "asks about it with another content")
            else:
                held[row.listing_key] = _Held(row.case_id, None, "is about it: reviewers may remember it")
    return held


def _open_cases(
    session: Session, answers: Sequence[KnownAnswer], settings: QueueSettings, now: datetime, image_root: Path | None
) -> int:
    load_id = take_numbers(session, "loads")
    snapshot_id = take_numbers(session, "snapshots", len(answers))
    case_id = take_numbers(session, "cases", len(answers))
    journal = Journal(session, QUEUE, now)
    for number, answer in enumerate(answers):
        snapshot = _snapshot(answer, now)
        snapshot.snapshot_id, snapshot.load_id = snapshot_id + number, load_id
        snapshot.image_root = str(image_root) if image_root else None
        case = CaseRow(
            case_id=case_id + number,
            brand=brand_key(snapshot.brand),
            lane=Lane.KNOWN_ANSWER,
            inclusion_probability=1.0,
            known_answer=answer.row.label,
            risk=snapshot.risk,
            band=snapshot.band,
            harm=settings.order.harm_a_minute([(snapshot.risk, snapshot.category)]),
            load_id=load_id,
            escalated=False,
            judged=False,
            opened_at=now,
            due_at=now + settings.due_times.known_answer,
            token=0,
        )
        member = MemberRow(
            case_id=case.case_id,
            listing_key=snapshot.listing_key,
            snapshot_id=snapshot.snapshot_id,
            present=True,
        )
        journal.open(case, snapshot, member)
    return load_id


def _snapshot(answer: KnownAnswer, now: datetime) -> SnapshotRow:
    listing = answer.row.listing
    return SnapshotRow(
        listing_key=answer.key,
        photo_paths=[photo.path for photo in listing.photos if photo.path and photo.data is None],
        photo_hashes=list(answer.photo_hashes),
        risk=0.0,
        band=Band.PASS,
        model_id=MODEL_ID,
        scored_at=now,
        content_hash=content_hash(answer.row),
        **{name: getattr(listing, name) for name in LISTING_COLUMNS},
    )
