import json
from pathlib import Path

import pytest

from counterfeit_risk.config import AlignmentSettings, Settings, TrackingSettings
from counterfeit_risk.listings.catalog import read_listings, write_listings
from counterfeit_risk.listings.listing import Listing, Photo
from counterfeit_risk.tracking.runs import TrackedRun, find_run
from counterfeit_risk.training.setup import TrainingSetup, set_up_training
from counterfeit_risk.training.train import train
from counterfeit_risk.training.unlabelled import read_unlabelled


@pytest.fixture(scope="module")
def settings(tiny_run: TrackedRun) -> Settings:
    recorded = json.loads(tiny_run.artifact("settings.json").read_text())
    return Settings.model_validate(recorded)


@pytest.fixture(scope="module")
def setup(settings: Settings) -> TrainingSetup:
    return set_up_training(settings)


def read(setup: TrainingSetup, table: Path) -> list[str]:
    found = read_unlabelled(AlignmentSettings(listings=table), setup.reader, setup.rows)
    return [listing.listing_id for listing in found]


def test_only_whole_listings_that_no_labelled_row_shows_are_aligned_on(
    setup: TrainingSetup, tiny_market: Path, tmp_path: Path
) -> None:
    night = [row for row in read_listings(tiny_market / "nightly.parquet") if isinstance(row, Listing)]
    fresh = next(row for row in night if read(setup, write(tmp_path / "one.parquet", [row])) == [row.listing_id])
    known = setup.rows.listings[0].listing
    rows = [
        fresh,
        Listing("no photo", fresh.title),
        Listing("no title", "", fresh.photos),
        Listing("broken photo", fresh.title, (Photo("images/none.jpg"),)),
        Listing("photo of a labelled row", fresh.title, known.photos),
        Listing(known.listing_id, fresh.title, fresh.photos),
    ]

    assert read(setup, write(tmp_path / "many.parquet", rows)) == [fresh.listing_id]


def write(table: Path, rows: list[Listing]) -> Path:
    table.unlink(missing_ok=True)
    write_listings(table, rows)
    return table


def test_no_table_is_no_alignment(setup: TrainingSetup) -> None:
    assert read_unlabelled(AlignmentSettings(), setup.reader, setup.rows) == ()


def test_a_run_that_aligns_first_draws_pairs_together(settings: Settings, tiny_market: Path, tmp_path: Path) -> None:
    alignment = AlignmentSettings(listings=tiny_market / "nightly.parquet", epochs=4, batch_size=16)
    tracking = TrackingSettings(uri=f"sqlite:///{tmp_path / 'mlflow.db'}", folder=tmp_path / "runs")
    training = settings.training.model_copy(update={"alignment": alignment})
    run = find_run(tracking.uri, train(settings.model_copy(update={"training": training, "tracking": tracking})))

    losses = run.client.get_metric_history(run.run_id, "train/contrastive_loss")
    assert len(losses) == 4
    assert losses[-1].value < losses[0].value
