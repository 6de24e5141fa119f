"""Which case comes next: what is due soon, then quotas, then harm."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.policy import Order, QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue, open_queue
from counterfeit_risk.takedown.states import Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

MakeScore = Callable[..., RiskScore]


def fill(queue: TakedownQueue, *scores: RiskScore, category: str | None = None) -> None:
    queue.load(scores, [Listing(score.listing_id, "", category=category) for score in scores], NOW)


def handed_out(queue: TakedownQueue, count: int) -> list[str]:
    """The listings of the next cases, each decided at once, a second apart."""
    found = []
    for second in range(count):
        now = NOW + timedelta(seconds=second)
        leased = queue.next_case("ada", now)
        if leased is None:
            break
        found.append(leased.case.riskiest.listing.listing_id)
        queue.decide(leased.case.case_id, "ada", Verdict.GENUINE, "fine", leased.token, now)
    return found


def test_what_is_due_soon_comes_before_what_is_harmful(database_url: str, make_score: MakeScore) -> None:
    soon = make_score("soon", 0.4, scored_at=NOW - timedelta(hours=71))
    with open_queue(database_url, create=True) as queue:
        fill(queue, make_score("harmful", 0.9), soon)
        assert handed_out(queue, 2) == ["soon", "harmful"]


def test_harm_counts_what_goods_can_do_and_how_many_copies_one_look_clears(
    database_url: str, make_score: MakeScore
) -> None:
    settings = QueueSettings(order=Order(severity={"medicine": 10.0}, audit_share=0, known_answer_share=0))
    with open_queue(database_url, create=True, settings=settings) as queue:
        fill(queue, make_score("alone", 0.8))
        fill(queue, *(make_score(name, 0.7, photo_hashes=("p1",)) for name in ("copy", "copied")))
        fill(queue, make_score("pill", 0.3), category="medicine")
        assert handed_out(queue, 3) == ["pill", "copy", "alone"]


def test_random_cases_come_in_their_share_and_with_their_risk_hidden(database_url: str, make_score: MakeScore) -> None:
    settings = QueueSettings(audit_probability=1.0, order=Order(audit_share=0.2, known_answer_share=0))
    passed = [make_score(f"passed {number}", 0.01, Band.PASS) for number in range(200)]
    flagged = [make_score(f"flagged {number}", 0.6) for number in range(200)]
    with open_queue(database_url, create=True, settings=settings) as queue:
        result = queue.load([*passed, *flagged], [Listing(score.listing_id, "") for score in [*passed, *flagged]], NOW)
        assert (result.audited, result.opened) == (200, 200)
        kinds = Counter(name.split()[0] for name in handed_out(queue, 150))
        assert 15 <= kinds["passed"] <= 45
        blind = {case.riskiest.listing.listing_id.split()[0] for case in queue.top(NOW, 400) if case.is_blind}
        assert blind == {"passed"}
        assert {label.inclusion_probability for label in queue.labels()} == {1.0}


@pytest.mark.parametrize("probability", [0.0, 0.25])
def test_each_content_is_drawn_once_however_often_it_is_loaded(
    database_url: str, make_score: MakeScore, probability: float
) -> None:
    scores = [make_score(f"l{number}", 0.01, Band.PASS) for number in range(400)]
    rows = [Listing(score.listing_id, "") for score in scores]
    with open_queue(database_url, create=True, settings=QueueSettings(audit_probability=probability)) as queue:
        first, second = (queue.load(scores, rows, NOW) for _ in range(2))

        assert abs(first.audited / 400 - probability) < 0.1
        assert (second.audited, second.already_known) == (0, first.audited)
        handed_out(queue, 400)
        assert queue.load(scores, rows, NOW + timedelta(days=1)).audited == 0
        assert {label.inclusion_probability for label in queue.labels()} <= {probability}


def test_a_random_case_that_is_flagged_later_is_one_of_risk(database_url: str, make_score: MakeScore) -> None:
    with open_queue(database_url, create=True, settings=QueueSettings(audit_probability=0.999)) as queue:
        fill(queue, make_score("a", 0.01, Band.PASS))
        fill(queue, make_score("a", 0.9, model_id="model-b"))

        [case] = queue.top(NOW)
        assert not case.is_blind
        handed_out(queue, 1)
        assert [label.inclusion_probability for label in queue.labels()] == [1.0]
