"""`counterfeit-risk store`: what a folder of embeddings holds, and how to take out what nobody needs any more."""

import json
from pathlib import Path
from typing import Annotated

import pyarrow.parquet as pq
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from counterfeit_risk.cli.options import DEFAULT_TRACKING_URI, JsonOption, TrackingOption, bundle_folder
from counterfeit_risk.embeddings.store import EmbeddingStore
from counterfeit_risk.errors import ListingTableError, UsageError
from counterfeit_risk.export.bundle import open_bundle
from counterfeit_risk.export.runtimes import all_fingerprints

app = typer.Typer(help="Look after a folder of embeddings.", no_args_is_help=True)

FolderArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="The folder that `score --store` names.", show_default=False)
]


@app.command()
def stats(
    folder: FolderArgument,
    *,
    json_lines: JsonOption = False,
) -> None:
    """Show what a store holds, by tower."""
    with EmbeddingStore(folder, create=False) as store:
        contents, on_disk = store.contents(), store.bytes_used()
    if json_lines:
        towers = [{"tower": one.fingerprint, "embeddings": one.entries, "bytes": one.bytes_used} for one in contents]
        typer.echo(json.dumps({"towers": towers, "bytes_on_disk": on_disk}))
        return
    table = Table(
        "tower", title=f"{folder}: {on_disk / 2**20:,.1f} MB on disk", title_justify="left", box=box.SIMPLE_HEAD
    )
    table.add_column("embeddings", justify="right")
    table.add_column("MB", justify="right")
    for one in contents:
        table.add_row(one.fingerprint[:16], f"{one.entries:,}", f"{one.bytes_used / 2**20:,.1f}")
    Console().print(table)


@app.command()
def prune(
    folder: FolderArgument,
    bundle: Annotated[
        list[str] | None, typer.Option(help="Keep the embeddings of this bundle's towers only; may be repeated.")
    ] = None,
    scores: Annotated[
        list[Path] | None, typer.Option(help="Keep what these scored listings show only; may be repeated.")
    ] = None,
    tracking_uri: TrackingOption = DEFAULT_TRACKING_URI,
) -> None:
    """Take out all but what is named. Nobody else may use the store meanwhile."""
    if not bundle and not scores:
        raise UsageError("name what to keep: --bundle, --scores, or both")
    towers = {
        fingerprint
        for name in bundle or []
        for fingerprint in all_fingerprints(open_bundle(bundle_folder(name, tracking_uri)))
    }
    with EmbeddingStore(folder, create=False, alone=True) as store:
        pruned = store.prune(towers=towers if bundle else None, contents=_recorded(scores) if scores else None)
    typer.echo(
        f"{folder}: {pruned.entries:,} embeddings taken out, {pruned.towers} towers among them as a whole; "
        f"{pruned.bytes_before / 2**20:,.1f} MB before, {pruned.bytes_after / 2**20:,.1f} MB now"
    )


def _recorded(folders: list[Path]) -> set[bytes]:
    """Hashes of the photos and titles of scored listings."""
    hashes: set[bytes] = set()
    for folder in folders:
        if not (folder / "manifest.json").is_file():
            raise ListingTableError(f"{folder} holds no finished run")
        for part in (folder / "scores").glob("part-*.parquet"):
            table = pq.read_table(part, columns=["photo_hashes", "title_hash"])
            photos = table["photo_hashes"].combine_chunks().flatten().to_pylist()
            titles = table["title_hash"].drop_null().to_pylist()
            hashes.update(bytes.fromhex(key) for key in (*photos, *titles))
    return hashes
