"""Personal data ends everywhere, and the histories stay whole."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update
from typer.testing import CliRunner

from counterfeit_risk.cli.queue import app
from counterfeit_risk.errors import QueueError, UsageError
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.complaints.appeals import Appeal
from counterfeit_risk.takedown.complaints.notice import Notice, NoticeItem, Notifier, NotifierKind, Right
from counterfeit_risk.takedown.complaints.rights import Rights
from counterfeit_risk.takedown.complaints.tables import Appellant, NoticeItemRow, NoticeRow
from counterfeit_risk.takedown.database import open_database, reading, writing
from counterfeit_risk.takedown.keeping.erasure import REQUEST, Eraser, erase_notifier, erase_seller
from counterfeit_risk.takedown.keeping.retention import RETENTION, erase_old, remove_photos
from counterfeit_risk.takedown.photo_archive import PhotoArchive
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue
from counterfeit_risk.takedown.replay import find_damage, rebuild
from counterfeit_risk.takedown.schema import RECORDED
from counterfeit_risk.takedown.states import CaseState, Lane, Verdict
from counterfeit_risk.takedown.tables import Base, CaseRow, SnapshotRow

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = QueueSettings()
PAST_APPEAL = NOW + timedelta(days=185)
PAST_RETENTION = NOW + timedelta(days=731)

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]


def decide_all(queue: TakedownQueue, verdict: Verdict = Verdict.COUNTERFEIT, now: datetime = NOW) -> None:
    while leased := queue.next_case("ada", now):
        queue.decide(leased.case.case_id, "ada", verdict, "seen", leased.token, now)


def give_notice(queue: TakedownQueue, notifier: str, *listings: str, now: datetime = NOW, number: int = 1) -> None:
    who = Notifier(notifier, f"Name-of-{notifier}", f"{notifier}@mail.example", NotifierKind.AUTHORITY)
    items = tuple(NoticeItem("bazaar", one, f"https://bazaar.example/{one}") for one in listings)
    why = f"The parcels that explanation-of-{notifier} speaks of held counterfeits."
    notice = Notice(f"n{number}-{notifier}", who, now, "Norvell", Right.TRADEMARK, why, good_faith=True, items=items)
    queue.notice_desk(Rights([], []), {}).take_in([notice], now)


def everything(engine: Engine) -> str:
    """All that the database holds, as text."""
    with reading(engine) as session:
        rows = [row for table in Base.metadata.sorted_tables for row in session.execute(select(table)).all()]
    return "\n".join(json.dumps(list(row), default=str) for row in rows)


def check_whole(engine: Engine, tmp_path: Path) -> None:
    """The histories are whole, the tables say what they say, and can be made from them."""
    assert list(find_damage(engine)) == []
    again = open_database(f"sqlite:///{tmp_path / 'again.db'}", create=True)
    rebuild(engine, again)
    assert list(find_damage(again)) == []
    for table in RECORDED:
        order = list(table.__table__.primary_key)
        with reading(engine) as one, reading(again) as other:
            rows = [session.execute(select(table.__table__).order_by(*order)).all() for session in (one, other)]
        assert rows[0] == rows[1]
    again.dispose()


def count(names: Iterator[tuple[str, object]]) -> Counter[str]:
    return Counter(table for table, _ in names)


def test_a_seller_is_erased_everywhere_and_others_are_not(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore, tmp_path: Path
) -> None:
    load(make_score("a", 0.97, Band.AUTOMATIC), make_score("b"), seller_id="seller-one", image_root=Path("photos-one"))
    load(make_score("a", 0.98, Band.AUTOMATIC), seller_id="seller-one", now=NOW + timedelta(hours=1))
    load(make_score("c"), seller_id="seller-two")
    decide_all(queue)
    queue.appeal(1, Appeal("bazaar/a", Appellant.SELLER, "grounds-of-one"), "desk", NOW)
    while leased := queue.next_case("bob", NOW):
        queue.decide(leased.case.case_id, "bob", Verdict.COUNTERFEIT, "seen", leased.token, NOW)
    told = [statement.seller_text for statement in queue.statements() if statement.seller_id == "seller-one"]
    eraser = Eraser(engine, "dpo", PAST_APPEAL, REQUEST)

    erased = count(erase_seller(eraser, "seller-one", "bazaar", SETTINGS))

    assert erased == {"snapshots": 3, "statements": len(told), "appeals": 1}
    left = everything(engine)
    personal = ["seller-one", "title of a", "title of b", "images/a.jpg", "photos-one", "grounds-of-one"]
    assert [one for one in (*personal, *told) if one in left] == []
    assert all(one in left for one in ("seller-two", "title of c"))
    assert [statement.listing_key for statement in queue.statements()].count("bazaar/a") > 0
    check_whole(engine, tmp_path)


def test_a_seller_of_another_platform_keeps_everything(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"), seller_id="one", platform="bazaar")
    load(make_score("b"), seller_id="one", platform="souk")
    decide_all(queue)
    assert count(erase_seller(Eraser(engine, "dpo", PAST_APPEAL, REQUEST), "one", "souk", SETTINGS)) == {
        "snapshots": 1,
        "statements": 1,
    }
    assert [snapshot.seller_id for snapshot in snapshots(engine)] == ["one", None]


def snapshots(engine: Engine) -> list[SnapshotRow]:
    with reading(engine) as session:
        return list(session.scalars(select(SnapshotRow).order_by(SnapshotRow.snapshot_id)))


def test_a_seller_with_a_case_under_way_is_refused_unless_a_court_said_so(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"), seller_id="one")
    decide_all(queue)
    load(make_score("b"), seller_id="one")
    before = everything(engine)
    with pytest.raises(QueueError, match="cases 1, 2 are undecided"):
        list(erase_seller(Eraser(engine, "dpo", NOW, REQUEST), "one", "bazaar", SETTINGS))
    with pytest.raises(QueueError, match="cases 2 are undecided"):
        list(erase_seller(Eraser(engine, "dpo", PAST_APPEAL, REQUEST), "one", "bazaar", SETTINGS))
    assert everything(engine) == before

    ordered = erase_seller(Eraser(engine, "dpo", NOW, REQUEST), "one", "bazaar", SETTINGS, is_ordered=True)

    assert count(ordered)["snapshots"] == 2
    assert list(queue.find_damage()) == []
    decide_all(queue)
    assert list(queue.find_damage()) == []


def test_an_unknown_seller_or_notifier_is_named(engine: Engine) -> None:
    eraser = Eraser(engine, "dpo", NOW, REQUEST)
    with pytest.raises(QueueError, match="nothing of seller 'who' of platform 'bazaar'"):
        list(erase_seller(eraser, "who", "bazaar", SETTINGS))
    with pytest.raises(QueueError, match="no notifier 'who'"):
        list(erase_notifier(eraser, "who"))


@pytest.fixture
def merged(load: Load, make_score: MakeScore) -> None:
    """Case 2 went into case 1, which shows its listing."""
    load(make_score("a", photo_hashes=("p1",)), make_score("b", photo_hashes=("p2",)), seller_id="one")
    load(make_score("c", photo_hashes=("p1", "p2")), seller_id="two")


@pytest.mark.usefixtures("merged")
def test_a_seller_is_erased_in_the_history_that_tells_of_the_listing(
    queue: TakedownQueue, engine: Engine, tmp_path: Path
) -> None:
    decide_all(queue)
    eraser = Eraser(engine, "dpo", PAST_APPEAL, REQUEST)
    assert count(erase_seller(eraser, "one", "bazaar", SETTINGS)) == {"snapshots": 2, "statements": 2}
    assert [one for one in ("title of a", "title of b") if one in everything(engine)] == []
    assert "title of c" in everything(engine)
    check_whole(engine, tmp_path)


@pytest.mark.usefixtures("merged")
def test_what_a_merged_case_took_in_is_kept_as_long_as_the_case_that_shows_it(
    queue: TakedownQueue, engine: Engine, tmp_path: Path
) -> None:
    eraser = Eraser(engine, "dpo", PAST_RETENTION, RETENTION)
    assert list(erase_old(eraser, SETTINGS)) == []

    decide_all(queue, now=NOW + timedelta(days=30))
    assert list(erase_old(eraser, SETTINGS)) == []

    later = Eraser(engine, "dpo", PAST_RETENTION + timedelta(days=30), RETENTION)
    assert count(erase_old(later, SETTINGS)) == {"snapshots": 3, "statements": 3}
    check_whole(engine, tmp_path)


def test_a_notifier_is_erased_everywhere_and_their_record_stands(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore, tmp_path: Path
) -> None:
    load(make_score("a"), make_score("b"))
    give_notice(queue, "acme", "a", "unknown")
    give_notice(queue, "other", "a", "b")
    decide_all(queue)
    give_notice(queue, "acme", "nowhere", number=2)
    with reading(engine) as session:
        outcomes = session.execute(select(NoticeItemRow.__table__)).all()

    erased = count(erase_notifier(Eraser(engine, "dpo", NOW, REQUEST), "acme"))

    assert erased == {"notices": 2, "messages": 5}
    left = everything(engine)
    assert [one for one in ("Name-of-acme", "acme@mail.example", "explanation-of-acme") if one in left] == []
    assert all(one in left for one in ("Name-of-other", "other@mail.example", "explanation-of-other"))
    with reading(engine) as session:
        assert session.execute(select(NoticeItemRow.__table__)).all() == outcomes
        ids = session.scalars(select(NoticeRow.notifier_id).where(NoticeRow.erased_at.is_not(None))).all()
    assert ids == ["acme", "acme"]
    assert [message for message in queue.messages() if message.email == "acme@mail.example"] == []
    check_whole(engine, tmp_path)
    assert list(erase_notifier(Eraser(engine, "dpo", NOW, REQUEST), "acme")) == []


@pytest.fixture
def old(queue: TakedownQueue, load: Load, make_score: MakeScore) -> None:
    """Cases 1 and 2 ended long ago, 3 a while ago; 4 is open."""
    load(make_score("a", photo_hashes=("p1",)), make_score("b", 0.97, Band.AUTOMATIC), seller_id="one")
    give_notice(queue, "acme", "a", "unknown")
    decide_all(queue)
    load(make_score("c"), seller_id="two", now=NOW + timedelta(days=9))
    decide_all(queue, now=NOW + timedelta(days=9))
    load(make_score("d"), seller_id="three")
    give_notice(queue, "other", "d")


@pytest.mark.usefixtures("old")
def test_what_ended_long_ago_is_erased_once(engine: Engine, tmp_path: Path) -> None:
    eraser = Eraser(engine, "dpo", PAST_RETENTION, RETENTION)

    assert count(erase_old(eraser, SETTINGS)) == {"snapshots": 2, "statements": 3, "notices": 1, "messages": 3}

    left = everything(engine)
    gone = ["title of a", "title of b", '"one"', "acme@mail.example", "Name-of-acme", "explanation-of-acme"]
    assert [one for one in gone if one in left] == []
    assert all(one in left for one in ("title of c", "title of d", "other@mail.example"))
    check_whole(engine, tmp_path)
    assert list(erase_old(eraser, SETTINGS)) == []
    assert everything(engine) == left


@pytest.mark.usefixtures("old")
def test_a_trial_says_what_would_be_erased_and_changes_nothing(engine: Engine) -> None:
    before = everything(engine)
    trial = list(erase_old(Eraser(engine, "dpo", PAST_RETENTION, RETENTION, is_trial=True), SETTINGS))
    assert everything(engine) == before
    assert trial == list(erase_old(Eraser(engine, "dpo", PAST_RETENTION, RETENTION), SETTINGS))


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize("steps", [1, 3, 7])
def test_a_run_that_was_stopped_is_finished_by_the_next(engine: Engine, steps: int) -> None:
    eraser = Eraser(engine, "dpo", PAST_RETENTION, RETENTION)
    list(islice(erase_old(eraser, SETTINGS), steps))
    assert list(find_damage(engine)) == []
    list(erase_old(eraser, SETTINGS))
    assert "title of a" not in everything(engine)
    assert "acme@mail.example" not in everything(engine)
    assert list(find_damage(engine)) == []


def test_nothing_is_erased_before_its_time(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"))
    give_notice(queue, "acme", "a", "unknown")
    decide_all(queue)
    just_before = Eraser(engine, "dpo", NOW + SETTINGS.retention, RETENTION)
    assert list(erase_old(just_before, SETTINGS)) == []
    assert count(erase_old(Eraser(engine, "dpo", PAST_RETENTION, RETENTION), SETTINGS))["snapshots"] == 1


def test_what_can_be_appealed_is_kept_even_where_less_is_asked_for(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"))
    decide_all(queue)
    settings = QueueSettings(appeal_window=timedelta(days=400), retention=timedelta(days=200))
    assert list(erase_old(Eraser(engine, "dpo", NOW + timedelta(days=300), RETENTION), settings)) == []


def test_a_case_whose_answer_is_known_is_left_alone(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"))
    with writing(engine) as session:
        session.execute(update(CaseRow).values(lane=Lane.KNOWN_ANSWER))
    decide_all(queue)
    assert list(erase_old(Eraser(engine, "dpo", PAST_RETENTION, RETENTION), SETTINGS)) == []


def test_what_happened_to_a_case_after_it_was_erased_is_erased_in_its_time(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore, tmp_path: Path
) -> None:
    load(make_score("a"))
    decide_all(queue)
    list(erase_old(Eraser(engine, "dpo", PAST_RETENTION, RETENTION), SETTINGS))
    queue.reopen(1, "lead", "a court asked", PAST_RETENTION)
    give_notice(queue, "late", "a", now=PAST_RETENTION)
    decide_all(queue, now=PAST_RETENTION)
    assert list(erase_old(Eraser(engine, "dpo", PAST_RETENTION, RETENTION), SETTINGS)) == []
    much_later = Eraser(engine, "dpo", PAST_RETENTION + timedelta(days=731), RETENTION)
    assert count(erase_old(much_later, SETTINGS)) == {"messages": 3, "notices": 1}
    check_whole(engine, tmp_path)


def test_a_long_desk_is_gone_through_to_its_end(queue: TakedownQueue, engine: Engine) -> None:
    for number in range(205):
        give_notice(queue, "acme" if number in {0, 204} else "other", "unknown", number=number)
    erased = count(erase_notifier(Eraser(engine, "dpo", NOW, REQUEST), "acme"))
    assert erased == {"notices": 2, "messages": 4}
    assert "acme@mail.example" not in everything(engine)
    assert list(find_damage(engine)) == []


def test_photos_stay_that_a_kept_case_shows(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore, tmp_path: Path
) -> None:
    archive = PhotoArchive(tmp_path / "photos")
    old, both, kept, fresh = (letter * 64 for letter in "abcd")
    for key in (old, both, kept, fresh):
        archive.keep(key, b"photo")
    for key in (old, both, kept):
        os.utime(archive.path(key), (NOW.timestamp(), NOW.timestamp()))
    os.utime(archive.path(fresh), (PAST_RETENTION.timestamp(), PAST_RETENTION.timestamp()))
    load(make_score("a", photo_hashes=(old, both)))
    decide_all(queue)
    load(make_score("b", photo_hashes=(both, kept)))

    trial = list(erase_old(Eraser(engine, "dpo", PAST_RETENTION, RETENTION, is_trial=True), SETTINGS))
    assert remove_photos(engine, archive, [], PAST_RETENTION, trial=False) == 0
    assert remove_photos(engine, archive, trial, PAST_RETENTION, trial=True) == 1
    assert archive.path(old).exists()

    names = list(erase_old(Eraser(engine, "dpo", PAST_RETENTION, RETENTION), SETTINGS))
    assert remove_photos(engine, archive, names, PAST_RETENTION, trial=False) == 1
    assert not archive.path(old).exists()
    assert all(archive.path(key).exists() for key in (both, kept, fresh))
    assert remove_photos(engine, archive, [], PAST_RETENTION, trial=False) == 0


def run(database_url: str, *arguments: str, by: str = "dpo") -> str:
    result = CliRunner().invoke(app, [*arguments, "--by", by], env={"COUNTERFEIT_RISK_DB": database_url})
    if result.exception:
        raise result.exception
    return result.stdout


def test_erasing_takes_one_subject(queue: TakedownQueue, database_url: str) -> None:
    for subjects in ((), ("--notifier", "n", "--seller", "s"), ("--notifier", "n", "--force")):
        with pytest.raises(UsageError, match="--seller"):
            run(database_url, "erase", *subjects)
    with pytest.raises(QueueError, match="cannot be a person's name"):
        run(database_url, "erase", "--notifier", "n", by=" ")


def test_commands_say_what_was_erased(
    queue: TakedownQueue, load: Load, make_score: MakeScore, database_url: str, tmp_path: Path
) -> None:
    load(make_score("a"), make_score("b"), seller_id="one")
    give_notice(queue, "acme", "a")
    seller = ("erase", "--seller", "one", "--platform", "bazaar")
    with pytest.raises(QueueError, match="cases 1, 2 are undecided"):
        run(database_url, *seller)
    decide_all(queue)
    photos = ("--photos", str(tmp_path / "photos"))

    assert json.loads(run(database_url, "erase", "--notifier", "acme", "--json")) == {"notices": 1, "messages": 3}
    would = json.loads(run(database_url, "retention", *photos, "--dry-run", "--json"))
    assert would["photos"] == 0
    said = run(database_url, *seller, "--force")
    assert "snapshots" in said
    assert list(queue.find_damage()) == []
    assert queue.top(NOW) == []
    assert {CaseState.DECIDED} == {state for state, _ in queue.stats(NOW).cases}


def test_complaints_that_went_on_to_another_case_are_erased_and_the_histories_stay_whole(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore, tmp_path: Path
) -> None:
    load(make_score("a", photo_hashes=("p1",)), make_score("b", photo_hashes=("p2",)))
    give_notice(queue, "customs", "b")
    leased = queue.next_case("ada", NOW)
    assert leased is not None
    queue.decide(2, "ada", Verdict.COUNTERFEIT, "seen", leased.token, NOW)
    queue.appeal(2, Appeal("bazaar/b", Appellant.SELLER, "my secret invoice"), "desk", NOW)
    load(make_score("c", photo_hashes=("p1", "p2")))
    leased = queue.next_case("bob", NOW)
    assert leased is not None
    queue.decide(1, "bob", Verdict.GENUINE, "seen", leased.token, NOW)
    check_whole(engine, tmp_path)

    eraser = Eraser(engine, "dpo", PAST_APPEAL, REQUEST)
    list(erase_seller(eraser, "s1", "bazaar", SETTINGS))
    list(erase_notifier(eraser, "customs"))

    left = everything(engine)
    for secret in ("secret invoice", "Name-of-customs", "customs@mail.example", "title of b"):
        assert secret not in left
    (tmp_path / "again.db").unlink()
    check_whole(engine, tmp_path)
