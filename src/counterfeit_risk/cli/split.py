"""`counterfeit-risk split`: deals a table's rows to splits, and shows that nothing leaks.

Knows the command line and the files it leaves; `listings.splits` deals and `listings.leaks` counts.
"""

import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import typer
from numpy.typing import NDArray
from rich.console import Console

from counterfeit_risk.cli.options import ColumnMapOption, ImageRootOption, ListingsArgument
from counterfeit_risk.cli.progress import progress
from counterfeit_risk.config import SplitSettings
from counterfeit_risk.embeddings.content import ContentReader, ListingContent
from counterfeit_risk.embeddings.preprocessing import ImagePreprocessing
from counterfeit_risk.errors import ListingTableError, UsageError
from counterfeit_risk.listings.catalog import load_column_map, read_labeled_listings, read_listings
from counterfeit_risk.listings.columns import ColumnMap
from counterfeit_risk.listings.listing import Label, LabeledListing, Listing, RejectedRow
from counterfeit_risk.listings.tables import read_columns

if TYPE_CHECKING:
    from counterfeit_risk.cli.split_report import SplitReport
    from counterfeit_risk.listings.leaks import Traces
    from counterfeit_risk.listings.splits import SplitRows

_NO_TOWER = ImagePreprocessing(image_size=1, crop_share=1, interpolation="bilinear", mean=(0, 0, 0), std=(1, 1, 1))
"""No model looks at the pixels here."""
_MAX_PHOTOS = 12
"""As many as any model may read, so that the splits hold for each."""


@dataclass(frozen=True)
class _Row:
    number: int
    listing: Listing
    labeled: LabeledListing | None
    content: ListingContent


def split(
    listings: ListingsArgument,
    out: Annotated[Path, typer.Option(help="Folder for splits.parquet and leaks.json.", show_default=False)],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same splits.")] = 0,
    leave_out_brand: Annotated[
        list[str] | None, typer.Option(metavar="BRAND", help="Only test may hold this brand; repeatable.")
    ] = None,
    largest_group: Annotated[
        float, typer.Option(min=0, max=1, help="Share of listings above which one linked group is refused.")
    ] = 0.1,
    origins: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Parquet: which originals each photo shows (`photo_origins`)."),
    ] = None,
    column_map: ColumnMapOption = None,
    image_root: ImageRootOption = None,
    *,
    forward_in_time: Annotated[
        bool, typer.Option("--forward-in-time", help="Train on the oldest listings, test on the newest.")
    ] = False,
) -> None:
    """Split a table so that no seller, photo or copy of a photo stands in two splits, and count what leaks."""
    # these need SciPy, scikit-learn and faiss, which a scoring image does without
    from counterfeit_risk.cli.split_report import make_report, report_table
    from counterfeit_risk.listings.leaks import random_splits
    from counterfeit_risk.listings.splits import split_listings

    settings = SplitSettings(
        largest_group=largest_group, forward_in_time=forward_in_time, leave_out_brands=tuple(leave_out_brand or ())
    )
    rows = _read_rows(listings, load_column_map(column_map), image_root or listings.parent)
    recorded = _read_origins(origins, rows) if origins else None
    copies = _find_copies(rows)
    to_split = _to_split(rows, copies)
    splits = split_listings(to_split, settings, seed=seed)
    traces = _to_traces(rows, copies, recorded)
    labeled = [row.labeled for row in rows if row.labeled]
    report = make_report({"random": random_splits(splits, seed=seed), "ours": splits}, traces, labeled)
    _write(out, rows, splits, to_split.groups, report)
    Console().print(report_table(report))
    typer.echo(out / "splits.parquet")


def _write(out: Path, rows: list[_Row], splits: NDArray[Any], groups: NDArray[np.int64], report: "SplitReport") -> None:
    out.mkdir(parents=True, exist_ok=True)
    table = {
        "row_number": [row.number for row in rows],
        "listing_id": [row.listing.listing_id for row in rows],
        "split": [str(split) for split in splits],
        "group": groups,
    }
    pq.write_table(pa.table(table), out / "splits.parquet")
    (out / "leaks.json").write_text(json.dumps(report.to_dict(), indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _read_rows(table: Path, columns: ColumnMap, root: Path) -> list[_Row]:
    """The rows with a readable photo or title and, where the table has labels, a known one."""
    reader = ContentReader(root, _NO_TOWER, _MAX_PHOTOS, keep_thumbnails=True)
    has_labels = columns.columns.get("label", "label") in read_columns(table).names
    rows: Iterable[LabeledListing | Listing | RejectedRow]
    rows = read_labeled_listings(table, columns) if has_labels else read_listings(table, columns)

    def read(numbered: tuple[int, LabeledListing | Listing | RejectedRow]) -> _Row | None:
        number, row = numbered
        if isinstance(row, RejectedRow):
            return None
        labeled = row if isinstance(row, LabeledListing) else None
        listing = row.listing if isinstance(row, LabeledListing) else row
        content = replace(reader.read(listing), pixels=())
        return None if content.is_empty else _Row(number, listing, labeled, content)

    found: list[_Row] = []
    with progress("reading photos") as advance, ThreadPoolExecutor(os.cpu_count()) as pool:
        for row in pool.map(read, enumerate(rows, start=1)):
            found += [row] if row else []
            advance(1)
    if not found:
        raise ListingTableError(f"{table} holds no listing that can be used")
    return found


def _find_copies(rows: list[_Row]) -> list[tuple[str, ...]]:
    from counterfeit_risk.listings.near_duplicates import shared_photo_keys

    hashes = [row.content.photo_hashes for row in rows]
    with progress("comparing photos", len({key for keys in hashes for key in keys})) as advance:
        return shared_photo_keys(hashes, [row.content.thumbnails for row in rows], on_progress=advance)


def _to_split(rows: list[_Row], copies: list[tuple[str, ...]]) -> "SplitRows":
    from counterfeit_risk.listings.splits import SplitRows

    labels = [row.labeled.label is Label.COUNTERFEIT for row in rows if row.labeled]
    return SplitRows(
        listing_ids=[row.listing.listing_id for row in rows],
        sellers=[row.listing.seller_id for row in rows],
        photos=copies,
        seller_groups=[row.labeled.seller_group if row.labeled else None for row in rows],
        labels=np.array(labels) if labels else None,
        created_at=[row.listing.created_at for row in rows],
        brands=[row.listing.brand for row in rows],
    )


def _to_traces(rows: list[_Row], copies: list[tuple[str, ...]], origins: list[list[list[str]]] | None) -> "Traces":
    from counterfeit_risk.listings.leaks import Traces

    return Traces(
        sellers=[row.listing.seller_id for row in rows],
        files=[row.content.photo_hashes for row in rows],
        copies=copies,
        seller_groups=[row.labeled.seller_group if row.labeled else None for row in rows],
        origins=origins,
    )


def _read_origins(path: Path, rows: list[_Row]) -> list[list[list[str]]]:
    """For each photo that was read of each row, the originals that it shows."""
    try:
        truth = pq.read_table(path, columns=["listing_id", "photo_origins"]).to_pydict()
    except (pa.ArrowInvalid, KeyError, OSError) as error:
        raise UsageError(f"{path} cannot be read as a table of listing_id and photo_origins: {error}") from error
    origins = dict(zip(truth["listing_id"], truth["photo_origins"], strict=True))
    found = []
    for row in rows:
        photos = (origins.get(row.listing.listing_id) or [])[:_MAX_PHOTOS]
        if len(photos) != len(row.content.photo_hashes):
            raise UsageError(
                f"{path}: listing {row.listing.listing_id!r} has the originals of {len(photos)} photos there, "
                f"but {len(row.content.photo_hashes)} photos that can be read"
            )
        found.append([list(shown) for shown in photos])
    return found
