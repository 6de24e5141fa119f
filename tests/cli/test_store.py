import json
import subprocess
import sys
from pathlib import Path

import pytest

from counterfeit_risk.export.bundle import ModelBundle

COMMAND = str(Path(sys.executable).with_name("counterfeit-risk"))


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture(scope="module")
def night(tiny_bundle: ModelBundle, tiny_market: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("night")
    table = tiny_market / "nightly.parquet"
    done = run("score", tiny_bundle.folder, table, "--out", folder / "scores", "--store", folder / "store")
    assert done.returncode == 0, done.stderr
    return folder


def test_a_store_tells_what_it_holds(night: Path) -> None:
    towers = json.loads(run("store", "stats", night / "store", "--json").stdout)["towers"]
    assert len(towers) == 2
    assert all(tower["embeddings"] > 30 for tower in towers)
    assert towers[0]["tower"][:16] in run("store", "stats", night / "store").stdout


def test_rescoring_needs_no_table(tiny_bundle: ModelBundle, night: Path) -> None:
    asked = ("score", tiny_bundle.folder, "--rescore-from", night / "scores", "--out", night / "again")
    assert "--rescore-from needs --store" in run(*asked).stderr
    done = run(*asked, "--store", night / "store")
    assert done.returncode == 0, done.stderr
    counted = [json.loads((night / name / "manifest.json").read_text()) for name in ("scores", "again")]
    assert counted[0]["bands"] == counted[1]["bands"]


def test_a_table_and_an_earlier_run_are_not_scored_together(tiny_bundle: ModelBundle, night: Path) -> None:
    neither = run("score", tiny_bundle.folder, "--out", night / "x")
    assert neither.returncode == 2
    assert "name a listing table to score, or --rescore-from" in neither.stderr


def test_pruning_keeps_what_tonight_needs(tiny_bundle: ModelBundle, night: Path) -> None:
    kept = run("store", "prune", night / "store", "--bundle", tiny_bundle.folder, "--scores", night / "scores")
    assert kept.returncode == 0, kept.stderr
    assert "0 embeddings taken out" in kept.stdout
    assert "name what to keep" in run("store", "prune", night / "store").stderr
    missing = run("store", "stats", night / "nowhere")
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)
