import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from counterfeit_risk.embeddings.content import ContentReader, ListingContent
from counterfeit_risk.embeddings.towers import Precision
from counterfeit_risk.errors import ParityError, UsageError
from counterfeit_risk.evaluation.calibration import Calibrations
from counterfeit_risk.evaluation.risk_bands import RiskBands
from counterfeit_risk.export.bundle import IMAGE_ENCODER, MODEL_FILES, TEXT_ENCODER, ModelBundle
from counterfeit_risk.export.export import export_run, read_parity_rows
from counterfeit_risk.export.graphs import export_graphs
from counterfeit_risk.export.labelled_rows import LabelledContents
from counterfeit_risk.export.onnx_head import OnnxHead
from counterfeit_risk.export.parity import TOLERANCE, ExportedGraphs, check_parity
from counterfeit_risk.export.runtimes import OnnxTowers, open_towers
from counterfeit_risk.model.checkpoint import Checkpoint, load_checkpoint
from counterfeit_risk.tracking.registry import CHAMPION, fetch_bundle, register_bundle
from counterfeit_risk.tracking.runs import TrackedRun


def run_graphs(folder: Path) -> ExportedGraphs:
    return ExportedGraphs(OnnxTowers(folder, max_tokens=16), OnnxHead(folder))


@pytest.fixture
def checkpoint(tiny_run: TrackedRun) -> Checkpoint:
    return load_checkpoint(tiny_run.artifact("checkpoint"))


@pytest.fixture
def contents(tiny_run: TrackedRun, checkpoint: Checkpoint, tmp_path: Path) -> list[ListingContent]:
    spec = checkpoint.classifier.spec
    reader = ContentReader(tmp_path, spec.image_encoder.preprocessing, spec.max_photos)
    whole = [reader.read(listing) for listing in read_parity_rows(tiny_run)]
    photoless = ListingContent(whole[0].title, (), (), ())
    untitled = ListingContent("", whole[0].pixels, whole[0].photo_hashes, ())
    return [*whole, photoless, untitled]


def test_the_graphs_agree_with_the_trained_model_on_real_rows(
    tiny_bundle: ModelBundle, checkpoint: Checkpoint, contents: list[ListingContent]
) -> None:
    calibrations = Calibrations.from_dict(tiny_bundle.manifest.calibrations)
    bands = RiskBands.from_dict(tiny_bundle.manifest.bands)
    graphs = run_graphs(tiny_bundle.folder)
    parity = check_parity(checkpoint, calibrations, bands, graphs, contents)
    assert parity.rows == len(contents) > 3
    assert parity.largest_difference < TOLERANCE
    assert parity.flips == 0


def test_prices_reach_the_graphs(
    tiny_bundle: ModelBundle, checkpoint: Checkpoint, contents: list[ListingContent], tmp_path: Path
) -> None:
    calibrations = Calibrations.from_dict(tiny_bundle.manifest.calibrations)
    export_graphs(checkpoint.classifier, calibrations, tmp_path)
    priced = [replace(content, price_evidence=2.0) for content in contents]
    bands = RiskBands(review_from=0.5, automatic_from=None, evidence={})
    graphs = run_graphs(tmp_path)
    check_parity(checkpoint, calibrations, bands, graphs, priced)
    listing = [np.ones((1, 1, graphs.towers.image_dim), np.float32), np.ones((1, 1), bool)]
    listing += [np.ones((1, graphs.towers.text_dim), np.float32), np.ones(1, bool)]
    logits = [graphs.head.judge(*listing, np.array([price], np.float32)).logit[0] for price in (0.0, 2.0)]
    assert logits[1] - logits[0] == pytest.approx(2.0, abs=1e-5)


def test_graphs_of_another_calibration_are_refused(
    tiny_bundle: ModelBundle, checkpoint: Checkpoint, contents: list[ListingContent]
) -> None:
    calibrations = Calibrations.from_dict(tiny_bundle.manifest.calibrations)
    shifted = replace(calibrations, title=replace(calibrations.title, intercept=calibrations.title.intercept + 0.1))
    bands = RiskBands.from_dict(tiny_bundle.manifest.bands)
    with pytest.raises(ParityError, match="disagree"):
        check_parity(checkpoint, shifted, bands, run_graphs(tiny_bundle.folder), contents)


def test_a_flip_at_a_threshold_is_refused(
    tiny_bundle: ModelBundle, checkpoint: Checkpoint, contents: list[ListingContent]
) -> None:
    calibrations = Calibrations.from_dict(tiny_bundle.manifest.calibrations)
    steep = replace(calibrations, fused=replace(calibrations.fused, slope=calibrations.fused.slope * 1.5))
    bands = RiskBands.from_dict(tiny_bundle.manifest.bands)
    with pytest.raises(ParityError, match="disagree"):
        check_parity(checkpoint, steep, bands, run_graphs(tiny_bundle.folder), contents)


def test_two_exports_of_one_run_are_the_same_model(
    tiny_run: TrackedRun, tiny_bundle: ModelBundle, tmp_path: Path
) -> None:
    again = export_run(tiny_run, tmp_path / "again")
    assert again.manifest.model_id == tiny_bundle.manifest.model_id
    assert all(again.manifest.files[name] == tiny_bundle.manifest.files[name] for name in MODEL_FILES)


def test_int8_towers_that_are_refused_are_not_kept(
    tiny_run: TrackedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfeit_risk.export.quantization._MAY_LOSE", -1.0)
    bundle = export_run(tiny_run, tmp_path / "bundle")
    assert not bundle.manifest.precisions["int8"].accepted
    assert not list(bundle.folder.glob("*int8*"))
    assert "int8, refused" in (bundle.folder / "MODEL_CARD.md").read_text()
    assert open_towers(bundle).precision is Precision.FP32


def test_a_run_whose_data_are_gone_is_exported_in_fp32(
    tiny_run: TrackedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Path(json.loads(tiny_run.artifact("settings.json").read_text())["data"]["listings"])
    away = table.rename(table.with_suffix(".away"))
    try:
        bundle = export_run(tiny_run, tmp_path / "bundle")
    finally:
        away.rename(table)
    assert bundle.manifest.precisions == {}
    assert "In fp32 only" in (bundle.folder / "MODEL_CARD.md").read_text()


def test_listings_that_show_no_photo_cannot_tell_precisions_apart(contents: list[ListingContent]) -> None:
    labels = np.arange(len(contents)) % 2 == 0
    assert LabelledContents(tuple(contents), labels).is_telling
    assert not LabelledContents(tuple(replace(one, pixels=()) for one in contents), labels).is_telling
    assert not LabelledContents(tuple(contents), np.zeros(len(contents), bool)).is_telling


def test_graphs_name_no_file_of_the_machine(tiny_bundle: ModelBundle) -> None:
    for graph in tiny_bundle.folder.glob("*.onnx"):
        assert b".py" not in graph.read_bytes()
        assert str(Path.home()).encode() not in graph.read_bytes()


def test_a_bundle_is_never_overwritten(tiny_run: TrackedRun, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "manifest.json").write_text("{}")
    with pytest.raises(UsageError, match="never overwritten"):
        export_run(tiny_run, tmp_path / "bundle")
    assert (tmp_path / "bundle" / "manifest.json").read_text() == "{}"


def test_the_first_registered_version_becomes_champion_and_the_second_does_not(
    tiny_run: TrackedRun, tiny_bundle: ModelBundle
) -> None:
    example = {"listing_id": "a", "title": "a bag", "images": []}
    name = "registry-test"
    assert register_bundle(tiny_run, tiny_bundle.folder, name=name, input_example=example) == 1
    assert register_bundle(tiny_run, tiny_bundle.folder, name=name, input_example=example) == 2
    assert str(tiny_run.client.get_model_version_by_alias(name, CHAMPION).version) == "1"


def test_a_registered_bundle_comes_back_whole_and_is_served(tiny_run: TrackedRun, tiny_bundle: ModelBundle) -> None:
    import mlflow
    import pandas as pd

    from counterfeit_risk.export.bundle import open_bundle

    example = {"listing_id": "a", "title": "a bag", "images": []}
    register_bundle(tiny_run, tiny_bundle.folder, name="served", input_example=example)
    mlflow.set_tracking_uri("sqlite://")  # the address that is given counts, not the process's own
    fetched = open_bundle(fetch_bundle(f"models:/served@{CHAMPION}", tiny_run.tracking_uri))
    assert fetched.manifest == tiny_bundle.manifest
    mlflow.set_tracking_uri(tiny_run.tracking_uri)
    model = mlflow.pyfunc.load_model(f"models:/served@{CHAMPION}")
    assert model.metadata.signature is not None
    answer = model.predict(pd.DataFrame([example]))
    assert np.isfinite(answer[0]["risk"])


def test_a_bundle_for_another_prevalence_has_risks_and_bands_of_its_own(
    tiny_run: TrackedRun, tiny_bundle: ModelBundle, tmp_path: Path
) -> None:
    rare = export_run(tiny_run, tmp_path / "rare", prevalence=0.001).manifest

    assert {one["deployed_prevalence"] for one in rare.calibrations.values()} == {0.001}
    assert rare.model_id != tiny_bundle.manifest.model_id
    assert rare.bands["review_from"] < tiny_bundle.manifest.bands["review_from"]
    graphs = (IMAGE_ENCODER, TEXT_ENCODER)
    assert all(rare.files[name] == tiny_bundle.manifest.files[name] for name in graphs)
    assert "0.10%" in (tmp_path / "rare" / "MODEL_CARD.md").read_text()
