"""Fits a classifier with Lightning, stage by stage, and returns its logits on the rows it was not fitted on.

Knows MLflow only as the place that Lightning's logger writes to.
"""

import logging
import time
import warnings
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import Logger, MLFlowLogger
from lightning.pytorch.strategies import DDPStrategy, Strategy
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from counterfeit_risk.config import Settings, TrainingSettings
from counterfeit_risk.errors import WorkError
from counterfeit_risk.listings.splits import Split
from counterfeit_risk.model.fusion import EVIDENCE
from counterfeit_risk.tracking.runs import TrackedRun
from counterfeit_risk.training.alignment import MONITORED_ALIGNMENT, AlignmentTraining
from counterfeit_risk.training.batches import HELD_OUT, Collate, ListingCollate, SplitData, embed_rows
from counterfeit_risk.training.dataset import to_dataset
from counterfeit_risk.training.lightning_model import MONITORED, ClassifierTraining, LearningParts, frozen_towers
from counterfeit_risk.training.setup import TrainingSetup
from counterfeit_risk.training.weighing import weigh_evidence

logger = logging.getLogger(__name__)

_EMBEDDED_AT_ONCE = 16
"""Listings: activations of larger batches leave the processor's caches, and on a CPU cost more than they save."""
_CLASSIFIER = "classifier"
_LAST = "last.ckpt"
_UNLABELLED = "unlabelled"
"""The split of rows that have no label."""


LearningRows = tuple[Any, Collate]
"""What the loaders draw from, and how they make batches of it."""


@dataclass(frozen=True)
class _Fit:
    """What every stage of one fit needs."""

    setup: TrainingSetup
    settings: Settings
    logger: Logger | bool
    """False where nobody keeps the metrics."""
    checkpoints: Path
    show_progress: bool


@dataclass(frozen=True)
class _Stage:
    """One pass of training over the rows, with checkpoints of its own."""

    name: str
    module: LearningParts
    data: SplitData
    epochs: int
    monitored: str
    mode: Literal["min", "max"]


def fit_classifier(
    setup: TrainingSetup,
    settings: Settings,
    run: TrackedRun | None,
    checkpoints: Path,
    *,
    rows: LearningRows | None = None,
    show_progress: bool = False,
) -> NDArray[np.float64]:
    """Trains the classifier in place and leaves it with the weights of its best epoch.

    Each stage goes on from `last.ckpt` in its folder of checkpoints where there is one.

    Args:
        setup: towers and rows.
        settings: the whole run.
        run: keeps the metrics; None where nobody does.
        checkpoints: folder for them.
        rows: what `rows_to_learn` gave for the same towers, where it is at hand.
        show_progress: draw progress bars instead of a log line an epoch.

    Returns:
        (N, 3) logits, fused, photo and title: NaN for the rows that training and early stopping have seen, and for a
        modality that a row lacks.
    """
    fit = _Fit(setup, settings, _run_logger(settings, run), checkpoints, show_progress)
    with warnings.catch_warnings():
        # Lightning advises more data loading processes, and mentions deprecations of its own making
        warnings.filterwarnings("ignore", module=r"lightning|torch\.jit|torch\.utils\.data|mlflow")
        rows = rows or rows_to_learn(setup, settings)
        if not (checkpoints / _CLASSIFIER / _LAST).exists():
            _run_first_stages(fit, rows)
        classifier = _classifier(fit, rows)
        _run_stage(fit, classifier)
        output = _judge().predict(classifier.module, datamodule=classifier.data)
    evidence = _gather_evidence(output or [], setup)
    _weigh(setup, evidence)
    return _logits(setup, evidence)


def probe_settings(settings: Settings) -> Settings:
    """The settings of the stage in which the head learns alone, on frozen towers."""
    frozen = {"towers": "frozen", "epochs": settings.training.probe_epochs, "probe_epochs": 0}
    return settings.model_copy(update={"training": settings.training.model_copy(update=frozen)})


def _run_first_stages(fit: _Fit, rows: LearningRows) -> None:
    """What comes before everything learns from labels: alignment, and a head that learns alone.

    A head of random weights would send large gradients into pretrained towers, and distort what they know (Kumar et al.
    2022, arXiv:2202.10054, section 3).
    """
    probing = fit.settings.training.probe_epochs > 0
    if probing:
        fit = replace(fit, settings=probe_settings(fit.settings))
        rows = rows_to_learn(fit.setup, fit.settings)
    if fit.setup.unlabelled:
        _run_stage(fit, _alignment(fit, rows))
    if probing:  # the run's curves are those of the stage that comes after, so this one has no logger
        _run_stage(replace(fit, logger=False), replace(_classifier(fit, rows), name="probe"))


def rows_to_learn(setup: TrainingSetup, settings: Settings) -> LearningRows:
    """Rows for the loaders, and how they are batched: stored embeddings where the image tower does not learn."""
    training = settings.training
    dataset = to_dataset(setup.rows, setup.unlabelled)
    collate = ListingCollate((setup.reader, setup.unlabelled_reader), setup.tokenizer)
    frozen = frozen_towers(setup.classifier, training)
    if not frozen:
        return dataset, collate
    started = time.monotonic()
    batches: DataLoader[Any] = DataLoader(
        dataset, batch_size=_EMBEDDED_AT_ONCE, collate_fn=collate, num_workers=training.workers
    )
    stored = embed_rows(
        setup.classifier,
        batches,
        max_photos=settings.data.max_photos,
        titles_too="text_encoder" in frozen,
        device=torch.device("cuda" if torch.cuda.is_available() else "cpu"),
    )
    logger.info("embedded %d listings in %.1f s", len(dataset), time.monotonic() - started)
    return range(len(dataset)), stored


def _split_data(fit: _Fit, rows: LearningRows, *, batch_size: int, learn_from: Collection[str]) -> SplitData:
    examples, collate = rows
    workers = fit.settings.training.workers if isinstance(collate, ListingCollate) else 0
    return SplitData(
        examples,
        collate,
        np.append(fit.setup.rows.splits.astype(object), [_UNLABELLED] * len(fit.setup.unlabelled)),
        batch_size=batch_size,
        workers=workers,
        learn_from=learn_from,
        seed=fit.settings.seed,
    )


def _alignment(fit: _Fit, rows: LearningRows) -> _Stage:
    settings = fit.settings.training
    return _Stage(
        "alignment",
        AlignmentTraining(fit.setup.classifier, settings, seed=fit.settings.seed),
        _split_data(fit, rows, batch_size=settings.alignment.batch_size, learn_from=(_UNLABELLED,)),
        settings.alignment.epochs,
        MONITORED_ALIGNMENT,
        "min",
    )


def _classifier(fit: _Fit, rows: LearningRows) -> _Stage:
    settings = fit.settings.training
    train = fit.setup.rows.splits == Split.TRAIN
    prevalence = float(np.average(fit.setup.rows.labels[train], weights=fit.setup.rows.weights[train]))
    return _Stage(
        _CLASSIFIER,
        ClassifierTraining(fit.setup.classifier, settings, prevalence=prevalence, seed=fit.settings.seed),
        _split_data(fit, rows, batch_size=settings.batch_size, learn_from=(Split.TRAIN,)),
        settings.epochs,
        MONITORED,
        "max",
    )


def _run_stage(fit: _Fit, stage: _Stage) -> None:
    """Trains a stage, and leaves its module with the weights of its best epoch."""
    folder = fit.checkpoints / stage.name
    kept = ModelCheckpoint(folder, filename="best", monitor=stage.monitored, mode=stage.mode, save_last=True)
    callbacks: list[Callback] = [
        kept,
        EarlyStopping(stage.monitored, mode=stage.mode, patience=fit.settings.training.patience),
        RichProgressBar(leave=False) if fit.show_progress else _EpochLog(stage.monitored),
    ]
    trainer = _trainer(fit, stage.epochs, callbacks)
    last = folder / _LAST
    trainer.fit(stage.module, datamodule=stage.data, ckpt_path=last if last.exists() else None, weights_only=True)
    logger.info("%s: best %s %.3f", stage.name, stage.monitored, kept.best_model_score or float("nan"))
    # loads the weights on the way
    _judge().validate(stage.module, stage.data, ckpt_path=kept.best_model_path, weights_only=True, verbose=False)


def _trainer(fit: _Fit, epochs: int, callbacks: list[Callback]) -> lightning.Trainer:
    settings = fit.settings
    return lightning.Trainer(
        max_epochs=epochs,
        devices=settings.training.devices,
        strategy=_strategy(settings.training.devices),
        precision=_precision(settings.training),
        logger=fit.logger,
        callbacks=callbacks,
        enable_progress_bar=fit.show_progress,
        enable_model_summary=False,
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


def _run_logger(settings: Settings, run: TrackedRun | None) -> Logger | bool:
    if run is None:
        return False
    return _RunLogger(settings.tracking.experiment, tracking_uri=run.tracking_uri, run_id=run.run_id)


def _judge() -> lightning.Trainer:
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


def _gather_evidence(output: list[Any], setup: TrainingSetup) -> NDArray[np.float64]:
    """(N, 4) by `EVIDENCE`; NaN for the rows that training has seen."""
    evidence = np.full((len(setup.rows.listings), len(EVIDENCE)), np.nan)
    for rows, values in output:
        evidence[rows.numpy()] = values.double().cpu().numpy()
    if not np.isfinite(evidence[np.isin(setup.rows.splits, HELD_OUT)]).all():
        raise WorkError("training diverged: the model gives no finite logit; lower training.learning_rate")
    return evidence


def _weigh(setup: TrainingSetup, evidence: NDArray[np.float64]) -> None:
    """Sets how the head weighs what it sees, by the validation rows that show both photos and a title."""
    rows = (setup.rows.splits == Split.VALIDATION) & setup.rows.has_photo & setup.rows.has_title
    weights, offset = weigh_evidence(evidence[rows], setup.rows.labels[rows])
    head = setup.classifier.head
    head.evidence_weights.copy_(torch.tensor(weights))
    head.evidence_offset.fill_(offset)
    logger.info("evidence weighs %s", ", ".join(f"{n} {w:.2f}" for n, w in zip(EVIDENCE, weights, strict=True)))


def _logits(setup: TrainingSetup, evidence: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 3) fused, photo and title, as the head gives them; NaN outside calibration and test."""
    has_photo, has_title = setup.rows.has_photo, setup.rows.has_title
    weighed = setup.classifier.head.cpu().weigh(
        torch.from_numpy(evidence), has_photo=torch.from_numpy(has_photo), has_title=torch.from_numpy(has_title)
    )
    logits: NDArray[np.float64] = torch.stack(weighed, dim=1).numpy()
    logits[~has_photo, 1] = np.nan
    logits[~has_title, 2] = np.nan
    logits[~np.isin(setup.rows.splits, [Split.CALIBRATION, Split.TEST])] = np.nan
    return logits


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
