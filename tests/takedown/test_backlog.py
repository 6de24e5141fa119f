"""Listings that are gone, due times that nobody can keep, nights that are taken back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from counterfeit_risk.errors import QueueError, TransitionError
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing, RejectedRow, RejectReason
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.complaints.appeals import Appeal
from counterfeit_risk.takedown.complaints.tables import Appellant
from counterfeit_risk.takedown.loading import Night
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue, open_queue
from counterfeit_risk.takedown.states import ActionKind, CaseState, Move, Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]
Report = Callable[[str], None]


def waiting(queue: TakedownQueue) -> list[str]:
    return sorted(one.listing.listing_id for case in queue.top(NOW, 100) for one in case.snapshots)


def test_what_a_whole_dump_no_longer_has_closes_without_a_label(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"), make_score("b"))
    load(make_score("elsewhere"), platform="souk")
    [gone] = [case.case_id for case in queue.top(NOW) if case.riskiest.listing.listing_id == "b"]

    result = load(make_score("a"), is_whole_dump=True)

    assert result.gone == 1
    assert waiting(queue) == ["a", "elsewhere"]
    assert [event.move for event in queue.events(gone)] == [Move.OPENED, Move.GONE]
    assert list(queue.labels()) == []
    assert load(make_score("b", scored_at=LATER)).opened == 1


def test_a_part_of_a_dump_says_nothing_of_other_listings(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"), make_score("b"))
    assert load(make_score("a")).gone == 0
    assert waiting(queue) == ["a", "b"]


def test_one_gone_listing_leaves_the_others_of_its_case(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(*(make_score(name, photo_hashes=("p1",)) for name in "ab"))

    load(make_score("a", photo_hashes=("p1",)), is_whole_dump=True)

    assert waiting(queue) == ["a"]
    leased = queue.next_case("ada", NOW)
    assert leased is not None
    queue.decide(leased.case.case_id, "ada", Verdict.COUNTERFEIT, "fake", leased.token, NOW)
    assert [action.listing_id for action in queue.actions()] == ["a"]


def test_a_row_that_cannot_be_read_counts_as_offered(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"), make_score("b"))
    rows = [
        Listing("a", "title of a", brand="Norvell", platform="bazaar"),
        RejectedRow(2, RejectReason.MALFORMED_ROW, "", "b"),
    ]
    assert queue.load([make_score("a")], rows, LATER, night=Night(is_whole_dump=True)).gone == 0


def test_the_least_harmful_cases_slip_where_more_is_flagged_than_people_can_see(
    database_url: str, make_score: MakeScore
) -> None:
    scores = [make_score(f"l{number}", number / 10, scored_at=NOW - timedelta(hours=60)) for number in range(1, 6)]
    hidden = make_score("hidden", 0.01, Band.AUTOMATIC)
    rows = [Listing(score.listing_id, "") for score in [*scores, hidden]]
    with open_queue(database_url, create=True, settings=QueueSettings(reviews_a_day=4)) as queue:
        result = queue.load([*scores, hidden], rows, NOW)

        assert result.slipped == 2
        late = {case.riskiest.listing.listing_id: case.due_at for case in queue.top(NOW)}
        assert {name for name, due_at in late.items() if due_at > LATER} == {"l1", "l2"}
        [case_id] = [case.case_id for case in queue.top(NOW) if case.riskiest.listing.listing_id == "l1"]
        *_, event = queue.events(case_id)
        assert (event.move, len(event.detail["due_at"])) == (Move.SLIPPED, 2)


def test_a_night_that_is_taken_back_closes_its_cases_and_shows_what_policy_hid(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("before"))
    bad = load(make_score("hidden", 0.99, Band.AUTOMATIC), make_score("flagged"))

    assert queue.withdraw(bad.load_id, "lead", NOW) == (2, 1)

    assert waiting(queue) == ["before"]
    assert [action.kind for action in queue.actions()] == [ActionKind.HIDE, ActionKind.REINSTATE]
    assert queue.stats(NOW).cases[CaseState.CLOSED, Band.AUTOMATIC] == 1
    assert queue.withdraw(bad.load_id, "lead", NOW) == (0, 0)


def test_what_people_decided_of_a_bad_night_stands(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    bad = load(make_score("a"))
    leased = queue.next_case("ada", NOW)
    assert leased is not None
    queue.decide(leased.case.case_id, "ada", Verdict.COUNTERFEIT, "fake", leased.token, NOW)

    assert queue.withdraw(bad.load_id, "lead", NOW) == (0, 0)
    assert len(list(queue.labels())) == 1


def test_nobody_decides_a_case_of_a_night_that_is_taken_back(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    bad = load(make_score("a"))
    leased = queue.next_case("ada", NOW)
    assert leased is not None
    queue.withdraw(bad.load_id, "lead", NOW)

    with pytest.raises(TransitionError, match="is closed"):
        queue.decide(leased.case.case_id, "ada", Verdict.COUNTERFEIT, "fake", leased.token, NOW)


def test_a_load_that_never_was_is_not_taken_back(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    with pytest.raises(QueueError, match="there was no load 2"):
        queue.withdraw(2, "lead", NOW)


def decide(queue: TakedownQueue, reviewer: str, verdict: Verdict, now: datetime = NOW) -> int:
    leased = queue.next_case(reviewer, now)
    assert leased is not None
    queue.decide(leased.case.case_id, reviewer, verdict, "looked", leased.token, now)
    return leased.case.case_id


def test_a_listing_that_was_taken_down_is_not_gone_while_its_seller_appeals(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"), make_score("b"))
    taken_down = decide(queue, "ada", Verdict.COUNTERFEIT)
    key = next(action.listing_key for action in queue.actions())
    queue.appeal(taken_down, Appeal(key, Appellant.SELLER, "an invoice"), "desk", NOW)
    other = "b" if key.endswith("/a") else "a"

    assert load(make_score(other), is_whole_dump=True).gone == 0

    assert decide(queue, "bob", Verdict.GENUINE) == taken_down
    assert [action.kind for action in queue.actions()] == [ActionKind.TAKE_DOWN, ActionKind.REINSTATE]


def test_what_policy_hid_is_missing_in_a_dump_for_that_reason(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a", 0.95, Band.AUTOMATIC), make_score("b"))

    assert load(make_score("b"), is_whole_dump=True).gone == 0
    assert waiting(queue) == ["a", "b"]


def test_an_appeal_ends_with_the_listing_that_it_is_about(
    queue: TakedownQueue, load: Load, make_score: MakeScore, report: Report
) -> None:
    load(make_score("a"), make_score("other", 0.1))
    report("a")
    case_id = decide(queue, "ada", Verdict.GENUINE)
    queue.appeal(case_id, Appeal("bazaar/a", Appellant.NOTIFIER, "look at the clasp"), "desk", NOW)

    assert load(make_score("other", 0.1), is_whole_dump=True).gone == 1

    *_, event = queue.events(case_id)
    [appeal] = [row for row in event.rows if row["table"] == "appeals"]
    assert (event.to_state, appeal["outcome"]) == (CaseState.CLOSED, "moot")
    assert list(queue.find_damage()) == []


def test_a_night_that_is_taken_back_leaves_appeals_to_be_decided(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load_id = load(make_score("a")).load_id
    case_id = decide(queue, "ada", Verdict.COUNTERFEIT)
    queue.appeal(case_id, Appeal("bazaar/a", Appellant.SELLER, "an invoice"), "desk", NOW)

    assert queue.withdraw(load_id, "lead", NOW) == (0, 0)
    assert decide(queue, "bob", Verdict.GENUINE) == case_id


def test_a_night_that_only_scored_anew_opened_nothing(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    first = load(make_score("a", 0.95, Band.AUTOMATIC)).load_id
    second = load(make_score("a", 0.96, Band.AUTOMATIC, scored_at=LATER), now=LATER).load_id

    assert queue.withdraw(second, "lead", LATER) == (0, 0)
    assert queue.withdraw(first, "lead", LATER) == (1, 1)


def test_a_complaint_outlives_the_night_that_is_taken_back(
    queue: TakedownQueue, load: Load, make_score: MakeScore, report: Report
) -> None:
    load_id = load(make_score("a")).load_id
    report("a")

    assert queue.withdraw(load_id, "lead", NOW) == (0, 0)


def test_an_appeal_never_slips(make_score: MakeScore) -> None:
    with open_queue("sqlite://", create=True, settings=QueueSettings(reviews_a_day=1)) as queue:
        queue.load([make_score("a", 0.3)], [Listing("a", "a bag")], NOW)
        case_id = decide(queue, "ada", Verdict.COUNTERFEIT)
        due_at = queue.appeal(case_id, Appeal("/a", Appellant.SELLER, "an invoice"), "desk", NOW).due_at
        for day in range(1, 4):
            names = [f"{day} {number}" for number in range(3)]
            now = NOW + timedelta(days=day)
            scores = [make_score(name, 0.9, scored_at=now - timedelta(days=2)) for name in names]
            queue.load(scores, [Listing(name, "a bag") for name in names], now)

        assert {case.case_id: case.due_at for case in queue.top(NOW, 100)}[case_id] == due_at
        assert any(event.move is Move.SLIPPED for case in queue.top(NOW, 100) for event in queue.events(case.case_id))
