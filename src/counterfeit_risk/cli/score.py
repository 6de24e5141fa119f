"""`counterfeit-risk score`: every row of a dump gets a risk, or a reason why not."""

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from counterfeit_risk.cli.options import (
    DEFAULT_TRACKING_URI,
    BundleArgument,
    ColumnMapOption,
    ImageRootOption,
    PrecisionOption,
    StoreOption,
    TrackingOption,
    bundle_folder,
    to_precision,
)
from counterfeit_risk.cli.progress import progress
from counterfeit_risk.errors import UsageError
from counterfeit_risk.export.bundle import open_bundle
from counterfeit_risk.listings.catalog import load_column_map
from counterfeit_risk.scoring.output import ScoringManifest
from counterfeit_risk.scoring.rescoring import rescore
from counterfeit_risk.scoring.runner import Dump, score_dump


def score(
    bundle: BundleArgument,
    out: Annotated[Path, typer.Option(help="Folder for scores/, rejected/ and manifest.json.", show_default=False)],
    listings: Annotated[
        Path | None,
        typer.Argument(metavar="LISTINGS", help="Listing table: .csv, .jsonl or .parquet.", show_default=False),
    ] = None,
    column_map: ColumnMapOption = None,
    image_root: ImageRootOption = None,
    store: StoreOption = None,
    rescore_from: Annotated[
        Path | None,
        typer.Option(
            help="Folder of an earlier run: its listings get this bundle's risks, from the store; no photo is opened.",
            show_default=False,
        ),
    ] = None,
    precision: PrecisionOption = "auto",
    max_rejected: Annotated[
        float, typer.Option(min=0, max=1, help="Share of rejected rows above which the exit status is 1.")
    ] = 0.05,
    tracking_uri: TrackingOption = DEFAULT_TRACKING_URI,
) -> None:
    """Score a dump: each row leaves with a risk, or in rejected/ with its reason.

    A killed run resumes when it is started again; a finished one stays as it is.
    """
    if (listings is None) == (rescore_from is None):
        raise UsageError("name a listing table to score, or --rescore-from with the scores of an earlier run")
    if rescore_from and (store is None or column_map or image_root or precision != "auto"):
        raise UsageError("--rescore-from needs --store, and takes no --column-map, --image-root or --precision")
    model = open_bundle(bundle_folder(bundle, tracking_uri))
    chosen = to_precision(precision)
    with progress("scoring") as advance:
        if rescore_from and store:
            manifest = rescore(model, rescore_from, out, store=store, max_rejected=max_rejected, on_progress=advance)
        elif listings:
            dump = Dump(listings, load_column_map(column_map), image_root)
            manifest = score_dump(
                model, dump, out, max_rejected=max_rejected, precision=chosen, store=store, on_progress=advance
            )
    Console().print(counts_table(manifest))


def counts_table(manifest: ScoringManifest) -> Table:
    """The counts of a run, which reconcile."""
    table = Table("rows", title="Rows in and out", title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("count", justify="right")
    for name, count in counts(manifest):
        table.add_row(name, f"{count:,}")
    table.caption = (
        f"{manifest.listings_per_second:,.0f} listings/s on {manifest.runtime} in {manifest.precision}, "
        f"peak memory {manifest.peak_memory_mb:,.0f} MB"
    )
    return table


def counts(manifest: ScoringManifest) -> list[tuple[str, int]]:
    """Rows in, and where each of them went."""
    return [
        ("in the dump", manifest.rows_in),
        ("scored", manifest.scored),
        ("  of them without a photo or part of the title", manifest.scored_in_part),
        *((f"  of them in the {band} band", count) for band, count in sorted(manifest.bands.items())),
        ("rejected", sum(manifest.rejected.values())),
        *((f"  {reason}", count) for reason, count in sorted(manifest.rejected.items())),
    ]
