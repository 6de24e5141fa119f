"""What can be asked of the queue: cases, actions, labels, histories, counts, and whether all of it is whole.

Knows no clock, and changes nothing.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Engine, func, select

from counterfeit_risk.listings.listing import LabeledListing
from counterfeit_risk.takedown.case import Action, Case, CaseTimes, Event, Message, QueueStats, Statement
from counterfeit_risk.takedown.complaints.tables import MessageRow
from counterfeit_risk.takedown.database import read_pages, reading
from counterfeit_risk.takedown.feedback import common_image_root, read_labels
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.replay import find_damage
from counterfeit_risk.takedown.statements.tables import StatementRow
from counterfeit_risk.takedown.states import UNDECIDED, CaseState
from counterfeit_risk.takedown.statistics import count_cases
from counterfeit_risk.takedown.tables import ActionRow, CasePhotoRow, CaseRow, EventRow
from counterfeit_risk.takedown.urgency import by_urgency

_SETTINGS = QueueSettings()


class QueueReader:
    """Reads one database."""

    def __init__(self, engine: Engine, settings: QueueSettings = _SETTINGS) -> None:
        self._engine, self._settings = engine, settings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()

    def top(self, now: datetime, limit: int = 20) -> list[Case]:
        """The most urgent undecided cases, leased ones included, without leasing them."""
        undecided = select(CaseRow).where(CaseRow.state.in_(UNDECIDED))
        ordered = by_urgency(undecided, now, self._settings.order)
        with reading(self._engine) as session:
            rows = (row for cases in ordered for row in session.scalars(cases.limit(limit)))
            first_seen = {row.case_id: row for row in rows}
            return [row.to_case() for row in islice(first_seen.values(), limit)]

    def actions(self, after: int = 0) -> Iterator[Action]:
        """Every action with a sequence number above `after`, in order.

        Who keeps the last number seen and continues from it gets each action once.
        """
        for row in read_pages(self._engine, select(ActionRow), ActionRow.sequence, after=after):
            yield row.to_action()

    def messages(self, after: int = 0) -> Iterator[Message]:
        """Every message with a sequence number above `after`, in order."""
        for row in read_pages(self._engine, select(MessageRow), MessageRow.sequence, after=after):
            yield row.to_message()

    def statements(self, after: int = 0) -> Iterator[Statement]:
        """The statement of reasons of every restriction with a sequence number above `after`, in order."""
        for row in read_pages(self._engine, select(StatementRow), StatementRow.sequence, after=after):
            yield row.to_statement()

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

    def case_times(self) -> list[CaseTimes]:
        """When each case that was not closed opened, is or was due, and was decided."""
        rows = select(CaseRow.case_id, CaseRow.opened_at, CaseRow.due_at, CaseRow.decided_at)
        with reading(self._engine) as session:
            return [CaseTimes(*row) for row in session.execute(rows.where(CaseRow.state != CaseState.CLOSED))]

    def photo_names(self, decided_since: datetime) -> list[str]:
        """Names of the photos of all cases that are undecided, or were decided since then."""
        known = select(CasePhotoRow.photo_key).join(CaseRow, CaseRow.case_id == CasePhotoRow.case_id)
        recent = CaseRow.state.in_(UNDECIDED) | (CaseRow.decided_at >= decided_since)
        with reading(self._engine) as session:
            return sorted(session.scalars(known.where(recent).distinct()))

    def events(self, case_id: int) -> Iterator[Event]:
        """A case's history, oldest first."""
        history = select(EventRow).where(EventRow.case_id == case_id)
        for row in read_pages(self._engine, history, EventRow.event_id):
            yield row.to_event()

    def find_damage(self) -> Iterator[str]:
        """What is wrong with the cases' histories, or with what the tables say beside them; nothing if all is well."""
        return find_damage(self._engine)

    def last_event(self) -> tuple[int, str]:
        """How many cases there are, and the hash that the newest one's history ends with."""
        with reading(self._engine) as session:
            count = session.scalar(select(func.count()).select_from(CaseRow)) or 0
            last = session.scalar(select(CaseRow.last_sha256).order_by(CaseRow.case_id.desc()).limit(1))
        return count, last or ""

    def stats(self, now: datetime) -> QueueStats:
        """Counts over all cases."""
        with reading(self._engine) as session:
            return count_cases(session, now)
