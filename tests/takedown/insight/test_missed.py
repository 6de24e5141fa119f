"""What the audit lane tells of counterfeits that passed: a number, and an interval that holds it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import inf

import numpy as np
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from counterfeit_risk.cli.queue import app
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Label, LabeledListing, Listing
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.known_answers import KnownAnswer, load_known_answers
from counterfeit_risk.takedown.loading import Night
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue
from counterfeit_risk.takedown.states import Verdict

pytest.importorskip("scipy")

from scipy.stats import beta, chi2

from counterfeit_risk.takedown.insight.missed import (
    Stratum,
    estimate_missed,
    read_missed,
    weighted_interval,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

MakeScore = Callable[..., RiskScore]


@pytest.fixture
def draw(engine: Engine, make_score: MakeScore) -> Callable[..., int]:
    """Loads listings that pass, of which some are drawn, and returns how many."""

    def load(*names: str, probability: float = 0.5, now: datetime = NOW, **others: object) -> int:
        scores = [make_score(name, 0.01, Band.PASS, scored_at=now, **others) for name in names]
        listings = [Listing(name, name, brand="Norvell", platform="bazaar") for name in names]
        queue = TakedownQueue(engine, QueueSettings(audit_probability=probability))
        return queue.load(scores, listings, now, night=Night()).audited

    return load


def decide(queue: TakedownQueue, *verdicts: Verdict, now: datetime = NOW) -> None:
    for verdict in verdicts:
        leased = queue.next_case("ada", now)
        assert leased is not None
        queue.decide(leased.case.case_id, "ada", verdict, "looked", leased.token, now)


NAMES = [f"l{number}" for number in range(20)]
FAKE, FINE = Verdict.COUNTERFEIT, Verdict.GENUINE


def test_each_fake_stands_for_those_that_were_not_drawn(
    queue: TakedownQueue, engine: Engine, draw: Callable[..., int]
) -> None:
    drawn = draw(*NAMES)
    decide(queue, FAKE, FAKE, *[FINE] * (drawn - 2))

    found = read_missed(engine)

    assert found.strata == (Stratum(0.5, drawn, drawn, 2),)
    assert (found.estimate, found.share) == (4.0, pytest.approx(2 / drawn))


def test_those_that_wait_are_taken_to_be_like_those_that_are_decided(
    queue: TakedownQueue, engine: Engine, draw: Callable[..., int]
) -> None:
    drawn = draw(*NAMES)
    decide(queue, FAKE, FINE)

    found = read_missed(engine)

    assert found.strata == (Stratum(0.5, drawn, 2, 1),)
    assert found.estimate == pytest.approx(drawn)  # half of those decided, of 2 * drawn that passed


def test_each_probability_counts_by_itself(queue: TakedownQueue, engine: Engine, draw: Callable[..., int]) -> None:
    first = draw(*NAMES, probability=0.5)
    decide(queue, FAKE, *[FINE] * (first - 1))
    later = NOW + timedelta(days=9)
    second = draw(*(f"m{number}" for number in range(60)), probability=0.25, now=later)
    decide(queue, FAKE, *[FINE] * (second - 1), now=later)

    found = read_missed(engine)
    assert [stratum.probability for stratum in found.strata] == [0.25, 0.5]
    assert found.estimate == 6.0
    assert read_missed(engine, later).estimate == 4.0
    assert read_missed(engine, later + timedelta(days=1)).share is None


def test_what_is_withdrawn_was_not_drawn_and_what_went_offline_was(
    queue: TakedownQueue, engine: Engine, draw: Callable[..., int], make_score: MakeScore
) -> None:
    drawn = draw(*NAMES)
    decide(queue, FAKE)
    draw(*(f"m{number}" for number in range(20)))
    queue.withdraw(2, "lead", NOW)
    assert read_missed(engine).strata == (Stratum(0.5, drawn, 1, 1),)

    other = Listing("other", "", brand="Norvell", platform="bazaar")
    gone = queue.load([make_score("other")], [other], NOW, night=Night(is_whole_dump=True)).gone
    assert gone == drawn - 1
    assert read_missed(engine).strata == (Stratum(0.5, drawn, 1, 1),)


def test_risky_cases_known_answers_and_decisions_that_were_taken_back_do_not_count(
    queue: TakedownQueue, engine: Engine, draw: Callable[..., int], make_score: MakeScore
) -> None:
    queue.load([make_score("risky")], [Listing("risky", "")], NOW)
    load_known_answers(
        engine, [KnownAnswer(LabeledListing(Listing("k", ""), Label.COUNTERFEIT))], QueueSettings(), NOW, None
    )
    decide(queue, FAKE, FAKE)
    assert read_missed(engine).strata == ()

    drawn = draw(*NAMES)
    leased = queue.next_case("ada", NOW)
    assert leased is not None
    queue.decide(leased.case.case_id, "ada", FAKE, "looked", leased.token, NOW)
    queue.undo(leased.case.case_id, "ada", NOW)
    assert read_missed(engine).strata == (Stratum(0.5, drawn, 0, 0),)


def test_with_none_found_the_interval_ends_where_three_point_seven_would_have_been_expected() -> None:
    found = estimate_missed([Stratum(0.02, 100, 100, 0)])

    assert (found.estimate, found.low, found.share, found.share_low) == (0.0, 0.0, 0.0, 0.0)
    assert found.high == pytest.approx(3.689 / 0.02, rel=1e-4)


def test_with_none_decided_nothing_is_known() -> None:
    found = estimate_missed([Stratum(0.1, 5, 0, 0)])

    assert (found.low, found.high, found.share) == (0.0, inf, None)
    assert (found.share_low, found.share_high, found.not_estimated) == (0.0, 1.0, 5)


def test_a_probability_of_which_none_is_decided_is_named_and_not_guessed() -> None:
    both = estimate_missed([Stratum(0.1, 50, 50, 2), Stratum(0.2, 7, 0, 0)])

    assert (both.estimate, both.not_estimated) == (20.0, 7)


@pytest.mark.parametrize("count", [1, 4, 30])
def test_for_one_weight_the_interval_is_the_exact_one_of_poisson(count: int) -> None:
    low, high = weighted_interval([count], [7.0])

    assert low == pytest.approx(7 * chi2.ppf(0.025, 2 * count) / 2)
    assert high == pytest.approx(7 * chi2.ppf(0.975, 2 * (count + 1)) / 2)
    assert weighted_interval([count - 1, 1], [7.0, 7.0]) == pytest.approx((low, high))


def test_the_share_has_the_interval_of_clopper_and_pearson() -> None:
    found = estimate_missed([Stratum(0.5, 80, 80, 3)])

    assert found.share_low == pytest.approx(beta.ppf(0.025, 3, 78))
    assert found.share_high == pytest.approx(beta.ppf(0.975, 4, 77))


@pytest.mark.parametrize("decided", [1.0, 0.6])
@pytest.mark.parametrize("strata", [[(40, 2000, 0.1)], [(40, 3000, 0.05), (60, 1500, 0.2)], [(5, 4000, 0.02)]])
def test_the_interval_holds_the_truth_at_least_as_often_as_it_says(
    strata: list[tuple[int, int, float]], decided: float
) -> None:
    random = np.random.default_rng(7)
    truth = sum(fakes for fakes, _, _ in strata)

    def draw_once() -> bool:
        seen = []
        for fakes, size, probability in strata:
            is_fake = np.arange(size) < fakes
            is_drawn = random.random(size) < probability
            is_decided = is_drawn & (random.random(size) < decided)
            counts = (int(mask.sum()) for mask in (is_drawn, is_decided, is_decided & is_fake))
            seen.append(Stratum(probability, *counts))
        found = estimate_missed(seen)
        return found.low <= truth <= found.high

    assert np.mean([draw_once() for _ in range(500)]) >= 0.93


def test_people_and_programs_are_told_the_estimate(
    queue: TakedownQueue, database_url: str, draw: Callable[..., int]
) -> None:
    def run(*options: str) -> str:
        result = CliRunner().invoke(app, ["missed", "--db", database_url, *options], env={"COLUMNS": "200"})
        assert result.exception is None
        return result.stdout

    drawn = draw(*NAMES)
    assert "counterfeits that passed: unknown: nobody has decided any" in run()
    assert json.loads(run("--json"))["high"] is None
    decide(queue, FAKE, *[FINE] * (drawn - 1))
    assert "counterfeits that passed: 2.0; 95 % interval 0.1 to 11.1" in run("--since", "2026-03-01")
    record = json.loads(run("--json"))
    assert (record["estimate"], record["strata"][0]["counterfeit"]) == (2.0, 1)
