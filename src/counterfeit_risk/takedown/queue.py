"""The takedown queue: loads scores, leases cases to reviewers, records what they decide.

Knows no clock: every call takes `now`, an aware time. Every call that changes something is one transaction.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError

from counterfeit_risk.errors import QueueError
from counterfeit_risk.listings.listing import LabeledListing, Listing, RejectedRow
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.audit import Journal
from counterfeit_risk.takedown.case import Action, Case, Decision, Event, LeasedCase, LoadResult, QueueStats
from counterfeit_risk.takedown.database import open_database, read_pages, reading, writing
from counterfeit_risk.takedown.feedback import common_image_root, read_labels
from counterfeit_risk.takedown.loading import ScoreLoader, pair_scores
from counterfeit_risk.takedown.policy import LEASE, RESERVED_NAMES, DueTimes
from counterfeit_risk.takedown.reviewing import Submission, lease_case, record_decision, reopen_case
from counterfeit_risk.takedown.states import CaseState, Verdict
from counterfeit_risk.takedown.statistics import count_cases
from counterfeit_risk.takedown.tables import ActionRow, CaseRow, EventRow
from counterfeit_risk.takedown.urgency import by_urgency

_DEFAULT_DUE_TIMES = DueTimes()
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL takes no NUL, and neither database a lone surrogate, which is what a terminal's broken UTF-8 becomes."""


def open_queue(url: str, *, create: bool = False) -> "TakedownQueue":
    """Opens the queue in a database; close it, or use it in a `with` statement.

    Args:
        url: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/DATABASE`.
        create: whether a missing queue is created; where it is not, a mistyped name is an error.

    Raises:
        QueueError: if the database cannot be opened, is not a queue, or is of another schema version.
    """
    return TakedownQueue(open_database(url, create=create))


class TakedownQueue:
    """The queue in one database; any number of processes may hold one on the same database."""

    def __init__(self, engine: Engine, due_times: DueTimes = _DEFAULT_DUE_TIMES) -> None:
        self._engine = engine
        self._due_times = due_times

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()

    def load(
        self,
        scores: Iterable[RiskScore],
        listings: Iterable[Listing | RejectedRow],
        now: datetime,
        *,
        image_root: Path | None = None,
    ) -> LoadResult:
        """Opens a case for each risk in the review or automatic band; loading the same scores again changes nothing.

        An undecided case takes over a newer score. A decided one stays as people left it; if the seller has changed the
        listing since, a new case opens with the old one as its parent.

        Args:
            scores: in any order; memory stays flat where it is the table's.
            listings: the table that was scored.
            now: when the cases open.
            image_root: folder under which the listings' photo paths start, kept for `labels`.

        Raises:
            ListingTableError: if a score's listing is not in the table; nothing is loaded then.
        """
        with writing(self._engine) as session:
            loader = ScoreLoader(session, now, self._due_times, image_root)
            return loader.load(pair_scores(scores, listings))

    def next_case(self, reviewer: str, now: datetime, *, lease: timedelta = LEASE) -> LeasedCase | None:
        """Leases the most urgent case to a reviewer; None if none waits for them.

        Who holds a live lease already gets that case again, the lease renewed under the same token: one reviewer holds
        one case, and asking twice loses nothing. Nobody gets a case again on which they were unsure.
        """
        reviewer = _check_name(reviewer)
        if lease <= timedelta(0):
            raise QueueError(f"a lease must last some time, not {lease}")
        try:
            return self._lease(reviewer, now, now + lease)
        except IntegrityError:  # the same reviewer asked twice at once, and the other call was first
            return self._lease(reviewer, now, now + lease)

    def decide(self, case_id: int, reviewer: str, verdict: Verdict, reason: str, token: int, now: datetime) -> Decision:
        """Records a reviewer's verdict and all that follows from it.

        `unsure` leaves the case to another reviewer. A decision that is sent twice under one token is recorded once:
        the second time, what was recorded is returned.

        Raises:
            UnknownCaseError: if there is no such case.
            TransitionError: if the case is decided.
            LeaseError: if the reviewer does not hold the case under this token, or no longer.
            QueueError: if the reason is empty, or no reviewer can have this name.
        """
        submission = Submission(_check_name(reviewer), verdict, _check_reason(reason), token)
        with writing(self._engine) as session:
            return record_decision(session, case_id, submission, now).to_decision()

    def reopen(self, case_id: int, by: str, reason: str, now: datetime) -> Case:
        """Takes a decided case back into the queue, for a mistake or a complaint.

        The listing stays as it is until the case is decided again.

        Raises:
            UnknownCaseError: if there is no such case.
            TransitionError: if the case is not decided, or not the listing's newest.
            QueueError: if the reason is empty, or nobody can have this name.
        """
        by, reason = _check_name(by), _check_reason(reason)
        with writing(self._engine) as session:
            journal = Journal(session, by, now)
            return reopen_case(session, case_id, now + self._due_times.reopened, journal, reason).to_case()

    def top(self, now: datetime, limit: int = 20) -> list[Case]:
        """The most urgent undecided cases, leased ones included, without leasing them."""
        undecided = select(CaseRow).where(CaseRow.state != CaseState.DECIDED)
        with reading(self._engine) as session:
            rows = (row for cases in by_urgency(undecided, now) for row in session.scalars(cases.limit(limit)))
            first_seen = {row.case_id: row for row in rows}
            return [row.to_case() for row in islice(first_seen.values(), limit)]

    def actions(self, after: int = 0) -> Iterator[Action]:
        """Every action with a sequence number above `after`, in order.

        Who keeps the last number seen and continues from it gets each action once.
        """
        for row in read_pages(self._engine, select(ActionRow), ActionRow.sequence, after=after):
            yield row.to_action()

    def labels(self, *, relative_to: Path | None = None) -> Iterator[LabeledListing]:
        """The latest verdict by a person on each listing, as a label with the snapshot that was decided on.

        Args:
            relative_to: folder under which photo paths shall start, such as `image_root()`; None leaves them as loaded.
        """
        return read_labels(self._engine, relative_to)

    def image_root(self) -> Path | None:
        """The deepest folder that holds the photos of all labels; None where no load said where they are.

        Raises:
            QueueError: if they were loaded from folders with nothing in common.
        """
        return common_image_root(self._engine)

    def events(self, case_id: int) -> Iterator[Event]:
        """A case's history, oldest first."""
        history = select(EventRow).where(EventRow.case_id == case_id)
        for row in read_pages(self._engine, history, EventRow.event_id):
            yield row.to_event()

    def stats(self, now: datetime) -> QueueStats:
        """Counts over all cases."""
        with reading(self._engine) as session:
            return count_cases(session, now)

    def _lease(self, reviewer: str, now: datetime, expires_at: datetime) -> LeasedCase | None:
        with writing(self._engine) as session:
            return lease_case(session, reviewer, now, expires_at)


def _check_name(name: str) -> str:
    name = _clean(name)
    if not name or name in RESERVED_NAMES:
        raise QueueError(f"{name!r} cannot be a reviewer's name; {' and '.join(sorted(RESERVED_NAMES))} are taken")
    return name


def _check_reason(reason: str) -> str:
    reason = _clean(reason)
    if not reason:
        raise QueueError("a reason is required, so that the seller can be told and a colleague can follow")
    return reason


def _clean(text: str) -> str:
    """Text without blanks around it and without what no database stores."""
    return _UNSTORABLE.sub("\ufffd", text.strip())
