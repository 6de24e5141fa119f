"""What a case, a decision and a listing can be, and every step that is legal between those, as data.

Knows no database and no clock: a step that stands in no table here is refused by `step`.
"""

from enum import StrEnum

from counterfeit_risk.errors import TransitionError


class CaseState(StrEnum):
    """Where a case stands; it is in exactly one of these."""

    OPEN = "open"
    """Waits in the queue."""
    LEASED = "leased"
    """A reviewer works on it until the lease expires."""
    DECIDED = "decided"
    """A person said counterfeit or genuine."""


class Move(StrEnum):
    """What can happen to a case; each one leaves an event."""

    OPENED = "opened"
    RESCORED = "rescored"
    HIDDEN = "hidden"
    """Policy hid the listing; a person still has to decide."""
    LEASED = "leased"
    RENEWED = "renewed"
    EXPIRED = "expired"
    REVOKED = "revoked"
    """The listing's content changed under the reviewer's eyes."""
    RETURNED = "returned"
    """The reviewer was unsure."""
    DECIDED = "decided"
    REOPENED = "reopened"


TRANSITIONS: dict[CaseState | None, dict[Move, CaseState]] = {
    None: {Move.OPENED: CaseState.OPEN},
    CaseState.OPEN: {
        Move.RESCORED: CaseState.OPEN,
        Move.HIDDEN: CaseState.OPEN,
        Move.LEASED: CaseState.LEASED,
    },
    CaseState.LEASED: {
        Move.RESCORED: CaseState.LEASED,
        Move.HIDDEN: CaseState.LEASED,
        Move.RENEWED: CaseState.LEASED,
        Move.EXPIRED: CaseState.OPEN,
        Move.REVOKED: CaseState.OPEN,
        Move.RETURNED: CaseState.OPEN,
        Move.DECIDED: CaseState.DECIDED,
    },
    CaseState.DECIDED: {Move.REOPENED: CaseState.OPEN},
}


def step(case_id: int, state: CaseState | None, move: Move) -> CaseState:
    """The state after a move; `state` is None before the case exists.

    Raises:
        TransitionError: if the move is not legal from there.
    """
    try:
        return TRANSITIONS[state][move]
    except KeyError:
        raise TransitionError(case_id, state or "not opened", move) from None


class Verdict(StrEnum):
    """What a decision says of a listing."""

    COUNTERFEIT = "counterfeit"
    GENUINE = "genuine"
    UNSURE = "unsure"
    """Decides nothing: another reviewer gets the case."""


class ActionKind(StrEnum):
    """What the platform is told to do with a listing."""

    HIDE = "hide"
    """Reversible, by policy, until a person decides."""
    TAKE_DOWN = "take_down"
    REINSTATE = "reinstate"


class ListingStatus(StrEnum):
    """What the actions so far made of a listing."""

    VISIBLE = "visible"
    HIDDEN = "hidden"
    DOWN = "down"


STATUS_AFTER: dict[ActionKind | None, ListingStatus] = {
    None: ListingStatus.VISIBLE,
    ActionKind.HIDE: ListingStatus.HIDDEN,
    ActionKind.TAKE_DOWN: ListingStatus.DOWN,
    ActionKind.REINSTATE: ListingStatus.VISIBLE,
}
"""The status of a listing by its latest action; None where there was none."""

CONSEQUENCES: dict[tuple[ListingStatus, Verdict], ActionKind] = {
    (ListingStatus.VISIBLE, Verdict.COUNTERFEIT): ActionKind.TAKE_DOWN,
    (ListingStatus.HIDDEN, Verdict.COUNTERFEIT): ActionKind.TAKE_DOWN,
    (ListingStatus.HIDDEN, Verdict.GENUINE): ActionKind.REINSTATE,
    (ListingStatus.DOWN, Verdict.GENUINE): ActionKind.REINSTATE,
}
"""What a person's verdict leads to; a pair that is not here needs no action. Policy only ever hides what is visible."""
