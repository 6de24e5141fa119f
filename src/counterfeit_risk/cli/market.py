"""`counterfeit-risk market`: writes the synthetic market.

Knows the command line only; `counterfeit_risk.market` draws.
"""

from pathlib import Path
from typing import Annotated

import typer

from counterfeit_risk.cli.progress import progress
from counterfeit_risk.market.market import write_market


def market(
    out: Annotated[Path, typer.Option(help="New or empty folder to write into.", show_default=False)],
    listings: Annotated[int, typer.Option(min=1, help="Labelled listings.")] = 2000,
    nightly: Annotated[int, typer.Option(min=0, help="Unlabelled listings of a later night.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="The same seed writes the same market.")] = 0,
) -> None:
    """Write a synthetic market: photos, a labelled table and an unlabelled nightly dump."""
    with progress("drawing listings", listings + nightly) as advance:
        written = write_market(out, listings=listings, nightly=nightly, seed=seed, on_progress=advance)
    typer.echo(
        f"{written.folder}: {written.labeled_count} labelled and {written.nightly_count} unlabelled listings, "
        f"{written.photo_count} photos"
    )
