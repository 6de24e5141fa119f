"""`counterfeit-risk labels`: merges labelled tables, the queue's among them, into one that the next training reads.

Knows the command line, files and where photos lie; `listings.label_merging` knows which label holds.
"""

import csv
import os
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from counterfeit_risk.cli.label_report import TableReport, print_report
from counterfeit_risk.cli.options import ColumnMapOption
from counterfeit_risk.cli.progress import progress
from counterfeit_risk.errors import ListingTableError, UsageError
from counterfeit_risk.listings.catalog import load_column_map, read_labeled_listings, write_labeled_listings
from counterfeit_risk.listings.cells import to_time
from counterfeit_risk.listings.columns import ColumnMap
from counterfeit_risk.listings.label_merging import Disagreement, MergedLabels, merge_labels
from counterfeit_risk.listings.listing import Label, LabeledListing, Photo, RejectedRow
from counterfeit_risk.listings.table_writer import replacing

ImageRootsOption = Annotated[
    list[Path] | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="Where image paths start, where not in the table's folder: once for all tables, or once for each.",
    ),
]


@dataclass(frozen=True)
class _Source:
    """A table, and the folder under which its photos lie."""

    table: Path
    image_root: Path


def labels(
    tables: Annotated[
        list[Path],
        typer.Argument(metavar="TABLE", help="Labelled tables; of equal labels, the last holds.", show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="Table to write: .csv, .jsonl or .parquet.", show_default=False)],
    as_of: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only what was known by then; a date is its midnight, in UTC."),
    ] = None,
    disagreements: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Write who says what of listings with different labels.")
    ] = None,
    column_map: ColumnMapOption = None,
    image_root: ImageRootsOption = None,
) -> None:
    """Merge labelled tables into one that `train` accepts: one row a listing, under the label that holds.

    An appeal's label holds over a review's, a review's over any other;
    of equal ones the latest. The others fill in what its row lacks.

    A foreign dump is renamed by itself first, with --column-map.
    """
    known_by = _read_time(as_of)
    _check_files(tables, out, disagreements)
    sources = _find_image_roots(tables, image_root)
    new_root = _common_image_root(sources, out)
    columns = load_column_map(column_map)
    with progress("reading labels") as advance:
        reports = [_read(source, columns, new_root, advance) for source in sources]
    merged = merge_labels({report.table: report.rows for report in reports}, as_of=known_by)
    print_report(Console(), reports, merged, as_of=known_by)
    if not merged.rows:
        raise ListingTableError(f"no labelled listing is left, so {out} is not written")
    if disagreements:
        _write_disagreements(disagreements, merged.disagreements)
    write_labeled_listings(out, merged.rows)
    _print_outcome(merged, out, new_root)


def _print_outcome(merged: MergedLabels, out: Path, image_root: Path) -> None:
    fakes = sum(row.label is Label.COUNTERFEIT for row in merged.rows)
    typer.echo(
        f"{len(merged.rows):,} labelled listings in {out}, {fakes:,} of them counterfeit; "
        f"labels of {len(merged.disagreements):,} disagree"
    )
    if image_root != out.parent.resolve():
        setting = shlex.quote(f"data.image_root={image_root}")
        typer.echo(f"their photos lie under {image_root}: train with --set {setting}")


def _read_time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time = to_time(text)
    except ValueError:
        time = None
    if time is None:  # blank, as an unset shell variable is, must not mean all labels
        raise UsageError(f"--as-of {text!r} is no time; write it as 2025-09-01 or 2025-09-01T12:00:00Z")
    return time


def _check_files(tables: Sequence[Path], out: Path, disagreements: Path | None) -> None:
    places = [table.resolve() for table in tables]
    twice = [str(table) for table, place in zip(tables, places, strict=True) if places.count(place) > 1]
    if twice:
        raise UsageError(f"the same table is named more than once: {', '.join(twice)}")
    for option, path in (("--out", out), ("--disagreements", disagreements)):
        if path and path.resolve() in places:
            raise UsageError(f"{option} {path} is one of the tables to merge; name another file")
    if disagreements:
        _check_disagreements(disagreements, out)


def _check_disagreements(path: Path, out: Path) -> None:
    if path.suffix.lower() != ".csv":
        raise UsageError(f"--disagreements {path} is written as CSV; name a file that ends in .csv")
    if path.resolve() == out.resolve():
        raise UsageError(f"--out and --disagreements both name {out}")
    if not path.parent.is_dir():
        raise UsageError(f"--disagreements {path} cannot be written: there is no folder {path.parent}")


def _find_image_roots(tables: Sequence[Path], given: Sequence[Path] | None) -> list[_Source]:
    if not given:
        roots = [table.parent for table in tables]
    elif len(given) == 1:
        roots = [given[0]] * len(tables)
    elif len(given) == len(tables):
        roots = list(given)
    else:
        raise UsageError(f"{len(given)} --image-root for {len(tables)} tables; give one for all, or one for each")
    return [_Source(table, root.resolve()) for table, root in zip(tables, roots, strict=True)]


def _common_image_root(sources: Iterable[_Source], out: Path) -> Path:
    """The folder of the merged table where all photos lie in it, else the deepest folder that holds them all."""
    folders = sorted({str(source.image_root) for source in sources})
    try:
        common = Path(os.path.commonpath(folders))
    except ValueError:
        raise UsageError(f"no folder holds the photos of all tables: {', '.join(folders)}") from None
    return out.parent.resolve() if common.is_relative_to(out.parent.resolve()) else common


def _read(source: _Source, columns: ColumnMap, new_root: Path, advance: Callable[[int], None]) -> TableReport:
    rows: list[LabeledListing] = []
    rejected: list[RejectedRow] = []
    photos_lost: list[str] = []
    unreadable: Counter[str] = Counter()
    for row in read_labeled_listings(source.table, columns):
        if isinstance(row, RejectedRow):
            rejected.append(row)
        else:
            photos, lost = _move_photos(row.listing.photos, source.image_root, new_root)
            rows.append(replace(row, listing=replace(row.listing, photos=photos)))
            photos_lost += lost
            unreadable.update(row.listing.unreadable_fields)
        advance(1)
    return TableReport(str(source.table), tuple(rows), tuple(rejected), tuple(photos_lost), unreadable)


def _move_photos(photos: Iterable[Photo], old_root: Path, new_root: Path) -> tuple[tuple[Photo, ...], list[str]]:
    """The photos with paths under another root, and the names of those without a file.

    A path that leaves its old root is left out: under a wider root it would lead to a file.
    """
    prefix = old_root.relative_to(new_root)
    moved, lost = [], []
    for photo in photos:
        if photo.path is None or photo.data is not None:
            moved.append(photo)
            continue
        inside = _stays_inside(photo.path, old_root)
        if inside:
            moved.append(Photo((prefix / photo.path).as_posix()))
        if not (inside and _is_file(old_root / photo.path)):
            lost.append(photo.path)
    return tuple(moved), lost


def _stays_inside(path: str, root: Path) -> bool:
    try:
        return not Path(path).is_absolute() and (root / path).resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # a loop of symlinks
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


def _write_disagreements(path: Path, found: Iterable[Disagreement]) -> None:
    """One line a claim."""
    with replacing(path) as part, part.open("x", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["listing_id", "holds", "label", "label_source", "labelled_at", "table"])
        for disagreement in found:
            for number, claim in enumerate(disagreement.claims):
                time = claim.labelled_at.isoformat() if claim.labelled_at else None
                holds = "yes" if number == 0 else "no"
                row = [disagreement.listing_id, holds, claim.label.value, claim.label_source, time, claim.table]
                writer.writerow(row)
