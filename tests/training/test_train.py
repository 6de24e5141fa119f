import json
import logging
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from counterfeit_risk.config import Settings, TrackingSettings
from counterfeit_risk.errors import ListingTableError, RunError, WorkError
from counterfeit_risk.listings.catalog import read_labeled_listings
from counterfeit_risk.listings.listing import LabeledListing
from counterfeit_risk.tracking.runs import TrackedRun, find_run
from counterfeit_risk.training.train import train

SCRIPT = (
    "import sys; from counterfeit_risk.config import Settings; from counterfeit_risk.training.train import train\n"
    "train(Settings.model_validate_json(sys.argv[1]))"
)


@pytest.fixture
def settings(tiny_run: TrackedRun, tmp_path: Path) -> Settings:
    """The tiny run's settings, with a store of its own."""
    recorded = json.loads(tiny_run.artifact("settings.json").read_text())
    return Settings.model_validate(recorded | {"tracking": store(tmp_path)})


def store(folder: Path) -> TrackingSettings:
    folder.mkdir(exist_ok=True)
    return TrackingSettings(uri=f"sqlite:///{folder / 'mlflow.db'}", folder=folder / "runs")


def validation_history(run: TrackedRun) -> list[tuple[int, float]]:
    history = run.client.get_metric_history(run.run_id, "validation/average_precision")
    return sorted((metric.step, metric.value) for metric in history)


def only_run(settings: Settings) -> TrackedRun:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(settings.tracking.uri)
    experiment = client.get_experiment_by_name(settings.tracking.experiment)
    (run,) = client.search_runs([experiment.experiment_id])
    return find_run(settings.tracking.uri, run.info.run_id)


def status(run: TrackedRun) -> str:
    return str(run.client.get_run(run.run_id).info.status)


def test_a_run_holds_all_that_explains_it(tiny_run: TrackedRun) -> None:
    names = {file.path for file in tiny_run.client.list_artifacts(tiny_run.run_id)}
    assert {
        "settings.json",
        "data.json",
        "splits.parquet",
        "rejected.parquet",
        "checkpoint",
        "calibrations.json",
        "bands.json",
        "predictions.parquet",
        "parity_rows.parquet",
        "evaluation",
    } <= names
    data = tiny_run.client.get_run(tiny_run.run_id).data
    assert data.params["training.towers"] == "frozen"
    assert "test/fused/average_precision" in data.metrics
    assert status(tiny_run) == "FINISHED"
    history = tiny_run.client.get_metric_history(tiny_run.run_id, "validation/average_precision")
    assert len(history) == int(data.params["training.epochs"])


def test_no_seller_stands_on_two_sides(tiny_run: TrackedRun, tiny_market: Path) -> None:
    splits = pq.read_table(tiny_run.artifact("splits.parquet")).to_pydict()
    side = dict(zip(splits["listing_id"], splits["split"], strict=True))
    rows = [row for row in read_labeled_listings(tiny_market / "labeled.parquet") if isinstance(row, LabeledListing)]
    sides: dict[str, set[str]] = {}
    for row in rows:
        sides.setdefault(str(row.seller_group or row.listing.seller_id), set()).add(side[row.listing.listing_id])
    assert len(sides) > 4
    assert all(len(one) == 1 for one in sides.values())


def test_only_rows_that_training_has_not_seen_are_predicted(tiny_run: TrackedRun) -> None:
    predictions = pq.read_table(tiny_run.artifact("predictions.parquet")).to_pydict()
    assert set(predictions["split"]) == {"calibration", "test"}
    assert np.isfinite(predictions["fused_logit"]).all()


def test_equal_settings_give_equal_predictions(tiny_run: TrackedRun, settings: Settings) -> None:
    again = find_run(settings.tracking.uri, train(settings))
    first, second = (pq.read_table(run.artifact("predictions.parquet")) for run in (tiny_run, again))
    assert first.column("listing_id") == second.column("listing_id")
    np.testing.assert_allclose(first.column("fused_logit"), second.column("fused_logit"), atol=1e-5)


def test_a_run_that_fails_ends_as_failed(settings: Settings, tmp_path: Path) -> None:
    table = tmp_path / "one_sided.csv"
    table.write_text("listing_id,title,image_path,label\n" + "".join(f"{i},bag {i},,genuine\n" for i in range(40)))
    broken = settings.model_copy(update={"data": settings.data.model_copy(update={"listings": table})})
    with pytest.raises(ListingTableError):
        train(broken)
    assert status(only_run(settings)) == "FAILED"


def test_a_killed_run_resumes_under_its_id_and_ends_as_if_nothing_had_happened(
    settings: Settings, tmp_path: Path
) -> None:
    long = settings.model_copy(update={"training": settings.training.model_copy(update={"epochs": 40, "patience": 40})})
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", SCRIPT, long.model_dump_json()])
    deadline = time.monotonic() + 120
    while not list(long.tracking.folder.glob("checkpoints/*/classifier/last.ckpt")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    run = only_run(long)
    assert status(run) == "RUNNING"
    assert train(long, resume=run.run_id) == run.run_id
    assert status(only_run(long)) == "FINISHED"
    unbroken = long.model_copy(update={"tracking": store(tmp_path / "unbroken")})
    resumed, expected = (validation_history(one) for one in (run, find_run(unbroken.tracking.uri, train(unbroken))))
    assert [step for step, _ in resumed] == [step for step, _ in expected]
    assert len(resumed) == 40
    np.testing.assert_allclose([value for _, value in resumed], [value for _, value in expected], atol=1e-6)


def test_two_processes_train_what_one_does(settings: Settings, tmp_path: Path) -> None:
    same = {"epochs": 6, "patience": 6, "contrastive_weight": 0.0}  # within a batch, two halves make fewer pairs
    model = settings.model.model_copy(update={"dropout": 0.0})
    logits = {}
    for devices in (1, 2):
        run = settings.model_copy(
            update={
                "model": model,
                "training": settings.training.model_copy(update=same | {"devices": devices}),
                "tracking": store(tmp_path / str(devices)),
            }
        )
        command = [sys.executable, "-W", "ignore", "-c", SCRIPT, run.model_dump_json()]
        subprocess.run(command, check=True, timeout=300)
        table = pq.read_table(only_run(run).artifact("predictions.parquet"))
        logits[devices] = table.column("fused_logit").to_numpy()
    assert logits[1].std() > 0.01
    assert np.corrcoef(logits[1], logits[2])[0, 1] > 0.98
    np.testing.assert_allclose(logits[1], logits[2], atol=0.2)


def test_a_probed_head_learns_before_its_towers_do(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    probed = settings.training.model_copy(update={"towers": "full", "probe_epochs": 3, "epochs": 2})

    with caplog.at_level(logging.INFO):
        run = find_run(settings.tracking.uri, train(settings.model_copy(update={"training": probed})))

    stages = [record.getMessage().split(":")[0] for record in caplog.records if ": best " in record.getMessage()]
    assert stages == ["probe", "classifier"]
    assert [step for step, _ in validation_history(run)] == [0, 1]


def test_a_run_does_not_resume_under_other_settings(settings: Settings, tmp_path: Path) -> None:
    table = tmp_path / "one_sided.csv"
    table.write_text("listing_id,title,image_path,label\n1,bag,,genuine\n")
    broken = settings.model_copy(update={"data": settings.data.model_copy(update={"listings": table})})
    with pytest.raises(ListingTableError):
        train(broken)
    with pytest.raises(RunError, match=r"data\.listings was .*one_sided.*, is "):
        train(settings, resume=only_run(settings).run_id)


def test_a_finished_run_is_not_resumed(tiny_run: TrackedRun, settings: Settings) -> None:
    own = settings.model_copy(update={"tracking": settings.tracking.model_copy(update={"uri": tiny_run.tracking_uri})})
    with pytest.raises(RunError, match="is finished"):
        train(own, resume=tiny_run.run_id)
    assert status(tiny_run) == "FINISHED"


def test_training_that_diverges_fails_and_says_so(settings: Settings) -> None:
    wild = settings.model_copy(update={"training": settings.training.model_copy(update={"learning_rate": 1e30})})
    with pytest.raises(WorkError, match="diverged"):
        train(wild)
    assert status(only_run(settings)) == "FAILED"


def test_an_unknown_run_cannot_be_resumed(settings: Settings) -> None:
    with pytest.raises(RunError, match="there is no run 123"):
        train(settings, resume="123")
