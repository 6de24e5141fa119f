"""Turns the scores of one run into cases: opened, rescored, hidden by policy, or left alone.

Knows no reviewer. Everything here happens in the caller's transaction, a batch of scores at a time.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfeit_risk.errors import ListingTableError
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing, RejectedRow
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.actions import draft_action, issue_actions, listing_statuses
from counterfeit_risk.takedown.audit import Journal
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.database import take_numbers
from counterfeit_risk.takedown.policy import POLICY, QUEUE, DueTimes, hiding_reason
from counterfeit_risk.takedown.states import ActionKind, CaseState, ListingStatus, Move, Verdict
from counterfeit_risk.takedown.tables import ActionRow, CaseRow, DecisionRow

_BATCH = 500

ScoredListing = tuple[RiskScore, Listing]


def pair_scores(scores: Iterable[RiskScore], listings: Iterable[Listing | RejectedRow]) -> Iterator[ScoredListing]:
    """Pairs each score with its listing.

    Both usually keep the table's order; only listings that were passed over are held, so memory stays flat.

    Raises:
        ListingTableError: if a score's listing is not in the table.
    """
    rows = (_keep_paths(row) for row in listings if isinstance(row, Listing))
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


class ScoreLoader:
    """One load: its transaction, its moment and what it has counted so far."""

    def __init__(self, session: Session, now: datetime, due_times: DueTimes, image_root: Path | None) -> None:
        self._session = session
        self._now = now
        self._due_times = due_times
        self._image_root = str(image_root) if image_root else None
        self._queue = Journal(session, QUEUE, now)
        self._policy = Journal(session, POLICY, now)
        self._counts: Counter[str] = Counter()
        self._hides: list[ActionRow] = []

    def load(self, pairs: Iterable[ScoredListing]) -> LoadResult:
        """Applies every score; another load waits until this one's transaction ends."""
        take_numbers(self._session, "loads")
        remaining = iter(pairs)
        while batch := list(islice(remaining, _BATCH)):
            self._load_batch(batch)
        if self._hides:
            issue_actions(self._session, self._hides)
        return LoadResult(**self._counts, hidden=len(self._hides))

    def _load_batch(self, batch: list[ScoredListing]) -> None:
        listing_ids = {score.listing_id for score, _ in batch}
        newest = self._lock_newest_cases(listing_ids)
        may_hide = self._find_hideable(listing_ids, newest)
        hidden: list[DecisionRow] = []
        for score, listing in batch:
            listing_id = score.listing_id
            outcome, case = self._apply(score, listing, newest.get(listing_id))
            self._counts[outcome] += 1
            if case is None:
                continue
            newest[listing_id] = case
            if score.band is Band.AUTOMATIC and listing_id in may_hide:
                may_hide.remove(listing_id)
                hidden.append(self._hide(case, score))
        self._session.flush()
        self._hides += [draft_action(ActionKind.HIDE, decision) for decision in hidden]

    def _lock_newest_cases(self, listing_ids: Iterable[str]) -> dict[str, CaseRow]:
        cases = select(CaseRow).where(CaseRow.listing_id.in_(listing_ids)).order_by(CaseRow.case_id).with_for_update()
        return {case.listing_id: case for case in self._session.scalars(cases)}

    def _find_hideable(self, listing_ids: set[str], newest: dict[str, CaseRow]) -> set[str]:
        """Listings that policy may hide: visible ones on whose undecided case no person's verdict was ever given."""
        undecided = {case.case_id: case.listing_id for case in newest.values() if case.state is not CaseState.DECIDED}
        judged = select(DecisionRow.case_id).where(
            DecisionRow.case_id.in_(undecided), ~DecisionRow.automated, DecisionRow.verdict != Verdict.UNSURE
        )
        statuses = listing_statuses(self._session, listing_ids)
        gone = {listing_id for listing_id, status in statuses.items() if status is not ListingStatus.VISIBLE}
        return listing_ids - gone - {undecided[case_id] for case_id in self._session.scalars(judged)}

    def _apply(self, score: RiskScore, listing: Listing, case: CaseRow | None) -> tuple[str, CaseRow | None]:
        """Returns what became of the score, and the case if it was opened or changed."""
        if case is None or case.state is CaseState.DECIDED:
            if score.band is Band.PASS:
                return "passed", None
            if case and (score.content_hash == case.content_hash or not _is_newer(score, case)):
                return "already_known", None
            return "opened", self._open(score, listing, case)
        if not _is_newer(score, case):
            return "already_known", None
        self._rescore(case, score, listing)
        return "updated", case

    def _open(self, score: RiskScore, listing: Listing, parent: CaseRow | None) -> CaseRow:
        case = CaseRow(
            parent_case_id=parent.case_id if parent else None,
            opened_at=self._now,
            due_at=self._due_times.due_at(score),
        )
        self._copy_snapshot(case, score, listing)
        self._queue.open(case)
        return case

    def _rescore(self, case: CaseRow, score: RiskScore, listing: Listing) -> None:
        change = {"risk": [case.risk, score.risk], "band": [case.band, score.band], "model_id": score.model_id}
        if case.state is CaseState.LEASED and score.content_hash != case.content_hash:
            self._queue.move(case, Move.REVOKED, {"leased_by": case.leased_by})
        self._copy_snapshot(case, score, listing)
        if score.band is not Band.PASS:
            case.due_at = min(case.due_at, self._due_times.due_at(score))
        self._queue.move(case, Move.RESCORED, change)

    def _copy_snapshot(self, case: CaseRow, score: RiskScore, listing: Listing) -> None:
        for name in ("listing_id", "title", "brand", "platform", "seller_id", "category", "price", "currency"):
            setattr(case, name, getattr(listing, name))
        for name in ("risk", "band", "photo_risk", "title_risk", "model_id", "scored_at", "content_hash"):
            setattr(case, name, getattr(score, name))
        case.photo_paths = [photo.path for photo in listing.photos if photo.path]
        case.image_root = self._image_root

    def _hide(self, case: CaseRow, score: RiskScore) -> DecisionRow:
        decision = DecisionRow(
            case=case,
            verdict=Verdict.COUNTERFEIT,
            reason=hiding_reason(score),
            decided_by=POLICY,
            automated=True,
            decided_at=self._now,
            content_hash=score.content_hash,
        )
        self._session.add(decision)
        self._policy.move(case, Move.HIDDEN)
        return decision


def _is_newer(score: RiskScore, case: CaseRow) -> bool:
    """Whether a score says something that the case does not know; a replayed older score does not."""
    known = (case.scored_at, case.model_id, case.content_hash)
    return score.scored_at >= case.scored_at and (score.scored_at, score.model_id, score.content_hash) != known


def _keep_paths(listing: Listing) -> Listing:
    """A case points at photos and holds none: those that are in the table itself are dropped."""
    return replace(listing, photos=tuple(photo for photo in listing.photos if photo.data is None))
