from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LoadResult, QueueStats
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue
from counterfeit_risk.takedown.states import CaseState, Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

LEASE = QueueSettings().lease

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]


def test_an_empty_queue_counts_nothing(queue: TakedownQueue) -> None:
    assert queue.stats(NOW) == QueueStats(cases={}, overdue=0, decided={}, median_hours=None)


def test_cases_are_counted_by_state_and_band(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a", 0.9, Band.AUTOMATIC), make_score("b"), make_score("c"))
    queue.next_case("ada", NOW)

    assert queue.stats(NOW).cases == {
        (CaseState.LEASED, Band.AUTOMATIC): 1,
        (CaseState.OPEN, Band.REVIEW): 2,
    }


def test_an_expired_lease_counts_as_open(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    queue.next_case("ada", NOW)

    assert queue.stats(NOW + LEASE).cases == {(CaseState.OPEN, Band.REVIEW): 1}


def test_overdue_cases_are_counted_from_their_due_time(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a", 0.9, Band.AUTOMATIC), make_score("b"))

    waits = [24 * 60 - 1, 24 * 60, 72 * 60]

    assert [queue.stats(NOW + timedelta(minutes=wait)).overdue for wait in waits] == [0, 1, 2]


def test_the_median_counts_the_first_verdict_and_no_unsure(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a", 0.9, Band.AUTOMATIC), make_score("b"))
    for reviewer, verdict, hours in [
        ("ada", Verdict.UNSURE, 1),
        ("bob", Verdict.COUNTERFEIT, 2),
        ("bob", Verdict.GENUINE, 4),
    ]:
        now = NOW + timedelta(hours=hours)
        leased = queue.next_case(reviewer, now)
        assert leased is not None
        queue.decide(leased.case.case_id, reviewer, verdict, "looked at it", leased.token, now)

    stats = queue.stats(NOW)

    assert stats.median_hours == 3
    assert stats.decided == {Verdict.COUNTERFEIT: 1, Verdict.GENUINE: 1}
