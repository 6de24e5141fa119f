"""How many counterfeits the model lets pass, from listings that passed and were drawn at random for people to see.

Reads only. It holds if

- each listing was drawn with the probability that its case says, whatever the others were, as `loading` does;
- which of the drawn ones people have decided by now does not depend on what they are: those that wait, or went offline
  before anybody looked, are taken to be like the others that were drawn with the same probability;
- people are right. Their errors are not corrected; cases whose answer is known measure them, and where almost all
  listings are genuine, a small share of those wrongly found counterfeit makes the estimate far too high.

A listing whose content changed counts anew, as it passed anew. One that was flagged or complained about after it was
drawn, and before it was decided, is no longer one that passed: neither it nor its like are in the estimate.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf

from scipy.stats import binomtest, chi2
from sqlalchemy import Engine, Select, exists, func, select

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Label
from counterfeit_risk.takedown.database import reading
from counterfeit_risk.takedown.states import CaseState, Lane, Move
from counterfeit_risk.takedown.tables import CaseRow, DecisionRow, EventRow, LabelRow, MemberRow, SnapshotRow

_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Stratum:
    """Listings that passed and were drawn with one probability."""

    probability: float
    """In (0, 1]."""
    drawn: int
    decided: int
    """At most `drawn`."""
    counterfeit: int
    """Of those decided."""

    @property
    def weight(self) -> float:
        """How many listings that passed one decided listing stands for: 1 over the probability of both."""
        return self.drawn / (self.decided * self.probability) if self.decided else inf


@dataclass(frozen=True, slots=True)
class Missed:
    """Counterfeits that passed, with 95 % intervals."""

    strata: tuple[Stratum, ...]
    """By probability, the lowest first."""
    estimate: float
    low: float
    high: float
    """Of counterfeits among all listings that passed; infinite where nobody has decided any."""
    share: float | None
    """Of counterfeits among the drawn ones that were decided; None where there is none."""
    share_low: float
    share_high: float
    not_estimated: int
    """Drawn with a probability with which nobody has decided any: what they stand for is missing in the estimate."""


def read_missed(engine: Engine, since: datetime | None = None) -> Missed:
    """Estimates how many counterfeits passed, among listings that were loaded since then, or ever."""
    counts: dict[float, dict[Label | None, int]] = defaultdict(dict)
    with reading(engine) as session:
        for probability, label, count in session.execute(_drawn(since)):
            counts[probability][label] = count
    strata = []
    for probability, by_label in sorted(counts.items()):
        fakes = by_label.get(Label.COUNTERFEIT, 0)
        decided = fakes + by_label.get(Label.GENUINE, 0)
        strata.append(Stratum(probability, sum(by_label.values()), decided, fakes))
    return estimate_missed(strata)


def estimate_missed(strata: Sequence[Stratum]) -> Missed:
    """The Horvitz-Thompson estimate, and the share among those decided with its exact interval.

    The share is Clopper and Pearson's (1934, Biometrika 26): that of all that passed only where all were drawn alike.
    """
    seen = [stratum for stratum in strata if stratum.decided]
    fakes, decided = sum(stratum.counterfeit for stratum in seen), sum(stratum.decided for stratum in seen)
    share_low, share_high = 0.0, 1.0
    if decided:
        exact = binomtest(fakes, decided).proportion_ci(_CONFIDENCE, method="exact")
        share_low, share_high = float(exact.low), float(exact.high)
    low, high = weighted_interval([one.counterfeit for one in seen], [one.weight for one in seen])
    return Missed(
        strata=tuple(strata),
        estimate=sum(one.counterfeit * one.weight for one in seen),
        low=low,
        high=high,
        share=fakes / decided if decided else None,
        share_low=share_low,
        share_high=share_high,
        not_estimated=sum(stratum.drawn for stratum in strata if not stratum.decided),
    )


def weighted_interval(counts: Sequence[int], weights: Sequence[float]) -> tuple[float, float]:
    """A 95 % interval for the expectation of a weighted sum of Poisson counts, by the gamma distribution.

    Fay and Feuer (1997), Statistics in Medicine 16, 791-801; for one weight it is the exact Poisson interval. Sampled
    counts vary less than Poisson ones, so that it is rather too wide.

    Args:
        counts: (S,) seen in each stratum.
        weights: (S,) what one of them stands for; those of strata in which none was seen belong here too.
    """
    if not weights:
        return 0.0, inf
    tail = (1 - _CONFIDENCE) / 2
    total = sum(count * weight for count, weight in zip(counts, weights, strict=True))
    variance = sum(count * weight**2 for count, weight in zip(counts, weights, strict=True))
    low = variance / (2 * total) * float(chi2.ppf(tail, 2 * total**2 / variance)) if total else 0.0
    total, variance = total + max(weights), variance + max(weights) ** 2
    return low, variance / (2 * total) * float(chi2.ppf(1 - tail, 2 * total**2 / variance))


def _drawn(since: datetime | None) -> Select[float, Label | None, int]:
    """Probability, label or None, and how many listings of the audit lane have both.

    A case that was taken back or went into another is none that was drawn; one whose listing went offline is.
    """
    gone = exists().where(EventRow.case_id == CaseRow.case_id, EventRow.move == Move.GONE)
    standing = (
        select(DecisionRow.case_id, LabelRow.listing_key, LabelRow.label)
        .join(DecisionRow, DecisionRow.decision_id == LabelRow.decision_id)
        .where(LabelRow.withdrawn_at.is_(None))
        .subquery()
    )
    drawn = (
        select(CaseRow.inclusion_probability, standing.c.label, func.count())
        .join(MemberRow, MemberRow.case_id == CaseRow.case_id)
        .join(SnapshotRow, SnapshotRow.snapshot_id == MemberRow.snapshot_id)
        .outerjoin(
            standing, (standing.c.case_id == CaseRow.case_id) & (standing.c.listing_key == MemberRow.listing_key)
        )
        .where(CaseRow.lane == Lane.AUDIT, SnapshotRow.band == Band.PASS, (CaseRow.state != CaseState.CLOSED) | gone)
        .group_by(CaseRow.inclusion_probability, standing.c.label)
    )
    return drawn.where(CaseRow.opened_at >= since) if since else drawn
