"""What an explanation asks of a model, over a bundle and over a training run's checkpoint.

Knows no listing and no explanation. Letters: N photos, B listings, K photos a listing, S pixels a side, D embedding.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from counterfeit_risk.embeddings.embedder import HeadInput
from counterfeit_risk.embeddings.preprocessing import ImagePreprocessing, to_pixel_values, tokenize
from counterfeit_risk.embeddings.price_model import PriceModel
from counterfeit_risk.embeddings.store import EmbeddingStore, TowerStore
from counterfeit_risk.embeddings.towers import Precision
from counterfeit_risk.evaluation.calibration import Calibrations
from counterfeit_risk.evaluation.risk_bands import RiskBands
from counterfeit_risk.export.bundle import TOKENIZER, open_bundle
from counterfeit_risk.export.onnx_head import OnnxHead
from counterfeit_risk.export.runtimes import RunningTowers, open_towers
from counterfeit_risk.model.checkpoint import load_checkpoint
from counterfeit_risk.model.classifier import CounterfeitClassifier
from counterfeit_risk.tracking.runs import TrackedRun

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


class Judgements(NamedTuple):
    """What the head says of B listings, (B,) each."""

    logits: NDArray[np.float64]
    """From photos and title together, before calibration."""
    risks: NDArray[np.float64]
    """The same after calibration: probabilities of being counterfeit."""


class ExplainedModel(Protocol):
    """Two towers and a head that can be asked apart: only what is perturbed has to be encoded again."""

    @property
    def preprocessing(self) -> ImagePreprocessing:
        """What the image tower expects."""

    @property
    def max_photos(self) -> int:
        """Photos used of one listing."""

    @property
    def price_model(self) -> PriceModel:
        """What prices say."""

    @property
    def bands(self) -> RiskBands:
        """What a risk leads to."""

    def encode_photos(self, pixels: Pixels) -> Floats:
        """Encodes (N, S, S, 3) photos as (N, D); N of 1 or more."""

    def encode_titles(self, titles: Sequence[str]) -> Floats:
        """Encodes B normalised titles as (B, D); B of 1 or more, none of them empty."""

    def judge(self, listings: HeadInput) -> Judgements:
        """Judges B listings."""


@dataclass(frozen=True)
class BundleModel:
    """A bundle's graphs, as they score."""

    preprocessing: ImagePreprocessing
    max_photos: int
    price_model: PriceModel
    bands: RiskBands
    tokenizer: Tokenizer
    running: RunningTowers
    head: OnnxHead

    def photos_of(self, store: EmbeddingStore) -> TowerStore:
        """What a store holds of this image tower."""
        return store.tower(self.running.fingerprints.image, self.running.towers.image_dim)

    def encode_photos(self, pixels: Pixels) -> Floats:
        """As `ExplainedModel` says."""
        return self.running.towers.encode_photos(pixels)

    def encode_titles(self, titles: Sequence[str]) -> Floats:
        """As `ExplainedModel` says."""
        tokens = tokenize(self.tokenizer, titles)
        return self.running.towers.encode_titles(tokens.input_ids, tokens.attention_mask)

    def judge(self, listings: HeadInput) -> Judgements:
        """As `ExplainedModel` says."""
        judged = self.head.judge(*listings)
        return Judgements(judged.logit.astype(np.float64), judged.risk.astype(np.float64))


@dataclass(frozen=True)
class CheckpointModel:
    """A trained classifier with its calibrations, as training left it."""

    preprocessing: ImagePreprocessing
    max_photos: int
    price_model: PriceModel
    bands: RiskBands
    tokenizer: Tokenizer
    classifier: CounterfeitClassifier
    """In evaluation mode."""
    calibrations: Calibrations

    @torch.inference_mode()
    def encode_photos(self, pixels: Pixels) -> Floats:
        """As `ExplainedModel` says."""
        embeddings = self.classifier.image_encoder(torch.tensor(to_pixel_values(pixels, self.preprocessing)))
        return np.asarray(embeddings.numpy(), np.float32)

    @torch.inference_mode()
    def encode_titles(self, titles: Sequence[str]) -> Floats:
        """As `ExplainedModel` says."""
        tokens = tokenize(self.tokenizer, titles)
        inputs = torch.tensor(tokens.input_ids), torch.tensor(tokens.attention_mask)
        return np.asarray(self.classifier.text_encoder(*inputs).numpy(), np.float32)

    @torch.inference_mode()
    def judge(self, listings: HeadInput) -> Judgements:
        """As `ExplainedModel` says."""
        logits = torch.stack(self.classifier.head(*(torch.tensor(array) for array in listings)), dim=1).numpy()
        has_photo = listings.photo_mask.sum(axis=1) > 0
        risks = self.calibrations.risks_of(logits, has_photo=has_photo, has_title=listings.title_mask)
        return Judgements(logits[:, 0].astype(np.float64), risks[:, 0])


def open_bundle_model(folder: Path, *, precision: Precision | None = None) -> BundleModel:
    """Opens a bundle for explanations.

    Args:
        folder: the bundle.
        precision: what its towers compute in; as in scoring where it is not given.

    Raises:
        BundleError: if it is no bundle, or not what its manifest says.
        UsageError: if the precision cannot be had.
    """
    bundle = open_bundle(folder)
    return BundleModel(
        preprocessing=bundle.manifest.image_preprocessing,
        max_photos=bundle.manifest.max_photos,
        price_model=bundle.price_model(),
        bands=RiskBands.from_dict(bundle.manifest.bands),
        tokenizer=Tokenizer.from_file(str(bundle.path(TOKENIZER))),
        running=open_towers(bundle, precision),
        head=OnnxHead(bundle.folder),
    )


def load_run_model(run: TrackedRun) -> CheckpointModel:
    """Reads a finished run's checkpoint for explanations.

    Raises:
        RunError: if the run did not finish.
        CheckpointError: if its checkpoint is damaged.
    """
    classifier, tokenizer = load_checkpoint(run.artifact("checkpoint"))
    return CheckpointModel(
        preprocessing=classifier.spec.image_encoder.preprocessing,
        max_photos=classifier.spec.max_photos,
        price_model=PriceModel.from_dict(_read_json(run.artifact("price_model.json"))),
        bands=RiskBands.from_dict(_read_json(run.artifact("bands.json"))),
        tokenizer=tokenizer,
        classifier=classifier,
        calibrations=Calibrations.from_dict(_read_json(run.artifact("calibrations.json"))),
    )


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
