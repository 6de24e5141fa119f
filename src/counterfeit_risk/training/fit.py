"""Fits a classifier stage by stage, and returns its logits on the rows it was not fitted on.

Knows what the stages learn from, not how one is run.
"""

import logging
import warnings
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from counterfeit_risk.config import Settings
from counterfeit_risk.errors import WorkError
from counterfeit_risk.listings.splits import Split
from counterfeit_risk.model.fusion import EVIDENCE
from counterfeit_risk.tracking.runs import TrackedRun
from counterfeit_risk.training.alignment import MONITORED_ALIGNMENT, AlignmentTraining
from counterfeit_risk.training.batches import HELD_OUT, Collate, ListingCollate, SplitData
from counterfeit_risk.training.dataset import to_dataset
from counterfeit_risk.training.embedding import embed_rows
from counterfeit_risk.training.lightning_model import MONITORED, ClassifierTraining, frozen_towers
from counterfeit_risk.training.setup import TrainingSetup
from counterfeit_risk.training.stages import Stage, StageRunner, judge, run_logger
from counterfeit_risk.training.weighing import weigh_evidence

logger = logging.getLogger(__name__)

_CLASSIFIER = "classifier"
_UNLABELLED = "unlabelled"
"""The split of rows that have no label."""


LearningRows = tuple[Any, Collate]
"""What the loaders draw from, and how they make batches of it."""


@dataclass(frozen=True)
class _Fit:
    """What every stage of one fit needs."""

    setup: TrainingSetup
    settings: Settings
    runner: StageRunner


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
    logged = run_logger(run, settings.tracking.experiment) if run else False
    fit = _Fit(setup, settings, StageRunner(settings.training, logged, checkpoints, show_progress))
    with warnings.catch_warnings():
        # Lightning advises more data loading processes, and mentions deprecations of its own making
        warnings.filterwarnings("ignore", module=r"lightning|torch\.jit|torch\.utils\.data|mlflow")
        rows = rows or rows_to_learn(setup, settings)
        if not fit.runner.has_begun(_CLASSIFIER):
            _run_first_stages(fit, rows)
        classifier = _classifier(fit, rows)
        fit.runner.run(classifier)
        output = judge().predict(classifier.module, datamodule=classifier.data)
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
        fit.runner.run(_alignment(fit, rows))
    if probing:  # the run's curves are those of the stage that comes after, so this one has no logger
        replace(fit.runner, logger=False).run(replace(_classifier(fit, rows), name="probe"))


def rows_to_learn(setup: TrainingSetup, settings: Settings) -> LearningRows:
    """Rows for the loaders, and how they are batched: stored embeddings where the image tower does not learn."""
    training = settings.training
    frozen = frozen_towers(setup.classifier, training)
    if not frozen:
        dataset = to_dataset(setup.rows, setup.unlabelled)
        return dataset, ListingCollate((setup.reader, setup.unlabelled_reader), setup.tokenizer)
    stored = embed_rows(
        setup,
        store=training.store,
        titles_too="text_encoder" in frozen,
        device=torch.device("cuda" if torch.cuda.is_available() else "cpu"),
    )
    return range(len(stored.labels)), stored


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


def _alignment(fit: _Fit, rows: LearningRows) -> Stage:
    settings = fit.settings.training
    return Stage(
        "alignment",
        AlignmentTraining(fit.setup.classifier, settings, seed=fit.settings.seed),
        _split_data(fit, rows, batch_size=settings.alignment.batch_size, learn_from=(_UNLABELLED,)),
        settings.alignment.epochs,
        MONITORED_ALIGNMENT,
        "min",
    )


def _classifier(fit: _Fit, rows: LearningRows) -> Stage:
    settings = fit.settings.training
    train = fit.setup.rows.splits == Split.TRAIN
    prevalence = float(np.average(fit.setup.rows.labels[train], weights=fit.setup.rows.weights[train]))
    return Stage(
        _CLASSIFIER,
        ClassifierTraining(fit.setup.classifier, settings, prevalence=prevalence, seed=fit.settings.seed),
        _split_data(fit, rows, batch_size=settings.batch_size, learn_from=(Split.TRAIN,)),
        settings.epochs,
        MONITORED,
        "max",
    )


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
    prices = torch.tensor([setup.rows.price_model.evidence(row.listing) for row in setup.rows.listings])
    weighed = setup.classifier.head.cpu().weigh(
        torch.from_numpy(evidence), prices, has_photo=torch.from_numpy(has_photo), has_title=torch.from_numpy(has_title)
    )
    logits: NDArray[np.float64] = torch.stack(weighed, dim=1).numpy()
    logits[~has_photo, 1] = np.nan
    logits[~has_title, 2] = np.nan
    logits[~np.isin(setup.rows.splits, [Split.CALIBRATION, Split.TEST])] = np.nan
    return logits
