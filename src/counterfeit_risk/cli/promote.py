"""`counterfeit-risk promote`: moves the champion alias, where a comparison and the gates allow it, or back."""

from pathlib import Path
from typing import Annotated

import typer

from counterfeit_risk.cli.options import DEFAULT_TRACKING_URI, TrackingOption, bundle_folder
from counterfeit_risk.errors import GateError, UsageError
from counterfeit_risk.export.bundle import open_bundle


def promote(
    model: Annotated[
        str | None, typer.Argument(metavar="MODEL", help="The new one: models:/NAME/VERSION.", show_default=False)
    ] = None,
    comparison: Annotated[
        Path | None,
        typer.Option(help="comparison.json of `evaluate MODEL CHAMPION LISTINGS`.", show_default=False),
    ] = None,
    gates: Annotated[Path, typer.Option(help="YAML of what a champion must hold.")] = Path("configs/gates.yaml"),
    name: Annotated[str, typer.Option(help="Registered model to roll back.")] = "counterfeit-risk",
    tracking_uri: TrackingOption = DEFAULT_TRACKING_URI,
    *,
    rollback: Annotated[bool, typer.Option("--rollback", help="Return to the champion before this one.")] = False,
) -> None:
    """Make a model the champion if its comparison with the present one and the gates allow it; else say why not."""
    if rollback:
        from counterfeit_risk.tracking.registry import roll_back

        if model or comparison:
            raise UsageError("--rollback takes no MODEL and no --comparison")
        before, now = roll_back(name, tracking_uri)
        typer.echo(f"{name}: version {now} is the champion again, version {before} is not any more")
        return
    if not model or not comparison:
        raise UsageError("name a MODEL and its --comparison with the champion, or --rollback")
    registered, version = check_promotion(model, comparison, gates, tracking_uri)
    from counterfeit_risk.tracking.registry import promote_version

    promote_version(registered, version, tracking_uri)
    typer.echo(f"{registered}: version {version} is the champion")


def check_promotion(model: str, comparison: Path, gates: Path, tracking_uri: str) -> tuple[str, int]:
    """Name and version of a model that may become the champion.

    Raises:
        GateError: if it may not.
        UsageError: if the comparison is not of this model and the present champion.
    """
    from counterfeit_risk.evaluation.gates import load_gates, reasons_against
    from counterfeit_risk.evaluation.head_to_head_report import read_comparison
    from counterfeit_risk.tracking.registry import champion_version, find_version

    found, held = read_comparison(comparison), load_gates(gates)
    name, version = find_version(model, tracking_uri)
    champion = champion_version(name, tracking_uri)
    if version == champion:
        raise UsageError(f"{name} version {version} is the champion already")
    compared = {"model": found.model_id, "champion": found.other_id}
    registered = {
        "model": _model_id(model, tracking_uri),
        "champion": _model_id(f"models:/{name}/{champion}", tracking_uri),
    }
    if compared != registered:
        raise UsageError(
            f"{comparison} compares {found.model_id} with {found.other_id}, but {model} is {registered['model']} and "
            f"the champion, version {champion}, is {registered['champion']}: evaluate them against each other again"
        )
    reasons = reasons_against(found, held)
    if reasons:
        raise GateError(f"{model} stays what it is: " + "; ".join(reasons))
    return name, version


def _model_id(uri: str, tracking_uri: str) -> str:
    return open_bundle(bundle_folder(uri, tracking_uri)).manifest.model_id
