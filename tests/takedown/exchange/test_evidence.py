"""What a brand or an authority receives of a case: all of it, of one moment, and nobody who complained."""

import hashlib
import json
import resource
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import Engine, select, update
from typer.testing import CliRunner

from counterfeit_risk.cli.queue import app
from counterfeit_risk.errors import QueueError, UnknownCaseError, UsageError, WorkError
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.audit import ERASED
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.complaints.appeals import Appeal
from counterfeit_risk.takedown.complaints.notice import Notice, NoticeItem, Notifier, NotifierKind, Right
from counterfeit_risk.takedown.complaints.rights import Rights
from counterfeit_risk.takedown.complaints.tables import AppealRow, Appellant
from counterfeit_risk.takedown.database import reading, writing
from counterfeit_risk.takedown.exchange.evidence import Manifest, write_evidence
from counterfeit_risk.takedown.exchange.evidence_check import check_bundle
from counterfeit_risk.takedown.keeping.erasure import REQUEST, Eraser, erase_notifier, erase_seller
from counterfeit_risk.takedown.photo_archive import PhotoArchive
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue
from counterfeit_risk.takedown.states import Lane, Verdict
from counterfeit_risk.takedown.tables import CaseRow, EventRow, SnapshotRow

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]
Write = Callable[..., Manifest]


@pytest.fixture
def archive(tmp_path: Path) -> PhotoArchive:
    return PhotoArchive(tmp_path / "kept")


@pytest.fixture
def write(engine: Engine, archive: PhotoArchive, tmp_path: Path) -> Write:
    """Writes the evidence of a case into the folder `out`."""

    def write_case(case_id: int = 1, *explanations: Path) -> Manifest:
        return write_evidence(
            engine, case_id, tmp_path / "out", archive=archive, explanations=explanations, now=NOW + timedelta(days=1)
        )

    return write_case


def decide(
    queue: TakedownQueue, verdict: Verdict, reviewer: str = "ada", spared: tuple[str, ...] = (), now: datetime = NOW
) -> None:
    leased = queue.next_case(reviewer, now)
    assert leased is not None
    queue.decide(leased.case.case_id, reviewer, verdict, "seen", leased.token, now, spared=spared)


def give_notice(queue: TakedownQueue, listing: str) -> None:
    who = Notifier("notifier-one", "Name of one", "one@mail.example", NotifierKind.AUTHORITY)
    items = (NoticeItem("bazaar", listing, f"https://bazaar.example/{listing}"),)
    why = "What the explanation says: the parcel held a counterfeit."
    notice = Notice("n1", who, NOW, "Norvell", Right.TRADEMARK, why, good_faith=True, items=items)
    queue.notice_desk(Rights([], []), {}).take_in([notice], NOW)


def keep(archive: PhotoArchive, data: bytes) -> str:
    key = hashlib.sha256(data).hexdigest()
    archive.keep(key, data)
    return key


def picture(image_format: str, shade: int = 0) -> bytes:
    stream = BytesIO()
    Image.new("RGB", (40, 30), (shade, 90, 200)).save(stream, image_format)
    return stream.getvalue()


def read_case(folder: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    return case


def everything(folder: Path) -> str:
    texts = (path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.json*")))
    return "\n".join(texts)


def check(folder: Path, engine: Engine | None = None) -> list[str]:
    return check_bundle(folder, engine).problems


def kept_appeals(engine: Engine) -> list[tuple[Any, ...]]:
    """As the queue has them: of which listing, by whom, against what, and with what outcome."""
    with reading(engine) as session:
        rows = session.scalars(select(AppealRow).order_by(AppealRow.appeal_id)).all()
    return [
        (
            *(row.listing_key, row.by, row.decision_id, row.filed_at.isoformat()),
            *(row.outcome, row.decided_at and row.decided_at.isoformat()),
        )
        for row in rows
    ]


def told_appeals(folder: Path) -> list[tuple[Any, ...]]:
    """As a bundle tells of them."""
    names = ("listing", "by", "decision_id", "filed_at", "outcome", "decided_at")
    return [tuple(one[name] for name in names) for one in read_case(folder)["appeals"]]


def test_a_case_tells_what_was_decided_on_why_and_with_what_effect(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(*(make_score(name, 0.97, Band.AUTOMATIC, photo_hashes=("p",)) for name in "ab"))
    decide(queue, Verdict.COUNTERFEIT, spared=("bazaar/b",))

    write()

    case = read_case(tmp_path / "out")
    assert (case["case"]["state"], case["case"]["verdict"], case["case"]["merged"]) == ("decided", "counterfeit", [])
    told = [
        (one["listing_id"], one["seller_id"], one["platform"], one["price"], one["title"], one["risk"], one["band"])
        for one in case["snapshots"]
    ]
    assert told == [
        ("a", "s1", "bazaar", 12.5, "title of a", 0.97, "automatic"),
        ("b", "s1", "bazaar", 12.5, "title of b", 0.97, "automatic"),
    ]
    assert {(one["model_id"], one["scored_at"]) for one in case["snapshots"]} == {("model-a", NOW.isoformat())}
    people = case["decisions"][-1]
    assert (people["verdict"], people["reason"], people["decided_by"], people["automated"]) == (
        "counterfeit",
        "seen",
        "ada",
        False,
    )
    assert people["snapshot_ids"] == [one["snapshot_id"] for one in case["snapshots"]]
    assert [one["automated"] for one in case["decisions"]] == [True, True, False]
    assert [one["kind"] for one in case["actions"]] == [action.kind for action in queue.actions()]
    assert [one["payload"] for one in case["statements"]] == [one.payload for one in queue.statements()]
    assert [(one["listing_key"], one["label"]) for one in case["labels"]] == [
        ("bazaar/a", "counterfeit"),
        ("bazaar/b", "genuine"),
    ]
    assert check(tmp_path / "out", engine) == []


def test_every_event_goes_along_in_order_and_the_manifest_names_the_last(
    queue: TakedownQueue, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a"))
    decide(queue, Verdict.GENUINE)

    manifest = write()

    lines = (tmp_path / "out" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    told, kept = [json.loads(line) for line in lines], list(queue.events(1))
    assert [(one["number"], one["move"], one["rows"], one["sha256"]) for one in told] == [
        (event.number, event.move, event.rows, event.sha256) for event in kept
    ]
    assert (manifest.chain.events, manifest.chain.last_sha256) == (len(kept), kept[-1].sha256)


def test_listings_of_a_case_that_went_into_this_one_are_told(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a", photo_hashes=("p1",)), make_score("b", photo_hashes=("p2",)))
    load(make_score("d", photo_hashes=("p3",)))
    load(make_score("e", photo_hashes=("p2", "p3")))  # 3 goes into 2
    load(make_score("c", photo_hashes=("p1", "p2")))  # 2 goes into 1
    decide(queue, Verdict.COUNTERFEIT)

    manifest = write()

    case = read_case(tmp_path / "out")
    assert case["case"]["merged"] == [2, 3]
    assert [end.case_id for end in manifest.merged] == [2, 3]
    told = {one["snapshot_id"]: one["listing_id"] for one in case["snapshots"]}
    assert sorted(told[one] for one in case["decisions"][-1]["snapshot_ids"]) == ["a", "b", "c", "d", "e"]
    assert check(tmp_path / "out", engine) == []


def test_nobody_who_complained_goes_out_and_the_chain_is_whole(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a"))
    give_notice(queue, "a")
    decide(queue, Verdict.COUNTERFEIT)
    queue.appeal(1, Appeal("bazaar/a", Appellant.SELLER, "my own grounds"), "desk", NOW)
    decide(queue, Verdict.GENUINE, "bob")

    write()

    text = everything(tmp_path / "out")
    assert [one for one in ("Name of one", "one@mail", "notifier-one", "parcel", 'grounds":') if one in text] == []
    assert "my own" not in text
    assert all(one in text for one in ('"s1"', "title of a"))
    found = check_bundle(tmp_path / "out", engine)
    assert (found.problems, found.withheld) == ([], 4)  # the appeal twice, and a message after each decision


def test_outcomes_of_appeals_are_those_that_the_queue_recorded(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(*(make_score(name, photo_hashes=("p",)) for name in "abc"))
    times = [NOW + timedelta(minutes=minute) for minute in range(9)]
    decide(queue, Verdict.COUNTERFEIT, "ada", ("bazaar/b",), times[0])
    queue.appeal(1, Appeal("bazaar/a", Appellant.SELLER, "mine"), "desk", times[1])
    decide(queue, Verdict.COUNTERFEIT, "bob", ("bazaar/a", "bazaar/b"), times[2])
    queue.appeal(1, Appeal("bazaar/b", Appellant.NOTIFIER, "theirs"), "desk", times[3])
    decide(queue, Verdict.UNSURE, "eve", (), times[4])
    decide(queue, Verdict.COUNTERFEIT, "kim", ("bazaar/a",), times[5])
    queue.undo(1, "kim", times[6])
    decide(queue, Verdict.COUNTERFEIT, "kim", ("bazaar/a", "bazaar/b"), times[7])
    queue.appeal(1, Appeal("bazaar/c", Appellant.SELLER, "mine"), "desk", times[8])

    write()

    kept = kept_appeals(engine)
    assert [one[4] for one in kept] == ["overturned", "upheld", None]
    assert told_appeals(tmp_path / "out") == kept


def test_an_appeal_goes_on_where_its_case_went(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a", photo_hashes=("p1",)), make_score("b", photo_hashes=("p2",)))
    times = [NOW + timedelta(minutes=minute) for minute in range(9)]
    decide(queue, Verdict.COUNTERFEIT, "ada", (), times[0])
    queue.appeal(1, Appeal("bazaar/a", Appellant.SELLER, "mine"), "desk", times[1])
    decide(queue, Verdict.COUNTERFEIT, "bob", (), times[2])
    decide(queue, Verdict.COUNTERFEIT, "bob", (), times[3])
    queue.appeal(2, Appeal("bazaar/b", Appellant.SELLER, "mine"), "desk", times[4])
    queue.reopen(1, "ada", "another look", times[5])
    load(make_score("c", photo_hashes=("p1", "p2")), now=times[6])
    decide(queue, Verdict.GENUINE, "kim", (), times[7])

    write()

    kept = kept_appeals(engine)
    assert [one[4] for one in kept] == ["upheld", "overturned"]
    assert told_appeals(tmp_path / "out") == kept
    assert check(tmp_path / "out", engine) == []


def test_an_appeal_about_what_is_gone_is_moot(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a"))
    decide(queue, Verdict.GENUINE)
    queue.appeal(1, Appeal("bazaar/a", Appellant.NOTIFIER, "theirs"), "desk", NOW + timedelta(hours=1))
    load(make_score("other"), now=NOW + timedelta(hours=2), is_whole_dump=True)

    write()

    kept = kept_appeals(engine)
    assert [one[4] for one in kept] == ["moot"]
    assert told_appeals(tmp_path / "out") == kept


def test_photos_are_named_by_their_bytes_and_what_is_not_kept_is_listed(
    load: Load, make_score: MakeScore, archive: PhotoArchive, write: Write, tmp_path: Path
) -> None:
    photos = [*(picture(one) for one in ("JPEG", "PNG", "WEBP", "GIF")), b"no picture"]
    keys = [keep(archive, data) for data in photos]
    cut = keep(archive, picture("PNG", 7))
    archive.path(cut).write_bytes(picture("PNG", 7)[:-3])
    gone = hashlib.sha256(b"gone").hexdigest()
    load(make_score("a", photo_hashes=(*keys, cut, gone, "no hash")))

    manifest = write()

    there = {path.name: path.read_bytes() for path in (tmp_path / "out" / "photos").iterdir()}
    suffixes = (".jpg", ".png", ".webp", ".gif", "")
    assert there == {f"{key}{suffix}": data for key, suffix, data in zip(keys, suffixes, photos, strict=True)}
    assert manifest.missing_photos == [cut, gone, "no hash"]
    assert check(tmp_path / "out") == []


def test_without_an_archive_all_photos_are_missing(
    engine: Engine, load: Load, make_score: MakeScore, tmp_path: Path
) -> None:
    key = hashlib.sha256(b"photo").hexdigest()
    load(make_score("a", photo_hashes=(key,)))
    manifest = write_evidence(engine, 1, tmp_path / "out", archive=None, explanations=(), now=NOW)
    assert manifest.missing_photos == [key]
    assert check(tmp_path / "out") == []


def test_explanations_are_copied_with_their_names(
    load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a"))
    folder, sheet = tmp_path / "explained", tmp_path / "sheet.png"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.json").write_text("{}")
    (folder / "deep" / "a.png").write_bytes(b"png")
    sheet.write_bytes(b"sheet")

    write(1, folder, sheet)

    copies = tmp_path / "out" / "explanation"
    found = {path.relative_to(copies).as_posix(): path.read_bytes() for path in copies.rglob("*") if path.is_file()}
    assert found == {"a.json": b"{}", "deep/a.png": b"png", "sheet.png": b"sheet"}
    assert check(tmp_path / "out") == []


def test_explanations_of_one_name_or_of_none_are_refused(
    load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a"))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "a.png").write_bytes(b"1")
    (tmp_path / "two" / "A.png").write_bytes(b"2")
    (tmp_path / "two" / "line\nend").write_bytes(b"3")

    with pytest.raises(UsageError, match="one name"):
        write(1, tmp_path / "one", tmp_path / "two" / "A.png")
    with pytest.raises(UsageError, match="every system"):
        write(1, tmp_path / "two")
    with pytest.raises(UsageError, match="is no file"):
        write(1, tmp_path / "three")
    assert not (tmp_path / "out").exists()


def test_an_unknown_case_and_one_of_which_the_answer_was_known_have_no_evidence(
    engine: Engine, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a"))
    with pytest.raises(UnknownCaseError):
        write(7)
    with writing(engine) as session:
        session.execute(update(CaseRow).values(lane=Lane.KNOWN_ANSWER))
    with pytest.raises(QueueError, match="no listing that is on sale"):
        write(1)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_there_stays_as_it_is(load: Load, make_score: MakeScore, write: Write, tmp_path: Path) -> None:
    load(make_score("a"))
    (tmp_path / "out").mkdir()
    with pytest.raises(UsageError, match="is there already"):
        write()
    assert list((tmp_path / "out").iterdir()) == []


def test_a_full_disk_leaves_nothing_behind(
    load: Load, make_score: MakeScore, archive: PhotoArchive, write: Write, tmp_path: Path
) -> None:
    load(make_score("a", photo_hashes=(keep(archive, b"x" * 300_000),)))
    before = sorted(path.name for path in tmp_path.iterdir())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(WorkError, match="cannot write the evidence"):
            write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    write()
    assert check(tmp_path / "out") == []


@pytest.mark.parametrize("damage", ["changed", "cut"])
def test_a_damaged_history_is_no_evidence(
    damage: str, queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a"))
    decide(queue, Verdict.COUNTERFEIT)
    with writing(engine) as session:
        last = session.scalars(select(EventRow).order_by(EventRow.event_id.desc()).limit(1)).one()
        if damage == "cut":
            session.delete(last)
        else:
            last.actor = "somebody else"
    with pytest.raises(WorkError, match="its history is no evidence"):
        write()
    assert not (tmp_path / "out").exists()


def test_tables_that_were_changed_change_no_evidence(
    engine: Engine, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a"))
    with writing(engine) as session:
        session.execute(update(SnapshotRow).values(title="another title"))
    write()
    assert read_case(tmp_path / "out")["snapshots"][0]["title"] == "title of a"


def test_what_was_erased_is_not_in_the_evidence(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a", photo_hashes=("p",)), seller_id="seller-one")
    give_notice(queue, "a")
    decide(queue, Verdict.COUNTERFEIT)
    eraser = Eraser(engine, "dpo", NOW + timedelta(days=200), REQUEST)
    list(erase_notifier(eraser, "notifier-one"))
    list(erase_seller(eraser, "seller-one", "bazaar", QueueSettings()))

    manifest = write()

    assert "seller-one" not in everything(tmp_path / "out")
    [snapshot] = read_case(tmp_path / "out")["snapshots"]
    assert (snapshot["seller_id"], snapshot["title"], snapshot["listing_id"]) == (None, "", "a")
    assert manifest.missing_photos == []
    assert check(tmp_path / "out", engine) == []


def test_evidence_stays_true_while_the_case_goes_on_and_is_erased(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a"), seller_id="seller-one")
    give_notice(queue, "a")
    decide(queue, Verdict.COUNTERFEIT)
    write()
    queue.reopen(1, "ada", "a mistake", NOW)
    list(erase_seller(Eraser(engine, "dpo", NOW, REQUEST), "seller-one", "bazaar", QueueSettings(), is_ordered=True))

    assert check(tmp_path / "out", engine) == []


def test_a_brands_word_is_told(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a"))
    decide(queue, Verdict.GENUINE)
    answers = tmp_path / "answers.jsonl"
    line = {"platform": "bazaar", "listing_id": "a", "case": 1, "label": "counterfeit", "note": "our own seam"}
    answers.write_text(json.dumps(line))
    arguments = ["feedback", str(answers), "--brand", "Norvell", "--by", "ada"]
    result = CliRunner().invoke(app, [*arguments, "--db", engine.url.render_as_string(hide_password=False)])
    assert result.exit_code == 0, result.output

    write()

    [said] = read_case(tmp_path / "out")["brand_labels"]
    assert (said["listing_key"], said["label"], said["note"]) == ("bazaar/a", "counterfeit", "our own seam")
    assert check(tmp_path / "out", engine) == []


def test_the_command_writes_and_says_where_and_how_it_ends(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore, tmp_path: Path
) -> None:
    load(make_score("a", photo_hashes=(keep(PhotoArchive(tmp_path / "kept"), picture("PNG")), "0" * 64)))
    (tmp_path / "a.png").write_bytes(b"sheet")
    db = engine.url.render_as_string(hide_password=False)
    arguments = ["evidence", "1", "--db", db, "--photos", str(tmp_path / "kept")]
    arguments += ["--explanation", str(tmp_path / "a.png"), "--out"]

    for_people = CliRunner().invoke(app, [*arguments, str(tmp_path / "one")])
    for_programs = CliRunner().invoke(app, [*arguments, str(tmp_path / "two"), "--json"])

    [event] = queue.events(1)
    assert (for_people.exit_code, for_programs.exit_code) == (0, 0)
    assert "with 1 photos; 1 are kept no longer" in for_people.stdout
    assert f"its 1 events end with {event.sha256}" in for_people.stdout
    record = json.loads(for_programs.stdout)
    assert (record["case_id"], record["files"], record["photos"], record["missing_photos"]) == (1, 4, 1, 1)
    assert record["last_sha256"] == event.sha256


def test_a_listing_offered_with_another_text_is_told_as_it_was_each_time(
    queue: TakedownQueue, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    for number, title in enumerate(("first", "\u5305 \u2028 second")):
        score = make_score("a", 0.6 + number / 10, content_hash=title)
        queue.load([score], [Listing("a", title, brand="Norvell", platform="bazaar")], NOW)

    write()

    assert [(one["title"], one["risk"]) for one in read_case(tmp_path / "out")["snapshots"]] == [
        ("first", 0.6),
        ("\u5305 \u2028 second", 0.7),
    ]
    assert check(tmp_path / "out") == []
    assert ERASED not in everything(tmp_path / "out")
