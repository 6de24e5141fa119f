"""Frozen settings from one YAML file: unknown keys are errors, and all mistakes are reported at once.

Knows no stage: what a value does is written where it is used. Paths are relative to the current directory.
"""

import difflib
import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from counterfeit_risk.sections import Section, validated
from counterfeit_risk.strict_yaml import parse_strictly, read_strictly

_HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?")


def _existing_file(path: Path) -> Path:
    try:
        there = path.is_file()
    except OSError as error:
        raise ValueError(f"{path} cannot be used: {error.strerror}") from None
    if not there:
        raise ValueError(f"there is no file {path}")
    return path


def _existing_folder(path: Path) -> Path:
    if not _is_folder(path):
        raise ValueError(f"there is no folder {path}")
    return path


def _is_folder(path: str | Path) -> bool:
    try:
        return Path(path).is_dir()
    except OSError as error:
        raise ValueError(f"{path} cannot be used: {error.strerror}") from None


def _image_tower(name: str, info: ValidationInfo) -> str:
    kind, _, source = name.partition(":")
    if kind not in {"timm", "clip", "siglip"} or not source:
        raise ValueError(f"unknown tower {name!r}; write timm:NAME, or timm:, clip: or siglip: and a HUB_ID_OR_FOLDER")
    known: Collection[str] | None = (info.context or {}).get("timm_models")
    if kind != "timm" or "/" in source or _is_folder(source):
        return _folder_or_hub_id(name, source)
    if known is not None and source.split(".")[0] not in known:
        close = difflib.get_close_matches(source, known, n=3)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        raise ValueError(f"unknown tower {name!r}: timm has no model of this name{hint}")
    return name


def _text_tower(name: str) -> str:
    if name == "scratch":
        return name
    kind, _, source = name.partition(":")
    if kind not in {"hf", "clip", "siglip"} or not source:
        raise ValueError(f"unknown tower {name!r}; write hf:, clip: or siglip: and a HUB_ID_OR_FOLDER, or scratch")
    return _folder_or_hub_id(name, source)


def _folder_or_hub_id(name: str, source: str) -> str:
    if not _is_folder(source) and not _HUB_ID.fullmatch(source):
        raise ValueError(f"tower {name!r}: there is no folder {source}, and it cannot be a hub id")
    return name


ExistingFile = Annotated[Path, AfterValidator(_existing_file)]
ExistingFolder = Annotated[Path, AfterValidator(_existing_folder)]
Share = Annotated[float, Field(gt=0, lt=1)]
Colour = tuple[float, float, float]


class SplitSettings(Section):
    """Shares of the listings in each split, which sum to 1, and what decides beside them."""

    train: Share = 0.6
    validation: Share = 0.1
    calibration: Share = 0.15
    test: Share = 0.15
    largest_group: Share = 0.1
    """Share of all listings above which one group of linked listings is refused."""
    forward_in_time: bool = False
    """Train on what was published first, test on what was published last; rows without a time are left out."""
    leave_out_brands: tuple[str, ...] = ()
    """Brands that only the test split holds."""

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        total = self.train + self.validation + self.calibration + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the four shares must sum to 1, not {total:g}")
        return self


class DataSettings(Section):
    """Which labelled listings to learn from."""

    listings: ExistingFile
    """CSV, JSON Lines or Parquet with a `label` column."""
    image_root: ExistingFolder | None = None
    """Where image paths start; the table's folder where it is not given."""
    column_map: ExistingFile | None = None
    """YAML that maps a foreign dump's columns to ours."""
    max_photos: int = Field(default=4, ge=1, le=12)
    """Photos read of one listing, the first ones."""
    splits: SplitSettings = SplitSettings()


class ModelSettings(Section):
    """The two towers and the head that fuses them."""

    image_encoder: Annotated[str, AfterValidator(_image_tower)]
    """`timm:NAME` (random weights, or `image_weights`), or `timm:`, `clip:` or `siglip:` and a hub id or folder."""
    image_weights: ExistingFile | None = None
    """Local safetensors file for `timm:NAME`."""
    image_options: dict[str, bool | int | float | str] = Field(default_factory=dict)
    """Keyword arguments of `timm.create_model`, such as `pad_type: same`."""
    image_size: int | None = Field(default=None, ge=16, le=1024)
    """Pixels a side; the tower's own where it is not given."""
    image_crop_share: float | None = Field(default=None, gt=0, le=1)
    """Side of the centre square that a timm tower sees, by the photo's shorter side; else the tower's own."""
    image_mean: Colour | None = None
    image_std: Colour | None = None
    text_encoder: Annotated[str, AfterValidator(_text_tower)]
    """`hf:`, `clip:` or `siglip:` and a hub id or folder, or `scratch`: tower and tokenizer trained on the titles."""
    max_title_tokens: int = Field(default=32, ge=4, le=512)
    """Tokens read of one title; a `siglip:` tower reads exactly as many as it was trained on, 64 for most."""
    fusion_dim: int = Field(default=128, ge=8, le=2048)
    """Width D of the space in which photos and title meet."""
    dropout: float = Field(default=0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _nothing_is_ignored(self) -> Self:
        if self.image_weights and self.names_image_weights:
            raise ValueError(f"image_weights does not go with {self.image_encoder}, which has weights of its own")
        if self.image_options and not self.image_encoder.startswith("timm:"):
            raise ValueError(f"image_options are for timm models, not for {self.image_encoder}")
        if self.image_crop_share and not self.image_encoder.startswith("timm:"):
            raise ValueError(f"image_crop_share is for timm models, not for {self.image_encoder}")
        if "pretrained" in self.image_options:
            raise ValueError("image_options cannot hold pretrained: name a hub id, or set image_weights")
        return self

    @property
    def names_image_weights(self) -> bool:
        """True where the tower's name says where its weights are."""
        kind, _, source = self.image_encoder.partition(":")
        return kind != "timm" or "/" in source or _is_folder(source)


class AlignmentSettings(Section):
    """The stage before labels are looked at: photos and titles of the same listing are drawn together."""

    listings: ExistingFile | None = None
    """An unlabelled table to learn from, such as a nightly dump; without one the stage is left out."""
    epochs: int = Field(default=10, ge=1)
    image_root: ExistingFolder | None = None
    """Where its image paths start; the table's folder where it is not given."""
    loss: Literal["infonce", "sigmoid"] = "infonce"
    batch_size: int = Field(default=256, ge=2)


class TrainingSettings(Section):
    """How the classifier is fitted."""

    towers: Literal["frozen", "full"] = "frozen"
    """`frozen`: embeddings of pretrained towers are computed once, and the rest trains on them. `full`: all trains."""
    store: Path | None = None
    """Folder of embeddings by frozen towers, kept for the next run."""
    alignment: AlignmentSettings = AlignmentSettings()
    probe_epochs: int = Field(default=0, ge=0)
    """With `full`: epochs of the head alone, on embeddings computed once, before pretrained towers learn as well."""
    epochs: int = Field(default=30, ge=1)
    patience: int = Field(default=8, ge=1)
    """Epochs without a better validation average precision before training stops."""
    batch_size: int = Field(default=64, ge=2)
    learning_rate: float = Field(default=1e-3, gt=0, lt=1)
    """Of all that starts from random weights."""
    tower_learning_rate: float = Field(default=1e-4, gt=0, lt=1)
    """Of pretrained towers, where they train."""
    weight_decay: float = Field(default=0.3, ge=0, lt=1)
    warmup_share: float = Field(default=0.1, ge=0, lt=1)
    """Share of the steps over which the learning rate rises; it then falls along a cosine."""
    side_loss_weight: float = Field(default=0.5, ge=0)
    """Of the losses of photos alone and of the title alone."""
    contrastive_weight: float = Field(default=0.5, ge=0)
    """Of the loss that draws photos and title of one listing together."""
    workers: int = Field(default=0, ge=0)
    """Processes that decode photos."""
    devices: int = Field(default=1, ge=1)
    """Processes that train together, each with its part of every batch: one a GPU, or any number on a CPU."""
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"


class RiskSettings(Section):
    """What a risk promises."""

    deployed_prevalence: Share | None = None
    """Share of counterfeits where the model will score; that of the calibration split where it is not given."""
    wrongful_share: Share = 0.05
    """Largest share of genuine listings among automatic actions."""
    missed_share: Share = 0.1
    """Largest share of counterfeits below the review band."""
    confidence: Share = 0.95
    """Probability with which each of the two promises holds."""


class EvaluationSettings(Section):
    """What the evaluation reports."""

    precision_floor: Share = 0.9
    review_capacity: int = Field(default=100, ge=1)
    """Listings that people can review out of the evaluated ones."""
    bootstrap_draws: int = Field(default=200, ge=20)
    comparison_draws: int = Field(default=1000, ge=100)
    """Of the bootstrap that holds two models against each other."""
    smallest_slice: int = Field(default=30, ge=2)
    """Listings a brand or platform needs to be reported by itself."""
    true_posteriors: ExistingFile | None = None
    """Parquet with every listing's true posteriors, as a made-up market knows them; the report then shows ceilings."""


class TrackingSettings(Section):
    """Where runs are recorded."""

    uri: str = Field(default_factory=lambda: os.environ.get("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db"))
    experiment: str = Field(default="counterfeit-risk", min_length=1)
    folder: Path = Path("runs")
    """Artifacts and checkpoints."""


class Settings(Section):
    """One training run."""

    seed: int = Field(default=0, ge=0, lt=2**32)
    data: DataSettings
    model: ModelSettings
    training: TrainingSettings = TrainingSettings()
    risk: RiskSettings = RiskSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    tracking: TrackingSettings = TrackingSettings()

    @model_validator(mode="after")
    def _frozen_towers_are_pretrained(self) -> Self:
        frozen = self.training.towers == "frozen"
        if frozen and self.training.probe_epochs:
            raise ValueError("training.probe_epochs is for training.towers full: frozen towers do not join in later")
        if not (frozen or self.training.probe_epochs) or self.model.names_image_weights or self.model.image_weights:
            return self
        setting, remedy = ("towers is frozen", "it to full") if frozen else ("probe_epochs is set", "it to 0")
        raise ValueError(
            f"training.{setting}, but {self.model.image_encoder} has random weights: set model.image_weights, "
            f"name a hub id or folder, or set {remedy}"
        )


def load_settings(path: Path, overrides: Iterable[str] = (), *, timm_models: Collection[str] | None = None) -> Settings:
    """Reads a settings file.

    Args:
        path: YAML file.
        overrides: `section.key=value` each; the value is read as YAML.
        timm_models: names that `timm:NAME` may have; any where it is not given.

    Raises:
        SettingsError: with every mistake found.
    """
    values, problems = read_strictly(path)
    for override in overrides:
        problems += _apply_override(values, override)
    return validated(Settings, values, problems, source=str(path), context={"timm_models": timm_models})


def _apply_override(values: dict[str, Any], override: str) -> list[str]:
    name, equals, text = override.partition("=")
    keys = name.split(".")
    if not equals or not all(keys):
        return [f"--set {override}: write it as section.key=value"]
    try:
        value, problems = parse_strictly(text)
    except yaml.YAMLError:
        return [f"--set {override}: {text!r} is not a YAML value"]
    section = values
    for depth, key in enumerate(keys[:-1], start=1):
        section = section.setdefault(key, {})
        if not isinstance(section, dict):
            return [f"--set {override}: {'.'.join(keys[:depth])} is a value, not a section"]
    section[keys[-1]] = value
    return [f"--set {override}: {problem}" for problem in problems]
