"""Listings of one brand that show copies of the same photos are one case."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from counterfeit_risk.errors import LeaseError
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.clusters import brand_key
from counterfeit_risk.takedown.complaints.appeals import Appeal
from counterfeit_risk.takedown.complaints.tables import Appellant
from counterfeit_risk.takedown.loading import Night
from counterfeit_risk.takedown.queue import TakedownQueue
from counterfeit_risk.takedown.states import ActionKind, CaseState, Move, Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]
Report = Callable[[str], None]


def listings_of(queue: TakedownQueue) -> list[list[str]]:
    """The listing ids of each undecided case, both sorted."""
    return sorted(sorted(one.listing.listing_id for one in case.snapshots) for case in queue.top(NOW, 100))


def decide_next(queue: TakedownQueue, verdict: Verdict, spared: tuple[str, ...] = ()) -> int:
    leased = queue.next_case("ada", NOW)
    assert leased is not None
    queue.decide(leased.case.case_id, "ada", verdict, "looked at it", leased.token, NOW, spared=spared)
    return leased.case.case_id


def test_one_photo_and_brand_is_one_case_across_sellers_and_platforms(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a", 0.6, photo_hashes=("p1", "p2")))

    result = load(make_score("b", 0.8, photo_hashes=("p2",)), platform="souk", seller_id="s2")

    assert (result.opened, result.joined) == (0, 1)
    [case] = queue.top(NOW)
    assert [one.listing_key for one in case.snapshots] == ["souk/b", "bazaar/a"]
    assert (case.risk, case.brand) == (0.8, "norvell")


def test_other_brands_and_other_photos_are_other_cases(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a", photo_hashes=("p1",)))
    load(make_score("b", photo_hashes=("p1",)), brand="Velquon")
    load(make_score("c", photo_hashes=("p3",)))
    load(make_score("d"), brand=None)

    assert listings_of(queue) == [["a"], ["b"], ["c"], ["d"]]


def test_copies_that_were_found_elsewhere_count_like_one_photo(queue: TakedownQueue, make_score: MakeScore) -> None:
    scores = [make_score("a", photo_hashes=("file 1",)), make_score("b", photo_hashes=("file 2",))]
    night = Night(photo_keys={"a": ("p1",), "b": ("p1",)})

    queue.load(scores, [Listing("a", ""), Listing("b", "")], NOW, night=night)

    assert listings_of(queue) == [["a", "b"]]


@pytest.mark.parametrize(("written", "key"), [(" NORVELL\u00a0 Paris", "norvell paris"), ("", None), (None, None)])
def test_a_brand_is_known_however_it_is_written(written: str | None, key: str | None) -> None:
    assert brand_key(written) == key


def test_a_listing_that_shows_the_photos_of_two_cases_makes_them_one(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a", photo_hashes=("p1",)), make_score("b", photo_hashes=("p2",), scored_at=NOW - LATER + NOW))
    older, younger = sorted(queue.top(NOW), key=lambda case: case.case_id)

    result = load(make_score("c", photo_hashes=("p1", "p2")))

    assert (result.joined, result.merged) == (1, 1)
    [case] = queue.top(NOW)
    assert listings_of(queue) == [["a", "b", "c"]]
    assert case.case_id == older.case_id
    assert case.due_at == younger.due_at
    assert [event.move for event in queue.events(younger.case_id)] == [Move.OPENED, Move.MERGED]
    assert queue.stats(NOW).cases[CaseState.CLOSED, Band.REVIEW] == 1


def test_a_listing_that_joins_ends_the_lease_of_whoever_looks_at_the_others(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a", photo_hashes=("p1",)))
    leased = queue.next_case("ada", NOW)
    assert leased is not None

    load(make_score("b", photo_hashes=("p1",)))

    with pytest.raises(LeaseError):
        queue.decide(leased.case.case_id, "ada", Verdict.COUNTERFEIT, "fake", leased.token, NOW)


def test_a_decision_reaches_every_listing_but_those_that_are_spared(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(*(make_score(name, photo_hashes=("p1",)) for name in "abc"))

    decide_next(queue, Verdict.COUNTERFEIT, spared=("bazaar/b",))

    assert [(action.kind, action.listing_id) for action in queue.actions()] == [
        (ActionKind.TAKE_DOWN, "a"),
        (ActionKind.TAKE_DOWN, "c"),
    ]
    assert [(one.listing.listing_id, one.label) for one in queue.labels()] == [
        ("a", "counterfeit"),
        ("b", "genuine"),
        ("c", "counterfeit"),
    ]


def test_a_relisting_after_a_decision_opens_a_case_that_names_the_old_one(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a", photo_hashes=("p1",)))
    decided = decide_next(queue, Verdict.COUNTERFEIT)

    result = load(make_score("relisted", photo_hashes=("p1",)), seller_id="s9", now=LATER)

    assert result.opened == 1
    assert queue.top(NOW)[0].parent_case_id == decided


def test_listings_of_two_platforms_may_have_one_id(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("1", 0.6))
    load(make_score("1", 0.8), platform="souk")

    decide_next(queue, Verdict.COUNTERFEIT)

    assert [action.listing_key for action in queue.actions()] == ["souk/1"]
    assert listings_of(queue) == [["1"]]


def test_policy_hides_each_listing_of_a_case_that_lies_in_the_automatic_band(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    risks = {"a": (0.98, Band.AUTOMATIC), "b": (0.99, Band.AUTOMATIC), "c": (0.6, Band.REVIEW)}
    load(*(make_score(name, *risk, photo_hashes=("p1",)) for name, risk in risks.items()))

    assert [(action.kind, action.listing_id) for action in queue.actions()] == [
        (ActionKind.HIDE, "a"),
        (ActionKind.HIDE, "b"),
    ]
    decide_next(queue, Verdict.GENUINE)
    assert [action.listing_id for action in queue.actions(after=2)] == ["a", "b"]


def test_notices_and_appeals_follow_their_listings_into_another_case(
    queue: TakedownQueue, load: Load, make_score: MakeScore, report: Report
) -> None:
    load(make_score("a", photo_hashes=("p1",)), make_score("b", photo_hashes=("p2",)))
    report("b")
    assert decide_next(queue, Verdict.COUNTERFEIT) == 2
    queue.appeal(2, Appeal("bazaar/b", Appellant.SELLER, "an invoice"), "desk", NOW)
    load(make_score("c", photo_hashes=("p1", "p2")))
    told = len(list(queue.messages()))

    assert queue.next_case("ada", NOW) is None  # she decided what is appealed
    leased = queue.next_case("bob", NOW)
    assert leased is not None
    queue.decide(1, "bob", Verdict.GENUINE, "looked at it", leased.token, NOW)

    assert [message.notice_id for message in queue.messages()][told:] == ["n1"]
    *_, event = queue.events(1)
    rows = {row["table"]: row for row in event.rows}
    assert (rows["appeals"]["outcome"], rows["notice_items"]["result"]) == ("overturned", "overturned")
    assert list(queue.find_damage()) == []


@pytest.fixture
def merged(queue: TakedownQueue, load: Load, make_score: MakeScore) -> TakedownQueue:
    """Case 1 of a, which case 2 of b went into after somebody decided it, and its seller appealed."""
    load(make_score("a", photo_hashes=("p1",)), make_score("b", 0.9, photo_hashes=("p2",)))
    assert decide_next(queue, Verdict.COUNTERFEIT) == 2
    queue.appeal(2, Appeal("bazaar/b", Appellant.SELLER, "an invoice"), "desk", NOW)
    load(make_score("a", photo_hashes=("p1", "p2"), content_hash="edited", scored_at=LATER), now=LATER)
    return queue


def test_what_a_person_said_of_a_case_holds_for_the_one_that_it_goes_into(
    merged: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    assert merged.withdraw(1, "lead", LATER) == (0, 0)

    load(make_score("a", 0.99, Band.AUTOMATIC, content_hash="again", scored_at=LATER), now=LATER)
    assert [action.kind for action in merged.actions()] == [ActionKind.TAKE_DOWN]  # policy hides nothing of it


def test_a_case_for_specialists_stays_one_when_it_goes_into_another(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a", photo_hashes=("p1",)), make_score("b", 0.9, photo_hashes=("p2",)))
    leased = queue.next_case("ada", NOW)
    assert leased is not None
    assert leased.case.case_id == 2
    queue.escalate(2, "ada", "odd clasp", leased.token, NOW)

    load(make_score("c", photo_hashes=("p1", "p2")))

    assert queue.next_case("bob", NOW) is None
    assert queue.next_case("eve", NOW, specialist=True) is not None


def test_nobody_decides_on_listings_that_came_in_with_another_case_while_they_looked(
    queue: TakedownQueue, make_score: MakeScore
) -> None:
    listings = [Listing(name, "a bag", brand="Norvell", platform="bazaar") for name in "ab"]
    keys = {"a": ("pa",), "b": ("pb",)}
    queue.load([make_score("a", 0.8), make_score("b")], listings, NOW, night=Night(photo_keys=keys))
    leased = queue.next_case("ada", NOW)
    assert leased is not None
    assert [one.listing_key for one in leased.case.snapshots] == ["bazaar/a"]

    again = make_score("a", 0.7, scored_at=LATER)
    queue.load([again], listings[:1], NOW, night=Night(photo_keys={"a": ("pa", "pb")}))

    with pytest.raises(LeaseError):
        queue.decide(1, "ada", Verdict.COUNTERFEIT, "looked at it", leased.token, NOW)
    assert list(queue.actions()) == []
