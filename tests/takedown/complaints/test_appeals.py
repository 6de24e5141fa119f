"""Somebody disagrees: somebody else decides, and all that followed from the first decision is put right."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from counterfeit_risk.errors import QueueError, TransitionError
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.complaints.appeals import Appeal
from counterfeit_risk.takedown.complaints.tables import Appellant
from counterfeit_risk.takedown.queue import TakedownQueue
from counterfeit_risk.takedown.states import ActionKind, CaseState, Move, Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BY_SELLER = Appeal("bazaar/a", Appellant.SELLER, "here is the invoice")
BY_NOTIFIER = Appeal("bazaar/a", Appellant.NOTIFIER, "we bought one and it is fake")

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]
Report = Callable[[str], None]


def decide_next(queue: TakedownQueue, verdict: Verdict, reviewer: str) -> int:
    leased = queue.next_case(reviewer, NOW)
    assert leased is not None
    queue.decide(leased.case.case_id, reviewer, verdict, "looked", leased.token, NOW)
    return leased.case.case_id


@pytest.fixture
def taken_down(queue: TakedownQueue, load: Load, make_score: MakeScore) -> int:
    load(make_score("a"))
    return decide_next(queue, Verdict.COUNTERFEIT, "ada")


def test_an_appeal_is_decided_by_somebody_else(queue: TakedownQueue, taken_down: int) -> None:
    case = queue.appeal(taken_down, BY_SELLER, "desk", NOW)

    assert (case.state, case.due_at) == (CaseState.OPEN, NOW + timedelta(hours=48))
    assert queue.next_case("ada", NOW) is None
    assert list(queue.labels()) == []
    assert [action.kind for action in queue.actions()] == [ActionKind.TAKE_DOWN]  # as it is, meanwhile
    leased = queue.next_case("bob", NOW)
    assert leased is not None
    assert leased.case.case_id == taken_down


def test_an_overturned_decision_is_put_right(queue: TakedownQueue, taken_down: int) -> None:
    queue.appeal(taken_down, BY_SELLER, "desk", NOW)
    decide_next(queue, Verdict.GENUINE, "bob")

    assert [action.kind for action in queue.actions()] == [ActionKind.TAKE_DOWN, ActionKind.REINSTATE]
    [label] = queue.labels()
    assert (label.label, label.label_source) == ("genuine", "appeal")
    *_, event = queue.events(taken_down)
    [appeal] = [row for row in event.rows if row["table"] == "appeals"]
    assert (event.move, appeal["outcome"]) == (Move.DECIDED, "overturned")
    assert list(queue.find_damage()) == []


def test_an_appeal_is_open_again_once_the_decision_on_it_is_undone(
    queue: TakedownQueue, load: Load, make_score: MakeScore, report: Report
) -> None:
    load(make_score("a"))
    report("a")
    case_id = decide_next(queue, Verdict.COUNTERFEIT, "ada")
    queue.appeal(case_id, BY_SELLER, "desk", NOW)
    decide_next(queue, Verdict.GENUINE, "bob")
    queue.undo(case_id, "bob", NOW)

    assert queue.next_case("ada", NOW) is None
    [taken_back] = [event for event in queue.events(case_id) if event.move is Move.UNDONE]
    rows = {row["table"]: row for row in taken_back.rows}
    assert (rows["appeals"]["outcome"], rows["notice_items"]["result"]) == (None, "upheld")
    decide_next(queue, Verdict.GENUINE, "eve")
    *_, event = queue.events(case_id)
    rows = {row["table"]: row for row in event.rows}
    assert (rows["appeals"]["outcome"], rows["notice_items"]["result"]) == ("overturned", "overturned")
    assert list(queue.find_damage()) == []


def test_a_decision_that_is_upheld_changes_nothing_for_the_listing(queue: TakedownQueue, taken_down: int) -> None:
    queue.appeal(taken_down, BY_SELLER, "desk", NOW)
    decide_next(queue, Verdict.COUNTERFEIT, "bob")

    assert [action.kind for action in queue.actions()] == [ActionKind.TAKE_DOWN]
    assert [label.label_source for label in queue.labels()] == ["appeal"]


def test_whoever_decided_first_may_not_decide_even_with_a_case_in_hand(
    queue: TakedownQueue, taken_down: int, load: Load, make_score: MakeScore
) -> None:
    queue.appeal(taken_down, BY_SELLER, "desk", NOW)
    load(make_score("other"))
    leased = queue.next_case("ada", NOW, specialist=True)
    assert leased is not None
    assert leased.case.riskiest.listing.listing_id == "other"


def test_a_notifier_can_appeal_what_was_found_genuine(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    case_id = decide_next(queue, Verdict.GENUINE, "ada")

    queue.appeal(case_id, BY_NOTIFIER, "desk", NOW)
    decide_next(queue, Verdict.COUNTERFEIT, "bob")

    assert [action.kind for action in queue.actions()] == [ActionKind.TAKE_DOWN]


def test_nobody_appeals_a_decision_in_their_favour(queue: TakedownQueue, taken_down: int) -> None:
    with pytest.raises(QueueError, match="was found counterfeit in case 1: no notifier can appeal that"):
        queue.appeal(taken_down, BY_NOTIFIER, "desk", NOW)
    with pytest.raises(QueueError, match="was not decided on"):
        queue.appeal(taken_down, Appeal("bazaar/b", Appellant.SELLER, "why"), "desk", NOW)


def test_six_months_later_it_is_too_late(queue: TakedownQueue, taken_down: int) -> None:
    with pytest.raises(QueueError, match="more than 184 days ago"):
        queue.appeal(taken_down, BY_SELLER, "desk", NOW + timedelta(days=185))
    queue.appeal(taken_down, BY_SELLER, "desk", NOW + timedelta(days=184))


def test_one_party_appeals_once(queue: TakedownQueue, taken_down: int) -> None:
    queue.appeal(taken_down, BY_SELLER, "desk", NOW)
    decide_next(queue, Verdict.COUNTERFEIT, "bob")
    with pytest.raises(QueueError, match="has appealed case 1 before"):
        queue.appeal(taken_down, BY_SELLER, "desk", NOW)


def test_a_case_under_appeal_is_not_appealed_again(queue: TakedownQueue, taken_down: int) -> None:
    queue.appeal(taken_down, BY_SELLER, "desk", NOW)
    with pytest.raises(TransitionError, match="is open, so it cannot be appealed"):
        queue.appeal(taken_down, BY_SELLER, "desk", NOW)


def test_an_appeal_needs_grounds(queue: TakedownQueue, taken_down: int) -> None:
    with pytest.raises(QueueError, match="a reason is required"):
        queue.appeal(taken_down, Appeal("bazaar/a", Appellant.SELLER, " "), "desk", NOW)


def test_one_sellers_edit_does_not_stand_in_the_way_of_anothers_appeal(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(*(make_score(name, photo_hashes=("p",)) for name in "ab"))
    decide_next(queue, Verdict.COUNTERFEIT, "ada")
    edited = make_score("b", photo_hashes=("other",), content_hash="edited", scored_at=NOW + timedelta(days=1))
    load(edited)

    with pytest.raises(TransitionError, match="newer content"):
        queue.appeal(1, Appeal("bazaar/b", Appellant.SELLER, "an invoice"), "desk", NOW)
    queue.appeal(1, BY_SELLER, "desk", NOW)
    while leased := queue.next_case("bob", NOW):
        queue.decide(leased.case.case_id, "bob", Verdict.GENUINE, "looked", leased.token, NOW)
        if leased.case.case_id == 1:
            assert [one.listing_key for one in leased.case.snapshots] == ["bazaar/a"]
    assert list(queue.find_damage()) == []


def test_a_new_decision_after_a_won_appeal_can_be_appealed(queue: TakedownQueue, taken_down: int) -> None:
    queue.appeal(taken_down, BY_SELLER, "desk", NOW)
    decide_next(queue, Verdict.GENUINE, "bob")
    queue.reopen(taken_down, "lead", "a test purchase", NOW)
    decide_next(queue, Verdict.COUNTERFEIT, "eve")

    assert queue.appeal(taken_down, BY_SELLER, "desk", NOW).state is CaseState.OPEN


def test_nobody_who_ever_decided_a_case_decides_an_appeal_on_it(queue: TakedownQueue, taken_down: int) -> None:
    queue.reopen(taken_down, "lead", "look again", NOW)
    decide_next(queue, Verdict.COUNTERFEIT, "bob")
    queue.appeal(taken_down, BY_SELLER, "desk", NOW)

    assert [queue.next_case(name, NOW) for name in ("ada", "bob")] == [None, None]
    assert queue.next_case("eve", NOW) is not None


def test_an_undone_decision_gives_a_notice_the_result_that_it_had(
    queue: TakedownQueue, load: Load, make_score: MakeScore, report: Report
) -> None:
    load(make_score("a"))
    report("a")
    case_id = decide_next(queue, Verdict.COUNTERFEIT, "ada")
    queue.reopen(case_id, "lead", "look again", NOW)
    decide_next(queue, Verdict.GENUINE, "bob")
    queue.undo(case_id, "bob", NOW)

    results = [row["result"] for event in queue.events(case_id) for row in event.rows if "result" in row]
    assert results == [None, "upheld", "overturned", "upheld"]
