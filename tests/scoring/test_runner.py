import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from counterfeit_risk.errors import ListingTableError, ReconciliationError, TooManyRejectedError, UsageError
from counterfeit_risk.export.bundle import ModelBundle
from counterfeit_risk.scoring import runner
from counterfeit_risk.scoring.risk_score import RiskScore, read_scores
from counterfeit_risk.scoring.runner import Dump, score_dump

WriteDump = Callable[..., Path]
COMMAND = str(Path(sys.executable).with_name("counterfeit-risk"))


def scores_by_id(out: Path) -> dict[str, RiskScore]:
    return {score.listing_id: score for score in read_scores(out)}


def rejected_rows(out: Path) -> list[dict[str, object]]:
    parts = sorted((out / "rejected").glob("part-*.parquet"))
    return [row for part in parts for row in pq.read_table(part).to_pylist()]


@pytest.fixture
def hostile_rows(tmp_path: Path, tiny_market: Path, png_bomb: bytes) -> list[dict[str, str]]:
    images = tmp_path / "images"
    images.mkdir(exist_ok=True)
    photo = next((tiny_market / "images").rglob("*.jpg")).read_bytes()
    (images / "good.jpg").write_bytes(photo)
    (images / "cut.jpg").write_bytes(photo[: len(photo) // 2])
    (images / "bomb.png").write_bytes(png_bomb)
    (images / "text.jpg").write_text("I am not a photo")
    (tmp_path.parent / "secret.jpg").write_bytes(photo)
    rows = {
        "cut": ("a bag", "images/cut.jpg|images/good.jpg"),
        "only-cut": ("", "images/cut.jpg"),
        "bomb": ("a watch", "images/bomb.png"),
        "text": ("a shoe", "images/text.jpg"),
        "gone": ("a cap", "images/gone.jpg"),
        "climb": ("a shirt", "../secret.jpg"),
        "untitled": ("", "images/good.jpg"),
        "long": ("word " * 40_000, "images/good.jpg"),
        "nothing": ("", ""),
    }
    listed = [{"listing_id": key, "title": title, "image_paths": paths} for key, (title, paths) in rows.items()]
    twice = {"listing_id": "cut", "title": "again", "image_paths": "images/good.jpg"}
    nan = {"listing_id": "nan", "title": "a belt", "image_paths": "images/good.jpg", "price": "NaN"}
    nameless = {"listing_id": "", "title": "no id", "image_paths": "images/good.jpg"}
    return [*listed, twice, nan, nameless]


def test_every_row_leaves_as_a_score_or_a_rejected_row(
    tiny_bundle: ModelBundle, write_dump: WriteDump, hostile_rows: list[dict[str, str]], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    manifest = score_dump(tiny_bundle, Dump(write_dump(hostile_rows)), out)
    assert manifest.rows_in == 20 + len(hostile_rows)
    assert manifest.scored + sum(manifest.rejected.values()) == manifest.rows_in
    assert len(scores_by_id(out)) == manifest.scored
    assert manifest.rejected == {"no_readable_photo_or_title": 2, "duplicate_id": 1, "missing_id": 1}
    assert manifest.unreadable_fields == {"price": 1}


@pytest.mark.parametrize(
    ("listing_id", "photo_status", "lost"),
    [
        ("cut", "partial", "truncated"),
        ("bomb", "missing", "40000x40000"),
        ("text", "missing", "not an image"),
        ("gone", "missing", "no such file"),
        ("climb", "missing", "leaves the image root"),
    ],
)
def test_a_lost_photo_is_named_in_its_rows_status(
    tiny_bundle: ModelBundle,
    write_dump: WriteDump,
    hostile_rows: list[dict[str, str]],
    tmp_path: Path,
    listing_id: str,
    photo_status: str,
    lost: str,
) -> None:
    score_dump(tiny_bundle, Dump(write_dump(hostile_rows)), tmp_path / "out")
    score = scores_by_id(tmp_path / "out")[listing_id]
    assert score.photo_status == photo_status
    assert lost in score.photos_lost[0]
    assert (score.photo_risk is None) == (photo_status == "missing")


def test_an_empty_and_an_overlong_title_are_named(
    tiny_bundle: ModelBundle, write_dump: WriteDump, hostile_rows: list[dict[str, str]], tmp_path: Path
) -> None:
    score_dump(tiny_bundle, Dump(write_dump(hostile_rows)), tmp_path / "out")
    scores = scores_by_id(tmp_path / "out")
    assert scores["untitled"].title_status == "missing"
    assert scores["untitled"].title_risk is None
    assert scores["long"].title_status == "partial"
    assert scores["nan"].title_status == "ok"


def test_bad_rows_change_no_other_rows_risk(
    tiny_bundle: ModelBundle, write_dump: WriteDump, hostile_rows: list[dict[str, str]], tmp_path: Path
) -> None:
    clean = write_dump([], name="clean.csv")
    score_dump(tiny_bundle, Dump(clean), tmp_path / "clean")
    score_dump(tiny_bundle, Dump(write_dump(hostile_rows)), tmp_path / "hostile")
    with_bad, without = scores_by_id(tmp_path / "hostile"), scores_by_id(tmp_path / "clean")
    assert len(without) == 20
    for listing_id, score in without.items():
        assert with_bad[listing_id].risk == pytest.approx(score.risk, abs=1e-6)
        assert with_bad[listing_id].content_hash == score.content_hash


def test_a_listing_with_a_missing_part_is_never_in_the_automatic_band(
    tiny_bundle: ModelBundle, write_dump: WriteDump, hostile_rows: list[dict[str, str]], tmp_path: Path
) -> None:
    score_dump(tiny_bundle, Dump(write_dump(hostile_rows)), tmp_path / "out")
    incomplete = [s for s in read_scores(tmp_path / "out") if None in (s.photo_risk, s.title_risk)]
    assert incomplete
    assert all(score.band != "automatic" for score in incomplete)


def test_a_second_run_over_the_same_input_changes_nothing(
    tiny_bundle: ModelBundle, write_dump: WriteDump, tmp_path: Path
) -> None:
    dump, out = Dump(write_dump([])), tmp_path / "out"
    first = score_dump(tiny_bundle, dump, out)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in out.rglob("*") if path.is_file()}
    assert score_dump(tiny_bundle, dump, out) == first
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in before} == before


def test_a_run_that_was_cut_short_resumes_with_the_same_risks(
    tiny_bundle: ModelBundle, write_dump: WriteDump, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "ROWS_PER_PART", 6)
    dump = Dump(write_dump([]))
    score_dump(tiny_bundle, dump, tmp_path / "whole")
    score_dump(tiny_bundle, dump, tmp_path / "cut")
    for path in ("manifest.json", "scores/part-000001.parquet", "scores/part-000003.parquet"):
        (tmp_path / "cut" / path).unlink()
    (tmp_path / "cut" / "scores" / "part-000001.parquet.partial").write_bytes(b"half a part")
    resumed = score_dump(tiny_bundle, dump, tmp_path / "cut")
    assert resumed.resumed
    assert resumed.rows_in == resumed.scored == 20
    assert {s.listing_id: s.risk for s in read_scores(tmp_path / "cut")} == pytest.approx(
        {s.listing_id: s.risk for s in read_scores(tmp_path / "whole")}, abs=1e-6
    )
    assert not list((tmp_path / "cut").rglob("*.partial"))


def test_scores_of_another_dump_are_not_mixed_in(
    tiny_bundle: ModelBundle, write_dump: WriteDump, tmp_path: Path
) -> None:
    score_dump(tiny_bundle, Dump(write_dump([])), tmp_path / "out")
    other = write_dump([{"listing_id": "x", "title": "one more"}], name="other.csv")
    with pytest.raises(UsageError, match="another run"):
        score_dump(tiny_bundle, Dump(other), tmp_path / "out")


def test_a_folder_with_other_things_is_left_alone(
    tiny_bundle: ModelBundle, write_dump: WriteDump, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("do not touch")
    with pytest.raises(UsageError, match="not empty"):
        score_dump(tiny_bundle, Dump(write_dump([])), out)


def test_a_second_run_at_the_same_time_is_refused(
    tiny_bundle: ModelBundle, write_dump: WriteDump, tmp_path: Path
) -> None:
    dump, out = Dump(write_dump([])), tmp_path / "out"

    def score_again(rows: int) -> None:
        with pytest.raises(UsageError, match="another run is writing"):
            score_dump(tiny_bundle, dump, out)

    assert score_dump(tiny_bundle, dump, out, on_progress=score_again).scored == 20


def test_a_quote_that_is_never_closed_costs_its_rows_but_hides_none(tiny_bundle: ModelBundle, tmp_path: Path) -> None:
    table = tmp_path / "quote.csv"
    rows = [f"{number},bag {number},\n" for number in range(50)]
    rows[10] = '10,"bag 10,\n'
    table.write_text("listing_id,title,image_path\n" + "".join(rows))
    manifest = score_dump(tiny_bundle, Dump(table), tmp_path / "out")
    assert (manifest.rows_in, manifest.scored, manifest.rejected) == (50, 10, {"malformed_row": 40})


def test_a_row_with_endless_broken_photos_is_not_tried_to_the_end(
    tiny_bundle: ModelBundle, write_dump: WriteDump, tmp_path: Path
) -> None:
    endless = {"listing_id": "endless", "title": "a bag", "image_paths": "|".join(["gone.jpg"] * 5000)}
    score_dump(tiny_bundle, Dump(write_dump([endless])), tmp_path / "out")
    lost = scores_by_id(tmp_path / "out")["endless"].photos_lost
    assert len(lost) < 200
    assert "more: not tried" in lost[-1]


def test_rows_that_appear_from_nowhere_fail_the_run(
    tiny_bundle: ModelBundle, write_dump: WriteDump, tmp_path: Path
) -> None:
    dump, out = Dump(write_dump([])), tmp_path / "out"
    score_dump(tiny_bundle, dump, out)
    (out / "manifest.json").unlink()
    stray = out / "scores" / "part-000009.parquet"
    stray.write_bytes((out / "scores" / "part-000000.parquet").read_bytes())
    with pytest.raises(ReconciliationError, match="20 rows were read but 40"):
        score_dump(tiny_bundle, dump, out)
    assert not (out / "manifest.json").exists()


def test_too_many_rejects_fail_after_everything_is_written(
    tiny_bundle: ModelBundle, write_dump: WriteDump, tmp_path: Path
) -> None:
    nameless = [{"listing_id": "", "title": "no id"}] * 10
    out = tmp_path / "out"
    dump = Dump(write_dump(nameless))
    for _ in range(2):
        with pytest.raises(TooManyRejectedError, match="10 of 30"):
            score_dump(tiny_bundle, dump, out, max_rejected=0.2)
        assert len(scores_by_id(out)) == 20
        assert len(rejected_rows(out)) == 10
    assert score_dump(tiny_bundle, dump, out, max_rejected=0.4).rows_in == 30


def test_an_empty_dump_is_an_empty_result(tiny_bundle: ModelBundle, tmp_path: Path) -> None:
    table = tmp_path / "empty.csv"
    table.write_text("listing_id,title,image_path\n")
    manifest = score_dump(tiny_bundle, Dump(table), tmp_path / "out")
    assert manifest.rows_in == manifest.scored == 0
    assert list(read_scores(tmp_path / "out")) == []


def test_a_table_without_a_required_column_leaves_no_trace(tiny_bundle: ModelBundle, tmp_path: Path) -> None:
    table = tmp_path / "wrong.csv"
    table.write_text("id,titel\n1,a bag\n")
    with pytest.raises(ListingTableError, match=r"listing_id.*title"):
        score_dump(tiny_bundle, Dump(table), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_progress_counts_every_row(
    tiny_bundle: ModelBundle, write_dump: WriteDump, hostile_rows: list[dict[str, str]], tmp_path: Path
) -> None:
    done: list[int] = []
    manifest = score_dump(tiny_bundle, Dump(write_dump(hostile_rows)), tmp_path / "out", on_progress=done.append)
    assert sum(done) == manifest.rows_in


def test_a_full_disk_is_said_and_the_next_run_finishes(
    tiny_bundle: ModelBundle, write_dump: WriteDump, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [COMMAND, "score", str(tiny_bundle.folder), str(write_dump([]))]
    # no file may grow past 1 KiB, as on a disk with no room left
    full = subprocess.run(
        ["bash", "-c", 'ulimit -f 1; exec "$@"', "-", *command, "--out", str(out)], capture_output=True, text=True
    )
    assert full.returncode == 1
    assert "File too large" in full.stderr
    assert "Traceback" not in full.stderr
    assert not (out / "manifest.json").exists()
    again = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True, env=dict(os.environ))
    assert again.returncode == 0, again.stderr
    assert json.loads((out / "manifest.json").read_text())["scored"] == 20


def test_a_killed_run_loses_and_doubles_nothing(
    tiny_bundle: ModelBundle, write_dump: WriteDump, tmp_path: Path
) -> None:
    table, out = write_dump([]), tmp_path / "out"
    with table.open(encoding="utf-8", newline="") as file:
        wanted = sorted(row["listing_id"] for row in csv.DictReader(file))
    script = (
        "import os, sys; from pathlib import Path\n"
        "from counterfeit_risk.export.bundle import open_bundle\n"
        "from counterfeit_risk.scoring import runner\n"
        "runner.ROWS_PER_PART = 6; runner.LISTINGS_AT_ONCE = 3; done = 0\n"
        "def die_after_ten(rows):\n"
        "    global done; done += rows\n"
        "    if done > 10: os.kill(os.getpid(), 9)\n"
        "bundle, table, out = map(Path, sys.argv[1:])\n"
        "runner.score_dump(open_bundle(bundle), runner.Dump(table), out, on_progress=die_after_ten)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tiny_bundle.folder), str(table), str(out)])
    assert killed.returncode == -9
    assert not (out / "manifest.json").exists()
    # the finished part is kept: parts of another size would overlap it, so the size is the same
    size = runner.ROWS_PER_PART
    runner.ROWS_PER_PART = 6
    try:
        manifest = score_dump(tiny_bundle, Dump(table), out)
    finally:
        runner.ROWS_PER_PART = size
    assert manifest.resumed
    assert sorted(score.listing_id for score in read_scores(out)) == wanted
