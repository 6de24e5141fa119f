"""The tables of cases and of all that people and policy did to them.

Knows no rule: which row may follow which is decided elsewhere. All types are portable between SQLite and PostgreSQL.
"""

from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Label, Listing, Photo
from counterfeit_risk.takedown.case import Action, Case, Decision, Event, Snapshot
from counterfeit_risk.takedown.states import ActionKind, CaseState, Lane, Move, Verdict

Value = TypeVar("Value", Listing, Case, Snapshot, Decision, Action, Event)


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


def enum_type(values: type[StrEnum]) -> Enum:
    """A column of one of the values, kept as text."""
    return Enum(values, native_enum=False, length=20, values_callable=list)


class Base(DeclarativeBase):
    """Maps Python types to portable column types."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        str: Text,
        list[str]: JSON,
        list[int]: JSON,
        dict[str, Any]: JSON,
        list[dict[str, Any]]: JSON,
        **{values: enum_type(values) for values in (ActionKind, Band, CaseState, Label, Lane, Move, Verdict)},
    }


class QueueNumber(Base):
    """One named number: what tells this queue from others, and the last case, snapshot, load and action.

    Raising one locks its row until the transaction ends: that orders loads, and gives actions their sequence in the
    order in which they become visible, so that nobody who continues from a sequence misses one.
    """

    __tablename__ = "queue_numbers"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


class SnapshotRow(Base):
    """A listing as it was when it was scored; never changed but to erase personal data."""

    __tablename__ = "snapshots"
    __table_args__ = (Index("snapshots_of_listing", "listing_key", "snapshot_id"),)

    snapshot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    listing_key: Mapped[str]
    """Platform and listing id in one."""
    load_id: Mapped[int] = mapped_column(index=True)
    listing_id: Mapped[str]
    title: Mapped[str]
    brand: Mapped[str | None]
    platform: Mapped[str | None]
    seller_id: Mapped[str | None]
    category: Mapped[str | None]
    price: Mapped[float | None]
    currency: Mapped[str | None]
    language: Mapped[str | None]
    created_at: Mapped[datetime | None]
    photo_paths: Mapped[list[str]]
    photo_hashes: Mapped[list[str]]
    image_root: Mapped[str | None]
    risk: Mapped[float]
    band: Mapped[Band]
    photo_risk: Mapped[float | None]
    title_risk: Mapped[float | None]
    model_id: Mapped[str]
    scored_at: Mapped[datetime]
    content_hash: Mapped[str]
    erased_at: Mapped[datetime | None]

    def to_snapshot(self) -> Snapshot:
        """The row as a value."""
        listing = _read(self, Listing, photos=tuple(Photo(path) for path in self.photo_paths), unreadable_fields=())
        return _read(self, Snapshot, listing=listing, photo_hashes=tuple(self.photo_hashes))


class CaseRow(Base):
    """One question for people: are these listings of one brand, which show copies of the same photos, counterfeit?"""

    __tablename__ = "cases"
    __table_args__ = (
        Index("cases_by_due", "state", "escalated", "due_at", "case_id"),
        Index("cases_by_harm", "state", "escalated", text("harm DESC"), "case_id"),
        Index("cases_by_lane", "state", "lane", "case_id"),
    )

    case_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    parent_case_id: Mapped[int | None]
    load_id: Mapped[int] = mapped_column(index=True)
    """That opened it."""
    brand: Mapped[str | None]
    lane: Mapped[Lane]
    inclusion_probability: Mapped[float]
    known_answer: Mapped[Label | None]

    risk: Mapped[float]
    band: Mapped[Band]
    harm: Mapped[float]
    state: Mapped[CaseState]
    escalated: Mapped[bool] = mapped_column(default=False)
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    token: Mapped[int] = mapped_column(default=0)
    leased_by: Mapped[str | None] = mapped_column(unique=True)
    lease_expires_at: Mapped[datetime | None]
    judged: Mapped[bool] = mapped_column(default=False)
    """True once a person has said more than `unsure`, of it or of a case that went into it: policy hides no more."""
    verdict: Mapped[Verdict | None]
    decided_at: Mapped[datetime | None]

    event_count: Mapped[int] = mapped_column(default=0)
    last_sha256: Mapped[str] = mapped_column(default="")
    """Of the case's last event."""

    members: Mapped[list["MemberRow"]] = relationship(back_populates="case", order_by="MemberRow.listing_key")

    def to_case(self) -> Case:
        """The row as a value, its listings the riskiest first."""
        present = [member.snapshot.to_snapshot() for member in self.members if member.present]
        snapshots = tuple(sorted(present, key=lambda snapshot: (-snapshot.risk, snapshot.snapshot_id)))
        return _read(self, Case, snapshots=snapshots)


class MemberRow(Base):
    """A listing of a case, and its newest snapshot there."""

    __tablename__ = "case_members"
    __table_args__ = (Index("members_by_listing", "listing_key"),)

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.case_id"), primary_key=True)
    listing_key: Mapped[str] = mapped_column(primary_key=True)
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshots.snapshot_id"))
    present: Mapped[bool] = mapped_column(default=True)
    """False once it is offered no longer."""

    case: Mapped[CaseRow] = relationship(back_populates="members")
    snapshot: Mapped[SnapshotRow] = relationship()


class CasePhotoRow(Base):
    """A photo, or the first of its copies, that a case's listings show; by it others find the case."""

    __tablename__ = "case_photos"

    photo_key: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.case_id"), primary_key=True, index=True)

    case: Mapped[CaseRow] = relationship()


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
    snapshot_ids: Mapped[list[int]]
    """What was decided on."""
    spared: Mapped[list[str]]
    """Listing keys that a verdict of counterfeit left out: these are genuine."""

    actions: Mapped[list["ActionRow"]] = relationship(back_populates="decision", order_by="ActionRow.sequence")

    def to_decision(self) -> Decision:
        """The row as a value."""
        return _read(self, Decision, actions=tuple(action.kind for action in self.actions))


class ActionRow(Base):
    """An instruction to the platform; never changed."""

    __tablename__ = "actions"
    __table_args__ = (Index("actions_of_listing", "listing_key", "sequence"),)

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[ActionKind]
    listing_key: Mapped[str]
    listing_id: Mapped[str]
    platform: Mapped[str | None]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.case_id"))
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.decision_id"), index=True)
    reason: Mapped[str]
    created_at: Mapped[datetime]

    decision: Mapped[DecisionRow] = relationship(back_populates="actions")

    def to_action(self) -> Action:
        """The row as a value."""
        return _read(self, Action)


class LabelRow(Base):
    """What a person's decision says a listing is; `withdrawn_at` once the decision no longer stands."""

    __tablename__ = "labels"
    __table_args__ = (Index("labels_of_listing", "listing_key", "label_id"),)

    label_id: Mapped[int] = mapped_column(primary_key=True)
    listing_key: Mapped[str]
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshots.snapshot_id"))
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.decision_id"), index=True)
    label: Mapped[Label]
    source: Mapped[str]
    known_at: Mapped[datetime]
    inclusion_probability: Mapped[float]
    withdrawn_at: Mapped[datetime | None]

    snapshot: Mapped[SnapshotRow] = relationship()


DESK = 0
"""Stands for a case's number in events that are of no case: what came in and opened none, and what was erased of it."""


class EventRow(Base):
    """One line of a history; never changed but to erase personal data. Each carries the hash of the one before."""

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("case_id", "number"),
        Index("events_by_actor", "actor", "move", "case_id"),  # which cases a reviewer has left to others
    )

    event_id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int]
    """Or `DESK`."""
    number: Mapped[int]
    move: Mapped[Move]
    actor: Mapped[str]
    at: Mapped[datetime]
    from_state: Mapped[CaseState | None]
    to_state: Mapped[CaseState | None]
    detail: Mapped[dict[str, Any]]
    rows: Mapped[list[dict[str, Any]]]
    """Each row that was added or changed, or, where it was erased, its key and its hash."""
    sha256: Mapped[str]

    def to_event(self) -> Event:
        """The row as a value."""
        return _read(self, Event)


def _read(row: Base, value: type[Value], **others: Any) -> Value:
    """Copies the columns that a value's fields are named after; `others` are the fields that are no column."""
    columns: dict[str, Any] = {
        field.name: getattr(row, field.name) for field in fields(value) if field.name not in others
    }
    return value(**columns, **others)
