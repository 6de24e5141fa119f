"""`counterfeit-risk export`: a finished run becomes a bundle and a version in the registry."""

import base64
from pathlib import Path
from typing import Annotated, Any

import typer

from counterfeit_risk.cli.options import DEFAULT_TRACKING_URI, RunArgument, TrackingOption
from counterfeit_risk.errors import UsageError
from counterfeit_risk.export.bundle import ModelBundle
from counterfeit_risk.listings.listing import Listing


def export(
    run: RunArgument,
    out: Annotated[Path, typer.Option(help="Folder for the bundle; it must not be there yet.", show_default=False)],
    name: Annotated[str, typer.Option(help="Registered model that becomes one version richer.")] = "counterfeit-risk",
    prevalence: Annotated[
        float | None,
        typer.Option(
            help="Share of counterfeits where it will score.  [default: as the run was told]", show_default=False
        ),
    ] = None,
    tracking_uri: TrackingOption = DEFAULT_TRACKING_URI,
) -> None:
    """Export a run as a bundle, check it against the trained model, and register it."""
    if prevalence is not None and not 0 < prevalence < 1:
        raise UsageError(f"--prevalence is a share above 0 and below 1, not {prevalence:g}")
    bundle, version = export_and_register(run, out, name=name, tracking_uri=tracking_uri, prevalence=prevalence)
    typer.echo(f"{out}: model {bundle.manifest.model_id}, registered as {name} version {version}")


def export_and_register(
    run_id: str, out: Path, *, name: str, tracking_uri: str, prevalence: float | None = None
) -> tuple[ModelBundle, int]:
    """Writes a run's bundle and registers it; returns it with its version's number."""
    from counterfeit_risk.export.export import export_run, read_parity_rows
    from counterfeit_risk.tracking.registry import register_bundle
    from counterfeit_risk.tracking.runs import find_run

    run = find_run(tracking_uri, run_id)
    bundle = export_run(run, out, prevalence=prevalence)
    example = to_input_example(read_parity_rows(run)[0])
    return bundle, register_bundle(run, bundle.folder, name=name, input_example=example)


def to_input_example(listing: Listing) -> dict[str, Any]:
    """A listing as the served model takes it."""
    images = [base64.b64encode(photo.data).decode() for photo in listing.photos if photo.data]
    told = {name: getattr(listing, name) for name in ("price", "currency", "brand", "category")}
    shown = {"listing_id": listing.listing_id, "title": listing.title, "images": images}
    return shown | {name: value for name, value in told.items() if value is not None}
