"""Takes one part of the recipe out at a time, on the same embeddings, and shows what that costs on held-out sellers.

`.venv/bin/python scripts/bench/ablation.py configs/market.yaml --set data.listings=...` prints a table. Photos are
embedded once, and each variant trains a head in about a minute; where towers learn later, this is the stage before.
"""

import logging
import tempfile
import time
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import lightning
import numpy as np
import typer

from counterfeit_risk.config import Settings, load_settings
from counterfeit_risk.errors import UsageError
from counterfeit_risk.evaluation.metrics import average_precision, bootstrap
from counterfeit_risk.evaluation.truth import read_posteriors
from counterfeit_risk.listings.splits import Split
from counterfeit_risk.training.fit import LearningRows, fit_classifier, probe_settings, rows_to_learn
from counterfeit_risk.training.rows import LabeledRows
from counterfeit_risk.training.setup import TrainingSetup, set_up_training

_VARIANTS: dict[str, dict[str, Any]] = {
    "the recipe": {},
    "no alignment on unlabelled pairs": {"alignment": None},
    "no contrastive loss beside the labels": {"contrastive_weight": 0.0},
    "neither": {"alignment": None, "contrastive_weight": 0.0},
    "no side losses": {"side_loss_weight": 0.0},
    "no price": {"price": None},
    "weight decay 0.01": {"weight_decay": 0.01},
}
_ROW = "{:38}{:>24}{:>24}{:>24}{:>9}"


def main(
    config: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    overrides: Annotated[list[str] | None, typer.Option("--set", help="section.key=value")] = None,
) -> None:
    """Take one part of the recipe out at a time."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    settings = load_settings(config, overrides or [])
    if settings.training.probe_epochs:
        settings = probe_settings(settings)
    if settings.training.towers != "frozen":
        raise UsageError(f"{config} trains its towers; an ablation needs training.towers: frozen, or probe_epochs")
    lightning.seed_everything(settings.seed, verbose=False)
    setup = set_up_training(settings)
    started = time.monotonic()
    rows = rows_to_learn(setup, settings)
    typer.echo(
        f"photos embedded in {time.monotonic() - started:.0f} s; seed {settings.seed}; "
        f"{len(setup.unlabelled):,} unlabelled listings"
    )
    _print_ceiling(setup, settings)
    typer.echo(_ROW.format("average precision, held-out sellers", "all of it", "photos", "title", "seconds"))
    for name, changes in _VARIANTS.items():
        _run(name, changes, setup, settings, rows)


def _print_ceiling(setup: TrainingSetup, settings: Settings) -> None:
    if settings.evaluation.true_posteriors is None:
        return
    held_out = _held_out(setup)
    ids = [setup.rows.listings[row].listing.listing_id for row in held_out]
    posteriors = read_posteriors(settings.evaluation.true_posteriors, ids)
    labels = setup.rows.labels[held_out]
    found = [average_precision(labels, column, np.ones(labels.size)) for column in np.asarray(posteriors).T]
    typer.echo("ceiling: " + ", ".join(f"{value:.3f}" for value in found))


def _run(name: str, changes: dict[str, Any], setup: TrainingSetup, settings: Settings, rows: LearningRows) -> None:
    plain = {key: value for key, value in changes.items() if key not in {"alignment", "price"}}
    varied = settings.model_copy(update={"training": settings.training.model_copy(update=plain)})
    own = replace(
        setup,
        classifier=deepcopy(setup.classifier),
        unlabelled=() if "alignment" in changes else setup.unlabelled,
        rows=_without_prices(setup.rows) if "price" in changes else setup.rows,
    )
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        logits = fit_classifier(own, varied, None, Path(folder), rows=rows)
    held_out = _held_out(setup)
    labels, groups = setup.rows.labels[held_out], setup.rows.groups[held_out]
    cells = []
    for column in range(3):
        scores = np.nan_to_num(logits[held_out, column], nan=0.0)
        found = bootstrap(
            average_precision, labels, scores, groups=groups, draws=200, rng=np.random.default_rng(settings.seed)
        )
        cells.append(f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]")
    typer.echo(_ROW.format(name, *cells, f"{time.monotonic() - started:.0f}"))


def _without_prices(rows: LabeledRows) -> LabeledRows:
    return replace(
        rows, listings=tuple(replace(row, listing=replace(row.listing, price=None)) for row in rows.listings)
    )


def _held_out(setup: TrainingSetup) -> np.ndarray:
    return np.flatnonzero(np.isin(setup.rows.splits, [Split.CALIBRATION, Split.TEST]))


if __name__ == "__main__":
    typer.run(main)
