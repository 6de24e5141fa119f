from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from counterfeit_risk.errors import LeaseError, ListingTableError
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing, Photo, RejectedRow, RejectReason
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.loading import pair_scores
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue, open_queue
from counterfeit_risk.takedown.states import ActionKind, CaseState, Lane, Move, Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]


def counts(result: LoadResult) -> dict[str, int]:
    """What was counted at all."""
    return {name: count for name, count in asdict(result).items() if count and name != "load_id"}


def decide_next(queue: TakedownQueue, verdict: Verdict, now: datetime = NOW) -> int:
    leased = queue.next_case("ada", now)
    assert leased is not None
    queue.decide(leased.case.case_id, "ada", verdict, "looked at it", leased.token, now)
    return leased.case.case_id


def test_pairing_finds_every_listing_in_any_order(make_score: MakeScore) -> None:
    ids = [f"l{number}" for number in range(50)]
    shuffled = sorted(ids, key=lambda listing_id: listing_id[::-1])

    pairs = list(pair_scores([make_score(i) for i in shuffled], [Listing(i, f"title {i}") for i in ids]))

    assert [(score.listing_id, listing.listing_id) for score, listing in pairs] == [(i, i) for i in shuffled]


def test_pairing_in_the_tables_order_reads_no_further_than_needed(make_score: MakeScore) -> None:
    listings = iter([Listing("a", ""), RejectedRow(2, RejectReason.MISSING_ID, ""), Listing("b", ""), Listing("c", "")])

    list(pair_scores([make_score("a"), make_score("b")], listings))

    assert next(listings) == Listing("c", "")


def test_a_case_opens_for_each_risk_that_people_have_to_see(load: Load, make_score: MakeScore) -> None:
    result = load(make_score("a", 0.1, Band.PASS), make_score("b", 0.6), make_score("c", 0.9, Band.AUTOMATIC))

    assert counts(result) == {"opened": 2, "passed": 1, "hidden": 1}


def test_a_case_keeps_a_snapshot_of_its_listing_and_score(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    score = make_score("a", 0.6)
    load(score, image_root=Path("/dump"))

    [case] = queue.top(NOW)
    assert case.riskiest.listing == Listing(
        "a",
        "title of a",
        photos=(Photo("images/a.jpg"),),
        brand="Norvell",
        platform="bazaar",
        seller_id="s1",
        category="bags",
        price=12.5,
        currency="EUR",
    )
    assert (case.risk, case.band, case.riskiest.photo_risk, case.riskiest.title_risk) == (0.6, Band.REVIEW, 0.6, None)
    kept = case.riskiest
    assert (kept.model_id, kept.scored_at, kept.content_hash) == (score.model_id, score.scored_at, score.content_hash)
    assert case.riskiest.image_root == "/dump"
    assert case.state is CaseState.OPEN


def test_loading_the_same_scores_again_changes_nothing(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    scores = [make_score("a"), make_score("b", 0.9, Band.AUTOMATIC), make_score("c", 0.1, Band.PASS)]
    load(*scores)
    cases, actions = queue.top(NOW), list(queue.actions())

    result = load(*scores, now=LATER)

    assert counts(result) == {"already_known": 2, "passed": 1}
    assert (queue.top(NOW), list(queue.actions())) == (cases, actions)


def test_every_score_is_counted_once_across_batches(load: Load, make_score: MakeScore) -> None:
    scores = [make_score(f"l{number}", band=list(Band)[number % 3]) for number in range(1203)]

    first, second = load(*scores), load(*scores)

    assert counts(first) == {"opened": 802, "passed": 401, "hidden": 401}
    assert counts(second) == {"already_known": 802, "passed": 401}


def test_a_score_without_its_listing_loads_nothing(queue: TakedownQueue, make_score: MakeScore) -> None:
    scores = [make_score(f"l{number}") for number in range(600)]
    listings = [Listing(score.listing_id, "") for score in scores[:-1]]

    with pytest.raises(ListingTableError, match="listing 'l599' has no row"):
        queue.load(scores, listings, NOW)
    assert queue.top(NOW) == []


def test_a_newer_score_updates_an_undecided_case(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a", 0.6))

    result = load(make_score("a", 0.7, model_id="model-b", scored_at=LATER), now=LATER)

    assert counts(result) == {"updated": 1}
    [case] = queue.top(NOW)
    assert (case.risk, case.riskiest.model_id) == (0.7, "model-b")
    [_, event] = queue.events(case.case_id)
    assert (event.move, event.at, event.detail["risk"]) == (Move.RESCORED, LATER, [0.6, 0.7])


def test_a_newer_score_never_makes_a_case_due_later(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    due_at = queue.top(NOW)[0].due_at

    load(make_score("a", scored_at=LATER))

    assert queue.top(NOW)[0].due_at == due_at


def test_a_replayed_older_score_is_ignored(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a", 0.7, scored_at=LATER))

    result = load(make_score("a", 0.6, content_hash="older"))

    assert counts(result) == {"already_known": 1}
    assert queue.top(NOW)[0].risk == 0.7


def test_an_undecided_case_stays_when_its_risk_falls_into_the_pass_band(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a", 0.9, Band.AUTOMATIC))

    result = load(make_score("a", 0.1, Band.PASS, scored_at=LATER))

    assert counts(result) == {"updated": 1}
    assert queue.top(NOW)[0].band is Band.PASS


def test_new_content_ends_the_lease_of_whoever_looks_at_the_old(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"))
    leased = queue.next_case("ada", NOW)
    assert leased is not None

    load(make_score("a", scored_at=LATER, content_hash="new photos"))

    with pytest.raises(LeaseError, match="its listing changed meanwhile"):
        queue.decide(leased.case.case_id, "ada", Verdict.GENUINE, "fine", leased.token, NOW)


def test_the_same_content_scored_again_leaves_the_lease(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"))
    leased = queue.next_case("ada", NOW)
    assert leased is not None

    load(make_score("a", 0.9, Band.AUTOMATIC, scored_at=LATER, model_id="model-b"))

    decision = queue.decide(leased.case.case_id, "ada", Verdict.GENUINE, "fine", leased.token, NOW)
    assert decision.actions == (ActionKind.REINSTATE,)


def test_a_decided_case_is_left_to_people(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"))
    decide_next(queue, Verdict.GENUINE)

    result = load(make_score("a", 0.99, Band.AUTOMATIC, scored_at=LATER, model_id="model-b"))

    assert counts(result) == {"already_known": 1}
    assert list(queue.actions()) == []


def test_changed_content_opens_a_new_case_after_a_decision(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"))
    decided = decide_next(queue, Verdict.GENUINE)

    result = load(make_score("a", scored_at=LATER, content_hash="changed"))

    assert counts(result) == {"opened": 1}
    assert queue.top(NOW)[0].parent_case_id == decided


def test_policy_hides_a_listing_in_the_automatic_band_and_leaves_the_case_to_a_person(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a", 0.98, Band.AUTOMATIC))

    [action] = queue.actions()
    [case] = queue.top(NOW)
    assert (action.kind, action.listing_id, action.platform) == (ActionKind.HIDE, "a", "bazaar")
    assert (case.state, case.verdict) == (CaseState.OPEN, None)
    assert [(event.move, event.actor) for event in queue.events(case.case_id)] == [
        (Move.OPENED, "queue"),
        (Move.HIDDEN, "policy"),
    ]


def test_policy_hides_a_hidden_listing_only_once(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a", 0.98, Band.AUTOMATIC))

    result = load(make_score("a", 0.99, Band.AUTOMATIC, scored_at=LATER))

    assert counts(result) == {"updated": 1}
    assert len(list(queue.actions())) == 1


def test_policy_never_overrides_a_persons_verdict_on_a_reopened_case(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"))
    queue.reopen(decide_next(queue, Verdict.GENUINE), "bob", "a complaint", NOW)

    result = load(make_score("a", 0.99, Band.AUTOMATIC, scored_at=LATER, model_id="model-b"))

    assert counts(result) == {"updated": 1}
    assert list(queue.actions()) == []


def test_a_sellers_text_is_kept_as_it_is_and_never_run(queue: TakedownQueue, make_score: MakeScore) -> None:
    title = "bag\u202e '); DROP TABLE cases; -- " + "x" * 100_000

    queue.load([make_score("'a\n")], [Listing("'a\n", title)], NOW)

    [case] = queue.top(NOW)
    assert (case.riskiest.listing.listing_id, case.riskiest.listing.title) == ("'a\n", title)


def test_a_case_points_at_photo_files_and_not_into_the_table(queue: TakedownQueue, make_score: MakeScore) -> None:
    photos = (Photo("a.jpg"), Photo(data=b"jpeg"), Photo("name.jpg", b"jpeg"))

    queue.load([make_score("a")], [Listing("a", "bag", photos=photos)], NOW)

    assert queue.top(NOW)[0].riskiest.listing.photos == (Photo("a.jpg"),)


def test_a_random_case_that_turns_out_to_be_one_with_a_flagged_one_is_random_no_longer(
    make_score: Callable[..., RiskScore],
) -> None:
    settings = QueueSettings(audit_probability=1.0)
    listings = [Listing(name, "a bag", brand="Norvell") for name in ("passed", "flagged")]
    with open_queue("sqlite://", create=True, settings=settings) as queue:
        passed = make_score("passed", 0.01, Band.PASS, photo_hashes=("p1",))
        queue.load([passed, make_score("flagged", photo_hashes=("p2",))], listings, NOW)
        changed = replace(passed, photo_hashes=("p1", "p2"), content_hash="new", scored_at=LATER)
        queue.load([changed], listings, LATER)

        [case] = queue.top(LATER)
        assert (len(case.snapshots), case.lane) == (2, Lane.RISK)
        leased = queue.next_case("ada", LATER)
        assert leased is not None
        queue.decide(case.case_id, "ada", Verdict.COUNTERFEIT, "looked", leased.token, LATER)
        assert {label.inclusion_probability for label in queue.labels()} == {1.0}
