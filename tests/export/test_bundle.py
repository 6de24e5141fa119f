import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from counterfeit_risk.errors import BundleError
from counterfeit_risk.export.bundle import IMAGE_ENCODER, MANIFEST, MODEL_CARD, ModelBundle, open_bundle


@pytest.fixture
def folder(tiny_bundle: ModelBundle, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bundle.folder, tmp_path / "bundle"))


def edit_manifest(folder: Path, **changes: Any) -> None:
    values = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(values | changes))


def test_a_bundle_opens_wherever_it_is_copied(folder: Path, tiny_bundle: ModelBundle) -> None:
    assert open_bundle(folder).manifest == tiny_bundle.manifest


def test_a_changed_file_is_refused(folder: Path) -> None:
    with (folder / IMAGE_ENCODER).open("ab") as file:
        file.write(b"x")
    with pytest.raises(BundleError, match=r"image_encoder\.onnx was changed"):
        open_bundle(folder)


def test_a_changed_model_card_is_refused(folder: Path) -> None:
    (folder / MODEL_CARD).write_text("trust me")
    with pytest.raises(BundleError, match=r"MODEL_CARD\.md was changed"):
        open_bundle(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / IMAGE_ENCODER).unlink()
    with pytest.raises(BundleError, match=r"image_encoder\.onnx is missing"):
        open_bundle(folder)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_an_unknown_format_is_refused(folder: Path, version: Any) -> None:
    edit_manifest(folder, format_version=version)
    with pytest.raises(BundleError, match="format version"):
        open_bundle(folder)


def test_a_manifest_may_not_name_files_outside(folder: Path) -> None:
    files = json.loads((folder / MANIFEST).read_text())["files"]
    edit_manifest(folder, files=files | {"../secret": "0"})
    with pytest.raises(BundleError, match="outside"):
        open_bundle(folder)


@pytest.mark.parametrize("changes", [{"max_photos": 1}, {"bands": {"review_from": 0.99}}, {"model_id": "0" * 16}])
def test_a_manifest_that_describes_another_model_is_refused(folder: Path, changes: dict[str, Any]) -> None:
    edit_manifest(folder, **changes)
    with pytest.raises(BundleError, match="was changed"):
        open_bundle(folder)


def test_a_manifest_that_names_no_graphs_is_refused(folder: Path) -> None:
    edit_manifest(folder, files={})
    with pytest.raises(BundleError, match="names no"):
        open_bundle(folder)


def test_what_is_no_bundle_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no manifest\.json"):
        open_bundle(tmp_path)
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(BundleError, match="cannot be read"):
        open_bundle(tmp_path)


def test_the_manifest_carries_what_scoring_and_people_need(tiny_bundle: ModelBundle) -> None:
    manifest = tiny_bundle.manifest
    assert set(manifest.precisions) >= {"int8"}
    assert manifest.training_data["splits"]["test"]["counterfeits"] > 0
    assert "test/fused/average_precision" in manifest.metrics
    assert {"onnxruntime", "torch"} <= set(manifest.libraries)
    card = tiny_bundle.path(MODEL_CARD).read_text()
    assert manifest.model_id in card
    assert "Automatic band" in card
