"""The takedown queue: loads scores, leases cases to reviewers, records what they decide.

Knows no clock: every call takes `now`, an aware time. Every call that changes something is one transaction.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from counterfeit_risk.errors import QueueError
from counterfeit_risk.listings.listing import Listing, RejectedRow
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.audit import Journal
from counterfeit_risk.takedown.backlog import OfferedListings, close_gone, slip, withdraw_load
from counterfeit_risk.takedown.case import Case, Decision, LeasedCase, LoadResult
from counterfeit_risk.takedown.complaints.appeals import Appeal, file_appeal
from counterfeit_risk.takedown.complaints.intake import NoticeDesk
from counterfeit_risk.takedown.complaints.rights import Rights
from counterfeit_risk.takedown.database import open_database, refresh_statistics, take_numbers, writing
from counterfeit_risk.takedown.free_text import check_name, check_reason
from counterfeit_risk.takedown.loading import Night, ScoredListing, ScoreLoader, pair_scores
from counterfeit_risk.takedown.policy import QUEUE, QueueSettings
from counterfeit_risk.takedown.queue_reader import QueueReader
from counterfeit_risk.takedown.reviewing import (
    Submission,
    lease_case,
    leave_case,
    lock_case,
    record_decision,
    reopen_case,
    undo_decision,
)
from counterfeit_risk.takedown.states import Move, Verdict

_SETTINGS = QueueSettings()
_NIGHT = Night()


def open_queue(url: str, *, create: bool = False, settings: QueueSettings = _SETTINGS) -> "TakedownQueue":
    """Opens the queue in a database; close it, or use it in a `with` statement.

    Args:
        url: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/DATABASE`.
        create: whether a missing queue is created; where it is not, a mistyped name is an error.
        settings: how it is run.

    Raises:
        QueueError: if the database cannot be opened, is not a queue, or is of another schema version.
    """
    return TakedownQueue(open_database(url, create=create), settings)


class TakedownQueue(QueueReader):
    """The queue in one database; any number of processes may hold one on the same database."""

    def load(
        self,
        scores: Iterable[RiskScore],
        listings: Iterable[Listing | RejectedRow],
        now: datetime,
        *,
        night: Night = _NIGHT,
    ) -> LoadResult:
        """Puts each risk in the review or automatic band into a case; loading the same scores again changes nothing.

        Listings of one brand that show copies of the same photos are one case. An undecided case takes over newer
        scores. A decided one stays as people left it; if the seller has changed the listing since, or it is offered
        under another id, a new case opens with the old one as its parent.

        Args:
            scores: in any order; memory stays flat where it is the table's.
            listings: the table that was scored.
            now: when the cases open.
            night: what else is known of the dump.

        Raises:
            ListingTableError: if a score's listing is not in the table; nothing is loaded then.
        """
        with writing(self._engine) as session:
            loader = ScoreLoader(session, now, self._settings, night)
            journal = Journal(session, QUEUE, now)
            gone = 0
            if not night.is_whole_dump:
                loader.load(pair_scores(scores, listings))
            else:
                offered = OfferedListings(session)
                rows = offered.follow(listings)
                loader.load(pair_scores(scores, rows))
                deque(rows, maxlen=0)  # rows after the last score
                gone = close_gone(session, offered.gone(), journal)
            reviews = self._settings.reviews_a_day
            slipped = slip(session, reviews, journal) if reviews else 0
            result = replace(loader.finish(), gone=gone, slipped=slipped)
        refresh_statistics(self._engine)
        return result

    def withdraw(self, load_id: int, by: str, now: datetime) -> tuple[int, int]:
        """Takes a bad night back: closes the undecided cases that it opened, and gives back what policy hid in them.

        Returns:
            Cases closed, and listings given back.

        Raises:
            QueueError: if there was no such load, or nobody can have this name.
        """
        by = check_name(by)
        with writing(self._engine) as session:
            if load_id > take_numbers(session, "loads", 0) - 1:
                raise QueueError(f"there was no load {load_id}")
            return withdraw_load(session, load_id, Journal(session, by, now))

    def next_case(self, reviewer: str, now: datetime, *, specialist: bool = False) -> LeasedCase | None:
        """Leases the most urgent case to a reviewer; None if none waits for them.

        Who holds a live lease already gets that case again, the lease renewed under the same token: one reviewer holds
        one case, and asking twice loses nothing. Nobody gets a case again that they left to others.

        Args:
            reviewer: who will decide.
            now: the moment.
            specialist: whether they get escalated cases, before all others.
        """
        reviewer = check_name(reviewer)
        try:
            return self._lease(reviewer, now, specialist=specialist)
        except IntegrityError:  # the same reviewer asked twice at once, and the other call was first
            return self._lease(reviewer, now, specialist=specialist)

    def decide(
        self,
        case_id: int,
        reviewer: str,
        verdict: Verdict,
        reason: str,
        token: int,
        now: datetime,
        *,
        spared: Iterable[str] = (),
    ) -> Decision:
        """Records a reviewer's verdict and all that follows from it.

        `unsure` leaves the case to another reviewer. A decision that is sent twice under one token is recorded once:
        the second time, what was recorded is returned.

        Args:
            case_id: which case.
            reviewer: who holds it.
            verdict: on all of its listings.
            reason: what it rests on.
            token: as the lease gave it.
            now: the moment.
            spared: keys of the listings that a verdict of counterfeit leaves out as genuine.

        Raises:
            UnknownCaseError: if there is no such case.
            TransitionError: if the case is decided or closed.
            LeaseError: if the reviewer does not hold the case under this token, or no longer.
            QueueError: if the reason is empty, no reviewer can have this name, or a spared listing is not in the case.
        """
        submission = Submission(check_name(reviewer), token, verdict, check_reason(reason), tuple(sorted({*spared})))
        with writing(self._engine) as session:
            return record_decision(session, case_id, submission, self._settings, now).to_decision()

    def skip(self, case_id: int, reviewer: str, reason: str, token: int, now: datetime) -> Case:
        """Gives a leased case back for somebody else to decide.

        Raises:
            UnknownCaseError, LeaseError, TransitionError, QueueError: as for `decide`.
        """
        return self._leave(case_id, token, Move.SKIPPED, reason, reviewer, now)

    def escalate(self, case_id: int, reviewer: str, reason: str, token: int, now: datetime) -> Case:
        """Gives a leased case to specialists.

        Raises:
            UnknownCaseError, LeaseError, TransitionError, QueueError: as for `decide`.
        """
        return self._leave(case_id, token, Move.ESCALATED, reason, reviewer, now)

    def undo(self, case_id: int, reviewer: str, now: datetime) -> Case:
        """Takes the reviewer's own decision back within minutes: the listings are as they were, the case is open.

        Raises:
            UnknownCaseError: if there is no such case.
            TransitionError: if the case is not decided, or not its listings' newest.
            QueueError: if somebody else decided it, or it is too late.
        """
        with writing(self._engine) as session:
            return undo_decision(session, case_id, check_name(reviewer), self._settings, now).to_case()

    def reopen(self, case_id: int, by: str, reason: str, now: datetime) -> Case:
        """Takes a decided case back into the queue, for a mistake or a complaint.

        The listings stay as they are until the case is decided again.

        Raises:
            UnknownCaseError: if there is no such case.
            TransitionError: if the case is not decided, or not its listings' newest.
            QueueError: if the reason is empty, or nobody can have this name.
        """
        by, reason = check_name(by), check_reason(reason)
        with writing(self._engine) as session:
            due_at = now + self._settings.due_times.reopened
            return reopen_case(session, case_id, due_at, Journal(session, by, now), reason).to_case()

    def appeal(self, case_id: int, appeal: Appeal, by: str, now: datetime) -> Case:
        """Takes a decided case back into the queue because a seller or a notifier disagrees; somebody else decides.

        Args:
            case_id: which case.
            appeal: of whom, about which listing, and why.
            by: who takes the appeal in.
            now: the moment.

        Raises:
            UnknownCaseError: if there is no such case.
            TransitionError: if the case is not decided, or not its listings' newest.
            QueueError: if it is too late, or the decision on the listing is none that they could disagree with.
        """
        by, appeal = check_name(by), replace(appeal, grounds=check_reason(appeal.grounds))
        with writing(self._engine) as session:
            case = lock_case(session, case_id)
            file_appeal(session, case, appeal, self._settings, Journal(session, by, now))
            return case.to_case()

    def notice_desk(self, rights: Rights, scored: Mapping[str, ScoredListing], night: Night = _NIGHT) -> NoticeDesk:
        """Where notices are taken in.

        Args:
            rights: marks and authorised sellers.
            scored: by key, listings that notices name as they were last scored; the queue knows those that it holds.
            night: what is known of the table that they stand in.
        """
        return NoticeDesk(self._engine, self._settings, rights, scored, night)

    def _lease(self, reviewer: str, now: datetime, *, specialist: bool) -> LeasedCase | None:
        settings = self._settings
        with writing(self._engine) as session:
            return lease_case(session, reviewer, now, now + settings.lease, settings.order, specialist=specialist)

    def _leave(self, case_id: int, token: int, move: Move, reason: str, reviewer: str, now: datetime) -> Case:
        reviewer, reason = check_name(reviewer), check_reason(reason)
        with writing(self._engine) as session:
            journal = Journal(session, reviewer, now)
            return leave_case(session, case_id, token, move, reason, journal).to_case()
