"""How reviewers work, and how often they find what is known."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from typer.testing import CliRunner

from counterfeit_risk.cli.queue import app
from counterfeit_risk.listings.listing import Label, LabeledListing, Listing
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LeasedCase, LoadResult
from counterfeit_risk.takedown.complaints.appeals import Appeal
from counterfeit_risk.takedown.complaints.tables import Appellant
from counterfeit_risk.takedown.insight.reviewers import Share, read_reviewers, wilson_interval
from counterfeit_risk.takedown.known_answers import KnownAnswer, load_known_answers
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue
from counterfeit_risk.takedown.states import Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]


def take(queue: TakedownQueue, reviewer: str, now: datetime = NOW) -> LeasedCase:
    leased = queue.next_case(reviewer, now)
    assert leased is not None
    return leased


def decide(queue: TakedownQueue, leased: LeasedCase, reviewer: str, verdict: Verdict, now: datetime = NOW) -> None:
    queue.decide(leased.case.case_id, reviewer, verdict, "looked", leased.token, now)


def ask(engine: Engine, **answers: Label) -> None:
    rows = [KnownAnswer(LabeledListing(Listing(name, name), answer)) for name, answer in answers.items()]
    load_known_answers(engine, rows, QueueSettings(), NOW, None)


def test_minutes_run_from_the_lease_to_the_verdict_whatever_was_renewed_between(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore
) -> None:
    load(*(make_score(name) for name in "abc"))
    for minutes in (2, 4, 12):
        leased = take(queue, "ada")
        take(queue, "ada", NOW + timedelta(minutes=1))
        decide(queue, leased, "ada", Verdict.GENUINE, NOW + timedelta(minutes=minutes))

    [record] = read_reviewers(engine)

    assert (record.reviewer, record.decided, record.median_minutes) == ("ada", 3, 4.0)


def test_a_lease_that_ran_out_is_not_part_of_the_time_to_the_verdict(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"))
    take(queue, "ada")
    leased = take(queue, "ada", NOW + timedelta(hours=8))
    decide(queue, leased, "ada", Verdict.GENUINE, NOW + timedelta(hours=8, minutes=3))

    assert read_reviewers(engine)[0].median_minutes == 3.0


def test_what_was_left_to_others_and_taken_back_is_counted(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore
) -> None:
    load(*(make_score(name) for name in "abcd"))
    skipped = take(queue, "ada")
    queue.skip(skipped.case.case_id, "ada", "my cousin's shop", skipped.token, NOW)
    escalated = take(queue, "ada")
    queue.escalate(escalated.case.case_id, "ada", "hard", escalated.token, NOW)
    decide(queue, take(queue, "ada"), "ada", Verdict.UNSURE)
    leased = take(queue, "ada")
    decide(queue, leased, "ada", Verdict.GENUINE)
    queue.undo(leased.case.case_id, "ada", NOW)

    [record] = read_reviewers(engine)

    assert (record.skipped, record.escalated, record.unsure, record.undone, record.decided) == (1, 1, 1, 1, 1)


def test_an_overturned_decision_is_that_of_whoever_made_it(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"), make_score("b"))
    first = take(queue, "ada")
    decide(queue, first, "ada", Verdict.COUNTERFEIT)
    key = first.case.riskiest.listing_key
    queue.appeal(first.case.case_id, Appeal(key, Appellant.SELLER, "an invoice"), "desk", NOW)
    while leased := queue.next_case("bob", NOW):
        decide(queue, leased, "bob", Verdict.GENUINE)

    assert {record.reviewer: record.overturned for record in read_reviewers(engine)} == {"ada": 1, "bob": 0}


def test_known_answers_tell_what_a_reviewer_finds(queue: TakedownQueue, engine: Engine) -> None:
    ask(engine, a=Label.COUNTERFEIT, b=Label.COUNTERFEIT, c=Label.GENUINE, d=Label.GENUINE, e=Label.GENUINE)
    said = {"a": Verdict.COUNTERFEIT, "b": Verdict.GENUINE, "c": Verdict.GENUINE, "d": Verdict.GENUINE}
    while leased := queue.next_case("ada", NOW):
        decide(queue, leased, "ada", said.get(leased.case.riskiest.listing.listing_id, Verdict.UNSURE))

    [record] = read_reviewers(engine)

    assert (record.sensitivity, record.specificity) == (Share(1, 2), Share(2, 2))
    assert record.known_answers == 4  # unsure is no answer


def test_an_answer_that_was_taken_back_does_not_count(queue: TakedownQueue, engine: Engine) -> None:
    ask(engine, a=Label.COUNTERFEIT)
    leased = take(queue, "ada")
    decide(queue, leased, "ada", Verdict.GENUINE)
    queue.undo(leased.case.case_id, "ada", NOW)
    assert read_reviewers(engine)[0].sensitivity == Share(0, 0)

    decide(queue, take(queue, "ada"), "ada", Verdict.COUNTERFEIT)
    assert read_reviewers(engine)[0].sensitivity == Share(1, 1)


@given(st.integers(1, 500).flatmap(lambda size: st.tuples(st.integers(0, size), st.just(size))))
def test_an_interval_holds_the_share_and_mirrors_its_complement(seen: tuple[int, int]) -> None:
    count, size = seen
    low, high = wilson_interval(count, size, 0.95)

    assert 0 <= low <= count / size <= high <= 1
    assert wilson_interval(size - count, size, 0.95) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_an_interval_is_that_of_scipy() -> None:
    binomtest = pytest.importorskip("scipy.stats").binomtest
    exact = binomtest(17, 40).proportion_ci(0.95, method="wilson")

    assert wilson_interval(17, 40, 0.95) == pytest.approx((exact.low, exact.high))
    assert wilson_interval(0, 0, 0.95) == (0.0, 1.0)


def test_people_and_programs_are_shown_the_records(queue: TakedownQueue, engine: Engine, database_url: str) -> None:
    ask(engine, a=Label.COUNTERFEIT)
    decide(queue, take(queue, "ada"), "ada", Verdict.COUNTERFEIT)

    def run(*options: str) -> str:
        result = CliRunner().invoke(app, ["reviewers", "--db", database_url, *options], env={"COLUMNS": "200"})
        assert result.exception is None
        return result.stdout

    assert "1 of 1 (21% to 100%)" in run()
    record = json.loads(run("--json"))
    assert (record["reviewer"], record["known_answers"], record["specificity"]["value"]) == ("ada", 1, None)
    assert record["sensitivity"] == {
        "count": 1,
        "size": 1,
        "value": 1.0,
        "low": pytest.approx(0.2065, abs=1e-4),
        "high": 1,
    }
