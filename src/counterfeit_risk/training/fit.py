"""Fits a classifier with Lightning and returns its logits on the rows it was not fitted on.

Knows MLflow only as the place that Lightning's logger writes to.
"""

import logging
import time
import warnings
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import MLFlowLogger
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from counterfeit_risk.config import Settings, TrainingSettings
from counterfeit_risk.errors import WorkError
from counterfeit_risk.listings.splits import Split
from counterfeit_risk.tracking.runs import TrackedRun
from counterfeit_risk.training.batches import ListingCollate, SplitData, embed_rows
from counterfeit_risk.training.lightning_model import MONITORED, ClassifierTraining
from counterfeit_risk.training.setup import TrainingSetup

logger = logging.getLogger(__name__)

_EMBEDDED_AT_ONCE = 16
"""Listings: activations of larger batches leave the processor's caches, and on a CPU cost more than they save."""


def fit_classifier(
    setup: TrainingSetup, settings: Settings, run: TrackedRun, checkpoints: Path, *, show_progress: bool
) -> NDArray[np.float64]:
    """Trains the classifier in place and leaves it with the weights of its best epoch.

    Training goes on from `last.ckpt` in the folder of checkpoints where there is one.

    Returns:
        (N, 3) logits, fused, photo and title: NaN for the rows that training and early stopping have seen, and for a
        modality that a row lacks.
    """
    with warnings.catch_warnings():
        # Lightning advises more data loading processes, and mentions deprecations of its own making
        warnings.filterwarnings("ignore", module=r"lightning|torch\.jit|torch\.utils\.data|mlflow")
        module = ClassifierTraining(setup.classifier, settings.training, seed=settings.seed)
        data = _split_data(setup, settings)
        trainer = _trainer(settings, run, checkpoints, show_progress=show_progress)
        last = checkpoints / "last.ckpt"
        trainer.fit(module, datamodule=data, ckpt_path=last if last.exists() else None, weights_only=True)
        best = _best_checkpoint(trainer)
        logger.info("best epoch: validation average precision %.3f", best.best_model_score or float("nan"))
        output = _predictor().predict(module, datamodule=data, ckpt_path=best.best_model_path, weights_only=True)
    return _gather_logits(output or [], setup)


def _split_data(setup: TrainingSetup, settings: Settings) -> SplitData:
    dataset = setup.rows.to_dataset()
    collate = ListingCollate(setup.reader, setup.tokenizer)
    if settings.training.towers == "full":
        return SplitData(dataset, collate, setup.rows.splits, settings.training, seed=settings.seed)
    started = time.monotonic()
    batches: DataLoader[Any] = DataLoader(
        dataset,
        batch_size=_EMBEDDED_AT_ONCE,
        collate_fn=collate,
        num_workers=settings.training.workers,
    )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rows = embed_rows(setup.classifier, batches, max_photos=settings.data.max_photos, device=device)
    logger.info("embedded %d listings in %.1f s", len(dataset), time.monotonic() - started)
    return SplitData(range(len(dataset)), rows, setup.rows.splits, settings.training, seed=settings.seed)


def _trainer(settings: Settings, run: TrackedRun, checkpoints: Path, *, show_progress: bool) -> lightning.Trainer:
    callbacks: list[Callback] = [
        ModelCheckpoint(checkpoints, filename="best", monitor=MONITORED, mode="max", save_last=True),
        EarlyStopping(MONITORED, mode="max", patience=settings.training.patience),
        RichProgressBar(leave=False) if show_progress else _EpochLog(),
    ]
    return lightning.Trainer(
        max_epochs=settings.training.epochs,
        devices=1,
        precision=_precision(settings.training),
        logger=_RunLogger(settings.tracking.experiment, tracking_uri=run.tracking_uri, run_id=run.run_id),
        callbacks=callbacks,
        enable_progress_bar=show_progress,
        enable_model_summary=False,
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


def _predictor() -> lightning.Trainer:
    """Full precision, whatever training used: calibration and bands are for the risks that a bundle will serve."""
    return lightning.Trainer(
        devices=1, precision="32-true", logger=False, enable_checkpointing=False, enable_progress_bar=False
    )


def _precision(settings: TrainingSettings) -> Any:
    if settings.precision != "auto":
        return settings.precision
    return "bf16-mixed" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else "32-true"


def _best_checkpoint(trainer: lightning.Trainer) -> ModelCheckpoint:
    checkpoint = trainer.checkpoint_callback
    assert isinstance(checkpoint, ModelCheckpoint)
    return checkpoint


def _gather_logits(output: list[Any], setup: TrainingSetup) -> NDArray[np.float64]:
    logits = np.full((len(setup.rows.listings), 3), np.nan)
    for rows, values in output:
        logits[rows.numpy()] = values.double().cpu().numpy()
    if not np.isfinite(logits[np.isin(setup.rows.splits, [Split.CALIBRATION, Split.TEST])]).all():
        raise WorkError("training diverged: the model gives no finite logit; lower training.learning_rate")
    logits[~setup.rows.has_photo, 1] = np.nan
    logits[~setup.rows.has_title, 2] = np.nan
    return logits


class _RunLogger(MLFlowLogger):
    """Leaves the run's status alone: a run is finished when its results are recorded, not when its last epoch ends."""

    def finalize(self, status: str = "success") -> None:
        pass


class _EpochLog(Callback):
    """Says after each epoch how it went, where no progress bar can."""

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002 (Lightning's signature)
        metrics = trainer.callback_metrics
        logger.info(
            "epoch %d of at most %s: validation average precision %.3f",
            trainer.current_epoch + 1,
            trainer.max_epochs,
            float(metrics[MONITORED]),
        )
