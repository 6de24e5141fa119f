"""Image tower: pixel values (N, 3, H, W) to image embeddings (N, D), from any timm model, CLIP or SigLIP.

Knows no listing and no title.
"""

import json
from pathlib import Path
from typing import Any, Literal

import timm
import torch
from PIL.Image import Resampling
from timm.data import resolve_model_data_config
from torch import Tensor, nn
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    SiglipImageProcessor,
    SiglipVisionConfig,
    SiglipVisionModel,
)

from counterfeit_risk.config import ModelSettings
from counterfeit_risk.embeddings.preprocessing import ImagePreprocessing
from counterfeit_risk.errors import CheckpointError
from counterfeit_risk.model.pretrained import load_weights, read_transformer, require_siglip, timm_folder
from counterfeit_risk.model.specification import ImageEncoderSpec

_INTERPOLATION = {Resampling.BILINEAR: "bilinear", Resampling.BICUBIC: "bicubic"}


class ImageEncoder(nn.Module):
    """An image tower, built from its specification alone; its weights are random until some are loaded."""

    def __init__(self, spec: ImageEncoderSpec) -> None:
        super().__init__()
        self.spec = spec
        build = {"timm": _build_timm, "clip": _build_clip, "siglip": _build_siglip}[spec.kind]
        tower = build(spec.architecture)
        # convolutions train several times faster on a CPU with channels last, and no slower elsewhere
        self.tower = tower.to(memory_format=torch.channels_last)
        self.embedding_dim = self._measure_embedding_dim()

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Encodes (N, 3, H, W) normalised pixel values as (N, D) embeddings."""
        output = self.tower(pixel_values.contiguous(memory_format=torch.channels_last))
        embedding: Tensor = output
        if self.spec.kind == "clip":
            embedding = output.image_embeds
        elif self.spec.kind == "siglip":
            embedding = output.pooler_output
        return embedding

    @torch.no_grad()
    def _measure_embedding_dim(self) -> int:
        # timm's num_features is not what every model returns, so one black photo is encoded
        size = self.spec.preprocessing.image_size
        self.tower.eval()
        try:
            shape = self(torch.zeros(1, 3, size, size)).shape
        except (AssertionError, RuntimeError, ValueError) as error:
            raise CheckpointError(f"the image tower cannot take photos of {size} pixels a side: {error}") from None
        if len(shape) != 2:
            raise CheckpointError(f"the image tower turns one photo into {tuple(shape)}, not into one embedding")
        self.tower.train()
        return int(shape[1])


def load_image_encoder(settings: ModelSettings) -> ImageEncoder:
    """Builds the image tower that the settings name and loads its weights, if it comes with any.

    Raises:
        CheckpointError: if the weights are not there or do not fit the tower.
    """
    kind, _, source = settings.image_encoder.partition(":")
    if kind == "clip":
        return _load_clip(source, settings)
    if kind == "siglip":
        return _load_siglip(source, settings)
    weights, model_cfg = settings.image_weights, {}
    name, options = source, dict(settings.image_options)
    if "/" in source or Path(source).is_dir():
        folder = timm_folder(source)
        weights = folder / "model.safetensors"
        model_cfg = _read_timm_config(folder / "config.json")
        name, options = model_cfg["architecture"], model_cfg.get("model_args", {}) | options
        options.pop("num_classes", None)
    return _load_timm(name, options, weights, model_cfg.get("pretrained_cfg", {}), settings)


def _read_timm_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot read {path}: {error}") from None
    if not isinstance(config, dict) or not isinstance(config.get("architecture"), str):
        raise CheckpointError(f"{path} names no timm architecture")
    return config


def _load_timm(
    name: str, options: dict[str, Any], weights: Path | None, pretrained_cfg: dict[str, Any], settings: ModelSettings
) -> ImageEncoder:
    known = timm.get_pretrained_cfg(name, allow_unregistered=True)
    if settings.image_size and known and known.fixed_input_size:
        options = {"img_size": settings.image_size} | options
    tower: Any = _build_timm({"name": name, "options": options})
    expected = resolve_model_data_config(tower, pretrained_cfg=tower.pretrained_cfg | pretrained_cfg)
    preprocessing = ImagePreprocessing(
        image_size=settings.image_size or expected["input_size"][-1],
        crop_share=settings.image_crop_share or expected["crop_pct"],
        fit="squash" if expected["crop_mode"] == "squash" else "crop",
        interpolation="bilinear" if expected["interpolation"] == "bilinear" else "bicubic",
        mean=settings.image_mean or expected["mean"],
        std=settings.image_std or expected["std"],
    )
    architecture = {"name": name, "options": options}
    encoder = ImageEncoder(
        ImageEncoderSpec(
            kind="timm", architecture=architecture, preprocessing=preprocessing, pretrained=weights is not None
        )
    )
    if weights:
        classifier = tower.pretrained_cfg.get("classifier") or ()
        heads = (classifier,) if isinstance(classifier, str) else tuple(classifier)
        load_weights(encoder.tower, weights, leave_out=tuple(f"{head}." for head in heads))
    return encoder


def _load_clip(source: str, settings: ModelSettings) -> ImageEncoder:
    model = read_transformer(CLIPVisionModelWithProjection, source)
    processor = _read_processor(CLIPImageProcessor, source)
    if not processor.size["shortest_edge"]:
        raise CheckpointError(f"{source} scales photos to {processor.size}; only a shortest_edge is understood")
    image_size = _image_size(model, settings)
    preprocessing = ImagePreprocessing(
        image_size=image_size,
        crop_share=min(1.0, image_size / processor.size["shortest_edge"]),
        interpolation="bicubic",
        mean=settings.image_mean or tuple(processor.image_mean),
        std=settings.image_std or tuple(processor.image_std),
    )
    return _with_weights_of(model, "clip", preprocessing)


def _load_siglip(source: str, settings: ModelSettings) -> ImageEncoder:
    require_siglip(source)
    model = read_transformer(SiglipVisionModel, source)
    if not model.config.vision_use_head:
        raise CheckpointError(f"{source} has no head that makes one embedding of a photo (vision_use_head)")
    processor = _read_processor(SiglipImageProcessor, source)
    image_size = _image_size(model, settings)
    if (processor.size["height"], processor.size["width"]) != (image_size, image_size):
        raise CheckpointError(f"{source} scales photos to {processor.size}, but sees {image_size} pixels a side")
    if processor.resample not in _INTERPOLATION:
        raise CheckpointError(f"{source} scales photos by method {processor.resample}; allowed are 2 and 3")
    preprocessing = ImagePreprocessing(
        image_size=image_size,
        crop_share=1,
        fit="squash",
        interpolation=_INTERPOLATION[processor.resample],
        mean=settings.image_mean or tuple(processor.image_mean),
        std=settings.image_std or tuple(processor.image_std),
    )
    return _with_weights_of(model, "siglip", preprocessing)


def _image_size(model: Any, settings: ModelSettings) -> int:
    sees = int(model.config.image_size)
    if settings.image_size not in (None, sees):
        raise CheckpointError(
            f"model.image_size is {settings.image_size}, but {settings.image_encoder} sees {sees} pixels"
        )
    return sees


def _read_processor(processor_class: Any, source: str) -> Any:
    try:
        return processor_class.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot read the preprocessing of {source}: {error}") from None


def _with_weights_of(model: Any, kind: Literal["clip", "siglip"], preprocessing: ImagePreprocessing) -> ImageEncoder:
    spec = ImageEncoderSpec(
        kind=kind, architecture=model.config.to_diff_dict(), preprocessing=preprocessing, pretrained=True
    )
    encoder = ImageEncoder(spec)
    encoder.tower.load_state_dict(model.state_dict())
    return encoder


def _build_timm(architecture: dict[str, Any]) -> nn.Module:
    try:
        model: nn.Module = timm.create_model(architecture["name"], num_classes=0, **architecture["options"])
    except (TypeError, RuntimeError, AssertionError) as error:
        raise CheckpointError(f"timm cannot build {architecture['name']} with these options: {error}") from None
    return model


def _build_clip(config: dict[str, Any]) -> nn.Module:
    model: nn.Module = CLIPVisionModelWithProjection(CLIPVisionConfig.from_dict(config))
    return model


def _build_siglip(config: dict[str, Any]) -> nn.Module:
    model: nn.Module = SiglipVisionModel(SiglipVisionConfig.from_dict(config))
    return model
