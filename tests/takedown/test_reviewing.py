from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from counterfeit_risk.errors import LeaseError, QueueError, TransitionError, UnknownCaseError
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LeasedCase, LoadResult
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue
from counterfeit_risk.takedown.states import ActionKind, CaseState, Move, Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

LEASE = QueueSettings().lease

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]


def take(queue: TakedownQueue, reviewer: str = "ada", now: datetime = NOW) -> LeasedCase:
    leased = queue.next_case(reviewer, now)
    assert leased is not None
    return leased


def decide(queue: TakedownQueue, verdict: Verdict, reviewer: str = "ada", now: datetime = NOW) -> LeasedCase:
    leased = take(queue, reviewer, now)
    queue.decide(leased.case.case_id, reviewer, verdict, "looked at it", leased.token, now)
    return leased


def test_the_highest_risk_comes_first(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("low", 0.5), make_score("high", 0.8), make_score("middle", 0.6))

    assert [take(queue, name).case.riskiest.listing.listing_id for name in "xyz"] == ["high", "middle", "low"]


def test_an_overdue_case_comes_before_a_higher_risk(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(
        make_score("late", 0.5, scored_at=NOW - timedelta(hours=73)),
        make_score("later", 0.6, scored_at=NOW - timedelta(hours=72)),
        make_score("risky", 0.99),
    )

    assert [take(queue, name).case.riskiest.listing.listing_id for name in "xyz"] == ["late", "later", "risky"]
    assert [case.riskiest.listing.listing_id for case in queue.top(NOW)] == ["late", "later", "risky"]


def test_an_empty_queue_has_no_next_case(queue: TakedownQueue) -> None:
    assert queue.next_case("ada", NOW) is None


def test_a_leased_case_is_given_to_nobody_else(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    take(queue, "ada")

    assert queue.next_case("bob", NOW) is None


def test_asking_again_renews_the_lease_under_the_same_token(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"), make_score("b"))
    first = take(queue)

    again = take(queue, now=NOW + timedelta(minutes=5))

    assert (again.case.case_id, again.token, again.renewed) == (first.case.case_id, first.token, True)
    assert again.expires_at == NOW + timedelta(minutes=5) + LEASE
    assert not first.renewed


def test_an_expired_lease_returns_the_case_to_the_queue(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"))
    first = take(queue, "ada")

    second = take(queue, "bob", NOW + LEASE)

    assert second.case.case_id == first.case.case_id
    assert second.token > first.token
    moves = [event.move for event in queue.events(first.case.case_id)]
    assert moves == [Move.OPENED, Move.LEASED, Move.EXPIRED, Move.LEASED]


@pytest.mark.parametrize("name", ["", "  ", "policy", "queue"])
def test_a_reviewer_needs_a_name_of_their_own(queue: TakedownQueue, name: str) -> None:
    with pytest.raises(QueueError, match="cannot be a person's name"):
        queue.next_case(name, NOW)


def test_a_counterfeit_is_taken_down(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    leased = take(queue)

    decision = queue.decide(
        leased.case.case_id, "ada", Verdict.COUNTERFEIT, " the mark is mirrored ", leased.token, NOW
    )

    [action] = queue.actions()
    assert decision.actions == (action.kind,) == (ActionKind.TAKE_DOWN,)
    assert (action.decision_id, action.reason) == (decision.decision_id, "the mark is mirrored")
    assert not decision.automated


def test_a_genuine_listing_that_is_visible_needs_no_action(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"))

    decide(queue, Verdict.GENUINE)

    assert list(queue.actions()) == []
    assert queue.top(NOW) == []


@pytest.mark.parametrize(
    ("verdict", "kind"), [(Verdict.COUNTERFEIT, ActionKind.TAKE_DOWN), (Verdict.GENUINE, ActionKind.REINSTATE)]
)
def test_a_person_confirms_or_reinstates_what_policy_hid(
    queue: TakedownQueue, load: Load, make_score: MakeScore, verdict: Verdict, kind: ActionKind
) -> None:
    load(make_score("a", 0.98, Band.AUTOMATIC))

    decide(queue, verdict)

    assert [action.kind for action in queue.actions()] == [ActionKind.HIDE, kind]


def test_who_was_unsure_never_gets_the_case_again(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    decide(queue, Verdict.UNSURE, "ada")

    assert queue.next_case("ada", NOW) is None
    assert take(queue, "bob").case.riskiest.listing.listing_id == "a"


def test_being_unsure_is_recorded_and_decides_nothing(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    leased = decide(queue, Verdict.UNSURE)

    [case] = queue.top(NOW)
    assert (case.state, case.verdict) == (CaseState.OPEN, None)
    *_, event = queue.events(leased.case.case_id)
    assert (event.move, event.actor, event.detail["verdict"]) == (Move.RETURNED, "ada", "unsure")


def test_a_decision_sent_twice_counts_once(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    leased = take(queue)
    case_id = leased.case.case_id

    first, second = (
        queue.decide(case_id, "ada", Verdict.COUNTERFEIT, "fake", leased.token, NOW + timedelta(seconds=wait))
        for wait in (0, 3600)
    )

    assert first == second
    assert len(list(queue.actions())) == 1


def test_a_decided_case_cannot_be_decided_otherwise(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    leased = decide(queue, Verdict.COUNTERFEIT)

    with pytest.raises(TransitionError, match="is decided as counterfeit"):
        queue.decide(leased.case.case_id, "ada", Verdict.GENUINE, "changed my mind", leased.token, NOW)


def test_an_expired_lease_decides_nothing(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    leased = take(queue)

    with pytest.raises(LeaseError, match="the lease expired at 2026-03-01 12:15:00 UTC"):
        queue.decide(leased.case.case_id, "ada", Verdict.GENUINE, "fine", leased.token, NOW + LEASE)


def test_a_stale_token_decides_nothing(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    stale = take(queue)
    take(queue, now=NOW + LEASE)

    with pytest.raises(LeaseError, match="leased anew since token 1"):
        queue.decide(stale.case.case_id, "ada", Verdict.GENUINE, "fine", stale.token, NOW + LEASE)


def test_another_reviewers_case_cannot_be_decided(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    leased = take(queue, "ada")

    with pytest.raises(LeaseError, match="is leased to ada"):
        queue.decide(leased.case.case_id, "bob", Verdict.GENUINE, "fine", leased.token, NOW)


def test_a_decision_needs_a_reason(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    leased = take(queue)

    with pytest.raises(QueueError, match="a reason is required"):
        queue.decide(leased.case.case_id, "ada", Verdict.GENUINE, " \n", leased.token, NOW)


def test_a_reason_is_cleaned_of_what_cannot_be_stored(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    leased = take(queue)

    decisions = [
        queue.decide(leased.case.case_id, "ada", Verdict.GENUINE, "in\0voice \udcff", leased.token, NOW)
        for _ in range(2)
    ]

    assert [decision.reason for decision in decisions] == ["in\ufffdvoice \ufffd"] * 2


def test_an_unknown_case_is_named(queue: TakedownQueue) -> None:
    with pytest.raises(UnknownCaseError, match="there is no case 41"):
        queue.decide(41, "ada", Verdict.GENUINE, "fine", 1, NOW)


def test_a_reopened_case_that_turns_out_genuine_is_reinstated(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"))
    case_id = decide(queue, Verdict.COUNTERFEIT).case.case_id

    reopened = queue.reopen(case_id, "bob", "the seller sent an invoice", NOW)
    decide(queue, Verdict.GENUINE, "eve")

    assert (reopened.state, reopened.verdict, reopened.due_at) == (CaseState.OPEN, None, NOW + timedelta(hours=48))
    assert [action.kind for action in queue.actions()] == [ActionKind.TAKE_DOWN, ActionKind.REINSTATE]


def test_a_reopened_case_that_is_confirmed_is_not_taken_down_twice(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"))
    queue.reopen(decide(queue, Verdict.COUNTERFEIT).case.case_id, "bob", "a complaint", NOW)

    decide(queue, Verdict.COUNTERFEIT, "eve")

    assert [action.kind for action in queue.actions()] == [ActionKind.TAKE_DOWN]


def test_an_undecided_case_cannot_be_reopened(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))

    with pytest.raises(TransitionError, match="is open, so it cannot be reopened"):
        queue.reopen(queue.top(NOW)[0].case_id, "bob", "too soon", NOW)


def test_only_a_listings_newest_case_can_be_reopened(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    old = decide(queue, Verdict.GENUINE).case.case_id
    load(make_score("a", content_hash="changed", scored_at=NOW + timedelta(hours=1)))

    with pytest.raises(TransitionError, match="succeeded by case"):
        queue.reopen(old, "bob", "a complaint", NOW)


def test_who_skips_a_case_leaves_it_to_others(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    leased = take(queue)

    queue.skip(leased.case.case_id, "ada", "I know the seller", leased.token, NOW)

    assert queue.next_case("ada", NOW) is None
    assert take(queue, "bob").case.case_id == leased.case.case_id
    assert [event.detail.get("reason") for event in queue.events(leased.case.case_id)][2] == "I know the seller"


def test_an_escalated_case_is_for_specialists_and_comes_first_there(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("hard", 0.6))
    leased = take(queue)
    queue.escalate(leased.case.case_id, "ada", "needs a lawyer", leased.token, NOW)
    load(make_score("usual", 0.99))

    assert take(queue, "bob").case.riskiest.listing.listing_id == "usual"
    assert queue.next_case("eve", NOW) is None
    expert = queue.next_case("kim", NOW, specialist=True)
    assert expert is not None
    assert (expert.case.case_id, expert.case.escalated) == (leased.case.case_id, True)


@pytest.mark.parametrize("leave", ["skip", "escalate"])
def test_a_stale_token_cannot_give_a_case_back(
    queue: TakedownQueue, load: Load, make_score: MakeScore, leave: str
) -> None:
    load(make_score("a"))
    stale = take(queue, "ada")
    take(queue, "bob", NOW + LEASE)

    with pytest.raises(LeaseError, match="is leased to bob"):
        getattr(queue, leave)(stale.case.case_id, "ada", "why", stale.token, NOW + LEASE)


def test_a_decision_that_is_undone_leaves_everything_as_it_was(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("hidden", 0.98, Band.AUTOMATIC))
    case_id = decide(queue, Verdict.GENUINE).case.case_id

    undone = queue.undo(case_id, "ada", NOW + timedelta(minutes=9))

    assert (undone.state, undone.verdict) == (CaseState.OPEN, None)
    assert [action.kind for action in queue.actions()] == [ActionKind.HIDE, ActionKind.REINSTATE, ActionKind.HIDE]
    assert list(queue.labels()) == []
    decide(queue, Verdict.COUNTERFEIT)
    assert [label.label for label in queue.labels()] == ["counterfeit"]


@pytest.mark.parametrize(
    ("by", "minutes", "said"), [("bob", 1, "was decided by ada, who alone"), ("ada", 11, "reopen it instead")]
)
def test_a_decision_is_undone_by_who_made_it_and_within_minutes(
    queue: TakedownQueue, load: Load, make_score: MakeScore, by: str, minutes: int, said: str
) -> None:
    load(make_score("a"))
    case_id = decide(queue, Verdict.COUNTERFEIT).case.case_id

    with pytest.raises(QueueError, match=said):
        queue.undo(case_id, by, NOW + timedelta(minutes=minutes))


def test_a_case_without_a_decision_has_nothing_to_undo(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    with pytest.raises(TransitionError, match="is leased, so it cannot be undone"):
        queue.undo(take(queue).case.case_id, "ada", NOW)


@pytest.mark.parametrize(
    ("verdict", "spared", "said"),
    [
        (Verdict.COUNTERFEIT, ("bazaar/x",), "holds no listing 'bazaar/x'"),
        (Verdict.COUNTERFEIT, ("bazaar/a",), "is one of genuine"),
        (Verdict.GENUINE, ("bazaar/a",), "only a verdict of counterfeit"),
    ],
)
def test_only_listings_of_the_case_are_spared(
    queue: TakedownQueue, load: Load, make_score: MakeScore, verdict: Verdict, spared: tuple[str, ...], said: str
) -> None:
    load(make_score("a"))
    leased = take(queue)

    with pytest.raises(QueueError, match=said):
        queue.decide(leased.case.case_id, "ada", verdict, "why", leased.token, NOW, spared=spared)
