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
    CLOSED = "closed"
    """Nobody decided, and nobody has to: its listings are gone, its night was withdrawn, or it went into another."""


UNDECIDED = (CaseState.OPEN, CaseState.LEASED)


class Lane(StrEnum):
    """Why people see a case. Which of these it is, reviewers are not told."""

    RISK = "risk"
    """The model found it risky."""
    NOTICE = "notice"
    """Somebody complained."""
    AUDIT = "audit"
    """Drawn at random from what passed, to learn what the model misses."""
    KNOWN_ANSWER = "known_answer"
    """Its answer is known, to learn what the reviewer misses; nothing follows from the verdict."""


BLIND_LANES = (Lane.AUDIT, Lane.KNOWN_ANSWER)
"""Lanes whose risk reviewers do not see, so that it cannot lead them."""


class Move(StrEnum):
    """What can happen to a case; each one leaves an event."""

    OPENED = "opened"
    JOINED = "joined"
    """Another listing of the same photos and brand came in."""
    RESCORED = "rescored"
    HIDDEN = "hidden"
    """Policy hid a listing; a person still has to decide."""
    NOTICED = "noticed"
    """Somebody complained about one of its listings."""
    SLIPPED = "slipped"
    """More was flagged than people can see: the due time moved."""
    LISTING_GONE = "listing_gone"
    """One listing is offered no longer; others of the case are."""
    LEASED = "leased"
    RENEWED = "renewed"
    EXPIRED = "expired"
    REVOKED = "revoked"
    """What the reviewer looks at has changed."""
    SKIPPED = "skipped"
    """The reviewer left it to somebody else, and said why."""
    RETURNED = "returned"
    """The reviewer was unsure."""
    ESCALATED = "escalated"
    """Only specialists get it from now on."""
    DECIDED = "decided"
    UNDONE = "undone"
    """The reviewer took the decision back at once."""
    REOPENED = "reopened"
    APPEALED = "appealed"
    """A seller or a notifier disagrees: somebody else decides."""
    GONE = "gone"
    """None of its listings is offered any longer."""
    MERGED = "merged"
    """A listing showed that it is one with an older case, which holds its listings now."""
    WITHDRAWN = "withdrawn"
    """The night that opened it was taken back."""
    FEEDBACK = "feedback"
    """The brand said what it takes a listing for."""
    ERASED = "erased"
    """Personal data of it was erased."""
    TAKEN_IN = "taken_in"
    """A notice came in. It is no case's move, as it may open none."""


_CHANGES = (
    *(Move.JOINED, Move.RESCORED, Move.HIDDEN, Move.NOTICED, Move.SLIPPED, Move.LISTING_GONE),
    *(Move.FEEDBACK, Move.ERASED),
)
"""What happens to a case under way without moving it."""

TRANSITIONS: dict[CaseState | None, dict[Move, CaseState]] = {
    None: {Move.OPENED: CaseState.OPEN},
    CaseState.OPEN: {
        **dict.fromkeys(_CHANGES, CaseState.OPEN),
        Move.LEASED: CaseState.LEASED,
        **dict.fromkeys((Move.GONE, Move.MERGED, Move.WITHDRAWN), CaseState.CLOSED),
    },
    CaseState.LEASED: {
        **dict.fromkeys((*_CHANGES, Move.RENEWED), CaseState.LEASED),
        **dict.fromkeys((Move.EXPIRED, Move.REVOKED, Move.SKIPPED, Move.RETURNED, Move.ESCALATED), CaseState.OPEN),
        Move.DECIDED: CaseState.DECIDED,
    },
    CaseState.DECIDED: {
        **dict.fromkeys((Move.NOTICED, Move.FEEDBACK, Move.ERASED), CaseState.DECIDED),
        **dict.fromkeys((Move.UNDONE, Move.REOPENED, Move.APPEALED), CaseState.OPEN),
    },
    CaseState.CLOSED: {Move.ERASED: CaseState.CLOSED},
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
    """What a decision says of a case's listings."""

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

BACK_TO: dict[ListingStatus, ActionKind] = {
    ListingStatus.VISIBLE: ActionKind.REINSTATE,
    ListingStatus.HIDDEN: ActionKind.HIDE,
    ListingStatus.DOWN: ActionKind.TAKE_DOWN,
}
"""What gives a listing the status back that it had before a decision that is taken back."""
