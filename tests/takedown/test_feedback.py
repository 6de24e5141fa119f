from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Label, Photo
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.queue import TakedownQueue
from counterfeit_risk.takedown.states import Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]


def decide(queue: TakedownQueue, verdict: Verdict, reviewer: str = "ada", now: datetime = NOW) -> int:
    leased = queue.next_case(reviewer, now)
    assert leased is not None
    queue.decide(leased.case.case_id, reviewer, verdict, "looked at it", leased.token, now)
    return leased.case.case_id


def test_a_verdict_becomes_a_label_with_the_snapshot(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("fake", 0.8), make_score("real", 0.6))
    decide(queue, Verdict.COUNTERFEIT)
    decide(queue, Verdict.GENUINE, now=LATER)

    fake, real = queue.labels()

    assert (fake.listing.listing_id, fake.label, fake.labelled_at) == ("fake", Label.COUNTERFEIT, NOW)
    assert (real.listing.listing_id, real.label, real.labelled_at) == ("real", Label.GENUINE, LATER)
    assert fake.label_source == "review"
    assert fake.listing.title == "title of fake"
    assert fake.listing.photos == (Photo("images/fake.jpg"),)


def test_policy_and_an_unsure_reviewer_give_no_label(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a", 0.98, Band.AUTOMATIC))
    decide(queue, Verdict.UNSURE)

    assert list(queue.labels()) == []


def test_a_reopened_case_gives_its_label_back_only_once_decided_again(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"))
    queue.reopen(decide(queue, Verdict.COUNTERFEIT), "bob", "a complaint", NOW)
    assert list(queue.labels()) == []

    decide(queue, Verdict.GENUINE)

    assert [label.label for label in queue.labels()] == [Label.GENUINE]


def test_a_listing_that_was_decided_twice_gives_its_newest_label(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"))
    decide(queue, Verdict.GENUINE)
    load(make_score("a", content_hash="changed", scored_at=LATER))
    decide(queue, Verdict.COUNTERFEIT, now=LATER)

    assert [(label.label, label.labelled_at) for label in queue.labels()] == [(Label.COUNTERFEIT, LATER)]


def test_photos_from_several_folders_are_found_under_one(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a", 0.8), image_root=Path("/dumps/monday"))
    load(make_score("b", 0.6), image_root=Path("/dumps/tuesday"))
    for _ in range(2):
        decide(queue, Verdict.GENUINE)

    root = queue.image_root()
    photos = [label.listing.photos for label in queue.labels(relative_to=root)]

    assert root == Path("/dumps")
    assert photos == [(Photo("monday/images/a.jpg"),), (Photo("tuesday/images/b.jpg"),)]


def test_photos_from_one_folder_keep_their_paths(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    load(make_score("a"), image_root=Path("/dumps/monday"))
    decide(queue, Verdict.GENUINE)

    [label] = queue.labels(relative_to=queue.image_root())

    assert label.listing.photos == (Photo("images/a.jpg"),)


def test_labels_loaded_without_a_folder_have_no_common_one(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"))
    decide(queue, Verdict.GENUINE)

    assert queue.image_root() is None
