import pytest

from counterfeit_risk.errors import TransitionError
from counterfeit_risk.takedown.states import (
    BACK_TO,
    CONSEQUENCES,
    STATUS_AFTER,
    TRANSITIONS,
    ActionKind,
    CaseState,
    ListingStatus,
    Move,
    Verdict,
    step,
)


def test_every_state_can_be_reached_and_left() -> None:
    reached = {after for moves in TRANSITIONS.values() for after in moves.values()}

    assert reached == set(CaseState)
    for state in CaseState:
        left = {after for after in TRANSITIONS[state].values() if after is not state}
        assert (left == set()) == (state is CaseState.CLOSED)


def test_every_move_is_legal_from_somewhere() -> None:
    assert {move for moves in TRANSITIONS.values() for move in moves} == set(Move) - {Move.TAKEN_IN}


def test_a_decided_case_can_only_become_open_again() -> None:
    again = (Move.UNDONE, Move.REOPENED, Move.APPEALED)
    assert TRANSITIONS[CaseState.DECIDED] == {
        **dict.fromkeys((Move.NOTICED, Move.FEEDBACK, Move.ERASED), CaseState.DECIDED),
        **dict.fromkeys(again, CaseState.OPEN),
    }


def test_a_listing_can_be_given_back_every_status_it_had() -> None:
    assert {status: STATUS_AFTER[action] for status, action in BACK_TO.items()} == {one: one for one in ListingStatus}


def test_an_illegal_move_names_the_case_its_state_and_the_move() -> None:
    with pytest.raises(TransitionError, match="case 7 is open, so it cannot be decided"):
        step(7, CaseState.OPEN, Move.DECIDED)


def test_the_consequence_of_a_verdict_leaves_the_listing_as_the_verdict_says() -> None:
    wanted = {Verdict.COUNTERFEIT: ListingStatus.DOWN, Verdict.GENUINE: ListingStatus.VISIBLE}

    for verdict, status_wanted in wanted.items():
        for status in ListingStatus:
            action = CONSEQUENCES.get((status, verdict))
            assert (STATUS_AFTER[action] if action else status) == status_wanted


def test_being_unsure_has_no_consequence_and_no_verdict_hides() -> None:
    assert not any(verdict is Verdict.UNSURE for _, verdict in CONSEQUENCES)
    assert ActionKind.HIDE not in CONSEQUENCES.values()
