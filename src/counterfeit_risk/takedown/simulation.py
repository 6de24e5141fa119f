"""Plays nights and reviewers through the queue itself, to compare orders of work before people depend on one.

Each night brings listings of which the truth is known and the risk is calibrated; policy hides what lies in the
automatic band; reviewers, who are wrong now and then, decide as many cases a day as they can. A counterfeit does harm
for each day on which it is on sale. Knows no file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Label, Listing
from counterfeit_risk.scoring.risk_score import PartStatus, RiskScore
from counterfeit_risk.takedown.case import LeasedCase, listing_key
from counterfeit_risk.takedown.loading import Night
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue, open_queue
from counterfeit_risk.takedown.statements.rules import find_problems
from counterfeit_risk.takedown.states import ActionKind, Verdict

_START = datetime(2026, 1, 1, tzinfo=UTC)
_DAY, _SHIFT_STARTS, _SHIFT = timedelta(days=1), timedelta(hours=8), timedelta(hours=10)


@dataclass(frozen=True, slots=True)
class SimulatedListing:
    """A listing that turns up on one night, with what only its maker knows."""

    listing: Listing
    risk: float
    """Calibrated, in [0, 1]."""
    label: Label
    photos: tuple[str, ...]
    """Names of the originals that its photos show."""


@dataclass(frozen=True, slots=True)
class SimulationPlan:
    """What is the same for every order."""

    reviews_a_day: int
    review_from: float = 0.1
    automatic_from: float = 0.9
    sensitivity: float = 0.95
    """Probability that a reviewer finds a counterfeit."""
    specificity: float = 0.98
    """Probability that a reviewer finds a genuine listing genuine."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """What an order of work led to."""

    cases: int
    hidden_in_24h: float
    """Share of the cases with a hidden listing that a person decided within 24 hours."""
    in_24h: float
    """Share of all cases that were decided within 24 hours."""
    overdue: float
    """Share of all cases that were decided after their due time, or are overdue at the end."""
    backlog: int
    """Undecided at the end."""
    wrongful_takedowns: int
    """Genuine listings that were taken down."""
    harm_prevented: float
    """Days on which counterfeits were not on sale, as a share of all their days until the end."""
    restrictions: int
    """Listings hidden or taken down, each time counted."""
    valid_statements: int
    """Statements of reasons of these that the EU's database would take, and without personal data."""


def simulate(
    nights: Sequence[Sequence[SimulatedListing]], plan: SimulationPlan, settings: QueueSettings
) -> SimulationResult:
    """Plays the nights through a queue in memory."""
    rng = np.random.default_rng(plan.seed)
    truth = {_key(one): one.label for night in nights for one in night}
    with open_queue("sqlite://", create=True, settings=settings) as queue:
        for number, night in enumerate(nights):
            midnight = _START + number * _DAY
            _load(queue, night, plan, midnight)
            for review in range(plan.reviews_a_day):
                now = midnight + _SHIFT_STARTS + (review + 0.5) / plan.reviews_a_day * _SHIFT
                leased = queue.next_case("reviewer", now)
                if leased is None:
                    break
                _decide(queue, leased, truth, plan, rng, now)
        return _measure(queue, nights, truth, _START + len(nights) * _DAY)


def _load(queue: TakedownQueue, night: Sequence[SimulatedListing], plan: SimulationPlan, now: datetime) -> None:
    photos = {one.listing.listing_id: one.photos for one in night}
    scores = [_score(one, plan, now) for one in night]
    queue.load(scores, [one.listing for one in night], now, night=Night(photo_keys=photos))


def _score(one: SimulatedListing, plan: SimulationPlan, now: datetime) -> RiskScore:
    band = Band.REVIEW if one.risk >= plan.review_from else Band.PASS
    return RiskScore(
        one.listing.listing_id,
        one.risk,
        Band.AUTOMATIC if one.risk >= plan.automatic_from else band,
        photo_risk=None,
        title_risk=None,
        photos_used=len(one.photos),
        photo_status=PartStatus.OK,
        photos_lost=(),
        title_status=PartStatus.OK,
        model_id="posterior",
        scored_at=now,
        content_hash=one.listing.listing_id,
    )


def _decide(
    queue: TakedownQueue,
    leased: LeasedCase,
    truth: dict[str, Label],
    plan: SimulationPlan,
    rng: np.random.Generator,
    now: datetime,
) -> None:
    """Looks at each listing of a case, and is wrong now and then."""
    genuine = []
    for snapshot in leased.case.snapshots:
        is_fake = truth[snapshot.listing_key] is Label.COUNTERFEIT
        right = rng.random() < (plan.sensitivity if is_fake else plan.specificity)
        if is_fake != right:
            genuine.append(snapshot.listing_key)
    all_genuine = len(genuine) == len(leased.case.snapshots)
    verdict = Verdict.GENUINE if all_genuine else Verdict.COUNTERFEIT
    spared = () if all_genuine else genuine
    queue.decide(leased.case.case_id, "reviewer", verdict, "looked", leased.token, now, spared=spared)


def _measure(
    queue: TakedownQueue, nights: Sequence[Sequence[SimulatedListing]], truth: dict[str, Label], end: datetime
) -> SimulationResult:
    cases = queue.case_times()
    down = _days_down(queue, end)
    fakes = [_key(one) for night in nights for one in night if one.label is Label.COUNTERFEIT]
    on_sale = {_key(one): (end - _START - number * _DAY) / _DAY for number, night in enumerate(nights) for one in night}
    hidden = {action.case_id for action in queue.actions() if action.kind is ActionKind.HIDE}
    hours = {one.case_id: (one.decided_at or end) - one.opened_at for one in cases}
    decided = {one.case_id for one in cases if one.decided_at}
    fast = {case_id for case_id in decided if hours[case_id] <= _DAY}
    late = sum((one.decided_at or end) > one.due_at for one in cases)
    restricting = [action.sequence for action in queue.actions() if action.kind is not ActionKind.REINSTATE]
    valid = {one.sequence for one in queue.statements() if not find_problems(one.payload)}
    taken = {action.listing_key for action in queue.actions() if action.kind is ActionKind.TAKE_DOWN}
    return SimulationResult(
        cases=len(cases),
        hidden_in_24h=len(fast & hidden) / max(1, len(hidden)),
        in_24h=len(fast) / max(1, len(cases)),
        overdue=late / max(1, len(cases)),
        backlog=len(cases) - len(decided),
        wrongful_takedowns=sum(truth[key] is Label.GENUINE for key in taken),
        harm_prevented=sum(down.get(key, 0.0) for key in fakes) / max(1e-9, sum(on_sale[key] for key in fakes)),
        restrictions=len(restricting),
        valid_statements=len(valid.intersection(restricting)),
    )


def _days_down(queue: TakedownQueue, end: datetime) -> dict[str, float]:
    """Days on which each listing was hidden or down."""
    days: dict[str, float] = {}
    since: dict[str, datetime] = {}
    for action in queue.actions():
        key = action.listing_key
        if action.kind is ActionKind.REINSTATE:
            days[key] = days.get(key, 0.0) + (action.created_at - since.pop(key)) / _DAY
        else:
            since.setdefault(key, action.created_at)
    return days | {key: days.get(key, 0.0) + (end - start) / _DAY for key, start in since.items()}


def _key(one: SimulatedListing) -> str:
    return listing_key(one.listing.platform, one.listing.listing_id)
