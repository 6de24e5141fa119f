"""`counterfeit-risk train`: one settings file, one run."""

from pathlib import Path
from typing import Annotated

import typer

from counterfeit_risk.cli.progress import is_terminal
from counterfeit_risk.config import load_settings


def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="Settings file.", show_default=False)],
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override one setting; repeatable.")
    ] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Go on with a run that was cut short, under its id.")
    ] = None,
) -> None:
    """Train, calibrate and evaluate a classifier; the last line printed is the run id."""
    import timm

    settings = load_settings(config, overrides or (), timm_models=timm.list_models())
    from counterfeit_risk.training.train import train as train_classifier

    run_id = train_classifier(settings, resume=resume, show_progress=is_terminal())
    typer.echo(run_id)
