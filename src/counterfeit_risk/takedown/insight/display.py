"""What the queue tells of sellers, reviewers and misses, as tables for people at a terminal. Knows no database."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import isinf

from rich import box
from rich.table import Table
from rich.text import Text

from counterfeit_risk.takedown.display import plain_text
from counterfeit_risk.takedown.insight.reviewers import ReviewerRecord, Share
from counterfeit_risk.takedown.insight.sellers import Seller, SellerGroup, Tally

_NUMBERS = ("found", "of", "share", "severity", "brands", "went on", "relisted", "overturned")


def sellers_table(groups: Iterable[SellerGroup]) -> Table:
    """One row a group of linked sellers with its sellers beneath, or one a seller, in the order given."""
    table = _table("Listings found counterfeit", (), _NUMBERS)
    table.add_column("first", no_wrap=True)
    table.add_column("last", no_wrap=True)
    table.add_column("seller", overflow="fold")
    for group in groups:
        if len(group.sellers) > 1:
            table.add_row(*_tally_cells(group.total), Text(f"{len(group.sellers)} linked sellers", style="bold"))
        indent = "  " if len(group.sellers) > 1 else ""
        for seller, tally in group.sellers:
            table.add_row(*_tally_cells(tally), Text(indent).append_text(name_seller(seller)))
    return table


def name_seller(seller: Seller) -> Text:
    """A seller and their platform."""
    return plain_text(f"{seller.seller_id} on {seller.platform}" if seller.platform else seller.seller_id)


def reviewers_table(records: Iterable[ReviewerRecord]) -> Table:
    """One row a reviewer, in the order given."""
    counts = ("decided", "minutes", "skipped", "unsure", "escalated", "undone", "overturned", "known")
    table = _table("Reviewers", ("reviewer",), counts)
    for heading in ("counterfeits found", "genuine found"):
        table.add_column(heading, no_wrap=True)
    for one in records:
        table.add_row(
            plain_text(one.reviewer),
            f"{one.decided:,}",
            "" if one.median_minutes is None else f"{one.median_minutes:.1f}",
            *(f"{count:,}" for count in (one.skipped, one.unsure, one.escalated, one.undone, one.overturned)),
            f"{one.known_answers:,}",
            *(_share_cell(share) for share in (one.sensitivity, one.specificity)),
        )
    return table


def strata_table(strata: Iterable[tuple[float, int, int, int]]) -> Table:
    """One row for each probability: that, and how many were drawn, decided and found counterfeit."""
    table = _table("Drawn from what passed", (), ("probability", "drawn", "decided", "counterfeit"))
    for probability, *counts in strata:
        table.add_row(f"{probability:g}", *(f"{count:,}" for count in counts))
    return table


def format_count(count: float) -> str:
    """A count that is estimated."""
    return "any number" if isinf(count) else f"{count:,.1f}"


def _table(title: str, texts: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in texts:
        table.add_column(heading, overflow="fold")
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _tally_cells(tally: Tally) -> list[str]:
    counts = (tally.brands, tally.went_on, tally.relistings, tally.overturned)
    return [
        f"{tally.found_counterfeit:,}",
        f"{tally.decided:,}",
        f"{tally.share:.0%}",
        f"{tally.severity:g}",
        *(f"{count:,}" for count in counts),
        *(_day(time) for time in (tally.first_at, tally.last_at)),
    ]


def _day(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d}" if time else ""


def _share_cell(share: Share) -> str:
    if not share.size:
        return ""
    low, high = share.interval
    return f"{share.count} of {share.size} ({low:.0%} to {high:.0%})"
