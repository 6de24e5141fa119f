"""`counterfeit-risk queue`: loads scores, hands out cases, records decisions, and passes on actions and labels.

Knows the command line and the clock; `counterfeit_risk.takedown` knows the rules.
"""

import json
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from counterfeit_risk.cli.options import ColumnMapOption, ImageRootOption, JsonOption, ListingsArgument
from counterfeit_risk.cli.progress import progress
from counterfeit_risk.listings.catalog import load_column_map, read_listings, write_labeled_listings
from counterfeit_risk.scoring.risk_score import read_scores
from counterfeit_risk.takedown.case import Case, LeasedCase, QueueStats
from counterfeit_risk.takedown.display import actions_table, case_sheet, format_time, queue_table, stats_table
from counterfeit_risk.takedown.queue import open_queue
from counterfeit_risk.takedown.states import Verdict

Item = TypeVar("Item")

DEFAULT_DB = "sqlite:///takedown.db"

_LARGEST = 2**63 - 1
"""Largest whole number that a database holds."""

app = typer.Typer(help="Work the takedown queue.", no_args_is_help=True)

DbOption = Annotated[
    str,
    typer.Option("--db", envvar="COUNTERFEIT_RISK_DB", help="sqlite:///FILE, or postgresql://USER:PASSWORD@HOST/NAME."),
]
CaseArgument = Annotated[
    int, typer.Argument(metavar="CASE", min=1, max=_LARGEST, help="Number of the case.", show_default=False)
]


@app.command()
def load(
    scores: Annotated[Path, typer.Argument(metavar="SCORES", help="Folder that `score` wrote.", show_default=False)],
    listings: ListingsArgument,
    column_map: ColumnMapOption = None,
    image_root: ImageRootOption = None,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Open a case for each risk that people have to see; loading the same scores again changes nothing."""
    rows = read_listings(listings, load_column_map(column_map))
    root = (image_root or listings.parent).resolve()
    with open_queue(db, create=True) as queue, progress("loading scores") as advance:
        result = queue.load(_count_each(read_scores(scores), advance), rows, _now(), image_root=root)
    typer.echo(
        f"{result.opened} cases opened, {result.updated} updated, {result.already_known} already known, "
        f"{result.passed} passed; {result.hidden} listings hidden until a person decides"
    )


@app.command(name="next")
def next_case(
    reviewer: Annotated[str, typer.Option(help="Who will decide.", show_default=False)],
    *,
    json_lines: JsonOption = False,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Take the most urgent case, or the one that you hold already, for 15 minutes.

    With --json one line is printed, or none where no case waits.
    """
    with open_queue(db) as queue:
        leased = queue.next_case(reviewer, _now())
    if json_lines:
        _print_lines([_leased_record(leased)] if leased else [])
    elif leased is None:
        typer.echo("no case waits for you")
    else:
        if leased.renewed:
            typer.echo("You hold this case already; its lease is renewed.")
        Console().print(case_sheet(leased))
        typer.echo(
            f"Decide with: counterfeit-risk queue decide {leased.case.case_id} --token {leased.token} "
            f"--reviewer {shlex.quote(reviewer)} --verdict counterfeit|genuine|unsure --reason TEXT"
        )


@app.command()
def decide(
    case: CaseArgument,
    reviewer: Annotated[str, typer.Option(help="Who decides.", show_default=False)],
    verdict: Annotated[Verdict, typer.Option(help="unsure leaves the case to somebody else.", show_default=False)],
    reason: Annotated[str, typer.Option(help="What the verdict rests on.", show_default=False)],
    token: Annotated[int, typer.Option(min=1, max=_LARGEST, help="As `next` gave it.", show_default=False)],
    db: DbOption = DEFAULT_DB,
) -> None:
    """Decide a case that you hold; sent twice, it counts once."""
    with open_queue(db) as queue:
        decision = queue.decide(case, reviewer, verdict, reason, token, _now())
    consequence = f"action {decision.action}" if decision.action else "no action is needed"
    typer.echo(f"case {case}: {decision.verdict}; {consequence}")


@app.command()
def reopen(
    case: CaseArgument,
    by: Annotated[str, typer.Option(help="Who reopens it.", show_default=False)],
    reason: Annotated[str, typer.Option(help="The mistake, or the complaint.", show_default=False)],
    db: DbOption = DEFAULT_DB,
) -> None:
    """Take a decided case back into the queue; the listing stays as it is until it is decided again."""
    with open_queue(db) as queue:
        reopened = queue.reopen(case, by, reason, _now())
    typer.echo(f"case {case}: open again, due {format_time(reopened.due_at)} UTC")


@app.command()
def top(
    limit: Annotated[int, typer.Option(min=1, max=_LARGEST, help="Cases to show.")] = 20,
    *,
    json_lines: JsonOption = False,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Show the most urgent undecided cases without taking one."""
    with open_queue(db) as queue:
        cases = queue.top(_now(), limit)
    if json_lines:
        _print_lines(_case_record(case) for case in cases)
    else:
        Console().print(queue_table(cases))


@app.command()
def actions(
    after: Annotated[int, typer.Option(min=0, max=_LARGEST, help="Last sequence number that you have seen.")] = 0,
    *,
    json_lines: JsonOption = False,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Print what the platform is to do with listings, in order."""
    with open_queue(db) as queue:
        if json_lines:
            _print_lines(asdict(action) for action in queue.actions(after))
        else:
            Console().print(actions_table(queue.actions(after)))


@app.command()
def stats(*, json_lines: JsonOption = False, db: DbOption = DEFAULT_DB) -> None:
    """Count cases by state and band, what is overdue, and what was decided."""
    with open_queue(db) as queue:
        counts = queue.stats(_now())
    if json_lines:
        _print_lines([_stats_record(counts)])
    else:
        Console().print(stats_table(counts))


@app.command()
def labels(
    out: Annotated[Path, typer.Option(help="Listing table to write: .csv, .jsonl or .parquet.", show_default=False)],
    db: DbOption = DEFAULT_DB,
) -> None:
    """Write people's verdicts as labelled listings that `train` accepts."""
    with open_queue(db) as queue:
        root = queue.image_root()
        count = write_labeled_listings(out, queue.labels(relative_to=root))
    typer.echo(f"{count} labels in {out}")
    if root:
        typer.echo(f"their photos lie under {root}: train with --set {shlex.quote(f'data.image_root={root}')}")


def _now() -> datetime:
    return datetime.now(UTC)


def _count_each(items: Iterable[Item], advance: Callable[[int], None]) -> Iterator[Item]:
    for item in items:
        yield item
        advance(1)


def _print_lines(records: Iterable[dict[str, Any]]) -> None:
    for record in records:
        typer.echo(json.dumps(record, default=datetime.isoformat))


def _case_record(case: Case) -> dict[str, Any]:
    """A case in one flat record; the listing's fields are named as in a listing table."""
    record = asdict(case)
    listing = record.pop("listing")
    for name in ("photos", "language", "created_at", "unreadable_fields"):
        del listing[name]
    return {**record, **listing, "image_paths": [photo.path for photo in case.listing.photos]}


def _leased_record(leased: LeasedCase) -> dict[str, Any]:
    return _case_record(leased.case) | {
        "token": leased.token,
        "expires_at": leased.expires_at,
        "renewed": leased.renewed,
    }


def _stats_record(stats: QueueStats) -> dict[str, Any]:
    cases = [{"state": state, "band": band, "count": count} for (state, band), count in sorted(stats.cases.items())]
    return {
        "cases": cases,
        "overdue": stats.overdue,
        "decided": stats.decided,
        "median_hours": stats.median_hours,
    }
