"""Cases, actions and counts as tables for people at a terminal.

Knows no database. Text from sellers is printed as it is meant and never obeyed: no markup, no control characters.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePath

from rich import box
from rich.table import Table
from rich.text import Text

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.takedown.case import Action, Case, LeasedCase, QueueStats, Snapshot
from counterfeit_risk.takedown.states import CaseState


def queue_table(cases: Iterable[Case]) -> Table:
    """One row a case, in the order given."""
    table = Table(title="Takedown queue", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("case", "risk", "listings"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("band", "due (UTC)", "platform", "with"):
        table.add_column(heading, no_wrap=True)
    table.add_column("title", overflow="fold")
    for case in cases:
        listing = case.riskiest.listing
        platforms = sorted({snapshot.listing.platform or "" for snapshot in case.snapshots})
        table.add_row(
            str(case.case_id),
            "hidden" if case.is_blind else f"{case.risk:.3f}",
            str(len(case.snapshots)),
            "" if case.is_blind else case.band,
            f"{case.due_at:%d %b %H:%M}",
            *(plain_text(text) for text in (", ".join(platforms), case.leased_by, listing.title)),
        )
    return table


def case_sheet(leased: LeasedCase) -> Table:
    """What a reviewer needs to see of one case."""
    case = leased.case
    sheet = Table.grid(padding=(0, 2))
    rows = [
        ("case", f"{case.case_id}, token {leased.token}, yours until {format_time(leased.expires_at)} UTC"),
        ("risk", "not shown for this case" if case.is_blind else f"{case.risk:.3f} ({case.band})"),
        ("due", None if case.is_blind else f"{format_time(case.due_at)} UTC"),
        ("brand", case.brand),
        ("before", f"case {case.parent_case_id}, decided earlier" if case.parent_case_id else None),
    ]
    for snapshot in case.snapshots:
        rows += [("", " "), *_listing_rows(snapshot, blind=case.is_blind)]
    for name, value in rows:
        if value:
            sheet.add_row(Text(name, style="bold"), plain_text(value))
    return sheet


def _listing_rows(snapshot: Snapshot, *, blind: bool) -> list[tuple[str, str | None]]:
    listing = snapshot.listing
    risks = f"{snapshot.risk:.3f}; photos {_risk(snapshot.photo_risk)}, title {_risk(snapshot.title_risk)}"
    return [
        ("listing", snapshot.listing_key),
        ("risk", None if blind else risks),
        ("title", listing.title),
        ("platform", listing.platform),
        ("seller", listing.seller_id),
        ("category", listing.category),
        ("price", None if listing.price is None else f"{listing.price:,.2f} {listing.currency or ''}".strip()),
        *(("photo", str(PurePath(snapshot.image_root or "") / str(photo))) for photo in listing.photos),
    ]


def actions_table(actions: Iterable[Action]) -> Table:
    """One row an action, in the order given."""
    table = Table(title="Actions", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("sequence", justify="right")
    for heading in ("action", "listing", "platform", "case", "at (UTC)"):
        table.add_column(heading, no_wrap=True)
    table.add_column("reason", overflow="fold")
    for action in actions:
        table.add_row(
            str(action.sequence),
            action.kind,
            plain_text(action.listing_id),
            plain_text(action.platform),
            str(action.case_id),
            f"{action.created_at:%d %b %H:%M}",
            plain_text(action.reason),
        )
    return table


def stats_table(stats: QueueStats) -> Table:
    """Cases by state and band, and a caption with what is late and what was decided."""
    table = Table("state", title="Cases", title_justify="left", caption_justify="left")
    for band in Band:
        table.add_column(band, justify="right")
    for state in CaseState:
        table.add_row(state, *(f"{stats.cases.get((state, band), 0):,}" for band in Band))
    verdicts = [f"{count:,} {verdict}" for verdict, count in sorted(stats.decided.items())]
    median = "none yet" if stats.median_hours is None else f"{stats.median_hours:.1f} h"
    table.caption = f"overdue {stats.overdue:,}; decided {', '.join(verdicts) or 'none'}; median to a verdict {median}"
    return table


def format_time(time: datetime) -> str:
    """A UTC time to the minute."""
    return f"{time:%Y-%m-%d %H:%M}"


def plain_text(text: str | None) -> Text:
    """Text from outside, with whatever could steer a terminal or reorder a line shown as U+FFFD."""
    return Text("".join(letter if letter.isprintable() else "\ufffd" for letter in text or ""))


def _risk(risk: float | None) -> str:
    return "none" if risk is None else f"{risk:.3f}"
