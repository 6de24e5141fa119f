from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from counterfeit_risk.config import ModelSettings
from counterfeit_risk.errors import CheckpointError
from counterfeit_risk.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from counterfeit_risk.model.classifier import CounterfeitClassifier, ListingBatch
from counterfeit_risk.model.image_encoder import load_image_encoder
from counterfeit_risk.model.specification import ClassifierSpec
from counterfeit_risk.model.text_encoder import load_text_encoder


@pytest.fixture
def saved(tmp_path: Path, tiny_classifier: Checkpoint) -> Path:
    save_checkpoint(tmp_path / "made" / "checkpoint", *tiny_classifier)
    return tmp_path / "made" / "checkpoint"


def test_a_classifier_comes_back_bit_for_bit(saved: Path, tiny_classifier: Checkpoint, batch: ListingBatch) -> None:
    loaded = load_checkpoint(saved)

    assert loaded.classifier.spec.model_dump_json() == tiny_classifier.classifier.spec.model_dump_json()
    assert loaded.tokenizer.to_str() == tiny_classifier.tokenizer.to_str()
    state, expected = loaded.classifier.state_dict(), tiny_classifier.classifier.state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[key], expected[key]) for key in expected)
    for logits, original in zip(loaded.classifier(batch), tiny_classifier.classifier(batch), strict=True):
        assert torch.equal(logits, original)


def test_a_classifier_comes_back_in_evaluation_mode(saved: Path) -> None:
    assert not any(module.training for module in load_checkpoint(saved).classifier.modules())


def test_a_classifier_needs_nothing_of_the_folders_its_towers_came_from(
    tmp_path: Path,
    tiny_clip: Path,
    towers: Callable[..., ModelSettings],
    copy_of: Callable[[Path], Path],
    batch: ListingBatch,
) -> None:
    folder = copy_of(tiny_clip)
    settings = towers(image_encoder=f"clip:{folder}", text_encoder=f"clip:{folder}", max_title_tokens=16)
    image_encoder = load_image_encoder(settings)
    text_encoder, tokenizer_json = load_text_encoder(settings, [])
    spec = ClassifierSpec(
        image_encoder=image_encoder.spec,
        text_encoder=text_encoder.spec,
        fusion_dim=8,
        dropout=0.0,
        shared_space=True,
        max_photos=2,
    )
    classifier = CounterfeitClassifier(spec, image_encoder, text_encoder)
    save_checkpoint(tmp_path / "checkpoint", classifier, Tokenizer.from_str(tokenizer_json))
    folder.rename(tmp_path / "gone")

    loaded = load_checkpoint(tmp_path / "checkpoint").classifier

    assert torch.equal(loaded.judge(batch).fused, classifier.judge(batch).fused)


@pytest.mark.parametrize("name", ["model.json", "model.safetensors", "tokenizer.json"])
def test_a_checkpoint_without_one_of_its_files_is_refused(saved: Path, name: str) -> None:
    (saved / name).unlink()

    with pytest.raises(CheckpointError, match=f"is not a checkpoint: it holds no {name}"):
        load_checkpoint(saved)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        load_checkpoint(tmp_path / "nowhere")


@pytest.mark.parametrize("damage", [lambda data: data[:-20], lambda data: b"\xff\xfe" + data, lambda data: b""])
@pytest.mark.parametrize("name", ["model.json", "model.safetensors", "tokenizer.json"])
def test_a_damaged_file_is_refused_by_name(saved: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    (saved / name).write_bytes(damage((saved / name).read_bytes()))

    with pytest.raises(CheckpointError, match=name):
        load_checkpoint(saved)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"fusion_dim"', '"fusion_width"'),
        ('"model_type":"bert"', '"model_type":"of tomorrow"'),
        ('"name":"test_resnet"', '"name":"of tomorrow"'),
    ],
    ids=["an unknown key", "an unknown text tower", "an unknown image tower"],
)
def test_a_description_of_another_version_is_refused(
    saved: Path, tiny_classifier: Checkpoint, old: str, new: str
) -> None:
    description = tiny_classifier.classifier.spec.model_dump_json()
    assert old in description
    (saved / "model.json").write_text(description.replace(old, new))

    with pytest.raises(CheckpointError, match=r"model\.json|of tomorrow"):
        load_checkpoint(saved)


def _drop(weights: dict[str, Tensor]) -> None:
    del weights["head.evidence_offset"]


def _add(weights: dict[str, Tensor]) -> None:
    weights["head.surplus"] = torch.ones(2)


def _reshape(weights: dict[str, Tensor]) -> None:
    weights["head.evidence_weights"] = torch.ones(3)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (_drop, r"1 missing \(head.evidence_offset\)"),
        (_add, r"1 unexpected \(head.surplus\)"),
        (_reshape, r"1 wrong shape \(head.evidence_weights\)"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    saved: Path, edit: Callable[[dict[str, Tensor]], None], message: str
) -> None:
    weights = load_file(saved / "model.safetensors")
    edit(weights)
    save_file(weights, saved / "model.safetensors")

    with pytest.raises(CheckpointError, match=f"do not fit: {message}"):
        load_checkpoint(saved)
