"""Turns the scores of one run into cases: opened, joined, rescored, hidden by policy, drawn for audit, or left alone.

Knows no reviewer. Everything here happens in the caller's transaction, a batch of scores at a time.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count, islice
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfeit_risk.errors import ListingTableError
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing, RejectedRow
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.actions import draft_action, issue_actions
from counterfeit_risk.takedown.audit import Journal
from counterfeit_risk.takedown.case import LISTING_COLUMNS, LoadResult, listing_key
from counterfeit_risk.takedown.clusters import Clusters, brand_key
from counterfeit_risk.takedown.database import take_numbers
from counterfeit_risk.takedown.policy import POLICY, QUEUE, QueueSettings, hiding_reason
from counterfeit_risk.takedown.statements.reasons import Measure, state_reasons
from counterfeit_risk.takedown.states import ActionKind, CaseState, Lane, Move, Verdict
from counterfeit_risk.takedown.tables import CaseRow, DecisionRow, MemberRow, SnapshotRow

_BATCH = 500

ScoredListing = tuple[RiskScore, Listing]

_SCORE_COLUMNS = ("risk", "band", "photo_risk", "title_risk", "model_id", "scored_at", "content_hash")


@dataclass(frozen=True, slots=True)
class Night:
    """What one load brings beside its scores."""

    image_root: Path | None = None
    """Folder under which the listings' photo paths start, kept for labels and evidence."""
    photo_keys: Mapping[str, Sequence[str]] | None = None
    """By listing id, the names of its photos, so that copies of one photo have one name; the files' hashes where a
    listing is not in it."""
    reported: frozenset[str] = frozenset()
    """Keys of listings that somebody complained about: people see them whatever their risk."""
    is_whole_dump: bool = False
    """True where a listing that is not in the table is offered no longer."""


def pair_scores(scores: Iterable[RiskScore], listings: Iterable[Listing | RejectedRow]) -> Iterator[ScoredListing]:
    """Pairs each score with its listing.

    Both usually keep the table's order; only listings that were passed over are held, so memory stays flat.

    Raises:
        ListingTableError: if a score's listing is not in the table.
    """
    rows = (row for row in listings if isinstance(row, Listing))
    passed_over: dict[str, Listing] = {}
    for score in scores:
        listing = passed_over.pop(score.listing_id, None)
        while listing is None:
            row = next(rows, None)
            if row is None:
                raise ListingTableError(
                    f"the score of listing {score.listing_id!r} has no row of its own in the listings table; "
                    "load the table that was scored"
                )
            if row.listing_id == score.listing_id:
                listing = row
            else:
                passed_over.setdefault(row.listing_id, row)
        yield score, listing


def lane_of(listing_key: str, content_hash: str, band: Band, settings: QueueSettings) -> Lane | None:
    """Why people would see a listing; None where they would not.

    What passed is drawn by its content, so that loading again draws the same.
    """
    if band is not Band.PASS:
        return Lane.RISK
    text = f"{listing_key} {content_hash}".encode("utf-8", "surrogatepass")
    drawn = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) / 2**64
    return Lane.AUDIT if drawn < settings.audit_probability else None


@dataclass(frozen=True, slots=True)
class _Hide:
    """What policy hides, until it is issued."""

    case: CaseRow
    decision: DecisionRow
    measure: Measure


class ScoreLoader:
    """One load: its transaction, its moment and what it has counted so far."""

    def __init__(self, session: Session, now: datetime, settings: QueueSettings, night: Night) -> None:
        self._session, self._now, self._settings, self._night = session, now, settings, night
        self._queue, self._policy = Journal(session, QUEUE, now), Journal(session, POLICY, now)
        self._counts: Counter[str] = Counter()
        self._hides: list[_Hide] = []
        self._load_id = take_numbers(session, "loads")  # another load waits here until this transaction ends

    def load(self, pairs: Iterable[ScoredListing]) -> None:
        """Applies every score; what policy hides is drafted only."""
        remaining = iter(pairs)
        while batch := list(islice(remaining, _BATCH)):
            concerned = self._concerned(batch)
            self._counts["passed"] += len(batch) - len(concerned)
            if concerned:
                self._load_batch(concerned)

    def finish(self) -> LoadResult:
        """Issues what policy hides, after which no more cases may be locked, and says what became of the scores."""
        issue_actions(self._session, [hide.measure.action for hide in self._hides])
        statements = state_reasons(self._session, [hide.measure for hide in self._hides], self._settings)
        for hide, statement in zip(self._hides, statements, strict=True):
            action = hide.measure.action
            self._policy.move(
                hide.case, Move.HIDDEN, {"listing": action.listing_key}, [hide.decision, action, statement]
            )
        return LoadResult(self._load_id, **self._counts, hidden=len(self._hides))

    def _concerned(self, batch: Sequence[ScoredListing]) -> list[ScoredListing]:
        """Those that people would see, or that a case holds; of a night's scores most are neither."""
        keys = [listing_key(listing.platform, listing.listing_id) for _, listing in batch]
        held = set(self._session.scalars(select(MemberRow.listing_key).where(MemberRow.listing_key.in_(keys))))
        return [
            (score, listing)
            for key, (score, listing) in zip(keys, batch, strict=True)
            if key in held or self._lane_of(key, score.content_hash, score.band)
        ]

    def _lane_of(self, key: str, content_hash: str, band: Band) -> Lane | None:
        if key in self._night.reported:
            return Lane.NOTICE
        return lane_of(key, content_hash, band, self._settings)

    def _load_batch(self, batch: Sequence[ScoredListing]) -> None:
        first = take_numbers(self._session, "snapshots", len(batch))
        self._case_ids = iter(count(take_numbers(self._session, "cases", len(batch))))
        snapshots = [self._snapshot(number, *scored) for number, scored in enumerate(batch, first)]
        photos = [self._photo_keys(score) for score, _ in batch]
        clusters = Clusters(self._session, snapshots, photos)
        hides = []
        for snapshot, keys in zip(snapshots, photos, strict=True):
            outcome, case = self._apply(snapshot, keys, clusters)
            self._counts[outcome] += 1
            if case and snapshot.band is Band.AUTOMATIC and clusters.may_hide(case, snapshot.listing_key):
                clusters.mark_hidden(snapshot.listing_key)
                hides.append((case, snapshot, self._hide(case, snapshot)))
        self._session.flush()
        for case, snapshot, decision in hides:
            action = draft_action(ActionKind.HIDE, decision, snapshot)
            self._hides.append(_Hide(case, decision, Measure(action, snapshot, len(clusters.snapshots(case)))))

    def _photo_keys(self, score: RiskScore) -> tuple[str, ...]:
        known = self._night.photo_keys or {}
        return tuple(known.get(score.listing_id, score.photo_hashes))

    def _apply(self, snapshot: SnapshotRow, photos: tuple[str, ...], clusters: Clusters) -> tuple[str, CaseRow | None]:
        """Returns what became of the score, and the case if it was opened or changed."""
        own = clusters.case_of(snapshot.listing_key)
        if own:
            before = clusters.snapshot_of(own, snapshot.listing_key)
            if not _says_something_new(snapshot, before):
                return "already_known", None
            changed = snapshot.content_hash != before.content_hash
            case = self._unite(clusters.cases_showing(snapshot, photos, own), clusters)
            self._take_in(case, Move.RESCORED, snapshot, photos, clusters, changed=changed)
            return "updated", case
        lane = self._lane_of(snapshot.listing_key, snapshot.content_hash, snapshot.band)
        if lane is None:
            return "passed", None
        decided = clusters.decided_snapshot(snapshot.listing_key)
        if decided and (snapshot.content_hash == decided.content_hash or snapshot.scored_at < decided.scored_at):
            return "already_known", None
        alike = clusters.cases_showing(snapshot, photos) if lane is not Lane.AUDIT else []
        if alike:
            case = self._unite(alike, clusters)
            self._take_in(case, Move.JOINED, snapshot, photos, clusters, changed=True)
            return "joined", case
        return ("audited" if lane is Lane.AUDIT else "opened"), self._open(snapshot, photos, clusters, lane)

    def _open(self, snapshot: SnapshotRow, photos: Sequence[str], clusters: Clusters, lane: Lane) -> CaseRow:
        case = CaseRow(
            case_id=next(self._case_ids),
            parent_case_id=clusters.parent_of(snapshot, photos),
            brand=brand_key(snapshot.brand),
            lane=lane,
            inclusion_probability=self._settings.audit_probability if lane is Lane.AUDIT else 1.0,
            load_id=self._load_id,
            escalated=False,
            judged=False,
            opened_at=self._now,
            due_at=self._due_at(snapshot),
            token=0,
        )
        added = clusters.add(case, snapshot, photos)
        self._weigh(case, clusters)
        self._queue.open(case, *added)
        return case

    def _due_at(self, snapshot: SnapshotRow) -> datetime:
        due_times = self._settings.due_times
        if snapshot.band is Band.PASS:
            return self._now + due_times.audit
        return snapshot.scored_at + (due_times.automatic if snapshot.band is Band.AUTOMATIC else due_times.review)

    def _unite(self, cases: Sequence[CaseRow], clusters: Clusters) -> CaseRow:
        """Makes one case of several, of which the oldest stays, and returns that."""
        case, *others = cases
        if others:
            self._revoke(case)  # whoever looks at it would decide on listings that they have not seen
        for other in others:
            self._revoke(other)
            complaints = clusters.move_complaints(other, case)
            self._queue.move(other, Move.MERGED, {"into": case.case_id}, complaints)
            case.due_at = min(case.due_at, other.due_at)
            if case.lane is Lane.AUDIT or other.lane is Lane.NOTICE:  # why people see both, or see the other
                case.lane, case.inclusion_probability = other.lane, other.inclusion_probability
            case.judged, case.escalated = case.judged or other.judged, case.escalated or other.escalated
            rows = [*clusters.merge(other, case), *complaints]
            self._queue.move(case, Move.JOINED, {"merged": other.case_id}, rows)
            self._counts["merged"] += 1
        return case

    def _take_in(
        self,
        case: CaseRow,
        move: Move,
        snapshot: SnapshotRow,
        photos: Sequence[str],
        clusters: Clusters,
        *,
        changed: bool,
    ) -> None:
        """Puts a listing's snapshot into a case; where that shows a reviewer something else, their lease ends."""
        if changed:
            self._revoke(case)
        risk = case.risk
        added = clusters.add(case, snapshot, photos)
        self._weigh(case, clusters)
        if snapshot.band is not Band.PASS:
            case.due_at = min(case.due_at, self._due_at(snapshot))
            if case.lane is Lane.AUDIT:  # it was drawn at random, and is flagged now
                case.lane, case.inclusion_probability = Lane.RISK, 1.0
        self._queue.move(case, move, {"listing": snapshot.listing_key, "risk": [risk, case.risk]}, added)

    def _revoke(self, case: CaseRow) -> None:
        if case.state is CaseState.LEASED:
            self._queue.move(case, Move.REVOKED, {"leased_by": case.leased_by})

    def _weigh(self, case: CaseRow, clusters: Clusters) -> None:
        """Brings a case's risk, band and harm up to date with its listings."""
        snapshots = clusters.snapshots(case)
        riskiest = max(snapshots, key=lambda snapshot: snapshot.risk)
        case.risk, case.band = riskiest.risk, riskiest.band
        case.harm = self._settings.order.harm_a_minute([(one.risk, one.category) for one in snapshots])

    def _snapshot(self, snapshot_id: int, score: RiskScore, listing: Listing) -> SnapshotRow:
        of_listing = {name: getattr(listing, name) for name in LISTING_COLUMNS}
        of_score = {name: getattr(score, name) for name in _SCORE_COLUMNS}
        return SnapshotRow(
            snapshot_id=snapshot_id,
            listing_key=listing_key(listing.platform, listing.listing_id),
            load_id=self._load_id,
            photo_paths=[photo.path for photo in listing.photos if photo.path and photo.data is None],
            photo_hashes=list(score.photo_hashes),
            image_root=str(self._night.image_root) if self._night.image_root else None,
            **of_listing,
            **of_score,
        )

    def _hide(self, case: CaseRow, snapshot: SnapshotRow) -> DecisionRow:
        decision = DecisionRow(
            case_id=case.case_id,
            verdict=Verdict.COUNTERFEIT,
            reason=hiding_reason(snapshot.risk, snapshot.model_id),
            decided_by=POLICY,
            automated=True,
            decided_at=self._now,
            snapshot_ids=[snapshot.snapshot_id],
            spared=[],
        )
        self._session.add(decision)
        return decision


def _says_something_new(snapshot: SnapshotRow, before: SnapshotRow) -> bool:
    """Whether a score says what the case does not know; a replayed older score does not."""
    told, known = ((one.model_id, one.content_hash, one.risk, one.band) for one in (snapshot, before))
    return snapshot.scored_at >= before.scored_at and told != known
