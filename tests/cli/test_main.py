import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

COMMAND = str(Path(sys.executable).with_name("counterfeit-risk"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, check=False)


def test_wrong_settings_are_all_said_at_once(tmp_path: Path) -> None:
    config = tmp_path / "wrong.yaml"
    config.write_text(
        "data:\n  listings: nowhere.csv\n"
        "model:\n  image_encoder: timm:mobilenet_v9\n  text_encoder: scratch\n  fusion_dim: 64\n  fusion_dim: 32\n"
        "training:\n  learning_rat: 1e-3\n  tower_learning_rate: -1\n"
        "risk: [0.05]\n"
    )
    result = run("train", str(config))
    assert result.returncode == 2
    for mistake in (
        "6 mistakes",
        "there is no file nowhere.csv",
        "unknown tower 'timm:mobilenet_v9'",
        "'fusion_dim' stands twice",
        "learning_rat: unknown key; did you mean learning_rate?",
        "tower_learning_rate: input should be greater than 0, not -1",
        "risk: must be a mapping, not a list",
    ):
        assert mistake in result.stderr
    assert "Traceback" not in result.stderr


def test_a_table_without_a_required_column_is_one_message(tiny_demo: Path, tmp_path: Path) -> None:
    table = tmp_path / "wrong.csv"
    table.write_text("id,title,image_path\n1,a bag,a.jpg\n")
    result = run("score", str(tiny_demo / "bundle"), str(table), "--out", str(tmp_path / "out"))
    assert result.returncode == 2
    assert result.stderr.count("\n") <= 2
    assert "listing_id" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("score", "nowhere", "x.csv", "--out", "o"), "no bundle"),
        (("train", "nowhere.yaml"), "there is no such file"),
        (("score",), "Missing argument"),
        (("export", "0" * 32, "--out", "o", "--tracking-uri", "sqlite:///empty.db"), "there is no run"),
    ],
)
def test_a_mistake_is_one_message_and_exit_status_2(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.returncode == 2, result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_too_many_rejects_exit_with_1(tiny_demo: Path, tmp_path: Path) -> None:
    table = tmp_path / "bad.csv"
    table.write_text("listing_id,title,image_path\n1,a bag,\n,nameless,\n")
    result = run("score", str(tiny_demo / "bundle"), str(table), "--out", str(tmp_path / "out"))
    assert result.returncode == 1
    assert "1 of 2 rows were rejected" in result.stderr


def test_evaluate_writes_a_report(tiny_demo: Path, tmp_path: Path) -> None:
    out = tmp_path / "evaluation"
    market = tiny_demo / "market"
    # the same rows but one: another table than the model learned from
    rows = pq.read_table(market / "labeled.parquet")
    table = tmp_path / "other.parquet"
    pq.write_table(rows.slice(0, len(rows) - 1), table)
    arguments = ("--image-root", str(market), "--out", str(out), "--capacity", "10")
    result = run("evaluate", str(tiny_demo / "bundle"), str(table), *arguments)
    assert result.returncode == 0, result.stderr
    assert "average precision" in result.stdout.lower()
    assert (out / "report.html").read_text().count("data:image/png") >= 3


def test_a_model_is_not_evaluated_on_what_it_learned_from(tiny_demo: Path, tmp_path: Path) -> None:
    table = tiny_demo / "market" / "labeled.parquet"
    result = run("evaluate", str(tiny_demo / "bundle"), str(table), "--out", str(tmp_path / "evaluation"))
    assert result.returncode == 2
    assert "learned from" in result.stderr
