"""The values that the queue hands out: a case, a lease on one, a decision, an action, an event, and counts.

Knows no database: every value is a frozen copy, and all times are in UTC.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.takedown.states import ActionKind, CaseState, Move, Verdict


@dataclass(frozen=True, slots=True)
class Case:
    """One listing that people have to decide on, as it was when it was last scored.

    `risk`, `photo_risk` and `title_risk` are probabilities of being counterfeit, in [0, 1].
    """

    case_id: int
    listing: Listing
    """A snapshot: later edits by the seller do not reach it until the listing is scored again."""
    image_root: str | None
    """Folder under which the listing's photo paths start; None where the load did not say."""
    risk: float
    band: Band
    photo_risk: float | None
    title_risk: float | None
    model_id: str
    scored_at: datetime
    content_hash: str
    state: CaseState
    opened_at: datetime
    due_at: datetime
    parent_case_id: int | None
    """The listing's case before this one, decided on other content."""
    leased_by: str | None
    lease_expires_at: datetime | None
    verdict: Verdict | None
    """What a person said; None until then, and again once reopened."""
    decided_at: datetime | None


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
    """True if policy decided; it then only hides the listing, and the case stays open."""
    decided_at: datetime
    action: ActionKind | None
    """What it led to; None where nothing had to change."""


@dataclass(frozen=True, slots=True)
class Action:
    """An instruction to the platform; a sequence number is given out once and only grows."""

    sequence: int
    kind: ActionKind
    listing_id: str
    platform: str | None
    case_id: int
    decision_id: int
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a case's history."""

    event_id: int
    case_id: int
    move: Move
    actor: str
    """A reviewer, `policy`, or `queue` for what happens by itself."""
    at: datetime
    from_state: CaseState | None
    to_state: CaseState
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What became of the scores of one load; the first four sum to the scores read."""

    opened: int = 0
    updated: int = 0
    """Undecided cases that took over a newer score."""
    already_known: int = 0
    """Scores that say nothing new, or concern content on which people decided."""
    passed: int = 0
    """Scores in the pass band with no undecided case."""
    hidden: int = 0
    """Listings that policy hid, among those opened or updated."""


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
