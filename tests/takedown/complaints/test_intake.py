"""Notices open and join cases, as urgent as their validity makes them, and who gave them is told what came of it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.complaints.intake import IntakeResult, count_record
from counterfeit_risk.takedown.complaints.notice import Notice, NoticeItem, Notifier, NotifierKind, Right
from counterfeit_risk.takedown.complaints.rights import Authorisation, Mark, MarkKind, Rights
from counterfeit_risk.takedown.complaints.validity import NoticeOutcome, NotifierRecord
from counterfeit_risk.takedown.database import reading
from counterfeit_risk.takedown.loading import ScoredListing
from counterfeit_risk.takedown.queue import TakedownQueue
from counterfeit_risk.takedown.states import ActionKind, CaseState, Move, Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
MARK = Mark("Norvell", "EUIPO", "018", MarkKind.WORD, frozenset({"EU"}), date(2020, 1, 1), nice_classes=frozenset({18}))

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]
TakeIn = Callable[..., IntakeResult]


def make_notice(
    *listing_ids: str, notice_id: str = "n1", kind: NotifierKind = NotifierKind.RIGHTS_HOLDER, name: str = "Norvell SA"
) -> Notice:
    items = tuple(NoticeItem("bazaar", one, f"https://bazaar.example/{one}") for one in listing_ids)
    notifier = Notifier("holder-1", name, "ip@norvell.example", kind)
    why = "The clasp and the stitching are not ours, and the price is a tenth."
    return Notice(notice_id, notifier, NOW, "Norvell", Right.TRADEMARK, why, good_faith=True, items=items)


@pytest.fixture
def scored(make_score: MakeScore) -> dict[str, ScoredListing]:
    """Listings of last night that nobody flagged."""
    found = {}
    for name in ("quiet", "sold"):
        listing = Listing(name, "a bag", brand="Norvell", platform="bazaar", seller_id="s7", category="bags")
        found[f"bazaar/{name}"] = make_score(name, 0.05, Band.PASS), listing
    return found


@pytest.fixture
def take_in(queue: TakedownQueue, scored: dict[str, ScoredListing]) -> TakeIn:
    def take(*notices: Notice, rights: Rights | None = None) -> IntakeResult:
        return queue.notice_desk(rights or Rights([MARK], []), scored).take_in(notices, LATER)

    return take


def decide_next(queue: TakedownQueue, verdict: Verdict, reviewer: str = "ada") -> int:
    leased = queue.next_case(reviewer, LATER)
    assert leased is not None
    queue.decide(leased.case.case_id, reviewer, verdict, "looked", leased.token, LATER)
    return leased.case.case_id


def record(queue: TakedownQueue) -> NotifierRecord:
    with reading(queue._engine) as session:
        return count_record(session, "holder-1", NOW)


def test_a_listing_that_passed_is_seen_by_people_once_it_is_reported(queue: TakedownQueue, take_in: TakeIn) -> None:
    result = take_in(make_notice("quiet"))

    assert (result.taken_in, result.listings) == (1, {NoticeOutcome.REVIEW: 1})
    [case] = queue.top(LATER)
    assert case.riskiest.listing.listing_id == "quiet"
    assert case.due_at == NOW + timedelta(hours=24)
    assert [event.move for event in queue.events(case.case_id)] == [Move.OPENED, Move.NOTICED]


def test_a_notice_joins_the_case_that_holds_the_listing_and_makes_it_due_sooner(
    queue: TakedownQueue, load: Load, make_score: MakeScore, take_in: TakeIn
) -> None:
    load(make_score("a", 0.6))

    take_in(make_notice("a", kind=NotifierKind.AUTHORITY))

    [case] = queue.top(LATER)
    assert case.due_at == NOW + timedelta(hours=4)
    assert queue.stats(LATER).cases[CaseState.OPEN, Band.REVIEW] == 1


def test_taking_a_notice_in_again_changes_nothing(queue: TakedownQueue, take_in: TakeIn) -> None:
    take_in(make_notice("quiet"))
    before = queue.top(LATER), list(queue.messages())

    assert take_in(make_notice("quiet")).already_known == 1
    assert (queue.top(LATER), list(queue.messages())) == before


def test_the_notifier_is_told_that_it_came_in_where_it_led_and_what_was_found(
    queue: TakedownQueue, take_in: TakeIn
) -> None:
    take_in(make_notice("quiet"))
    decide_next(queue, Verdict.COUNTERFEIT)

    received, led, found = queue.messages()
    assert {message.email for message in (received, led, found)} == {"ip@norvell.example"}
    assert "We received your notice n1" in received.text
    assert "Review, 1 listing" in led.text
    assert "- quiet on bazaar: taken down" in found.text
    assert [message.sequence for message in queue.messages(after=2)] == [3]


def test_a_brand_without_a_mark_has_to_show_its_right_first(queue: TakedownQueue, take_in: TakeIn) -> None:
    result = take_in(make_notice("quiet"), rights=Rights([], []))
    assert result.listings == {NoticeOutcome.MORE_INFORMATION: 1}
    assert queue.top(LATER) == []


def test_a_seller_whom_the_brand_authorised_is_left_alone(queue: TakedownQueue, take_in: TakeIn) -> None:
    leave = Authorisation("bazaar", "s7", "Norvell", date(2020, 1, 1))
    assert take_in(make_notice("quiet"), rights=Rights([MARK], [leave])).listings == {NoticeOutcome.UNFOUNDED: 1}
    assert queue.top(LATER) == []


def test_a_listing_that_nobody_knows_is_asked_about(queue: TakedownQueue, take_in: TakeIn) -> None:
    assert take_in(make_notice("nowhere")).listings == {NoticeOutcome.MORE_INFORMATION: 1}
    *_, led = queue.messages()
    assert "We know no such listing" in led.text


def test_each_listing_of_a_notice_has_its_own_outcome(queue: TakedownQueue, take_in: TakeIn) -> None:
    result = take_in(make_notice("quiet", "nowhere", "sold"))
    assert result.listings == {NoticeOutcome.REVIEW: 2, NoticeOutcome.MORE_INFORMATION: 1}
    assert len(queue.top(LATER)) == 2


@pytest.mark.parametrize(
    ("verdict", "outcome", "said"),
    [
        (Verdict.COUNTERFEIT, NoticeOutcome.REVIEW, "taken down before your notice"),
        (Verdict.GENUINE, NoticeOutcome.UNFOUNDED, "it is genuine"),
    ],
)
def test_what_people_have_decided_already_is_told_and_not_asked_again(
    queue: TakedownQueue, take_in: TakeIn, verdict: Verdict, outcome: NoticeOutcome, said: str
) -> None:
    take_in(make_notice("quiet"))
    decide_next(queue, verdict)

    assert take_in(make_notice("quiet", notice_id="n2")).listings == {outcome: 1}
    *_, led = queue.messages()
    assert said in led.text
    assert queue.top(LATER) == []
    assert record(queue).decided == 1


def test_a_notifiers_record_follows_what_people_find(queue: TakedownQueue, take_in: TakeIn) -> None:
    take_in(make_notice("quiet", "sold"))
    first = decide_next(queue, Verdict.COUNTERFEIT)
    decide_next(queue, Verdict.GENUINE)
    assert record(queue) == NotifierRecord(decided=2, upheld=1)

    queue.undo(first, "ada", LATER)
    assert record(queue) == NotifierRecord(decided=1, upheld=0)
    decide_next(queue, Verdict.COUNTERFEIT)
    assert record(queue) == NotifierRecord(decided=2, upheld=1)


def test_a_notice_takes_nothing_down_by_itself(queue: TakedownQueue, take_in: TakeIn) -> None:
    take_in(make_notice("quiet", kind=NotifierKind.AUTHORITY), make_notice("sold", notice_id="n2"))
    assert list(queue.actions()) == []
    decide_next(queue, Verdict.COUNTERFEIT)
    assert [action.kind for action in queue.actions()] == [ActionKind.TAKE_DOWN]
    assert list(queue.find_damage()) == []
