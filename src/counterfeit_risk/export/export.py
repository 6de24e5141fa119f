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
from counterfeit_risk.embeddings.price_model import PriceModel
from counterfeit_risk.embeddings.towers import Precision
from counterfeit_risk.errors import UsageError
from counterfeit_risk.evaluation.calibration import Calibrations
from counterfeit_risk.evaluation.predictions_table import read_predictions
from counterfeit_risk.evaluation.risk_bands import RiskBands, fit_risk_bands
from counterfeit_risk.export.bundle import (
    IMAGE_ENCODER,
    INT8_TOWERS,
    MANIFEST,
    MODEL_CARD,
    MODEL_FILES,
    PRICE_MODEL,
    TEXT_ENCODER,
    TOKENIZER,
    Manifest,
    ModelBundle,
    PrecisionCheck,
    hash_files,
    model_id,
    open_bundle,
    weights_of,
)
from counterfeit_risk.export.graphs import export_graphs
from counterfeit_risk.export.labelled_rows import read_labelled_contents
from counterfeit_risk.export.model_card import write_model_card
from counterfeit_risk.export.onnx_head import OnnxHead
from counterfeit_risk.export.parity import ExportedGraphs, Parity, check_parity
from counterfeit_risk.export.quantization import check_precision, quantize_towers
from counterfeit_risk.export.runtimes import OnnxTowers, OpenVinoTowers, has_bf16, has_openvino
from counterfeit_risk.listings.catalog import read_listings
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.listings.splits import Split
from counterfeit_risk.model.checkpoint import Checkpoint, load_checkpoint
from counterfeit_risk.tracking.runs import TrackedRun

_ROWS_TO_QUANTIZE_BY, _ROWS_TO_JUDGE_PRECISION_BY = 160, 600
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
    max_tokens = spec.text_encoder.max_tokens
    graphs = ExportedGraphs(OnnxTowers(folder, max_tokens=max_tokens), OnnxHead(folder))
    parity = check_parity(checkpoint, calibrations, bands, graphs, contents)
    precisions = _check_precisions(run, folder, checkpoint, graphs, bands, reader)
    manifest = _manifest(run, folder, checkpoint, calibrations, bands, parity, precisions)
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


def _check_precisions(
    run: TrackedRun,
    folder: Path,
    checkpoint: Checkpoint,
    graphs: ExportedGraphs,
    bands: RiskBands,
    reader: ContentReader,
) -> dict[str, PrecisionCheck]:
    """Makes int8 towers, and measures them and those in bf16; int8 towers that are refused are not kept."""
    seed = _read_json(run, "settings.json")["seed"]
    if not has_openvino():
        return {}
    measured = read_labelled_contents(run, Split.CALIBRATION, reader, most=_ROWS_TO_QUANTIZE_BY, seed=seed)
    judged = read_labelled_contents(run, Split.TEST, reader, most=_ROWS_TO_JUDGE_PRECISION_BY, seed=seed)
    if not (measured and measured.is_telling and judged and judged.is_telling):
        logger.warning("the run's listings or photos are gone: towers of lower precision cannot be checked")
        return {}
    tokenizer, max_tokens = checkpoint.tokenizer, checkpoint.classifier.spec.text_encoder.max_tokens
    quantize_towers(folder, measured.contents, tokenizer, max_tokens=max_tokens)
    checks = {}
    for precision in (Precision.INT8, Precision.BF16) if has_bf16() else (Precision.INT8,):
        image, text = INT8_TOWERS if precision is Precision.INT8 else (IMAGE_ENCODER, TEXT_ENCODER)
        towers = OpenVinoTowers(folder / image, folder / text, precision=precision, max_tokens=max_tokens)
        check = check_precision(graphs.towers, towers, tokenizer, graphs.head, bands, judged)
        logger.info("%s is %s: %s", precision, "accepted" if check.accepted else "refused", check.describe())
        checks[precision.value] = check
    if not checks[Precision.INT8].accepted:
        for name in _int8_files():
            (folder / name).unlink()
    return checks


def _int8_files() -> list[str]:
    return [name for graph in INT8_TOWERS for name in (graph, weights_of(graph))]


def _manifest(
    run: TrackedRun,
    folder: Path,
    checkpoint: Checkpoint,
    calibrations: Calibrations,
    bands: RiskBands,
    parity: Parity,
    precisions: dict[str, PrecisionCheck],
) -> Manifest:
    spec = checkpoint.classifier.spec
    files = hash_files(folder, [*MODEL_FILES, *(name for name in _int8_files() if (folder / name).exists())])
    metrics = run.client.get_run(run.run_id).data.metrics
    return Manifest(
        model_id=model_id(files, spec.image_encoder.preprocessing, spec.max_photos, bands.to_dict()),
        run_id=run.run_id,
        created_at=datetime.now(UTC),
        files=files,
        precisions=precisions,
        image_preprocessing=spec.image_encoder.preprocessing,
        max_photos=spec.max_photos,
        max_title_tokens=spec.text_encoder.max_tokens,
        calibrations=calibrations.to_dict(),
        bands=bands.to_dict(),
        training_data=_read_json(run, "data.json"),
        metrics=metrics | {"parity/largest_difference": parity.largest_difference},
        libraries={name: version(name) for name in _LIBRARIES},
    )


def _read_json(run: TrackedRun, name: str) -> Any:
    return json.loads(run.artifact(name).read_text(encoding="utf-8"))
