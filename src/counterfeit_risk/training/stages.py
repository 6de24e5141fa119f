"""Runs a stage of training with Lightning: checkpoints, early stopping, devices, precision.

Knows no stage by name, and MLflow only as the place that Lightning's logger writes to.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import Logger, MLFlowLogger
from lightning.pytorch.strategies import DDPStrategy, Strategy

from counterfeit_risk.config import TrainingSettings
from counterfeit_risk.tracking.runs import TrackedRun
from counterfeit_risk.training.batches import SplitData
from counterfeit_risk.training.lightning_model import LearningParts

logger = logging.getLogger(__name__)

_LAST = "last.ckpt"


@dataclass(frozen=True)
class Stage:
    """One pass of training over the rows, with checkpoints of its own."""

    name: str
    module: LearningParts
    data: SplitData
    epochs: int
    monitored: str
    mode: Literal["min", "max"]


@dataclass(frozen=True)
class StageRunner:
    """Runs the stages of one fit, each from where it was left."""

    settings: TrainingSettings
    logger: Logger | bool
    """False where nobody keeps the metrics."""
    checkpoints: Path
    """Folder for one folder a stage."""
    show_progress: bool

    def has_begun(self, name: str) -> bool:
        """True where a stage of this name has a checkpoint to go on from."""
        return (self.checkpoints / name / _LAST).exists()

    def run(self, stage: Stage) -> None:
        """Trains a stage, and leaves its module with the weights of its best epoch."""
        folder = self.checkpoints / stage.name
        kept = ModelCheckpoint(folder, filename="best", monitor=stage.monitored, mode=stage.mode, save_last=True)
        callbacks: list[Callback] = [
            kept,
            EarlyStopping(stage.monitored, mode=stage.mode, patience=self.settings.patience),
            RichProgressBar(leave=False) if self.show_progress else _EpochLog(stage.monitored),
        ]
        last = folder / _LAST if self.has_begun(stage.name) else None
        self._trainer(stage.epochs, callbacks).fit(
            stage.module, datamodule=stage.data, ckpt_path=last, weights_only=True
        )
        logger.info("%s: best %s %.3f", stage.name, stage.monitored, kept.best_model_score or float("nan"))
        # loads the weights on the way
        judge().validate(stage.module, stage.data, ckpt_path=kept.best_model_path, weights_only=True, verbose=False)

    def _trainer(self, epochs: int, callbacks: list[Callback]) -> lightning.Trainer:
        return lightning.Trainer(
            max_epochs=epochs,
            devices=self.settings.devices,
            strategy=_strategy(self.settings.devices),
            precision=_precision(self.settings),
            logger=self.logger,
            callbacks=callbacks,
            enable_progress_bar=self.show_progress,
            enable_model_summary=False,
            log_every_n_steps=1,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
        )


def run_logger(run: TrackedRun, experiment: str) -> Logger:
    """Keeps the metrics of training in a run."""
    return _RunLogger(experiment, tracking_uri=run.tracking_uri, run_id=run.run_id)


def judge() -> lightning.Trainer:
    """Full precision, whatever training used: calibration and bands are for the risks that a bundle will serve."""
    return lightning.Trainer(
        devices=1, precision="32-true", logger=False, enable_checkpointing=False, enable_progress_bar=False
    )


def _strategy(devices: int) -> Strategy | str:
    """Processes are spawned from this one: it alone opens the run, reads the rows and judges the result.

    A head has weights that some batches do not reach, such as those of titles where none has one.
    """
    return "auto" if devices == 1 else DDPStrategy(start_method="spawn", find_unused_parameters=True)


def _precision(settings: TrainingSettings) -> Any:
    if settings.precision != "auto":
        return settings.precision
    return "bf16-mixed" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else "32-true"


class _RunLogger(MLFlowLogger):
    """Leaves the run's status alone: a run is finished when its results are recorded, not when its last epoch ends."""

    def finalize(self, status: str = "success") -> None:
        pass


class _EpochLog(Callback):
    """Says after each epoch how it went, where no progress bar can."""

    def __init__(self, monitored: str) -> None:
        self.monitored = monitored

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002 (Lightning's signature)
        logger.info(
            "epoch %d of at most %s: %s %.3f",
            trainer.current_epoch + 1,
            trainer.max_epochs,
            self.monitored.replace("/", " ").replace("_", " "),
            float(trainer.callback_metrics[self.monitored]),
        )
