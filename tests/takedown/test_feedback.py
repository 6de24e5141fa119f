from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Label, Photo
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.database import writing
from counterfeit_risk.takedown.exchange.brand_feedback import BrandAnswer, take_in_answers
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue
from counterfeit_risk.takedown.states import Verdict
from counterfeit_risk.takedown.tables import MemberRow, SnapshotRow

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]
Say = Callable[..., None]


@pytest.fixture
def say(engine: Engine) -> Say:
    """Lets the brand say what a listing is."""

    def say_label(case_id: int, listing: str, label: Label, now: datetime = LATER) -> None:
        answer = BrandAnswer(2, case_id, f"bazaar/{listing}", label, "")
        assert take_in_answers(engine, QueueSettings(), [answer], "Norvell", "desk", now).taken == 1

    return say_label


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


def test_a_brands_word_counts_where_no_persons_does(
    queue: TakedownQueue, load: Load, make_score: MakeScore, say: Say
) -> None:
    load(make_score("judged", 0.8), make_score("waiting", 0.6))
    case = decide(queue, Verdict.COUNTERFEIT)
    say(case, "judged", Label.COUNTERFEIT)
    say(case + 1, "waiting", Label.GENUINE)

    judged, waiting = queue.labels()

    assert (judged.listing.listing_id, judged.label_source, judged.labelled_at) == ("judged", "review", NOW)
    assert (waiting.listing.listing_id, waiting.label, waiting.labelled_at) == ("waiting", Label.GENUINE, LATER)
    assert (waiting.label_source, waiting.inclusion_probability) == ("rights_holder", 1.0)
    assert waiting.listing.title == "title of waiting"


def test_a_persons_decision_goes_before_a_brands_word_whichever_is_newer(
    queue: TakedownQueue, load: Load, make_score: MakeScore, say: Say
) -> None:
    load(make_score("a"))
    case = decide(queue, Verdict.COUNTERFEIT)
    say(case, "a", Label.GENUINE)
    [meanwhile] = queue.labels()
    decide(queue, Verdict.COUNTERFEIT, "bob")

    [decided] = queue.labels()

    assert (meanwhile.label, meanwhile.label_source) == (Label.GENUINE, "rights_holder")
    assert (decided.label, decided.label_source) == (Label.COUNTERFEIT, "review")


def test_the_newest_word_of_a_brand_counts(queue: TakedownQueue, load: Load, make_score: MakeScore, say: Say) -> None:
    load(make_score("a"))
    for label in (Label.GENUINE, Label.COUNTERFEIT):
        say(1, "a", label)

    assert [label.label for label in queue.labels()] == [Label.COUNTERFEIT]


def test_nothing_is_learned_from_what_was_erased(
    queue: TakedownQueue, load: Load, make_score: MakeScore, say: Say, engine: Engine
) -> None:
    load(make_score("judged", 0.8), make_score("waiting", 0.6), image_root=Path("/dumps/monday"))
    case = decide(queue, Verdict.GENUINE)
    say(case, "judged", Label.GENUINE)
    say(case + 1, "waiting", Label.GENUINE)
    assert len(list(queue.labels())) == 2

    for case_id, left in ((case, ["waiting"]), (case + 1, [])):
        of_case = select(MemberRow.snapshot_id).where(MemberRow.case_id == case_id)
        with writing(engine) as session:
            session.execute(update(SnapshotRow).where(SnapshotRow.snapshot_id.in_(of_case)).values(erased_at=LATER))
        assert [label.listing.listing_id for label in queue.labels()] == left
    assert queue.image_root() is None


def test_photos_of_brands_labels_are_found_under_the_common_folder(
    queue: TakedownQueue, load: Load, make_score: MakeScore, say: Say
) -> None:
    load(make_score("a", 0.8), image_root=Path("/dumps/monday"))
    load(make_score("b", 0.6), image_root=Path("/dumps/tuesday"))
    say(decide(queue, Verdict.GENUINE) + 1, "b", Label.GENUINE)

    root = queue.image_root()

    assert root == Path("/dumps")
    assert [str(label.listing.photos[0]) for label in queue.labels(relative_to=root)] == [
        "monday/images/a.jpg",
        "tuesday/images/b.jpg",
    ]
