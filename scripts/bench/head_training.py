"""Times the training of a head on stored embeddings of CLIP's width, towers left out.

`.venv/bin/python scripts/bench/head_training.py` prints seconds.
"""

import logging
import tempfile
import time
import warnings
from typing import Annotated

import lightning
import numpy as np
import torch
import typer
from lightning.pytorch.callbacks import EarlyStopping

from counterfeit_risk.config import TrainingSettings
from counterfeit_risk.embeddings.preprocessing import ImagePreprocessing
from counterfeit_risk.listings.splits import Split
from counterfeit_risk.model.classifier import CounterfeitClassifier, EmbeddedBatch
from counterfeit_risk.model.fusion import RiskHead
from counterfeit_risk.model.specification import ClassifierSpec, ImageEncoderSpec, TextEncoderSpec
from counterfeit_risk.training.batches import SplitData, StoredRows
from counterfeit_risk.training.lightning_model import MONITORED, ClassifierTraining

_WIDTH, _FUSION_DIM, _PHOTOS = 512, 128, 3
_PREVALENCE = 0.12


def main(
    listings: Annotated[int, typer.Option(min=100, help="Of which nine in ten are trained on.")] = 100_000,
    epochs: Annotated[int, typer.Option(min=1)] = 8,
    batch_size: Annotated[int, typer.Option(min=2)] = 512,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Time the training of a head on stored embeddings."""
    warnings.filterwarnings("ignore", module=r"lightning|torch")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    lightning.seed_everything(seed, verbose=False)
    rows, splits = _rows(listings)
    settings = TrainingSettings(epochs=epochs, batch_size=batch_size)
    module = ClassifierTraining(_classifier(), settings, prevalence=_PREVALENCE, seed=seed)
    data = SplitData(range(listings), rows, splits, batch_size=batch_size, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        trainer = lightning.Trainer(
            max_epochs=epochs,
            default_root_dir=folder,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            callbacks=[EarlyStopping(MONITORED, mode="max", patience=epochs)],
        )
        started = time.monotonic()
        trainer.fit(module, datamodule=data)
    seconds = time.monotonic() - started
    reached = float(trainer.callback_metrics[MONITORED])
    typer.echo(
        f"{listings:,} listings of {_PHOTOS} photos, {_WIDTH} wide, {epochs} epochs of batches of {batch_size}: "
        f"{seconds:.1f} s on {torch.get_num_threads()} threads; validation average precision {reached:.3f} "
        f"(no skill {_PREVALENCE})"
    )


def _classifier() -> CounterfeitClassifier:
    """A classifier whose towers are never run, and a head of CLIP's width."""
    half = (0.5, 0.5, 0.5)
    preprocessing = ImagePreprocessing(image_size=32, crop_share=1.0, interpolation="bicubic", mean=half, std=half)
    spec = ClassifierSpec(
        image_encoder=ImageEncoderSpec(
            kind="timm",
            architecture={"name": "test_resnet", "options": {}},
            preprocessing=preprocessing,
            pretrained=True,
        ),
        text_encoder=TextEncoderSpec(
            kind="phrases", architecture={"vocabulary": 8, "width": 8}, max_tokens=8, pretrained=True
        ),
        fusion_dim=_FUSION_DIM,
        dropout=0.3,
        shared_space=True,
        max_photos=_PHOTOS,
    )
    classifier = CounterfeitClassifier.from_spec(spec)
    classifier.head = RiskHead(_WIDTH, _WIDTH, fusion_dim=_FUSION_DIM, dropout=0.3, shared_space=True)
    return classifier


def _rows(count: int) -> tuple[StoredRows, np.ndarray]:
    """Embeddings in which one direction of the photos, one of the title and their distance tell the label."""
    random = torch.Generator().manual_seed(0)
    labels = (torch.rand(count, generator=random) < _PREVALENCE).float()
    topic = torch.randn(count, _WIDTH, generator=random)
    photos = topic.unsqueeze(1) + torch.randn(count, _PHOTOS, _WIDTH, generator=random)
    photos[..., 0] += labels.unsqueeze(1)
    titles = topic + torch.randn(count, _WIDTH, generator=random)
    titles[:, 1] += labels
    mask = torch.ones(count, _PHOTOS, dtype=torch.bool)
    inputs = EmbeddedBatch(photos, mask, titles, torch.ones(count, dtype=torch.bool))
    splits = np.where(np.arange(count) % 10 == 0, Split.VALIDATION, Split.TRAIN)
    return StoredRows(inputs, labels, torch.ones(count)), splits


if __name__ == "__main__":
    typer.run(main)
