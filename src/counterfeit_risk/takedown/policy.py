"""What is decided without a person: when a case is due, how long a lease lasts, and when a listing is hidden meanwhile.

Knows no database. Policy never overrides a person's decision.
"""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.sections import Section

LEASE = timedelta(minutes=15)
"""How long a reviewer keeps a case without asking again."""

POLICY = "policy"
"""Who decides in the automatic band."""
QUEUE = "queue"
"""Who acts when a lease expires."""
RESERVED_NAMES = frozenset({POLICY, QUEUE})
"""Names that no reviewer can have."""

Duration = Annotated[timedelta, Field(gt=timedelta(0))]


class DueTimes(Section):
    """How long people have for a case."""

    automatic: Duration = timedelta(hours=24)
    """From the score, where the listing is hidden meanwhile."""
    review: Duration = timedelta(hours=72)
    """From the score."""
    reopened: Duration = timedelta(hours=48)
    """From the reopening."""

    def due_at(self, score: RiskScore) -> datetime:
        """When a case with this score is due."""
        return score.scored_at + (self.automatic if score.band is Band.AUTOMATIC else self.review)


def hiding_reason(score: RiskScore) -> str:
    """Why policy hid a listing, in words for a seller's file."""
    return f"risk {score.risk:.4f} of {score.model_id} lies in the automatic band; a person confirms or reinstates"
