"""What is decided without a person, as settings: due times, the order of work, quotas, leases, hiding.

Knows no database. Policy never overrides a person's decision.
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from counterfeit_risk.sections import Section
from counterfeit_risk.takedown.complaints.notice import NotifierKind
from counterfeit_risk.takedown.complaints.validity import NoticeOutcome, ValiditySettings
from counterfeit_risk.takedown.statements.statement import StatementSettings

POLICY = "policy"
"""Who decides in the automatic band."""
QUEUE = "queue"
"""Who acts when a lease expires."""
RESERVED_NAMES = frozenset({POLICY, QUEUE})
"""Names that no reviewer can have."""

Duration = Annotated[timedelta, Field(gt=timedelta(0))]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class OrderKind(StrEnum):
    """What comes first."""

    URGENCY = "urgency"
    """What is due soon, then quotas, then harm."""
    OLDEST = "oldest"
    RISK = "risk"


class DueTimes(Section):
    """How long people have for a case."""

    automatic: Duration = timedelta(hours=24)
    """From the score, where the listing is hidden meanwhile."""
    review: Duration = timedelta(hours=72)
    """From the score."""
    audit: Duration = timedelta(hours=72)
    """From the draw."""
    known_answer: Duration = timedelta(days=30)
    """From the load: nobody waits for it."""
    reopened: Duration = timedelta(hours=48)
    """From the reopening."""
    appeal: Duration = timedelta(hours=48)
    """From the appeal."""
    notice: Duration = timedelta(hours=24)
    """From a notice."""
    fast_lane: Duration = timedelta(hours=12)
    """From a notice of somebody whose notices are right."""
    authority: Duration = timedelta(hours=4)
    """From an authority's notice."""

    def of_notice(self, kind: NotifierKind, outcome: NoticeOutcome) -> timedelta:
        """How long people have for what a notice names."""
        if kind is NotifierKind.AUTHORITY:
            return self.authority
        return self.fast_lane if outcome is NoticeOutcome.FAST_LANE else self.notice


class Order(Section):
    """What makes one case more urgent than another; harm is in units of one fake listing left on sale."""

    by: OrderKind = OrderKind.URGENCY
    """The other two are there to be compared with."""
    due_soon: Duration = timedelta(hours=16)
    """A case that is due within this comes before all others: the longest time for which nobody may be at work."""
    audit_share: Share = 0.03
    """Of the cases handed out: random ones, to learn what the model misses."""
    known_answer_share: Share = 0.01
    """Of the cases handed out: ones whose answer is known, to learn what reviewers miss."""
    severity: dict[str, Positive] = Field(default_factory=dict)
    """Harm of a fake by category, where it is not 1."""
    wrongful_takedown: Positive = 5.0
    """Harm of taking down a genuine listing."""
    mistaken: Share = 0.02
    """Share of the genuine listings that reviewers take down."""
    minutes: Positive = 2.0
    """That a reviewer needs for a case of one listing."""
    minutes_a_further_listing: Positive = 0.5

    def harm_a_minute(self, listings: Sequence[tuple[float, str | None]]) -> float:
        """Harm that a minute's work on a case is expected to prevent.

        Args:
            listings: calibrated risk and category of each of the case's listings, of which there is one at least.
        """
        prevented = sum(
            risk * self.severity.get(category or "", 1.0) - (1 - risk) * self.mistaken * self.wrongful_takedown
            for risk, category in listings
        )
        return prevented / (self.minutes + self.minutes_a_further_listing * (len(listings) - 1))


class QueueSettings(Section):
    """How the queue is run."""

    due_times: DueTimes = DueTimes()
    order: Order = Order()
    validity: ValiditySettings = ValiditySettings()
    statements: StatementSettings = StatementSettings()
    audit_probability: Share = 0.0
    """With which a listing that passes is drawn for people to see."""
    reviews_a_day: Annotated[int, Field(gt=0)] | None = None
    """That people can do; where more is flagged, the least harmful cases slip by a day."""
    lease: Duration = timedelta(minutes=15)
    """How long a reviewer keeps a case without asking again."""
    undo: Duration = timedelta(minutes=10)
    """How long a reviewer may take a decision back."""
    appeal_window: Annotated[timedelta, Field(ge=timedelta(days=184))] = timedelta(days=184)
    """How long a seller or a notifier may appeal; by law at least six months, of which the longest have 184 days."""
    retention: Annotated[timedelta, Field(ge=timedelta(days=184))] = timedelta(days=730)
    """How long personal data is kept after a case has ended, and of a notice that led to none."""


def hiding_reason(risk: float, model_id: str) -> str:
    """Why policy hid a listing, in words for a seller's file."""
    return f"risk {risk:.4f} of {model_id} lies in the automatic band; a person confirms or reinstates"
