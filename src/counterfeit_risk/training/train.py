"""One training run from settings to a judged classifier, with everything that explains it in MLflow.

A run holds `settings.json`, `data.json`, `splits.parquet`, `rejected.parquet`, `checkpoint/`, `calibrations.json`,
`bands.json`, `price_model.json`, `predictions.parquet`, `parity_rows.parquet` and `evaluation/`. Knows no ONNX and no
registry.
"""

import logging
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from counterfeit_risk.config import Settings
from counterfeit_risk.embeddings.content import ContentReader
from counterfeit_risk.errors import RunError
from counterfeit_risk.evaluation.calibration import fit_calibrations
from counterfeit_risk.evaluation.evaluate import evaluate
from counterfeit_risk.evaluation.predictions import Predictions
from counterfeit_risk.evaluation.predictions_table import write_predictions
from counterfeit_risk.evaluation.report import write_report
from counterfeit_risk.evaluation.risk_bands import fit_risk_bands
from counterfeit_risk.listings.catalog import write_listings
from counterfeit_risk.listings.images import UnreadableImageError, read_photo
from counterfeit_risk.listings.listing import Listing, Photo
from counterfeit_risk.listings.splits import Split
from counterfeit_risk.model.checkpoint import save_checkpoint
from counterfeit_risk.tracking.runs import TrackedRun, open_run
from counterfeit_risk.training.fit import fit_classifier
from counterfeit_risk.training.reference import gather_reference
from counterfeit_risk.training.rows import LabeledRows
from counterfeit_risk.training.setup import TrainingSetup, set_up_training

logger = logging.getLogger(__name__)

_PARITY_ROWS = 64


def train(settings: Settings, *, resume: str | None = None, show_progress: bool = False) -> str:
    """Trains, calibrates and evaluates a classifier.

    Args:
        settings: the whole run.
        resume: id of a run that was cut short; it goes on where its last epoch ended, under the same id.
        show_progress: draw progress bars instead of a log line an epoch.

    Returns:
        The MLflow run id.
    """
    with open_run(settings.tracking, params=_flatten(_recorded(settings)), resume=resume) as run:
        lightning.seed_everything(settings.seed, workers=True, verbose=False)
        setup = set_up_training(settings)
        _record_data(run, settings, setup.rows, resumed=resume is not None)
        checkpoints = settings.tracking.folder / "checkpoints" / run.run_id
        logits = fit_classifier(setup, settings, run, checkpoints, show_progress=show_progress)
        _record_results(run, settings, setup, logits)
        shutil.rmtree(checkpoints, ignore_errors=True)
    return run.run_id


def to_predictions(rows: LabeledRows, logits: NDArray[np.float64], split: Split) -> Predictions:
    """The predictions on one split; `logits` is (N, 3) over all rows."""
    chosen = np.flatnonzero(rows.splits == split)
    listings = [rows.listings[row].listing for row in chosen]
    missing = np.where(rows.has_photo, np.where(rows.has_title, "nothing", "title"), "photos")
    return Predictions(
        listing_ids=tuple(listing.listing_id for listing in listings),
        labels=rows.labels[chosen],
        logits=logits[chosen],
        groups=rows.groups[chosen],
        slices={
            "brand": np.array([listing.brand or "" for listing in listings]),
            "platform": np.array([listing.platform or "" for listing in listings]),
            "missing": missing[chosen],
        },
    )


def _record_data(run: TrackedRun, settings: Settings, rows: LabeledRows, *, resumed: bool) -> None:
    if resumed:
        _check_same_data(run, rows)
    run.log_json(_recorded(settings), "settings.json")
    run.log_json(rows.summary(), "data.json")
    logger.info("data: %s", rows.summary())
    with tempfile.TemporaryDirectory() as folder:
        ids = [row.listing.listing_id for row in rows.listings]
        _log_table(
            run,
            Path(folder) / "splits.parquet",
            {"row_number": rows.row_numbers, "listing_id": ids, "split": [str(s) for s in rows.splits]},
        )
        _log_table(
            run,
            Path(folder) / "rejected.parquet",
            {
                "row_number": [row.row_number for row in rows.rejected],
                "listing_id": [row.listing_id for row in rows.rejected],
                "reason": [row.reason.value for row in rows.rejected],
                "detail": [row.detail for row in rows.rejected],
            },
        )


def _check_same_data(run: TrackedRun, rows: LabeledRows) -> None:
    try:
        recorded = run.artifact("data.json").read_text(encoding="utf-8")
    except RunError:
        return  # it was cut short before it had read its data
    if rows.table_sha256 not in recorded:
        raise RunError(f"run {run.run_id} was started on another version of the listing table")


def _record_results(run: TrackedRun, settings: Settings, setup: TrainingSetup, logits: NDArray[np.float64]) -> None:
    calibration = to_predictions(setup.rows, logits, Split.CALIBRATION)
    test = to_predictions(setup.rows, logits, Split.TEST)
    calibrations = fit_calibrations(calibration, deployed_prevalence=settings.risk.deployed_prevalence)
    risks = calibrations.risks(calibration)[:, 0]
    bands = fit_risk_bands(
        risks, calibration.labels, calibration.groups, settings.risk, seed=settings.seed, complete=calibration.complete
    )
    reference = gather_reference(setup.rows, settings.evaluation)
    evaluation = evaluate(test, calibrations, bands, settings.evaluation, seed=settings.seed, reference=reference)
    run.log_json(calibrations.to_dict(), "calibrations.json")
    run.log_json(bands.to_dict(), "bands.json")
    run.log_json(setup.rows.price_model.to_dict(), "price_model.json")
    run.log_metrics(evaluation.flat_metrics("test"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_checkpoint(folder / "checkpoint", setup.classifier, setup.tokenizer)
        run.log_folder(folder / "checkpoint", "checkpoint")
        write_report(evaluation, folder / "evaluation", title=f"Evaluation of run {run.run_id[:8]}")
        run.log_folder(folder / "evaluation", "evaluation")
        write_predictions(
            folder / "predictions.parquet", {Split.CALIBRATION.value: calibration, Split.TEST.value: test}
        )
        run.log_file(folder / "predictions.parquet")
        write_listings(folder / "parity_rows.parquet", _parity_rows(setup, seed=settings.seed))
        run.log_file(folder / "parity_rows.parquet")


def _parity_rows(setup: TrainingSetup, *, seed: int) -> list[Listing]:
    """Test listings with their photos' bytes: export checks itself on them, wherever the table has gone by then."""
    test = np.flatnonzero(setup.rows.splits == Split.TEST)
    rng = np.random.default_rng(seed)
    chosen = rng.choice(test, size=min(_PARITY_ROWS, len(test)), replace=False)
    return [_with_bytes(setup.rows.listings[row].listing, setup.reader) for row in sorted(chosen)]


def _with_bytes(listing: Listing, reader: ContentReader) -> Listing:
    """All that a model reads of a listing, and nothing of its seller."""
    photos: list[Photo] = []
    for photo in listing.photos:
        if len(photos) == reader.max_photos:
            break
        try:
            photos.append(Photo(data=read_photo(photo, reader.image_root, reader.limits)))
        except UnreadableImageError:
            continue  # what cannot be read cannot be compared
    return Listing(
        listing.listing_id,
        listing.title,
        tuple(photos),
        brand=listing.brand,
        category=listing.category,
        price=listing.price,
        currency=listing.currency,
    )


def _log_table(run: TrackedRun, path: Path, columns: Mapping[str, Any]) -> None:
    pq.write_table(pa.table(dict(columns)), path)
    run.log_file(path)


def _recorded(settings: Settings) -> dict[str, Any]:
    """Settings without where they are recorded: that address may hold a password."""
    return settings.model_dump(mode="json", exclude={"tracking"})


def _flatten(section: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in section.items():
        flat |= (
            _flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) and value else {f"{prefix}{key}": value}
        )
    return flat
