"""The tables of notices, of what notifiers are told, and of appeals.

Knows no rule. Which listing a notice names is kept even where no case follows from it.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from counterfeit_risk.takedown.case import Message
from counterfeit_risk.takedown.complaints.notice import NotifierKind, Right
from counterfeit_risk.takedown.complaints.validity import NoticeOutcome
from counterfeit_risk.takedown.tables import Base, enum_type


class ItemResult(StrEnum):
    """What people found of a listing that a notice names."""

    UPHELD = "upheld"
    REJECTED = "rejected"
    OVERTURNED = "overturned"
    """Upheld at first, and then not, on appeal."""


class Appellant(StrEnum):
    """Who disagrees with a decision."""

    SELLER = "seller"
    NOTIFIER = "notifier"


class AppealOutcome(StrEnum):
    """What became of an appeal."""

    UPHELD = "upheld"
    """The decision stands."""
    OVERTURNED = "overturned"
    MOOT = "moot"
    """The listing is offered no longer: there is nothing to decide."""


Base.registry.update_type_annotation_map(
    {values: enum_type(values) for values in (NotifierKind, Right, NoticeOutcome, ItemResult, Appellant, AppealOutcome)}
)


class NoticeRow(Base):
    """A notice with all its particulars; never changed but to erase personal data."""

    __tablename__ = "notices"

    notice_id: Mapped[str] = mapped_column(primary_key=True)
    notifier_id: Mapped[str] = mapped_column(index=True)
    notifier_name: Mapped[str]
    notifier_email: Mapped[str]
    notifier_kind: Mapped[NotifierKind]
    notifier_is_organisation: Mapped[bool]
    received_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime]
    brand: Mapped[str]
    right: Mapped[Right]
    mark_number: Mapped[str | None]
    explanation: Mapped[str]
    erased_at: Mapped[datetime | None]


class NoticeItemRow(Base):
    """One listing that a notice names, and what became of it."""

    __tablename__ = "notice_items"
    __table_args__ = (Index("items_of_case", "case_id"),)

    notice_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """Counts the notice's listings from 1."""
    listing_key: Mapped[str] = mapped_column(index=True)
    listing_id: Mapped[str]
    platform: Mapped[str]
    url: Mapped[str]
    validity: Mapped[float]
    outcome: Mapped[NoticeOutcome]
    case_id: Mapped[int | None]
    result: Mapped[ItemResult | None]
    decided_at: Mapped[datetime | None]


class MessageRow(Base):
    """What somebody outside is to be told; never changed but to erase personal data."""

    __tablename__ = "messages"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    email: Mapped[str]
    text: Mapped[str]
    notice_id: Mapped[str | None]
    created_at: Mapped[datetime]

    def to_message(self) -> Message:
        """The row as a value."""
        return Message(self.sequence, self.email, self.text, self.notice_id, self.created_at)


class AppealRow(Base):
    """Somebody's disagreement with a decision; somebody else decides on it."""

    __tablename__ = "appeals"
    __table_args__ = (Index("appeals_of_case", "case_id"),)

    appeal_id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int]
    decision_id: Mapped[int]
    listing_key: Mapped[str]
    by: Mapped[Appellant]
    grounds: Mapped[str]
    filed_at: Mapped[datetime]
    outcome: Mapped[AppealOutcome | None]
    decided_at: Mapped[datetime | None]
