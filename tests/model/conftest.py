"""Folders of tiny towers that a test may damage, and towers as graphs."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from counterfeit_risk.config import ModelSettings
from counterfeit_risk.model.classifier import ListingBatch


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Path], Path]:
    """Copies a tower, file or folder, to where it may be damaged."""

    def copy(tower: Path) -> Path:
        target = tmp_path / tower.name
        return Path(shutil.copytree(tower, target) if tower.is_dir() else shutil.copy(tower, target))

    return copy


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., onnxruntime.InferenceSession]:
    """Writes a tower as an ONNX graph, in the way of `export/graphs.py`, and opens it."""

    def export_tower(
        tower: nn.Module, inputs: dict[str, Tensor], dynamic: dict[str, Any], output: str
    ) -> onnxruntime.InferenceSession:
        path = tmp_path / "tower.onnx"
        torch.onnx.export(
            tower.eval(),
            kwargs=inputs,
            f=path,
            input_names=list(inputs),
            output_names=[output],
            dynamic_shapes=dynamic,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    return export_tower


@pytest.fixture(scope="session")
def towers() -> Callable[..., ModelSettings]:
    """Settings that name a tower; the other one is of no matter."""

    def make(**settings: object) -> ModelSettings:
        names = {"image_encoder": "timm:test_resnet", "text_encoder": "scratch"}
        return ModelSettings.model_validate(names | settings)

    return make


@pytest.fixture
def batch() -> ListingBatch:
    """Four listings: two photos and a title, one photo, a title, nothing."""
    random = torch.Generator().manual_seed(0)
    return ListingBatch(
        pixel_values=torch.randn(3, 3, 32, 32, generator=random),
        photo_index=torch.tensor([[0, 1], [2, 0], [0, 0], [0, 0]]),
        photo_mask=torch.tensor([[True, True], [True, False], [False, False], [False, False]]),
        input_ids=torch.randint(1, 250, (4, 6), generator=random),
        attention_mask=torch.tensor([[1, 1, 1, 1, 1, 1], [1, 0, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0]]),
        title_mask=torch.tensor([True, False, True, False]),
    )
