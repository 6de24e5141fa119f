"""`counterfeit-risk audit`: can files and lengths alone tell the counterfeits of a labelled table?"""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from counterfeit_risk.cli.options import ColumnMapOption, ImageRootOption, ListingsArgument
from counterfeit_risk.cli.progress import progress
from counterfeit_risk.embeddings.fingerprint import photo_hash
from counterfeit_risk.errors import UsageError
from counterfeit_risk.listings.catalog import load_column_map, read_labeled_listings
from counterfeit_risk.listings.file_traits import FILE_TRAITS, PhotoTraits, file_traits, photo_traits
from counterfeit_risk.listings.images import UnreadableImageError, read_photo
from counterfeit_risk.listings.listing import Label, LabeledListing, Listing

if TYPE_CHECKING:
    from counterfeit_risk.evaluation.metrics import Measured
    from counterfeit_risk.evaluation.shortcuts import AuditRows, ShortcutAudit

_BOOTSTRAP_DRAWS = 500


def audit(
    listings: ListingsArgument,
    out: Annotated[Path, typer.Option(help="Folder for shortcuts.json.", show_default=False)],
    rows: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Parquet with the listing_id of the rows to audit.")
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Parquet of a made-up market's truth: audits what evades nothing."
        ),
    ] = None,
    column_map: ColumnMapOption = None,
    image_root: ImageRootOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Of folds and bootstrap.")] = 0,
) -> None:
    """Check labelled listings for shortcuts: file sizes, photo counts or title lengths that give the label away."""
    from counterfeit_risk.evaluation.shortcuts import audit_shortcuts

    chosen = _choose_rows(listings, column_map, _wanted_ids(rows, truth))
    with progress("measuring files", len(chosen)) as advance:
        measured = _measure(chosen, image_root or listings.parent, advance)
    found = audit_shortcuts(measured, draws=_BOOTSTRAP_DRAWS, seed=seed)
    out.mkdir(parents=True, exist_ok=True)
    (out / "shortcuts.json").write_text(json.dumps(found.to_dict(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    Console().print(shortcut_table(found))


def shortcut_table(found: "ShortcutAudit") -> Table:
    """The verdict, and what each feature gives away."""
    verdict = "At chance: no shortcut is seen." if found.at_chance else "NOT at chance: something gives the label away."
    table = Table(
        "feature",
        title=f"Without content: ROC AUC {_interval(found.roc_auc)}\n{verdict}",
        title_justify="left",
        caption=f"{found.listings:,} listings of {found.groups:,} groups, of which {found.counterfeits:,} counterfeit; "
        "ROC AUC of the bare value, and how much the model loses when it is shuffled",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
    )
    for name in ("known", "ROC AUC", "loss"):
        table.add_column(name, justify="right")
    for feature in found.features:
        table.add_row(feature.name, f"{feature.known:,}", _interval(feature.roc_auc), f"{feature.importance:+.3f}")
    return table


def _wanted_ids(rows: Path | None, truth: Path | None) -> frozenset[str] | None:
    from counterfeit_risk.evaluation.truth import read_ids, read_plain_ids

    if rows and truth:
        raise UsageError("--rows and --truth both choose rows; give one of them")
    if rows:
        return read_ids(rows)
    return read_plain_ids(truth) if truth else None


def _choose_rows(table: Path, column_map: Path | None, wanted: frozenset[str] | None) -> list[LabeledListing]:
    """Labelled rows; a row that cannot be read is no row to learn a shortcut from."""
    rows = [row for row in read_labeled_listings(table, load_column_map(column_map)) if isinstance(row, LabeledListing)]
    chosen = rows if wanted is None else [row for row in rows if row.listing.listing_id in wanted]
    if not chosen:
        raise UsageError(f"{table} holds none of the listings to audit")
    return chosen


def _measure(rows: list[LabeledListing], image_root: Path, advance: Callable[[int], None]) -> "AuditRows":
    from counterfeit_risk.evaluation.shortcuts import AuditRows
    from counterfeit_risk.listings.splits import group_listings

    features, photos = [], []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for row, found in zip(rows, pool.map(lambda row: _read_files(row.listing, image_root), rows), strict=True):
            features.append(file_traits(row.listing, [traits for traits, _ in found]))
            photos.append([key for _, key in found])
            advance(1)
    groups = group_listings(
        [row.listing.seller_id for row in rows], photos, seller_groups=[row.seller_group for row in rows]
    )
    labels = np.array([row.label is Label.COUNTERFEIT for row in rows])
    return AuditRows(np.array(features), labels, groups, FILE_TRAITS)


def _read_files(listing: Listing, image_root: Path) -> list[tuple[PhotoTraits, str]]:
    found = []
    for photo in listing.photos:
        try:
            data = read_photo(photo, image_root)
            found.append((photo_traits(data), photo_hash(data)))
        except UnreadableImageError:
            continue
    return found


def _interval(measured: "Measured") -> str:
    if measured.value is None or measured.low is None or measured.high is None:
        return "–"
    return f"{measured.value:.3f} [{measured.low:.3f}, {measured.high:.3f}]"
