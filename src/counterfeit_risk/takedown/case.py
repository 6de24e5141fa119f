"""The values that the queue hands out: a case and its snapshots, a lease, a decision, an action, an event, counts.

Knows no database: every value is a frozen copy, and all times are in UTC.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.takedown.states import BLIND_LANES, ActionKind, CaseState, Lane, Move, Verdict


def listing_key(platform: str | None, listing_id: str) -> str:
    """Names a listing among those of all platforms."""
    return f"{quote(platform or '', safe='')}/{listing_id}"


LISTING_COLUMNS = (
    *("listing_id", "title", "brand", "platform", "seller_id", "category"),
    *("price", "currency", "language", "created_at"),
)
"""What a snapshot takes over from a listing as it is."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A listing as it was when it was scored: later edits by the seller do not reach it.

    `risk`, `photo_risk` and `title_risk` are probabilities of being counterfeit, in [0, 1].
    """

    snapshot_id: int
    listing_key: str
    listing: Listing
    image_root: str | None
    """Folder under which the listing's photo paths start; None where the load did not say."""
    photo_hashes: tuple[str, ...]
    """sha256 of each photo that was judged."""
    risk: float
    band: Band
    photo_risk: float | None
    title_risk: float | None
    model_id: str
    scored_at: datetime
    content_hash: str


@dataclass(frozen=True, slots=True)
class Case:
    """Listings of one brand that show copies of the same photos, on which people have to decide."""

    case_id: int
    brand: str | None
    snapshots: tuple[Snapshot, ...]
    """One of each listing that is still offered, the riskiest first."""
    lane: Lane
    risk: float
    """The highest among its listings."""
    band: Band
    """Of that listing."""
    harm: float
    """Expected, for each minute of a reviewer: the order of work."""
    state: CaseState
    escalated: bool
    """True if only specialists get it."""
    opened_at: datetime
    due_at: datetime
    parent_case_id: int | None
    """An earlier case of the same listing, or of the same photos and brand, that people decided."""
    leased_by: str | None
    lease_expires_at: datetime | None
    verdict: Verdict | None
    """What a person said; None until then, and again once reopened."""
    decided_at: datetime | None

    @property
    def riskiest(self) -> Snapshot:
        """The listing that people look at first."""
        return self.snapshots[0]

    @property
    def is_blind(self) -> bool:
        """True where reviewers must not see the risk."""
        return self.lane in BLIND_LANES


@dataclass(frozen=True, slots=True)
class LeasedCase:
    """A case that one reviewer may decide until the lease expires."""

    case: Case
    token: int
    """Goes back with the decision. It grows with every lease, so a decision from an older lease is recognised."""
    expires_at: datetime
    renewed: bool
    """True if the reviewer held this case already and was given it again, under the same token."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person, or policy, said of a case."""

    decision_id: int
    case_id: int
    verdict: Verdict
    reason: str
    decided_by: str
    automated: bool
    """True if policy decided; it then only hides one listing, and the case stays open."""
    decided_at: datetime
    snapshot_ids: list[int]
    """What was decided on."""
    spared: list[str]
    """Keys of the listings that a verdict of counterfeit left out as genuine."""
    actions: tuple[ActionKind, ...]
    """What it led to, one for each listing to which something had to be done."""


@dataclass(frozen=True, slots=True)
class Action:
    """An instruction to the platform; a sequence number is given out once and only grows."""

    sequence: int
    kind: ActionKind
    listing_key: str
    listing_id: str
    platform: str | None
    case_id: int
    decision_id: int
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody outside is to be told; a sequence number is given out once and only grows."""

    sequence: int
    email: str
    text: str
    notice_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Statement:
    """Why a listing was restricted, for the EU Transparency Database and for the seller."""

    sequence: int
    """Of the action that restricts it."""
    puid: str
    """Names it for ever."""
    case_id: int
    listing_key: str
    seller_id: str | None
    payload: dict[str, Any]
    """As the database takes it."""
    seller_text: str
    """As the seller is told."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a case's history."""

    event_id: int
    case_id: int
    number: int
    """Counts the case's events, or the desk's, from 1."""
    move: Move
    actor: str
    """A reviewer, `policy`, or `queue` for what happens by itself."""
    at: datetime
    from_state: CaseState | None
    to_state: CaseState | None
    """None where it is of no case."""
    detail: dict[str, Any]
    """What it was about."""
    rows: list[dict[str, Any]]
    """Every row that it added or changed; of one that was erased since, its key and its hash."""
    sha256: str
    """Of all this and of the event before."""


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What became of the scores of one load; `opened` to `audited` sum to the scores read."""

    load_id: int
    opened: int = 0
    joined: int = 0
    """Listings that show what an undecided case shows, and went into it."""
    updated: int = 0
    """Listings of undecided cases with something new."""
    already_known: int = 0
    """Scores that say nothing new, or concern content on which people decided."""
    passed: int = 0
    """Scores in the pass band with no undecided case."""
    audited: int = 0
    """Scores in the pass band that were drawn for people to see."""
    hidden: int = 0
    """Listings that policy hid, among those opened, joined or updated."""
    merged: int = 0
    """Cases that turned out to be one with an older one."""
    gone: int = 0
    """Listings of undecided cases that the dump no longer has."""
    slipped: int = 0
    """Cases whose due time moved, since more was flagged than people can see."""


@dataclass(frozen=True, slots=True)
class CaseTimes:
    """When things happened to a case."""

    case_id: int
    opened_at: datetime
    due_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class QueueStats:
    """Counts over all cases at one moment."""

    cases: dict[tuple[CaseState, Band], int]
    """A lease that expired counts as open."""
    overdue: int
    """Undecided cases whose due time has come."""
    decided: dict[Verdict, int]
    median_hours: float | None
    """From a case's opening to the first verdict by a person; None before any."""
