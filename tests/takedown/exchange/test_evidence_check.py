"""A bundle that was touched is found out, whatever was touched; and nothing in it can do harm."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from typer.testing import CliRunner

from counterfeit_risk.cli.queue import app
from counterfeit_risk.errors import QueueError, UsageError, WorkError
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.scoring.risk_score import PartStatus, RiskScore
from counterfeit_risk.takedown.audit import ERASED, chain_hash, erase_record
from counterfeit_risk.takedown.case import Event
from counterfeit_risk.takedown.complaints.appeals import Appeal
from counterfeit_risk.takedown.complaints.tables import Appellant
from counterfeit_risk.takedown.database import open_database
from counterfeit_risk.takedown.exchange.evidence import (
    MOST_BYTES,
    BundledFile,
    ChainEnd,
    Manifest,
    render_event,
    render_manifest,
    seal,
    write_evidence,
)
from counterfeit_risk.takedown.exchange.evidence_check import check_bundle
from counterfeit_risk.takedown.photo_archive import PhotoArchive
from counterfeit_risk.takedown.queue import open_queue
from counterfeit_risk.takedown.states import Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PHOTO = b"no picture, and bytes all the same"
PHOTO_NAME = f"photos/{hashlib.sha256(PHOTO).hexdigest()}"

Change = Callable[[list[dict[str, Any]]], object]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a queue, and with a bundle of its first case, into which the second went."""
    folder = tmp_path_factory.mktemp("evidence")
    archive = PhotoArchive(folder / "kept")
    key = hashlib.sha256(PHOTO).hexdigest()
    archive.keep(key, PHOTO)
    (folder / "sheet.png").write_bytes(b"sheet")
    db = f"sqlite:///{folder / 'takedown.db'}"
    with open_queue(db, create=True) as queue:
        for listing_id, photos in (("a", (key, "0" * 64)), ("b", ("p2",)), ("c", (key, "p2"))):
            score = RiskScore(
                listing_id=listing_id,
                risk=0.97,
                band=Band.AUTOMATIC,
                photo_risk=0.9,
                title_risk=None,
                photos_used=1,
                photo_status=PartStatus.OK,
                photos_lost=(),
                title_status=PartStatus.OK,
                model_id="model-a",
                scored_at=NOW,
                content_hash=listing_id,
                photo_hashes=photos,
            )
            queue.load([score], [Listing(listing_id, f"title of {listing_id}", brand="N", platform="bazaar")], NOW)
        for reviewer in ("ada", "bob"):
            leased = queue.next_case(reviewer, NOW)
            assert leased is not None
            queue.decide(1, reviewer, Verdict.COUNTERFEIT, "seen", leased.token, NOW)
            if reviewer == "ada":
                queue.appeal(1, Appeal("bazaar/a", Appellant.SELLER, "mine"), "desk", NOW)
    engine = open_database(db)
    write_evidence(engine, 1, folder / "bundle", archive=archive, explanations=[folder / "sheet.png"], now=NOW)
    engine.dispose()
    return folder


@pytest.fixture
def bundle(made: Path, tmp_path: Path) -> Path:
    """A copy to touch."""
    return Path(shutil.copytree(made / "bundle", tmp_path / "bundle"))


@pytest.fixture(scope="session")
def flipped(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that each example touches, and gives back as it was."""
    return Path(shutil.copytree(made / "bundle", tmp_path_factory.mktemp("flipped") / "bundle"))


def problems(folder: Path) -> list[str]:
    return check_bundle(folder).problems


def read_manifest(folder: Path) -> Manifest:
    return TypeAdapter(Manifest).validate_json((folder / "manifest.json").read_bytes())


def reseal(folder: Path, **changes: Any) -> None:
    """Makes the manifest fit what lies in the folder, as a forger would."""
    manifest = read_manifest(folder)
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "manifest.json"]
    files = [
        BundledFile(path.relative_to(folder).as_posix(), hashlib.sha256(data).hexdigest(), len(data))
        for path, data in ((path, path.read_bytes()) for path in paths)
    ]
    manifest = replace(manifest, **({"files": files} | changes))
    (folder / "manifest.json").write_bytes(render_manifest(seal(manifest)))


def forge(folder: Path, change: Change) -> None:
    """Changes events, and then all hashes so that they fit again; `case.json` stays as it is."""
    path = folder / "events.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    change(lines)
    last, written = "", []
    for line in lines:
        event = TypeAdapter(Event).validate_python({**line, "event_id": 0})
        event = replace(event, sha256=chain_hash(last, event))
        last = event.sha256
        written.append(render_event(event))
    path.write_bytes(b"".join(written))
    reseal(folder, chain=ChainEnd(1, len(lines), last))


def record_of(lines: list[dict[str, Any]], table: str) -> dict[str, Any]:
    """The first whole record of a table."""
    return next(row for line in lines for row in line["rows"] if row["table"] == table and ERASED not in row)


def test_a_bundle_as_it_was_written_is_whole(made: Path) -> None:
    check = check_bundle(made / "bundle")
    assert check.problems == []
    assert check.manifest == read_manifest(made / "bundle")
    assert [end.case_id for end in check.manifest.merged] == [2]
    names = {file.name for file in check.manifest.files}
    assert names == {"case.json", "events.jsonl", "merged/2.jsonl", PHOTO_NAME, "explanation/sheet.png"}
    assert sorted(check.manifest.missing_photos) == sorted(["0" * 64, "p2"])


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_any_byte_that_is_changed_is_found(data: st.DataObject, flipped: Path) -> None:
    files = sorted(path for path in flipped.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    mask = data.draw(st.integers(1, 255))
    path.write_bytes(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])
    try:
        assert problems(flipped) != []
    finally:
        path.write_bytes(whole)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_file_may_hold_anything(data: st.DataObject, flipped: Path) -> None:
    files = sorted(path for path in flipped.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    whole = path.read_bytes()
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters())
    value = st.recursive(scalars, lambda some: st.lists(some) | st.dictionaries(st.text(), some))
    path.write_bytes(data.draw(st.binary() | value.map(lambda one: json.dumps(one).encode())))
    try:
        if path.name != "manifest.json":
            before = (flipped / "manifest.json").read_bytes()
            reseal(flipped)
            assert problems(flipped) != [] or path.parent.name == "explanation"
            (flipped / "manifest.json").write_bytes(before)
        elif path.read_bytes() != whole:
            assert problems(flipped) != []
    finally:
        path.write_bytes(whole)


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_any_value_of_an_event_may_be_anything(data: st.DataObject, made: Path, flipped: Path) -> None:
    def change(lines: list[dict[str, Any]]) -> None:
        line = data.draw(st.sampled_from(lines))
        record = data.draw(st.sampled_from([line, line["detail"], *line["rows"]]))
        name = data.draw(st.sampled_from([*record, "merged", "table", ERASED]))
        record[name] = data.draw(st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers()))

    shutil.rmtree(flipped)
    shutil.copytree(made / "bundle", flipped)
    with suppress(ValueError, KeyError, OverflowError):  # not even a forger can write that
        forge(flipped, change)
    found = check_bundle(flipped)  # nothing is raised, whatever is found
    shutil.rmtree(flipped)
    shutil.copytree(made / "bundle", flipped)
    assert isinstance(found.problems, list)


@pytest.mark.parametrize("name", ["case.json", "events.jsonl", "merged/2.jsonl", PHOTO_NAME, "explanation/sheet.png"])
def test_a_file_that_is_gone_is_missed(name: str, bundle: Path) -> None:
    (bundle / name).unlink()
    assert f"{name}: is missing" in problems(bundle)
    reseal(bundle)
    assert (problems(bundle) != []) == (name != "explanation/sheet.png")


def test_a_file_that_came_along_is_found(bundle: Path) -> None:
    (bundle / "more.txt").write_text("more")
    assert problems(bundle) == ["more.txt: is not in the manifest"]
    reseal(bundle)
    assert problems(bundle) == ["more.txt: has no place in a bundle"]


def test_a_manifest_without_its_seal_is_found(bundle: Path) -> None:
    path = bundle / "manifest.json"
    path.write_bytes(render_manifest(replace(read_manifest(bundle), made_at=NOW + timedelta(days=1))))
    assert problems(bundle) == ["manifest.json: was changed: it is not as its seal says"]


def test_a_changed_hash_in_a_manifest_is_found(bundle: Path) -> None:
    manifest = read_manifest(bundle)
    reseal(bundle, files=[replace(file, sha256="0" * 64) for file in manifest.files])
    assert len(problems(bundle)) >= len(manifest.files)
    reseal(bundle, chain=replace(manifest.chain, last_sha256="0" * 64))
    assert problems(bundle) == [
        f"events.jsonl: ends with event {manifest.chain.events}, and not as the manifest says",
    ]


def test_a_renamed_photo_is_found(bundle: Path) -> None:
    (bundle / PHOTO_NAME).rename(bundle / "photos" / ("1" * 64))
    assert problems(bundle) == [f"photos/{'1' * 64}: is not in the manifest", f"{PHOTO_NAME}: is missing"]
    reseal(bundle)
    assert any("named by the sha256 of its bytes" in one for one in problems(bundle))


def test_a_swapped_photo_is_found(bundle: Path) -> None:
    (bundle / PHOTO_NAME).write_bytes(b"another photo")
    assert any("its bytes differ" in one for one in problems(bundle))
    reseal(bundle)
    assert any("named by the sha256 of its bytes" in one for one in problems(bundle))
    (bundle / PHOTO_NAME).rename(bundle / "photos" / hashlib.sha256(b"another photo").hexdigest())
    reseal(bundle)
    found = problems(bundle)
    assert any("no listing of the case shows it" in one for one in found)
    assert any("is not listed, as there or as missing" in one for one in found)


def test_a_photo_that_is_said_to_be_missing_and_a_missing_one_that_is_not_are_found(bundle: Path) -> None:
    reseal(bundle, missing_photos=["p2"])
    assert problems(bundle) == [f"photo {'0' * 64}: is not listed, as there or as missing"]
    reseal(bundle, missing_photos=["p2", "0" * 64, hashlib.sha256(PHOTO).hexdigest()])
    assert any("is listed twice" in one for one in problems(bundle))


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "explanation/../../outside", "photos/a.png", ""])
def test_a_manifest_that_names_what_is_no_place_in_a_bundle_is_found(name: str, bundle: Path) -> None:
    (bundle.parent / "outside").write_bytes(b"outside")
    files = [*read_manifest(bundle).files, BundledFile(name, hashlib.sha256(b"outside").hexdigest(), 7)]
    reseal(bundle, files=files)
    assert f"{name}: has no place in a bundle" in problems(bundle)


def test_a_manifest_that_lists_a_file_twice_is_found(bundle: Path) -> None:
    files = read_manifest(bundle).files
    reseal(bundle, files=[*files, files[0]])
    assert problems(bundle) == ["manifest.json: lists a file twice"]


def test_links_and_pipes_are_not_followed(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes((bundle / "case.json").read_bytes())
    (bundle / "case.json").unlink()
    (bundle / "case.json").symlink_to(tmp_path / "real")
    os.mkfifo(bundle / "pipe")
    (bundle / "more").symlink_to(tmp_path)
    found = problems(bundle)
    assert any(one.startswith("case.json: cannot be read") for one in found)
    assert {"pipe: is not in the manifest", "more: is not in the manifest"} <= set(found)
    (bundle / "pipe").rename(bundle / "explanation" / "pipe")
    files = [*read_manifest(bundle).files, BundledFile("explanation/pipe", hashlib.sha256(b"").hexdigest(), 0)]
    reseal(bundle, files=files)
    assert "explanation/pipe: is no regular file" in problems(bundle)


def test_a_file_that_is_too_large_is_not_read(bundle: Path) -> None:
    with (bundle / "explanation" / "sheet.png").open("r+b") as file:
        file.truncate(MOST_BYTES + 1)
    assert any(one.startswith("explanation/sheet.png: has 268,435,457 bytes") for one in problems(bundle))
    with (bundle / "manifest.json").open("r+b") as file:
        file.truncate(MOST_BYTES + 1)
    assert problems(bundle) == ["manifest.json: has 268,435,457 bytes, and 268,435,456 are allowed"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "manifest.json: Expecting value"),
        (b"{", "manifest.json: Expecting"),
        (b"[]", "manifest.json: must be an object"),
        (b"\xff", "manifest.json: 'utf-8' codec"),
        (b"[" * 200_000, "manifest.json: is nested too deeply to be read"),
        (b"9" * 5000, "manifest.json: Exceeds the limit"),
        (b'{"format": 2}', "manifest.json: is of format 2, and this release reads 1"),
        (b'{"format": 1}', "manifest.json: case_id: is required"),
        (b'{"format": 1, "files": [1]}', "manifest.json: case_id: is required"),
    ],
)
def test_a_manifest_that_is_none_is_one_problem_and_no_traceback(text: bytes, told: str, bundle: Path) -> None:
    (bundle / "manifest.json").write_bytes(text)
    assert problems(bundle)[0].startswith(told)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]\n", b"null\n", b"\xff\n", b"[" * 200_000, b"9" * 5000, b'{"rows": 1}\n', b"\n\n"]
)
def test_events_that_are_none_are_a_problem_and_no_traceback(text: bytes, bundle: Path) -> None:
    (bundle / "events.jsonl").write_bytes(text)
    reseal(bundle)
    assert [one for one in problems(bundle) if one.startswith("events.jsonl: ")] != []


def test_what_is_nested_so_deeply_that_it_can_just_be_read_raises_nothing(bundle: Path) -> None:
    for depth in (200, 450, 900, 980):

        def nest(lines: list[dict[str, Any]], depth: int = depth) -> None:
            record_of(lines, "statements")["payload"] = json.loads('{"a":' * depth + "1" + "}" * depth)

        try:
            forge(bundle, nest)
        except RecursionError:
            continue
        assert problems(bundle) != []


def drop_first(lines: list[dict[str, Any]]) -> None:
    del lines[0]


def drop_middle(lines: list[dict[str, Any]]) -> None:
    del lines[2]


def repeat(lines: list[dict[str, Any]]) -> None:
    lines.insert(2, lines[1])


@pytest.mark.parametrize("change", [drop_first, drop_middle, repeat, lambda lines: lines.reverse()])
def test_an_event_that_is_taken_out_or_added_is_found(change: Change, bundle: Path) -> None:
    path = bundle / "events.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    change(lines)  # type: ignore[arg-type] # parametrized as object
    path.write_bytes(b"".join(lines))
    reseal(bundle)
    assert [one for one in problems(bundle) if one.startswith("events.jsonl: event ")] != []


def test_events_cut_at_the_end_are_found(bundle: Path) -> None:
    lines = (bundle / "events.jsonl").read_bytes().splitlines(keepends=True)
    (bundle / "events.jsonl").write_bytes(b"".join(lines[:-1]))
    reseal(bundle)
    assert problems(bundle) == [f"events.jsonl: ends with event {len(lines) - 1}, and not as the manifest says"]
    reseal(bundle, chain=ChainEnd(1, len(lines) - 1, json.loads(lines[-2])["sha256"]))
    assert problems(bundle) == ["case.json: is not what the events tell"]


@pytest.mark.parametrize("part", ["case", "snapshots", "decisions", "actions", "statements", "labels", "appeals"])
def test_a_case_that_says_what_its_events_do_not_is_found(part: str, bundle: Path) -> None:
    path = bundle / "case.json"
    case = json.loads(path.read_text(encoding="utf-8"))
    assert case[part]
    record = case[part] if part == "case" else case[part][0]
    record[next(iter(record))] = "something else"
    path.write_text(json.dumps(case, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    reseal(bundle)
    assert problems(bundle) == ["case.json: is not what the events tell"]


def retitle(lines: list[dict[str, Any]]) -> None:
    record_of(lines, "snapshots")["title"] = "another title"


def unname_table(lines: list[dict[str, Any]]) -> None:
    del lines[0]["rows"][1]["table"]


def name_no_table(lines: list[dict[str, Any]]) -> None:
    lines[0]["rows"][1]["table"] = "rumours"


def tell_no_case(lines: list[dict[str, Any]]) -> None:
    del lines[1]["rows"][0]


def lose_key(lines: list[dict[str, Any]]) -> None:
    record_of(lines, "snapshots")["snapshot_id"] = [1]


def spare_a_number(lines: list[dict[str, Any]]) -> None:
    record_of(lines, "decisions")["spared"] = 7


def withhold_verdict(lines: list[dict[str, Any]]) -> None:
    rows = next(line["rows"] for line in lines if line["move"] == "decided")
    place = next(number for number, row in enumerate(rows) if row["table"] == "decisions")
    rows[place] = erase_record(rows[place], ["decision_id"])


def withhold_label(lines: list[dict[str, Any]]) -> None:
    rows = next(line["rows"] for line in reversed(lines) if any(row["table"] == "labels" for row in line["rows"]))
    place = next(number for number, row in enumerate(rows) if row["table"] == "labels")
    rows[place] = erase_record(rows[place], ["label_id"])


def say_more_of_an_appeal(lines: list[dict[str, Any]]) -> None:
    rows = next(line["rows"] for line in lines if line["move"] == "appealed")
    next(row for row in rows if row["table"] == "appeals")["outcome"] = "overturned"


def tell_grounds(lines: list[dict[str, Any]]) -> None:
    appeal = next(row for row in lines[-1]["rows"] if row["table"] == "appeals")
    del appeal[ERASED]
    appeal["grounds"] = "mine"


def merge_a_word(lines: list[dict[str, Any]]) -> None:
    next(line for line in lines if "merged" in line["detail"])["detail"]["merged"] = "2"


def merge_another(lines: list[dict[str, Any]]) -> None:
    next(line for line in lines if "merged" in line["detail"])["detail"]["merged"] = 3


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (retitle, "case.json: is not what the events tell"),
        (unname_table, "events.jsonl: line 1 tells of None, which is no table"),
        (name_no_table, "events.jsonl: line 1 tells of rumours, which is no table"),
        (tell_no_case, "events.jsonl: line 2 does not tell of its case"),
        (lose_key, "events.jsonl: "),
        (spare_a_number, "events.jsonl: spared: "),
        (withhold_verdict, " does not tell of its decision"),
        (withhold_label, "no event tells what is left"),
        (say_more_of_an_appeal, "tells more of appeals than is left of what was erased"),
        (tell_grounds, "tells of appeals, which are withheld"),
        (merge_a_word, "names no case that went into this one"),
        (merge_another, "manifest.json: the events tell that other cases went into this one"),
    ],
)
def test_a_forged_history_of_which_every_hash_fits_is_found(change: Change, told: str, bundle: Path) -> None:
    forge(bundle, change)
    assert any(told in one for one in problems(bundle))


def test_a_bundle_of_another_case_than_its_manifest_says_is_found(bundle: Path) -> None:
    manifest = read_manifest(bundle)
    for changes in (
        {"case_id": 3},
        {"merged": [*manifest.merged, *manifest.merged]},
        {"merged": []},
        {"chain": replace(manifest.chain, case_id=0), "case_id": 0},
        {"chain": replace(manifest.chain, case_id=2**70), "case_id": 2**70},
        {"chain": manifest.merged[0], "merged": [manifest.chain]},
    ):
        shutil.copytree(bundle, bundle.parent / "again", dirs_exist_ok=True)
        reseal(bundle.parent / "again", **changes)
        assert problems(bundle.parent / "again") != []


def test_no_folder_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder"):
        check_bundle(tmp_path / "nothing")
    tmp_path.joinpath("empty").mkdir()
    assert problems(tmp_path / "empty") == ["manifest.json: cannot be read: No such file or directory"]


def verify(*arguments: object, db: str | None = None) -> str:
    environment = {"COUNTERFEIT_RISK_DB": db} if db else {}
    result = CliRunner().invoke(app, ["verify", *map(str, arguments)], env=environment)
    if result.exception:
        result.exception.add_note(result.stdout)
        raise result.exception
    return result.stdout


def test_the_command_says_how_the_history_ends(made: Path, bundle: Path) -> None:
    last = read_manifest(bundle).chain.last_sha256
    elsewhere = "sqlite:///nothing/there.db"
    for said in (verify(bundle, db=elsewhere), verify(bundle, "--db", f"sqlite:///{made / 'takedown.db'}")):
        assert said.startswith("the evidence of case 1 is whole; ")
        assert f"end with {last}" in said
        assert len(said.splitlines()) == 1


def test_the_command_prints_each_problem_and_fails(bundle: Path) -> None:
    (bundle / "case.json").unlink()
    (bundle / "more\x1b[2J").write_text("more")
    with pytest.raises(WorkError, match="2 things in") as raised:
        verify(bundle)
    [said] = raised.value.__notes__
    assert said.splitlines() == ["more\ufffd[2J: is not in the manifest", "case.json: is missing"]


def test_without_a_bundle_the_whole_queue_is_checked(made: Path) -> None:
    said = verify(db=f"sqlite:///{made / 'takedown.db'}")
    assert said.startswith("every case's history is whole; the last of 2 cases ends with ")


def test_a_history_that_was_made_up_is_found_by_the_queue_alone(made: Path, bundle: Path) -> None:
    forge(bundle, retitle)
    case = json.loads((bundle / "case.json").read_text(encoding="utf-8"))
    case["snapshots"][0]["title"] = "another title"
    (bundle / "case.json").write_text(json.dumps(case, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    reseal(bundle)
    assert problems(bundle) == []
    with pytest.raises(WorkError) as raised:
        verify(bundle, "--db", f"sqlite:///{made / 'takedown.db'}")
    assert "and in the queue it is " in raised.value.__notes__[0]


def test_a_record_that_is_withheld_under_another_name_is_found_by_the_queue(made: Path, bundle: Path) -> None:
    def hide_decision(lines: list[dict[str, Any]]) -> None:
        rows = next(line["rows"] for line in lines if line["move"] == "hidden")
        place = next(number for number, row in enumerate(rows) if row["table"] == "decisions")
        rows[place] = {"table": "messages", "sequence": 9, ERASED: erase_record(rows[place], ())[ERASED]}

    last = read_manifest(bundle).chain.last_sha256
    forge(bundle, hide_decision)
    assert read_manifest(bundle).chain.last_sha256 == last
    case = json.loads((bundle / "case.json").read_text(encoding="utf-8"))
    del case["decisions"][0]
    (bundle / "case.json").write_text(json.dumps(case, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    reseal(bundle)
    assert problems(bundle) == []
    with pytest.raises(WorkError) as raised:
        verify(bundle, "--db", f"sqlite:///{made / 'takedown.db'}")
    assert "withholds what the queue does not" in raised.value.__notes__[0]


def test_another_queue_does_not_know_the_case(bundle: Path, tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path / 'other.db'}"
    with pytest.raises(QueueError, match="there is no queue"):
        verify(bundle, "--db", db)
    open_queue(db, create=True).close()
    with pytest.raises(WorkError) as raised:
        verify(bundle, "--db", db)
    assert "in the queue it is not there" in raised.value.__notes__[0]
