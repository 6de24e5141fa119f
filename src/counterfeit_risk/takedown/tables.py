"""The queue's five tables.

Knows no rule: which row may follow which is decided in `states`, `loading` and `queue`. All types are portable between
SQLite and PostgreSQL.
"""

from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from sqlalchemy import JSON, DateTime, Dialect, Enum, ForeignKey, Index, Text, TypeDecorator, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing, Photo
from counterfeit_risk.takedown.case import Action, Case, Decision, Event
from counterfeit_risk.takedown.states import ActionKind, CaseState, Move, Verdict

SCHEMA_VERSION = 1
"""Grows with every change to these tables."""

Value = TypeVar("Value", Case, Decision, Action, Event)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time: stored in UTC, read in UTC, whatever the database or its session makes of zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Refuses a time without a zone."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Gives the zone back to a database that keeps none."""
        return value and (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC))


def _enum(values: type[StrEnum]) -> Enum:
    return Enum(values, native_enum=False, length=20, values_callable=list)


class Base(DeclarativeBase):
    """Maps Python types to portable column types."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        str: Text,
        list[str]: JSON,
        dict[str, Any]: JSON,
        **{values: _enum(values) for values in (ActionKind, Band, CaseState, Move, Verdict)},
    }


class QueueNumber(Base):
    """One named number: the schema version, the loads so far, the last action's sequence.

    Raising one locks its row until the transaction ends: that orders loads, and gives actions their sequence in the
    order in which they become visible, so that nobody who continues from a sequence misses one.
    """

    __tablename__ = "queue_numbers"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]


class CaseRow(Base):
    """A listing's snapshot, its score, and where the case stands."""

    __tablename__ = "cases"
    __table_args__ = (
        Index("cases_by_due", "state", "due_at", "case_id"),
        Index("cases_by_risk", "state", text("risk DESC"), "case_id"),
        Index(
            "one_undecided_case_a_listing",
            "listing_id",
            unique=True,
            sqlite_where=text("state <> 'decided'"),
            postgresql_where=text("state <> 'decided'"),
        ),
    )

    case_id: Mapped[int] = mapped_column(primary_key=True)
    parent_case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.case_id"))

    listing_id: Mapped[str] = mapped_column(index=True)
    title: Mapped[str]
    brand: Mapped[str | None]
    platform: Mapped[str | None]
    seller_id: Mapped[str | None]
    category: Mapped[str | None]
    price: Mapped[float | None]
    currency: Mapped[str | None]
    photo_paths: Mapped[list[str]]
    image_root: Mapped[str | None]

    risk: Mapped[float]
    band: Mapped[Band]
    photo_risk: Mapped[float | None]
    title_risk: Mapped[float | None]
    model_id: Mapped[str]
    scored_at: Mapped[datetime]
    content_hash: Mapped[str]

    state: Mapped[CaseState]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    token: Mapped[int] = mapped_column(default=0)
    leased_by: Mapped[str | None] = mapped_column(unique=True)
    lease_expires_at: Mapped[datetime | None]
    verdict: Mapped[Verdict | None]
    decided_at: Mapped[datetime | None]

    def to_case(self) -> Case:
        """The row as a value."""
        listing = Listing(
            listing_id=self.listing_id,
            title=self.title,
            photos=tuple(Photo(path) for path in self.photo_paths),
            brand=self.brand,
            platform=self.platform,
            seller_id=self.seller_id,
            category=self.category,
            price=self.price,
            currency=self.currency,
        )
        return _read(self, Case, listing=listing)


class DecisionRow(Base):
    """What a person, or policy, said; never changed. `token` is None for policy."""

    __tablename__ = "decisions"
    __table_args__ = (UniqueConstraint("case_id", "token"),)

    decision_id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.case_id"))
    token: Mapped[int | None]
    verdict: Mapped[Verdict]
    reason: Mapped[str]
    decided_by: Mapped[str]
    automated: Mapped[bool]
    decided_at: Mapped[datetime]
    content_hash: Mapped[str]
    """What was decided on."""

    case: Mapped[CaseRow] = relationship()
    action: Mapped["ActionRow | None"] = relationship(back_populates="decision")

    def to_decision(self) -> Decision:
        """The row as a value."""
        return _read(self, Decision, action=self.action.kind if self.action else None)


class ActionRow(Base):
    """An instruction to the platform; never changed, at most one a decision."""

    __tablename__ = "actions"
    __table_args__ = (Index("actions_of_listing", "listing_id", "sequence"),)

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[ActionKind]
    listing_id: Mapped[str]
    platform: Mapped[str | None]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.case_id"))
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.decision_id"), unique=True)
    reason: Mapped[str]
    created_at: Mapped[datetime]

    decision: Mapped[DecisionRow] = relationship(back_populates="action")

    def to_action(self) -> Action:
        """The row as a value."""
        return _read(self, Action)


class EventRow(Base):
    """One line of a case's history; never changed."""

    __tablename__ = "events"

    event_id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.case_id"), index=True)
    move: Mapped[Move]
    actor: Mapped[str]
    at: Mapped[datetime]
    from_state: Mapped[CaseState | None]
    to_state: Mapped[CaseState]
    detail: Mapped[dict[str, Any]]

    case: Mapped[CaseRow] = relationship()

    def to_event(self) -> Event:
        """The row as a value."""
        return _read(self, Event)


def _read(row: Base, value: type[Value], **others: Any) -> Value:
    """Copies the columns that a value's fields are named after; `others` are the fields that are no column."""
    columns: dict[str, Any] = {
        field.name: getattr(row, field.name) for field in fields(value) if field.name not in others
    }
    return value(**columns, **others)
