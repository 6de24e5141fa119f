"""What merging labels has done to each table, as tables for a terminal.

Knows no file. Text from tables is printed as it is meant and never obeyed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from counterfeit_risk.listings.label_merging import Claim, Disagreement, MergedLabels
from counterfeit_risk.listings.listing import LabeledListing, RejectedRow
from counterfeit_risk.takedown.display import format_time, plain_text

_SHOWN = 10


@dataclass(frozen=True)
class TableReport:
    """One table as it was read."""

    table: str
    rows: tuple[LabeledListing, ...]
    rejected: tuple[RejectedRow, ...]
    photos_lost: tuple[str, ...]
    """Paths that lead to no file, or out of the folder in which the photos lie."""
    unreadable: Mapping[str, int]
    """Values that could not be read and count as absent, by column."""


def print_report(
    console: Console, reports: Sequence[TableReport], merged: MergedLabels, *, as_of: datetime | None
) -> None:
    """Prints where each row went, and the first rows that were rejected or disagree."""
    console.print(_counts_table(reports, merged, as_of))
    for note in _notes(reports):
        console.print(plain_text(note), soft_wrap=True)
    rejected = [(report.table, row) for report in reports for row in report.rejected]
    if rejected:
        console.print(_rejected_table(rejected))
    if merged.disagreements:
        console.print(_disagreements_table(merged.disagreements))


def _counts_table(reports: Sequence[TableReport], merged: MergedLabels, as_of: datetime | None) -> Table:
    """One row a table; rows read are those rejected, kept, overridden and not yet known."""
    table = _simple_table(f"Labels as of {format_time(as_of)} UTC" if as_of else "Labels")
    table.add_column("table", overflow="fold")
    for name in ("rows", "rejected", "kept", "overridden", *(["not yet known"] if as_of else [])):
        table.add_column(name, justify="right")
    for report in reports:
        counts = merged.counts[report.table]
        numbers = [len(report.rows) + len(report.rejected), len(report.rejected), counts.kept, counts.overridden]
        numbers += [counts.not_yet_known] if as_of else []
        table.add_row(plain_text(report.table), *(f"{number:,}" for number in numbers))
    return table


def _notes(reports: Sequence[TableReport]) -> Iterator[str]:
    for report in reports:
        if report.photos_lost:
            yield (
                f"{report.table}: no file for {len(report.photos_lost):,} photos, {report.photos_lost[0]} for one; "
                "--image-root says where paths start"
            )
        if report.unreadable:
            counts = ", ".join(f"{name} {count:,}" for name, count in sorted(report.unreadable.items()))
            yield f"{report.table}: values that cannot be read count as absent: {counts}"


def _rejected_table(rejected: Sequence[tuple[str, RejectedRow]]) -> Table:
    table = _simple_table("Rejected rows", len(rejected))
    for heading in ("table", "row", "reason", "detail"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "row" else "left")
    for name, row in islice(rejected, _SHOWN):
        table.add_row(plain_text(name), f"{row.row_number:,}", row.reason, plain_text(row.detail))
    return table


def _disagreements_table(disagreements: Sequence[Disagreement]) -> Table:
    table = _simple_table("Disagreements", len(disagreements))
    for heading in ("listing", "holds", "against"):
        table.add_column(heading, overflow="fold")
    for found in islice(disagreements, _SHOWN):
        holds, *others = found.claims
        against = [_describe(claim) for claim in others if claim.label is not holds.label]
        table.add_row(plain_text(found.listing_id), _describe(holds), Text("\n").join(against))
    return table


def _describe(claim: Claim) -> Text:
    time = f", {format_time(claim.labelled_at)}" if claim.labelled_at else ""
    return plain_text(f"{claim.label.value} ({claim.label_source or 'no source'}{time}) in {claim.table}")


def _simple_table(title: str, rows: int = 0) -> Table:
    """An empty table; of more rows than are shown, a caption counts the others."""
    return Table(
        title=title,
        title_justify="left",
        caption=f"and {rows - _SHOWN:,} more" if rows > _SHOWN else None,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
