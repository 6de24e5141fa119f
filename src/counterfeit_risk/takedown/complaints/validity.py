"""Estimates how likely a notice is right about one listing, and says where that leads.

Knows no database and no file. Nothing here takes a listing down: the fast lane only means that people see it first.
"""

import math
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from statistics import NormalDist
from typing import Annotated, Self

from pydantic import Field, model_validator

from counterfeit_risk.sections import Section
from counterfeit_risk.takedown.complaints.notice import NotifierKind, Right
from counterfeit_risk.takedown.complaints.rights import Mark

Share = Annotated[float, Field(gt=0, lt=1)]
Evidence = Annotated[float, Field(ge=0, le=10)]
"""In nats: what it adds to log odds, or takes from them."""

_NEED_NO_MARK = frozenset({NotifierKind.CONSUMER, NotifierKind.AUTHORITY})
_ALWAYS_GOOD = frozenset({NotifierKind.TRUSTED_FLAGGER, NotifierKind.AUTHORITY})
_RISK_SPEAKS = frozenset({Right.TRADEMARK, Right.DESIGN})
"""Of a copyright or a patent the risk says nothing: genuine goods can infringe either."""


class NoticeOutcome(StrEnum):
    """Where a notice leads for one listing; in the first two a person decides."""

    FAST_LANE = "fast_lane"
    """The earliest due time."""
    REVIEW = "review"
    MORE_INFORMATION = "more_information"
    """The notifier has to show the right that they rely on."""
    UNFOUNDED = "unfounded"
    """Nothing is done about the listing."""


class Standing(StrEnum):
    """What a notifier's record says of their next notice."""

    NEW = "new"
    """Too few decisions to say."""
    STANDARD = "standard"
    GOOD_FAITH = "good_faith"
    RESTRICTED = "restricted"
    """Almost all was unfounded. A person warns before anything follows from it, Article 23 of the DSA."""


class UpheldShares(Section):
    """Shares of decided notices that were upheld, by the right; the defaults are Temu's of 2025."""

    trademark: Share = 0.73
    design: Share = 0.73
    copyright: Share = 0.55
    patent: Share = 0.34

    def of(self, right: Right) -> float:
        """The share for one right, in (0, 1)."""
        return {
            Right.TRADEMARK: self.trademark,
            Right.DESIGN: self.design,
            Right.COPYRIGHT: self.copyright,
            Right.PATENT: self.patent,
        }[right]


class ValiditySettings(Section):
    """The numbers of the estimate. Shares are in (0, 1); those without a source are assumptions."""

    upheld_shares: UpheldShares = UpheldShares()
    prevalence: Share = 0.12
    """Of counterfeits among all listings for which the risks are calibrated; the synthetic market's."""
    least_doubt: Annotated[float, Field(gt=0, lt=0.5)] = 0.001
    """A risk counts as no nearer to 0 and 1 than this: no model is surer."""
    record_window: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(days=90)
    """Over which whoever counts a notifier's decisions counts them."""
    prior_decisions: Annotated[float, Field(ge=1)] = 20
    """Decisions, upheld at the share of all notices, that every notifier's record begins with."""
    mark_present: Evidence = 0.3
    """Added where a registration was found."""
    mark_absent: Evidence = 1.0
    """Taken off where there is none; not of a copyright, which needs none."""
    authorisation_lapse: Share = 0.02
    """Probability that an authorised seller's authorisation does not cover what was reported."""
    high_risk_from: Share = 0.9
    """From here on a person looks even where the seller is authorised."""
    fast_lane_from: Share = 0.7
    """From here on a notifier of good standing gets the earliest due time."""
    unfounded_below: Share = 0.05
    fewest_decided: Annotated[int, Field(ge=1)] = 20
    """Below it a notifier is new."""
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    """Of either Wilson bound on a notifier's upheld share, one-sided; 25 decisions without a flaw reach 0.90."""
    good_upheld_share: Share = 0.90
    """The lower bound must reach it for good standing."""
    good_overturned_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    """At most, for good standing."""
    restricted_upheld_share: Share = 0.10
    """A notifier whose upper bound lies below it is restricted."""

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if not self.authorisation_lapse < self.unfounded_below < self.fast_lane_from:
            raise ValueError("authorisation_lapse must lie below unfounded_below, and that below fast_lane_from")
        if not self.restricted_upheld_share < self.good_upheld_share:
            raise ValueError("restricted_upheld_share must lie below good_upheld_share")
        return self


@dataclass(frozen=True, slots=True)
class NotifierRecord:
    """What people made of one notifier's listings over a window of time; `unsure` and what is open do not count."""

    decided: int = 0
    upheld: int = 0
    """Found as the notifier said, and so to this day."""
    overturned_by_appeal: int = 0
    """Found as the notifier said, until an appeal; together with `upheld` at most `decided`."""

    @property
    def overturned_share(self) -> float:
        """Of all that was ever found as the notifier said; 0 where that is nothing."""
        return self.overturned_by_appeal / max(1, self.upheld + self.overturned_by_appeal)


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What is known of one listing that a notice names."""

    kind: NotifierKind
    record: NotifierRecord
    right: Right
    risk: float | None
    """Calibrated probability of being counterfeit, in [0, 1]; None where the listing was not scored."""
    marks: tuple[Mark, ...]
    """Valid registrations that prove the right for these goods; where the notice names a number, of that number."""
    authorised: bool
    """Whether the brand lets this seller offer its goods."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """The estimate for one listing, and where it leads."""

    validity: float
    """Probability that a person will find as the notifier says, in [0, 1]."""
    outcome: NoticeOutcome
    reasons: tuple[str, ...]
    """Whole sentences for the notifier; they tell neither the risk nor where the thresholds lie."""


def estimate_validity(facts: ItemFacts, settings: ValiditySettings) -> float:
    """The probability that a notice is right about a listing, in [0, 1].

    Log odds, summed as if each were independent of the others given the answer (naive Bayes):

    1. those of the notifier's upheld share, which a Beta prior draws towards that of all notices about this right;
    2. those of the risk, less those of the prevalence; nothing where there is no risk, or it says nothing of the right;
    3. an amount for a mark that was found, or was not.

    An authorised seller's goods have to be counterfeit *and* outside of the authorisation: there the probability is
    multiplied by `authorisation_lapse`. It never falls as the risk grows, or as more of as many decisions are upheld.
    """
    log_odds = _log_odds(_smoothed_upheld_share(facts, settings)) + _mark_evidence(facts, settings)
    risk = _telling_risk(facts)
    if risk is not None:
        risk = min(max(risk, settings.least_doubt), 1 - settings.least_doubt)
        log_odds += _log_odds(risk) - _log_odds(settings.prevalence)
    validity = (1 + math.tanh(log_odds / 2)) / 2  # the logistic function, which this way never overflows
    return validity * settings.authorisation_lapse if facts.authorised else validity


def assess(facts: ItemFacts, settings: ValiditySettings) -> Assessment:
    """Estimates a notice's validity for one listing, and finds where it leads.

    Unfounded is only what lies below `unfounded_below`, and of that

    - an authorised seller's listing, unless an authority reports it or its risk is high;
    - a listing with less risk than listings have on average, unless the notifier is of good standing, or a mark is
      missing. So nobody's notice is unfounded by their record alone.
    """
    validity = estimate_validity(facts, settings)
    if facts.authorised:
        outcome, reason = _assess_authorised(facts, settings)
    elif not facts.marks and facts.right is not Right.COPYRIGHT:
        outcome, reason = _assess_unregistered(facts)
    else:
        outcome, reason = _assess_by_validity(facts, validity, settings)
    return Assessment(validity, outcome, (reason,))


def notifier_standing(record: NotifierRecord, settings: ValiditySettings) -> Standing:
    """What a record says of a notifier, whatever their kind."""
    if record.decided < settings.fewest_decided:
        return Standing.NEW
    low, high = wilson_bounds(record.upheld, record.decided, settings.confidence)
    if low >= settings.good_upheld_share and record.overturned_share <= settings.good_overturned_share:
        return Standing.GOOD_FAITH
    return Standing.RESTRICTED if high < settings.restricted_upheld_share else Standing.STANDARD


def _smoothed_upheld_share(facts: ItemFacts, settings: ValiditySettings) -> float:
    typical = settings.upheld_shares.of(facts.right)
    record, weight = facts.record, settings.prior_decisions
    return (record.upheld + weight * typical) / (record.decided + weight)


def _mark_evidence(facts: ItemFacts, settings: ValiditySettings) -> float:
    if facts.marks:
        return settings.mark_present
    return 0.0 if facts.right is Right.COPYRIGHT else -settings.mark_absent


def _telling_risk(facts: ItemFacts) -> float | None:
    return facts.risk if facts.right in _RISK_SPEAKS else None


def _has_good_standing(facts: ItemFacts, settings: ValiditySettings) -> bool:
    return facts.kind in _ALWAYS_GOOD or notifier_standing(facts.record, settings) is Standing.GOOD_FAITH


def _assess_authorised(facts: ItemFacts, settings: ValiditySettings) -> tuple[NoticeOutcome, str]:
    if facts.kind is NotifierKind.AUTHORITY or (_telling_risk(facts) or 0) >= settings.high_risk_from:
        return NoticeOutcome.REVIEW, "The brand lets this seller offer its goods, which does not settle it here."
    return NoticeOutcome.UNFOUNDED, "The brand lets this seller offer its goods."


def _assess_unregistered(facts: ItemFacts) -> tuple[NoticeOutcome, str]:
    missing = f"We know of no valid {facts.right} of this brand for such goods"
    if facts.kind in _NEED_NO_MARK:
        return NoticeOutcome.REVIEW, f"{missing}; you need not name one."
    return (
        NoticeOutcome.MORE_INFORMATION,
        f"{missing}, or none under the number that you gave; please send its office, its number and its goods.",
    )


def _assess_by_validity(facts: ItemFacts, validity: float, settings: ValiditySettings) -> tuple[NoticeOutcome, str]:
    good = _has_good_standing(facts, settings)
    if good and validity >= settings.fast_lane_from:
        return (
            NoticeOutcome.FAST_LANE,
            "Your notices come before others, by your status or your record.",
        )
    risk = _telling_risk(facts)
    speaks_against = risk is not None and risk < settings.prevalence
    if validity < settings.unfounded_below and speaks_against and not good:
        return NoticeOutcome.UNFOUNDED, "Nothing that we know of this listing supports the notice."
    return NoticeOutcome.REVIEW, "What we know of this listing does not settle it."


def _log_odds(share: float) -> float:
    return math.log(share / (1 - share))


def wilson_bounds(count: int, size: int, confidence: float) -> tuple[float, float]:
    """Wilson's score interval (1927, Journal of the American Statistical Association 22): either bound one-sided.

    Args:
        count: seen.
        size: of how many, above 0.
        confidence: of each bound; both hold at once with twice that, less 1.
    """
    z = NormalDist().inv_cdf(confidence)
    share, correction = count / size, z * z / size
    centre = share + correction / 2
    spread = z * math.sqrt(share * (1 - share) / size + correction / (4 * size))
    return (centre - spread) / (1 + correction), (centre + spread) / (1 + correction)
