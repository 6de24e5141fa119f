import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from counterfeit_risk.cli.queue import app
from counterfeit_risk.errors import LeaseError, QueueError, SettingsError
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.catalog import load_column_map, read_labeled_listings
from counterfeit_risk.listings.listing import Label, LabeledListing, Photo
from counterfeit_risk.scoring.risk_score import SCORE_SCHEMA, RiskScore, to_table

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a `queue` command on one database and returns what it prints."""

    def run_command(*arguments: object) -> str:
        environment = {"COUNTERFEIT_RISK_DB": f"sqlite:///{tmp_path / 'takedown.db'}", "COLUMNS": "200"}
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)
        if result.exception:
            raise result.exception
        return result.stdout

    return run_command


@pytest.fixture
def scored(tmp_path: Path, make_score: Callable[..., RiskScore]) -> tuple[Path, Path]:
    """A scores folder and the listings table that was scored."""
    scores, dump = tmp_path / "scores", tmp_path / "dump"
    (scores / "scores").mkdir(parents=True)
    dump.mkdir()
    now = datetime.now(UTC)
    rows = [
        make_score("fake", 0.97, Band.AUTOMATIC, scored_at=now),
        make_score("doubtful", 0.5, scored_at=now),
        make_score("fine", 0.01, Band.PASS, scored_at=now),
    ]
    pq.write_table(to_table(rows, SCORE_SCHEMA), scores / "scores" / "part-00000.parquet")
    (scores / "manifest.json").write_text("{}", encoding="utf-8")
    listings = dump / "listings.jsonl"
    lines = [
        {
            "listing_id": row.listing_id,
            "title": f"{row.listing_id} bag",
            "image_paths": [f"images/{row.listing_id}.jpg"],
        }
        for row in rows
    ]
    listings.write_text("\n".join(json.dumps(line) for line in lines))
    return scores, listings


def take(run: Run, reviewer: str = "ada") -> dict[str, Any]:
    leased: dict[str, Any] = json.loads(run("next", "--reviewer", reviewer, "--json"))
    return leased


def decide(run: Run, leased: dict[str, Any], verdict: str, reviewer: str = "ada") -> str:
    options = {"reviewer": reviewer, "verdict": verdict, "reason": "looked at it", "token": leased["token"]}
    return run("decide", leased["case_id"], *(part for name in options for part in (f"--{name}", options[name])))


def test_loading_says_what_became_of_the_scores(run: Run, scored: tuple[Path, Path]) -> None:
    first, again = run("load", *scored), run("load", *scored)

    assert first.strip() == (
        "load 1: 2 cases opened, 0 listings joined one, 0 updated, 0 already known, 1 passed, 0 drawn for audit; "
        "1 listings hidden until a person decides"
    )
    assert again.startswith("load 2: 0 cases opened, 0 listings joined one, 0 updated, 2 already known, 1 passed")


def test_a_case_goes_from_the_queue_to_an_action(run: Run, scored: tuple[Path, Path]) -> None:
    run("load", *scored)

    leased = take(run)
    said = decide(run, leased, "counterfeit")

    [listing] = leased["listings"]
    assert (listing["listing_id"], listing["title"], leased["band"]) == ("fake", "fake bag", "automatic")
    assert listing["image_paths"] == ["images/fake.jpg"]
    assert said.strip() == f"case {leased['case_id']}: counterfeit"
    actions = [json.loads(line) for line in run("actions", "--json").splitlines()]
    assert [(action["kind"], action["listing_id"]) for action in actions] == [("hide", "fake"), ("take_down", "fake")]
    assert run("actions", "--json", "--after", actions[-1]["sequence"]) == ""


def test_people_see_the_case_and_how_to_decide_it(run: Run, scored: tuple[Path, Path]) -> None:
    run("load", *scored)

    shown, again = run("next", "--reviewer", "ada"), run("next", "--reviewer", "ada")

    assert "fake bag" in shown
    assert str(scored[1].parent / "images" / "fake.jpg") in shown
    assert "counterfeit-risk queue decide 1 --token 1 --reviewer ada" in shown
    assert "You hold this case already" in again


def test_an_empty_queue_prints_a_sentence_for_people_and_nothing_for_programs(
    run: Run, scored: tuple[Path, Path]
) -> None:
    run("load", *scored)
    run("next", "--reviewer", "ada")
    run("next", "--reviewer", "bob")

    assert run("next", "--reviewer", "eve").strip() == "no case waits for you"
    assert run("next", "--reviewer", "eve", "--json") == ""


def test_a_reopened_case_is_decided_again(run: Run, scored: tuple[Path, Path]) -> None:
    run("load", *scored)
    leased = take(run)
    decide(run, leased, "counterfeit")

    said = run("reopen", leased["case_id"], "--by", "bob", "--reason", "the seller sent an invoice")

    assert said.startswith(f"case {leased['case_id']}: open again, due ")
    decide(run, take(run), "genuine")
    assert json.loads(run("actions", "--json").splitlines()[-1])["kind"] == "reinstate"


def test_the_top_and_the_counts_are_shown_to_people_and_programs(run: Run, scored: tuple[Path, Path]) -> None:
    run("load", *scored)

    assert "fake bag" in run("top", "--limit", 1)
    assert "doubtful bag" not in run("top", "--limit", 1)
    assert [json.loads(line)["risk"] for line in run("top", "--json").splitlines()] == [0.97, 0.5]
    assert "overdue 0; decided none" in run("stats")
    assert json.loads(run("stats", "--json"))["cases"] == [
        {"state": "open", "band": "automatic", "count": 1},
        {"state": "open", "band": "review", "count": 1},
    ]


def test_a_case_is_skipped_escalated_and_undone(run: Run, scored: tuple[Path, Path]) -> None:
    run("load", *scored)
    leased = take(run)
    options = ("--reviewer", "ada", "--reason", "not mine", "--token", leased["token"])
    assert run("escalate", leased["case_id"], *options).strip() == f"case {leased['case_id']}: waits for a specialist"
    expert = json.loads(run("next", "--reviewer", "kim", "--specialist", "--json"))
    assert expert["case_id"] == leased["case_id"]

    decide(run, expert, "genuine", reviewer="kim")
    assert "open again" in run("undo", leased["case_id"], "--reviewer", "kim")

    other = take(run)
    options = ("--reviewer", "ada", "--reason", "not mine", "--token", other["token"])
    assert "waits for somebody else" in run("skip", other["case_id"], *options)


def test_a_bad_night_is_taken_back_and_the_history_stays_whole(run: Run, scored: tuple[Path, Path]) -> None:
    run("load", *scored)
    assert run("withdraw", 1, "--by", "lead").strip() == "load 1: 2 cases closed, 1 listings reinstated"
    assert json.loads(run("stats", "--json"))["overdue"] == 0
    assert run("verify").startswith("every case's history is whole; the last of 2 cases ends with ")


def test_settings_of_the_queue_come_from_a_file(run: Run, scored: tuple[Path, Path], tmp_path: Path) -> None:
    settings = tmp_path / "queue.yaml"
    settings.write_text("audit_probability: 1\norder: {audit_share: 1}\n")
    assert "1 drawn for audit" in run("load", *scored, "--settings", settings)
    leased = json.loads(run("next", "--reviewer", "ada", "--settings", settings, "--json"))
    assert (leased["risk"], leased["listings"][0]["risk"], leased["listings"][0]["listing_id"]) == (None, None, "fine")
    settings.write_text("audit_share: 1\n")
    with pytest.raises(SettingsError, match="audit_share"):
        run("load", *scored, "--settings", settings)


def test_labels_written_elsewhere_find_their_photos_under_the_folder_that_is_printed(
    run: Run, scored: tuple[Path, Path], tmp_path: Path
) -> None:
    run("load", *scored)
    decide(run, take(run), "counterfeit")
    out = tmp_path / "labels.jsonl"

    said = run("labels", "--out", out)

    [row] = read_labeled_listings(out, load_column_map(None))
    assert isinstance(row, LabeledListing)
    assert (row.listing.listing_id, row.label, row.label_source) == ("fake", Label.COUNTERFEIT, "review")
    assert row.listing.photos == (Photo("images/fake.jpg"),)
    assert f"--set data.image_root={scored[1].parent}" in said


def test_a_refused_request_raises_for_main_to_print(run: Run, scored: tuple[Path, Path]) -> None:
    with pytest.raises(QueueError, match="`counterfeit-risk queue load` makes one"):
        run("stats")
    run("load", *scored)
    with pytest.raises(LeaseError, match="is leased to ada"):
        decide(run, take(run), "genuine", reviewer="bob")


def test_an_unknown_verdict_names_those_that_are_allowed() -> None:
    arguments = ["decide", "1", "--reviewer", "ada", "--reason", "x", "--token", "1", "--verdict", "maybe"]

    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 2
    assert all(verdict in result.output for verdict in ("counterfeit", "genuine", "unsure"))


def test_statements_go_to_the_database_of_the_union_and_to_sellers(
    run: Run, scored: tuple[Path, Path], tmp_path: Path
) -> None:
    run("load", *scored)
    decide(run, take(run), "counterfeit")

    assert "2 statements" in run("statements", "--out", tmp_path / "sor")
    batch = json.loads((tmp_path / "sor" / "statements-0001.json").read_text())
    hidden, down = batch["statements"]
    assert [line["puid"] for line in map(json.loads, run("statements", "--json").splitlines())] == [
        hidden["puid"],
        down["puid"],
    ]
    assert run("statements").count("Dear seller,") == 2
    assert run("statements", "--after", 1).count("Dear seller,") == 1


def test_an_export_says_where_the_next_one_goes_on(run: Run, scored: tuple[Path, Path], tmp_path: Path) -> None:
    run("load", *scored)

    assert "1 statements in" in run("statements", "--out", tmp_path / "first")
    decide(run, take(run), "counterfeit")
    assert "continue with --after 2" in run("statements", "--out", tmp_path / "second", "--after", 1)
    assert "0 statements" in run("statements", "--out", tmp_path / "third", "--after", 2)
    assert list((tmp_path / "third").iterdir()) == []


def test_a_queue_of_this_release_needs_no_migration(run: Run, scored: tuple[Path, Path]) -> None:
    run("load", *scored)

    assert "nothing to do" in run("migrate")
