import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from timm.data import create_transform, resolve_model_data_config
from torch import Tensor
from transformers import CLIPImageProcessor, CLIPModel, SiglipImageProcessor, SiglipModel

from counterfeit_risk.config import ModelSettings
from counterfeit_risk.embeddings.preprocessing import to_pixel_values, to_pixels
from counterfeit_risk.errors import CheckpointError
from counterfeit_risk.model.image_encoder import ImageEncoder, load_image_encoder

Towers = Callable[..., ModelSettings]
Copy = Callable[[Path], Path]
Export = Callable[..., onnxruntime.InferenceSession]

LEVELS = 1.01 / 255
"""One level of 8-bit brightness: two ways to scale a photo round it differently."""


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """A square photo of just the size that the towers see: nothing is scaled."""
    return np.random.default_rng(0).integers(256, size=(32, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def wide_photo() -> np.ndarray:
    """A photo of another shape than the towers see: it has to be cropped or squashed."""
    return np.random.default_rng(2).integers(256, size=(60, 100, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def photos() -> Tensor:
    return torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def folders(tiny_clip: Path, tiny_siglip: Path, tiny_timm: Path) -> dict[str, Path]:
    return {"clip": tiny_clip, "siglip": tiny_siglip, "timm": tiny_timm}


@torch.no_grad()
def encode(encoder: ImageEncoder, photos: Tensor) -> np.ndarray:
    return encoder.eval()(photos).numpy()


def test_a_clip_folder_gives_the_embeddings_of_the_checkpoint(tiny_clip: Path, towers: Towers, photos: Tensor) -> None:
    encoder = load_image_encoder(towers(image_encoder=f"clip:{tiny_clip}"))

    original = CLIPModel.from_pretrained(tiny_clip).eval().get_image_features(photos).pooler_output
    assert encoder.embedding_dim == 24
    np.testing.assert_allclose(encode(encoder, photos), original.detach().numpy(), atol=1e-5)


def test_a_siglip_folder_gives_the_embeddings_of_the_checkpoint(
    tiny_siglip: Path, towers: Towers, photos: Tensor
) -> None:
    encoder = load_image_encoder(towers(image_encoder=f"siglip:{tiny_siglip}"))

    original = SiglipModel.from_pretrained(tiny_siglip).eval().get_image_features(photos).pooler_output
    assert encoder.embedding_dim == 32
    np.testing.assert_allclose(encode(encoder, photos), original.detach().numpy(), atol=1e-5)


def test_a_timm_folder_gives_the_embeddings_of_the_model_without_its_head(
    tiny_timm: Path, towers: Towers, photos: Tensor
) -> None:
    encoder = load_image_encoder(towers(image_encoder=f"timm:{tiny_timm}"))

    original = timm.create_model(f"local-dir:{tiny_timm}", pretrained=True, num_classes=0).eval()
    assert encoder.embedding_dim == original.num_features
    np.testing.assert_allclose(encode(encoder, photos), original(photos).detach().numpy(), atol=1e-5)


def test_a_timm_name_with_a_weights_file_gives_the_embeddings_of_those_weights(
    tiny_timm_weights: Path, towers: Towers, photos: Tensor
) -> None:
    encoder = load_image_encoder(towers(image_weights=tiny_timm_weights))

    original = timm.create_model("test_resnet")
    original.load_state_dict(load_file(tiny_timm_weights))
    pooled = original.eval().forward_head(original.forward_features(photos), pre_logits=True)
    assert encoder.spec.pretrained
    np.testing.assert_allclose(encode(encoder, photos), pooled.detach().numpy(), atol=1e-5)


def test_a_timm_name_alone_is_a_tower_with_random_weights(towers: Towers, photos: Tensor) -> None:
    encoder = load_image_encoder(towers(image_options={"stem_width": 8}, image_size=32))

    assert not encoder.spec.pretrained
    assert encoder.spec.preprocessing.image_size == 32
    assert encode(encoder, photos).shape == (3, encoder.embedding_dim)
    assert encoder.tower.conv1[0].out_channels == 8


def test_a_specification_builds_the_same_tower_again(
    tiny_clip: Path, tiny_siglip: Path, tiny_timm: Path, towers: Towers, photos: Tensor
) -> None:
    for name in (f"clip:{tiny_clip}", f"siglip:{tiny_siglip}", f"timm:{tiny_timm}"):
        encoder = load_image_encoder(towers(image_encoder=name))

        again = ImageEncoder(type(encoder.spec).model_validate_json(encoder.spec.model_dump_json()))

        again.load_state_dict(encoder.state_dict())
        assert again.embedding_dim == encoder.embedding_dim
        np.testing.assert_array_equal(encode(again, photos), encode(encoder, photos))


def test_an_embedding_does_not_depend_on_the_other_photos(tiny_clip: Path, towers: Towers, photos: Tensor) -> None:
    encoder = load_image_encoder(towers(image_encoder=f"clip:{tiny_clip}"))

    np.testing.assert_allclose(encode(encoder, photos[1:2])[0], encode(encoder, photos)[1], atol=1e-5)


def test_clip_photos_are_prepared_as_by_its_own_processor(tiny_clip: Path, towers: Towers, photo: np.ndarray) -> None:
    preprocessing = load_image_encoder(towers(image_encoder=f"clip:{tiny_clip}")).spec.preprocessing

    values = to_pixel_values(to_pixels(photo, preprocessing), preprocessing)

    original = CLIPImageProcessor.from_pretrained(tiny_clip)(photo, return_tensors="np")["pixel_values"]
    np.testing.assert_allclose(values, original[0], atol=1e-5)


@pytest.mark.parametrize("resample", [2, 3], ids=["bilinear, as SigLIP 2", "bicubic, as SigLIP"])
def test_siglip_photos_are_prepared_as_by_its_own_processor(
    tiny_siglip: Path, towers: Towers, copy_of: Copy, wide_photo: np.ndarray, resample: int
) -> None:
    folder = copy_of(tiny_siglip)
    SiglipImageProcessor(size={"height": 32, "width": 32}, resample=resample).save_pretrained(folder)
    preprocessing = load_image_encoder(towers(image_encoder=f"siglip:{folder}")).spec.preprocessing

    values = to_pixel_values(to_pixels(wide_photo, preprocessing), preprocessing)

    original = SiglipImageProcessor.from_pretrained(folder)(wide_photo, return_tensors="np")["pixel_values"]
    np.testing.assert_allclose(values, original[0], atol=LEVELS * 2)


def test_photos_of_a_timm_tower_that_squashes_are_prepared_as_by_its_own_transform(
    tiny_timm: Path, towers: Towers, copy_of: Copy, wide_photo: np.ndarray
) -> None:
    folder = copy_of(tiny_timm)
    config = json.loads((folder / "config.json").read_text())
    config["pretrained_cfg"] |= {"crop_pct": 0.8, "crop_mode": "squash", "std": [1, 1, 1]}
    (folder / "config.json").write_text(json.dumps(config))
    preprocessing = load_image_encoder(towers(image_encoder=f"timm:{folder}")).spec.preprocessing

    values = to_pixel_values(to_pixels(wide_photo, preprocessing), preprocessing)

    original = create_transform(**resolve_model_data_config(timm.create_model(f"local-dir:{folder}")))
    np.testing.assert_allclose(values, original(Image.fromarray(wide_photo)).numpy(), atol=LEVELS)


def test_timm_photos_are_prepared_as_by_its_own_transform(
    tiny_timm: Path, towers: Towers, copy_of: Copy, photo: np.ndarray
) -> None:
    folder = copy_of(tiny_timm)
    config = json.loads((folder / "config.json").read_text())
    config["pretrained_cfg"] |= {"crop_pct": 1.0, "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}
    (folder / "config.json").write_text(json.dumps(config))
    preprocessing = load_image_encoder(towers(image_encoder=f"timm:{folder}")).spec.preprocessing

    values = to_pixel_values(to_pixels(photo, preprocessing), preprocessing)

    original = create_transform(**resolve_model_data_config(timm.create_model(f"local-dir:{folder}")))
    np.testing.assert_allclose(values, original(Image.fromarray(photo)).numpy(), atol=1e-5)


def test_the_share_that_timm_crops_comes_from_its_config(tiny_timm: Path, towers: Towers) -> None:
    config = json.loads((tiny_timm / "config.json").read_text())["pretrained_cfg"]

    preprocessing = load_image_encoder(towers(image_encoder=f"timm:{tiny_timm}")).spec.preprocessing

    assert (preprocessing.image_size, preprocessing.crop_share) == (config["input_size"][-1], config["crop_pct"])


def test_the_share_that_clip_crops_comes_from_its_processor(tiny_clip: Path, towers: Towers, copy_of: Copy) -> None:
    folder = copy_of(tiny_clip)
    CLIPImageProcessor(size={"shortest_edge": 40}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)

    preprocessing = load_image_encoder(towers(image_encoder=f"clip:{folder}")).spec.preprocessing

    assert (preprocessing.image_size, preprocessing.crop_share) == (32, 0.8)


@pytest.mark.parametrize("name", ["clip", "siglip", "timm"])
def test_mean_and_std_of_the_settings_win(folders: dict[str, Path], towers: Towers, name: str) -> None:
    folder = folders[name]
    settings = towers(image_encoder=f"{name}:{folder}", image_mean=(0.1, 0.2, 0.3), image_std=(0.4, 0.5, 0.6))

    preprocessing = load_image_encoder(settings).spec.preprocessing

    assert (preprocessing.mean, preprocessing.std) == ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))


def _edit_weights(path: Path, edit: Callable[[dict[str, Tensor]], None]) -> None:
    weights = load_file(path)
    edit(weights)
    save_file(weights, path, metadata={"format": "pt"})


def _lose(weights: dict[str, Tensor], key: str) -> None:
    del weights[key]


DAMAGES: dict[str, tuple[Callable[[dict[str, Tensor]], Any], str]] = {
    "a missing weight": (lambda weights: _lose(weights, "conv1.0.weight"), r"1 missing \(conv1.0.weight\)"),
    "a leftover weight": (lambda weights: weights.update(extra=torch.ones(1)), r"1 unexpected \(extra\)"),
    "a wrong shape": (lambda weights: weights.update({"bn1.weight": torch.ones(5)}), r"1 wrong shape \(bn1.weight\)"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_timm_weights_that_do_not_fit_are_refused(
    tiny_timm_weights: Path, towers: Towers, copy_of: Copy, damage: str
) -> None:
    path = copy_of(tiny_timm_weights)
    edit, message = DAMAGES[damage]
    _edit_weights(path, edit)

    with pytest.raises(CheckpointError, match=rf"test_resnet.safetensors do not fit: {message}"):
        load_image_encoder(towers(image_weights=path))


@pytest.mark.parametrize("name", ["clip", "siglip", "timm"])
def test_damaged_weights_in_a_folder_are_refused(
    folders: dict[str, Path], towers: Towers, copy_of: Copy, name: str
) -> None:
    folder = copy_of(folders[name])
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])

    with pytest.raises(CheckpointError, match="cannot read the"):
        load_image_encoder(towers(image_encoder=f"{name}:{folder}"))


def test_a_clip_folder_without_one_of_its_weights_is_refused(tiny_clip: Path, towers: Towers, copy_of: Copy) -> None:
    folder = copy_of(tiny_clip)
    _edit_weights(folder / "model.safetensors", lambda weights: _lose(weights, "visual_projection.weight"))

    with pytest.raises(CheckpointError, match=r"does not fit: 1 missing \(visual_projection.weight\)"):
        load_image_encoder(towers(image_encoder=f"clip:{folder}"))


def test_a_siglip_folder_without_one_of_its_weights_is_refused(
    tiny_siglip: Path, towers: Towers, copy_of: Copy
) -> None:
    folder = copy_of(tiny_siglip)
    _edit_weights(folder / "model.safetensors", lambda weights: _lose(weights, "vision_model.head.probe"))

    with pytest.raises(CheckpointError, match=r"does not fit: 1 missing \(head.probe\)"):
        load_image_encoder(towers(image_encoder=f"siglip:{folder}"))


def test_a_siglip_folder_needs_the_weights_of_its_own_half_only(
    tiny_siglip: Path, towers: Towers, copy_of: Copy
) -> None:
    folder = copy_of(tiny_siglip)
    SiglipModel.from_pretrained(folder).vision_model.save_pretrained(folder)

    assert load_image_encoder(towers(image_encoder=f"siglip:{folder}")).embedding_dim == 32


def test_a_clip_folder_with_a_weight_of_another_shape_is_refused(
    tiny_clip: Path, towers: Towers, copy_of: Copy
) -> None:
    folder = copy_of(tiny_clip)
    _edit_weights(
        folder / "model.safetensors", lambda weights: weights.update({"visual_projection.weight": torch.ones(9, 32)})
    )

    with pytest.raises(CheckpointError, match=r"tower .*clip"):
        load_image_encoder(towers(image_encoder=f"clip:{folder}"))


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("clip", "config.json"),
        ("clip", "preprocessor_config.json"),
        ("clip", "model.safetensors"),
        ("siglip", "config.json"),
        ("siglip", "preprocessor_config.json"),
        ("siglip", "model.safetensors"),
        ("timm", "config.json"),
        ("timm", "model.safetensors"),
    ],
)
def test_a_folder_that_lacks_a_file_is_refused(
    folders: dict[str, Path], towers: Towers, copy_of: Copy, name: str, lost: str
) -> None:
    folder = copy_of(folders[name])
    (folder / lost).unlink()

    with pytest.raises(CheckpointError, match=str(folder)):
        load_image_encoder(towers(image_encoder=f"{name}:{folder}"))


@pytest.mark.parametrize("name", ["clip:nobody/nothing", "siglip:nobody/nothing", "timm:nobody/nothing"])
def test_a_hub_id_that_cannot_be_had_is_refused(towers: Towers, name: str) -> None:
    with pytest.raises(CheckpointError, match="nobody/nothing"):
        load_image_encoder(towers(image_encoder=name))


@pytest.mark.parametrize("content", ["{oops", "[]", "{}", '{"architecture": 3}', '{"architecture": "no_such_model"}'])
def test_a_timm_folder_whose_config_names_no_model_is_refused(
    tiny_timm: Path, towers: Towers, copy_of: Copy, content: str
) -> None:
    folder = copy_of(tiny_timm)
    (folder / "config.json").write_text(content)

    with pytest.raises(CheckpointError, match=r"config.json|no_such_model"):
        load_image_encoder(towers(image_encoder=f"timm:{folder}"))


def test_a_clip_folder_that_squeezes_photos_into_a_square_is_refused(
    tiny_clip: Path, towers: Towers, copy_of: Copy
) -> None:
    folder = copy_of(tiny_clip)
    config = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").write_text(json.dumps(config | {"size": {"height": 32, "width": 32}}))

    with pytest.raises(CheckpointError, match="shortest_edge"):
        load_image_encoder(towers(image_encoder=f"clip:{folder}"))


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        (
            "config.json",
            {"model_type": "siglip2"},
            "a NaFlex variant of SigLIP 2; name a checkpoint of fixed resolution",
        ),
        ("config.json", {"model_type": "clip"}, r"no SigLIP \(clip\)"),
        ("config.json", {"vision_config": {"vision_use_head": False}}, "no head that makes one embedding"),
        ("preprocessor_config.json", {"size": {"shortest_edge": 32}}, "but sees 32 pixels a side"),
        ("preprocessor_config.json", {"size": {"height": 32, "width": 48}}, "but sees 32 pixels a side"),
        ("preprocessor_config.json", {"resample": 0}, "scales photos by method 0"),
    ],
)
def test_a_siglip_folder_of_another_kind_is_refused(
    tiny_siglip: Path, towers: Towers, copy_of: Copy, file: str, change: dict[str, Any], message: str
) -> None:
    path = copy_of(tiny_siglip) / file
    config = json.loads(path.read_text())
    nested = {key: config[key] | value for key, value in change.items() if key == "vision_config"}
    path.write_text(json.dumps(config | change | nested))

    with pytest.raises(CheckpointError, match=message):
        load_image_encoder(towers(image_encoder=f"siglip:{path.parent}"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"image_encoder": "timm:test_vit", "image_size": 50}, "photos of 50 pixels"),
        ({"image_options": {"nonsense": 1}}, "nonsense"),
        ({"image_options": {"global_pool": ""}}, "not into one embedding"),
        ({"image_options": {"in_chans": 1}}, "1 channels"),
        ({"image_encoder": "timm:no_such_model"}, "no_such_model"),
    ],
)
def test_settings_that_make_no_tower_are_refused(towers: Towers, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        load_image_encoder(towers(**settings))


@pytest.mark.parametrize("name", ["clip", "siglip"])
def test_a_clip_or_siglip_tower_takes_no_other_image_size(folders: dict[str, Path], towers: Towers, name: str) -> None:
    load_image_encoder(towers(image_encoder=f"{name}:{folders[name]}", image_size=32))
    with pytest.raises(CheckpointError, match=r"model.image_size is 64, but .* sees 32 pixels"):
        load_image_encoder(towers(image_encoder=f"{name}:{folders[name]}", image_size=64))


def test_a_siglip_graph_gives_the_embeddings_of_the_tower(
    tiny_siglip: Path, towers: Towers, export: Export, photos: Tensor
) -> None:
    encoder = load_image_encoder(towers(image_encoder=f"siglip:{tiny_siglip}"))
    batch = torch.export.Dim("batch", min=1)

    inputs = {"pixel_values": torch.zeros(2, 3, 32, 32)}
    graph = export(encoder, inputs, {"pixel_values": {0: batch}}, "image_embedding")

    for some in (photos[:1], photos):
        (embeddings,) = graph.run(None, {"pixel_values": some.numpy()})
        np.testing.assert_allclose(embeddings, encode(encoder, some), atol=1e-5)
