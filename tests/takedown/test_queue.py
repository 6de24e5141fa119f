from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from counterfeit_risk.errors import LeaseError, QueueError, TransitionError
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.scoring.risk_score import PartStatus, RiskScore
from counterfeit_risk.takedown.case import Case, LeasedCase, LoadResult
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue, open_queue
from counterfeit_risk.takedown.states import ActionKind, CaseState, Verdict, step

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]


def test_concurrent_reviewers_never_get_the_same_case(database_url: str, load: Load, make_score: MakeScore) -> None:
    load(*(make_score(f"l{number}", number / 100) for number in range(40)))

    def work(reviewer: str) -> list[int]:
        decided = []
        with open_queue(database_url) as queue:
            while leased := queue.next_case(reviewer, NOW):
                queue.decide(leased.case.case_id, reviewer, Verdict.COUNTERFEIT, "fake", leased.token, NOW)
                decided.append(leased.case.case_id)
        return decided

    with ThreadPoolExecutor(4) as pool:
        decided = [case_id for cases in pool.map(work, ["ada", "bob", "eve", "kim"]) for case_id in cases]

    assert len(decided) == len(set(decided)) == 40


def test_one_reviewer_who_asks_many_times_at_once_holds_one_case(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(*(make_score(f"l{number}") for number in range(8)))

    with ThreadPoolExecutor(4) as pool:
        leases = list(pool.map(lambda _: queue.next_case("ada", NOW), range(8)))

    assert len({(leased.case.case_id, leased.token) for leased in leases if leased}) == 1
    assert None not in leases


def test_actions_continue_after_a_sequence_number(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(*(make_score(f"l{number}", band=Band.AUTOMATIC) for number in range(1200)))

    sequences = [action.sequence for action in queue.actions()]

    assert len(sequences) == 1200
    assert all(earlier < later for earlier, later in pairwise(sequences))
    assert [action.sequence for action in queue.actions(after=sequences[1100])] == sequences[1101:]


def test_the_top_of_the_queue_is_shown_without_leasing(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(*(make_score(f"l{number}", number / 10) for number in range(10)))

    assert [case.risk for case in queue.top(NOW, 3)] == [0.9, 0.8, 0.7]
    assert queue.stats(NOW).cases == {(CaseState.OPEN, Band.REVIEW): 10}


LISTINGS = st.sampled_from(["a", "b", "c"])
PHOTOS = st.sets(st.sampled_from(["p1", "p2"]), max_size=2).map(sorted).map(tuple)
REVIEWERS = st.sampled_from(["ada", "bob", "eve"])
VERDICTS = st.sampled_from(Verdict)
SEEN_BANDS = st.sampled_from([Band.AUTOMATIC, Band.REVIEW])

LEGAL_AFTER = {
    None: {ActionKind.HIDE, ActionKind.TAKE_DOWN},
    ActionKind.HIDE: {ActionKind.TAKE_DOWN, ActionKind.REINSTATE},
    ActionKind.TAKE_DOWN: {ActionKind.REINSTATE, ActionKind.HIDE},  # hidden again where a takedown is undone
    ActionKind.REINSTATE: {ActionKind.HIDE, ActionKind.TAKE_DOWN},
}


class QueueMachine(RuleBasedStateMachine):
    """Loads, leases, decides, undoes, reopens, withdraws and waits in any order, against what must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = open_queue("sqlite://", create=True)
        self.now = NOW
        self.loads = 0
        self.leases: list[tuple[str, LeasedCase]] = []
        self.left: set[tuple[str, int]] = set()
        self.decided: dict[int, tuple[str, datetime]] = {}
        self.listings_by_case: dict[int, set[str]] = {}
        self.reopened: set[int] = set()
        self.opened = self.closed = 0

    @initialize(bands=st.tuples(SEEN_BANDS, SEEN_BANDS))
    def fill(self, bands: tuple[Band, Band]) -> None:
        for listing_id, band in zip("ab", bands, strict=True):
            self.load_twice(listing_id, 0.5, band, 0, ())

    def teardown(self) -> None:
        self.check_counts()
        for case in self.queue.top(self.now, 100):
            self.follow(case)
        assert list(self.queue.find_damage()) == []
        self.queue.close()

    def follow(self, case: Case) -> None:
        """The moves alone lead to where the case stands."""
        state: CaseState | None = None
        for event in self.queue.events(case.case_id):
            assert event.from_state == state
            state = step(case.case_id, state, event.move)
            assert event.to_state == state
        assert state == case.state

    @rule(minutes=st.sampled_from([1, 10, 15, 60 * 25]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(
        listing_id=LISTINGS,
        risk=st.floats(0, 1),
        band=st.sampled_from(Band),
        content=st.integers(0, 2),
        photos=PHOTOS,
    )
    def load_twice(self, listing_id: str, risk: float, band: Band, content: int, photos: tuple[str, ...]) -> None:
        status = PartStatus.OK
        score = RiskScore(
            listing_id, risk, band, None, None, 0, status, (), status, "model", self.now, f"content {content}", photos
        )

        first, second = (self.queue.load([score], [Listing(listing_id, "title")], self.now) for _ in range(2))

        self.loads = second.load_id
        assert first.opened + first.joined + first.updated + first.already_known + first.passed == 1
        assert second in (LoadResult(self.loads, already_known=1), LoadResult(self.loads, passed=1))
        self.opened += first.opened
        self.closed += first.merged
        for case in self.queue.top(self.now, 100):
            self.listings_by_case[case.case_id] = {snapshot.listing_key for snapshot in case.snapshots}

    @rule(reviewer=REVIEWERS)
    def take(self, reviewer: str) -> None:
        undecided = self.queue.top(self.now, 100)
        held = [case.case_id for case in undecided if self.is_leased(case) and case.leased_by == reviewer]
        waiting = [case.case_id for case in undecided if not self.is_leased(case) and not case.escalated]
        eligible = [case_id for case_id in waiting if (reviewer, case_id) not in self.left]

        leased = self.queue.next_case(reviewer, self.now)

        if leased is None:
            assert not held
            assert not eligible
            return
        assert leased.renewed == bool(held)
        assert leased.case.case_id in (held or eligible)
        self.leases.append((reviewer, leased))

    @rule(reviewer=REVIEWERS, verdict=VERDICTS)
    def take_and_decide(self, reviewer: str, verdict: Verdict) -> None:
        self.take(reviewer)
        if self.leases:
            self.submit_twice(*self.leases[-1], verdict)

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), verdict=VERDICTS)
    def decide_under_any_lease(self, data: st.DataObject, verdict: Verdict) -> None:
        self.submit_twice(*data.draw(st.sampled_from(self.leases)), verdict)

    def submit_twice(self, reviewer: str, leased: LeasedCase, verdict: Verdict) -> None:
        case_id, actions = leased.case.case_id, list(self.queue.actions())
        live = self.is_live(reviewer, leased)
        try:
            first, second = (
                self.queue.decide(case_id, reviewer, verdict, "why", leased.token, self.now) for _ in range(2)
            )
        except (LeaseError, TransitionError):
            assert not live
            assert list(self.queue.actions()) == actions
            return
        assert first == second
        assert len(list(self.queue.actions())) - len(actions) == (live and len(first.actions))
        if live and verdict is Verdict.UNSURE:
            self.left.add((reviewer, case_id))
        elif live:
            assert case_id not in self.decided
            self.decided[case_id] = reviewer, self.now

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), escalated=st.booleans())
    def leave(self, data: st.DataObject, escalated: bool) -> None:
        reviewer, leased = data.draw(st.sampled_from(self.leases))
        live = self.is_live(reviewer, leased)
        leave = self.queue.escalate if escalated else self.queue.skip
        try:
            leave(leased.case.case_id, reviewer, "not mine", leased.token, self.now)
        except (LeaseError, TransitionError):
            assert not live
            return
        assert live
        self.left.add((reviewer, leased.case.case_id))

    @precondition(lambda self: self.decided)
    @rule(data=st.data(), reviewer=REVIEWERS)
    def undo(self, data: st.DataObject, reviewer: str) -> None:
        case_id = data.draw(st.sampled_from(sorted(self.decided)))
        decided_by, decided_at = self.decided[case_id]
        in_time = self.now <= decided_at + QueueSettings().undo
        if not in_time or decided_by != reviewer:
            with pytest.raises(QueueError, match=r"ago: reopen it|who alone can undo it"):
                self.queue.undo(case_id, reviewer, self.now)
        elif self.is_succeeded(case_id):
            with pytest.raises(TransitionError, match="succeeded by case"):
                self.queue.undo(case_id, reviewer, self.now)
        else:
            self.queue.undo(case_id, reviewer, self.now)
            del self.decided[case_id]
            self.reopened.add(case_id)

    @precondition(lambda self: self.decided)
    @rule(data=st.data())
    def reopen(self, data: st.DataObject) -> None:
        case_id = data.draw(st.sampled_from(sorted(self.decided)))
        if self.is_succeeded(case_id):
            with pytest.raises(TransitionError, match="succeeded by case"):
                self.queue.reopen(case_id, "lead", "a complaint", self.now)
        else:
            self.queue.reopen(case_id, "lead", "a complaint", self.now)
            del self.decided[case_id]
            self.reopened.add(case_id)

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        closed, _ = self.queue.withdraw(data.draw(st.integers(1, self.loads)), "lead", self.now)
        self.closed += closed

    def is_succeeded(self, case_id: int) -> bool:
        """Whether one of the case's listings has a newer case that stands."""
        listings = self.listings_by_case[case_id]
        standing = self.decided.keys() | {case.case_id for case in self.queue.top(self.now, 100)}
        return any(listings & self.listings_by_case[other] for other in standing if other > case_id)

    def is_leased(self, case: Case) -> bool:
        """Whether somebody holds the case at this moment."""
        return case.lease_expires_at is not None and case.lease_expires_at > self.now

    def is_live(self, reviewer: str, leased: LeasedCase) -> bool:
        """Whether the case is still this reviewer's under this lease, by what the queue shows."""
        case_id = leased.case.case_id
        newest = max(lease.token for _, lease in self.leases if lease.case.case_id == case_id)
        return leased.token == newest and any(
            case.case_id == case_id and case.leased_by == reviewer and self.is_leased(case)
            for case in self.queue.top(self.now, 100)
        )

    def check_counts(self) -> None:
        waiting = [case for case in self.queue.top(self.now, 100) if not self.is_leased(case)]
        counts: Counter[CaseState] = Counter()
        for (state, _), count in self.queue.stats(self.now).cases.items():
            counts[state] += count

        assert counts[CaseState.OPEN] == len(waiting)
        assert counts[CaseState.DECIDED] == len(self.decided)
        assert counts[CaseState.CLOSED] == self.closed
        assert counts.total() == self.opened

    @invariant()
    def no_case_is_lost_and_none_stands_in_two_states(self) -> None:
        undecided = self.queue.top(self.now, 100)
        listings = [snapshot.listing_key for case in undecided for snapshot in case.snapshots]

        assert not self.decided.keys() & {case.case_id for case in undecided}
        assert len(set(listings)) == len(listings)
        assert all(case.snapshots for case in undecided)
        assert len(undecided) + len(self.decided) + self.closed == self.opened

    @invariant()
    def no_two_undecided_cases_show_one_photo_unless_one_was_opened_again(self) -> None:
        shown = [
            key
            for case in self.queue.top(self.now, 100)
            if case.case_id not in self.reopened
            for key in {key for snapshot in case.snapshots for key in snapshot.photo_hashes}
        ]
        assert len(set(shown)) == len(shown)

    @invariant()
    def actions_grow_and_alternate_legally(self) -> None:
        actions = list(self.queue.actions())
        latest: dict[str, ActionKind] = {}
        for action in actions:
            assert action.kind in LEGAL_AFTER[latest.get(action.listing_key)]
            latest[action.listing_key] = action.kind
        assert all(earlier.sequence < later.sequence for earlier, later in pairwise(actions))
        assert len({(action.decision_id, action.listing_key) for action in actions}) == len(actions)


QueueMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestQueueMachine = QueueMachine.TestCase
