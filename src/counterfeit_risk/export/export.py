"""Makes a bundle of a finished run: graphs, parity check, manifest, model card. A bundle appears whole or not at all.

Knows no registry: `cli` hands the bundle to `tracking`.
"""

import json
import logging
import shutil
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from counterfeit_risk.config import RiskSettings
from counterfeit_risk.embeddings.content import ContentReader
from counterfeit_risk.embeddings.fingerprint import tower_fingerprint
from counterfeit_risk.embeddings.price_model import PriceModel
from counterfeit_risk.errors import UsageError
from counterfeit_risk.evaluation.calibration import Calibrations
from counterfeit_risk.evaluation.predictions_table import read_predictions
from counterfeit_risk.evaluation.risk_bands import RiskBands, fit_risk_bands
from counterfeit_risk.export.bundle import (
    IMAGE_ENCODER,
    MANIFEST,
    MODEL_CARD,
    MODEL_FILES,
    PRICE_MODEL,
    TEXT_ENCODER,
    TOKENIZER,
    Manifest,
    ModelBundle,
    hash_files,
    model_id,
    open_bundle,
)
from counterfeit_risk.export.graphs import export_graphs
from counterfeit_risk.export.model_card import write_model_card
from counterfeit_risk.export.onnx_classifier import OnnxClassifier
from counterfeit_risk.export.parity import Parity, check_parity
from counterfeit_risk.listings.catalog import read_listings
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.listings.splits import Split
from counterfeit_risk.model.checkpoint import Checkpoint, load_checkpoint
from counterfeit_risk.tracking.runs import TrackedRun

logger = logging.getLogger(__name__)

_LIBRARIES = ("torch", "timm", "transformers", "tokenizers", "onnx", "onnxruntime", "pillow", "numpy")


def export_run(run: TrackedRun, out: Path, *, prevalence: float | None = None) -> ModelBundle:
    """Writes the bundle of a run.

    Args:
        run: a finished one.
        out: folder for the bundle.
        prevalence: share of counterfeits where the bundle will score; what the run was told where it is not given.

    Raises:
        RunError: if the run did not finish.
        ParityError: if the exported graphs disagree with the trained model; nothing is written then.
        UsageError: if `out` is there and not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there already; a bundle is never overwritten, name a new folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".bundle-") as name:
        folder = Path(name) / "bundle"
        folder.mkdir()
        _write(run, folder, prevalence)
        if out.exists():
            out.rmdir()
        folder.rename(out)
    return open_bundle(out)


def read_parity_rows(run: TrackedRun) -> list[Listing]:
    """The test listings that a run keeps with their photos, for checks and as an example."""
    rows = read_listings(run.artifact("parity_rows.parquet"))
    return [row for row in rows if isinstance(row, Listing)]


def _write(run: TrackedRun, folder: Path, prevalence: float | None) -> None:
    checkpoint = load_checkpoint(run.artifact("checkpoint"))
    calibrations, bands = _promises(run, prevalence)
    export_graphs(checkpoint.classifier, calibrations, folder)
    shutil.copyfile(run.artifact("checkpoint/tokenizer.json"), folder / TOKENIZER)
    shutil.copyfile(run.artifact("price_model.json"), folder / PRICE_MODEL)
    spec = checkpoint.classifier.spec
    prices = PriceModel.from_dict(_read_json(run, "price_model.json"))
    reader = ContentReader(folder, spec.image_encoder.preprocessing, spec.max_photos, price_model=prices)
    read = [reader.read(listing) for listing in read_parity_rows(run)]
    contents = [content for content in read if not content.is_empty]
    parity = check_parity(checkpoint, calibrations, bands, OnnxClassifier(folder), contents)
    manifest = _manifest(run, folder, checkpoint, calibrations, bands, parity)
    write_model_card(manifest, folder / MODEL_CARD)
    manifest = manifest.model_copy(update={"files": manifest.files | hash_files(folder, [MODEL_CARD])})
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2), encoding="utf-8")


def _promises(run: TrackedRun, prevalence: float | None) -> tuple[Calibrations, RiskBands]:
    """Calibrations and bands as the run left them, or fitted anew for another prevalence."""
    calibrations = Calibrations.from_dict(_read_json(run, "calibrations.json"))
    if prevalence is None:
        return calibrations, RiskBands.from_dict(_read_json(run, "bands.json"))
    calibrations = calibrations.deployed_at(prevalence)
    predictions = read_predictions(run.artifact("predictions.parquet"), Split.CALIBRATION)
    settings = _read_json(run, "settings.json")
    bands = fit_risk_bands(
        calibrations.risks(predictions)[:, 0],
        predictions.labels,
        predictions.groups,
        RiskSettings.model_validate(settings["risk"] | {"deployed_prevalence": prevalence}),
        seed=settings["seed"],
        complete=predictions.complete,
    )
    return calibrations, bands


def _manifest(
    run: TrackedRun,
    folder: Path,
    checkpoint: Checkpoint,
    calibrations: Calibrations,
    bands: RiskBands,
    parity: Parity,
) -> Manifest:
    spec = checkpoint.classifier.spec
    files = hash_files(folder, MODEL_FILES)
    preprocessing = spec.image_encoder.preprocessing.model_dump(mode="json")
    fingerprints = {
        "image": _fingerprint(files[IMAGE_ENCODER], preprocessing),
        "text": _fingerprint(files[TEXT_ENCODER], {"tokenizer": files[TOKENIZER]}),
    }
    metrics = run.client.get_run(run.run_id).data.metrics
    return Manifest(
        model_id=model_id(files, spec.image_encoder.preprocessing, spec.max_photos, bands.to_dict()),
        run_id=run.run_id,
        created_at=datetime.now(UTC),
        files=files,
        tower_fingerprints=fingerprints,
        image_preprocessing=spec.image_encoder.preprocessing,
        max_photos=spec.max_photos,
        max_title_tokens=spec.text_encoder.max_tokens,
        calibrations=calibrations.to_dict(),
        bands=bands.to_dict(),
        training_data=_read_json(run, "data.json"),
        metrics=metrics | {"parity/largest_difference": parity.largest_difference},
        libraries={name: version(name) for name in _LIBRARIES},
    )


def _fingerprint(weights_sha256: str, preprocessing: dict[str, Any]) -> str:
    return tower_fingerprint(
        weights_sha256=weights_sha256, preprocessing=preprocessing, runtime="onnxruntime", precision="fp32"
    )


def _read_json(run: TrackedRun, name: str) -> Any:
    return json.loads(run.artifact(name).read_text(encoding="utf-8"))
