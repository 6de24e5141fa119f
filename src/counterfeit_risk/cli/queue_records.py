"""What the queue hands out as flat records, for `--json`.

A listing's fields are named as in a listing table.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import typer

from counterfeit_risk.takedown.case import Case, LeasedCase, QueueStats, Snapshot

Record = dict[str, Any]

_TELLING = ("risk", "band", "photo_risk", "title_risk", "harm", "model_id", "scored_at", "opened_at", "due_at")
"""What would lead a reviewer, or tell why they see a case."""


def print_lines(records: Iterable[Record]) -> None:
    """Prints one line a record."""
    for record in records:
        typer.echo(json.dumps(record, default=datetime.isoformat))


def case_record(case: Case) -> Record:
    """A case with its listings; without any risk where reviewers must not see it, and without what would tell why."""
    record = asdict(case)
    del record["lane"], record["snapshots"]
    record["listings"] = [_listing_record(snapshot) for snapshot in case.snapshots]
    if case.is_blind:
        for shown in (record, *record["listings"]):
            shown |= {name: None for name in _TELLING if name in shown}
    return record


def leased_record(leased: LeasedCase) -> Record:
    """A case with its lease."""
    lease = {"token": leased.token, "expires_at": leased.expires_at, "renewed": leased.renewed}
    return case_record(leased.case) | lease


def stats_record(stats: QueueStats) -> Record:
    """Counts."""
    cases = [{"state": state, "band": band, "count": count} for (state, band), count in sorted(stats.cases.items())]
    return {
        "cases": cases,
        "overdue": stats.overdue,
        "decided": stats.decided,
        "median_hours": stats.median_hours,
    }


def _listing_record(snapshot: Snapshot) -> Record:
    record = asdict(snapshot)
    listing = record.pop("listing")
    for name in ("photos", "unreadable_fields"):
        del listing[name]
    return {**record, **listing, "image_paths": [photo.path for photo in snapshot.listing.photos]}
