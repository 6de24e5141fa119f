"""`counterfeit-risk queue`: loads scores, hands out cases, records decisions, and passes on actions and labels.

Knows the command line and the clock; `counterfeit_risk.takedown` knows the rules.
"""

import shlex
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from counterfeit_risk.cli.options import ColumnMapOption, ImageRootOption, JsonOption, ListingsArgument
from counterfeit_risk.cli.queue_load import ScoredNight, default_archive, load_night, print_result
from counterfeit_risk.cli.queue_records import case_record, leased_record, print_lines, stats_record
from counterfeit_risk.cli.queue_simulate import simulate_orders
from counterfeit_risk.errors import WorkError
from counterfeit_risk.listings.catalog import load_column_map, write_labeled_listings
from counterfeit_risk.sections import validated
from counterfeit_risk.strict_yaml import read_yaml
from counterfeit_risk.takedown.appeals import Appeal
from counterfeit_risk.takedown.display import actions_table, case_sheet, format_time, queue_table, stats_table
from counterfeit_risk.takedown.notice_tables import Appellant
from counterfeit_risk.takedown.photo_archive import PhotoArchive
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.queue import open_queue
from counterfeit_risk.takedown.states import Verdict

DEFAULT_DB = "sqlite:///takedown.db"

LARGEST = 2**63 - 1
"""Largest whole number that a database holds."""

app = typer.Typer(help="Work the takedown queue.", no_args_is_help=True)
app.command("simulate")(simulate_orders)

DbOption = Annotated[
    str,
    typer.Option("--db", envvar="COUNTERFEIT_RISK_DB", help="sqlite:///FILE, or postgresql://USER:PASSWORD@HOST/NAME."),
]
PhotosOption = Annotated[
    Path | None,
    typer.Option(
        envvar="COUNTERFEIT_RISK_PHOTOS",
        help="Folder for the photos that people are asked about; beside a SQLite file by default.",
        show_default=False,
    ),
]
SettingsOption = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="YAML: due times, order of work, quotas.", show_default=False),
]
TokenOption = Annotated[int, typer.Option(min=1, max=LARGEST, help="As `next` gave it.", show_default=False)]
CaseArgument = Annotated[
    int, typer.Argument(metavar="CASE", min=1, max=LARGEST, help="Number of the case.", show_default=False)
]


@app.command()
def load(
    scores: Annotated[Path, typer.Argument(metavar="SCORES", help="Folder that `score` wrote.", show_default=False)],
    listings: ListingsArgument,
    column_map: ColumnMapOption = None,
    image_root: ImageRootOption = None,
    photos: PhotosOption = None,
    settings: SettingsOption = None,
    db: DbOption = DEFAULT_DB,
    *,
    whole_dump: Annotated[
        bool, typer.Option("--whole-dump", help="A listing that is not in the table is offered no longer.")
    ] = False,
) -> None:
    """Open a case for each risk that people have to see; loading the same scores again changes nothing."""
    night = ScoredNight(
        scores, listings, load_column_map(column_map), (image_root or listings.parent).resolve(), whole_dump
    )
    how = read_settings(settings)
    archive = PhotoArchive(photos) if photos else default_archive(db)
    with open_queue(db, create=True, settings=how) as queue:
        print_result(load_night(queue, night, how, archive, _now()))


@app.command(name="next")
def next_case(
    reviewer: Annotated[str, typer.Option(help="Who will decide.", show_default=False)],
    *,
    specialist: Annotated[bool, typer.Option("--specialist", help="Escalated cases first.")] = False,
    json_lines: JsonOption = False,
    settings: SettingsOption = None,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Take the most urgent case, or the one that you hold already, for some minutes.

    With --json one line is printed, or none where no case waits.
    """
    with open_queue(db, settings=read_settings(settings)) as queue:
        leased = queue.next_case(reviewer, _now(), specialist=specialist)
    if json_lines:
        print_lines([leased_record(leased)] if leased else [])
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
    token: TokenOption,
    spare: Annotated[
        list[str] | None,
        typer.Option(metavar="LISTING", help="Genuine among counterfeits, as `next` names it; may be repeated."),
    ] = None,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Decide a case that you hold; sent twice, it counts once."""
    with open_queue(db) as queue:
        decision = queue.decide(case, reviewer, verdict, reason, token, _now(), spared=spare or ())
    actions = [f"{count} {kind}" for kind, count in sorted(Counter(decision.actions).items())]
    typer.echo(f"case {case}: {decision.verdict}; actions: {', '.join(actions) or 'none needed'}")


@app.command()
def skip(
    case: CaseArgument,
    reviewer: Annotated[str, typer.Option(help="Who holds it.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why somebody else should decide it.", show_default=False)],
    token: TokenOption,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Give a case that you hold to somebody else."""
    with open_queue(db) as queue:
        queue.skip(case, reviewer, reason, token, _now())
    typer.echo(f"case {case}: waits for somebody else")


@app.command()
def escalate(
    case: CaseArgument,
    reviewer: Annotated[str, typer.Option(help="Who holds it.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why it takes a specialist.", show_default=False)],
    token: TokenOption,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Give a case that you hold to specialists, who ask with `next --specialist`."""
    with open_queue(db) as queue:
        queue.escalate(case, reviewer, reason, token, _now())
    typer.echo(f"case {case}: waits for a specialist")


@app.command()
def undo(
    case: CaseArgument,
    reviewer: Annotated[str, typer.Option(help="Who decided it.", show_default=False)],
    settings: SettingsOption = None,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Take your own decision back within minutes: the listings are as they were, and the case is open again."""
    with open_queue(db, settings=read_settings(settings)) as queue:
        queue.undo(case, reviewer, _now())
    typer.echo(f"case {case}: open again, its listings as they were")


@app.command()
def withdraw(
    load_id: Annotated[int, typer.Argument(metavar="LOAD", min=1, max=LARGEST, help="As `load` printed it.")],
    by: Annotated[str, typer.Option(help="Who takes it back.", show_default=False)],
    db: DbOption = DEFAULT_DB,
) -> None:
    """Take a bad night back: its undecided cases close without a label, and what policy hid is visible again."""
    with open_queue(db) as queue:
        closed, given_back = queue.withdraw(load_id, by, _now())
    typer.echo(f"load {load_id}: {closed} cases closed, {given_back} listings reinstated")


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
def appeal(
    case: CaseArgument,
    listing: Annotated[str, typer.Option(metavar="LISTING", help="As `next` names it.", show_default=False)],
    appellant: Annotated[Appellant, typer.Option(help="Who disagrees.", show_default=False)],
    grounds: Annotated[str, typer.Option(help="Why.", show_default=False)],
    by: Annotated[str, typer.Option(help="Who takes the appeal in.", show_default=False)],
    settings: SettingsOption = None,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Take a decided case back into the queue for a seller or a notifier who disagrees; somebody else decides."""
    with open_queue(db, settings=read_settings(settings)) as queue:
        appealed = queue.appeal(case, Appeal(listing, appellant, grounds), by, _now())
    typer.echo(f"case {case}: open again, due {format_time(appealed.due_at)} UTC, for somebody else to decide")


@app.command()
def top(
    limit: Annotated[int, typer.Option(min=1, max=LARGEST, help="Cases to show.")] = 20,
    *,
    json_lines: JsonOption = False,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Show the most urgent undecided cases without taking one."""
    with open_queue(db) as queue:
        cases = queue.top(_now(), limit)
    if json_lines:
        print_lines(case_record(case) for case in cases)
    else:
        Console().print(queue_table(cases))


@app.command()
def actions(
    after: Annotated[int, typer.Option(min=0, max=LARGEST, help="Last sequence number that you have seen.")] = 0,
    *,
    json_lines: JsonOption = False,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Print what the platform is to do with listings, in order."""
    with open_queue(db) as queue:
        if json_lines:
            print_lines(asdict(action) for action in queue.actions(after))
        else:
            Console().print(actions_table(queue.actions(after)))


@app.command()
def stats(*, json_lines: JsonOption = False, db: DbOption = DEFAULT_DB) -> None:
    """Count cases by state and band, what is overdue, and what was decided."""
    with open_queue(db) as queue:
        counts = queue.stats(_now())
    if json_lines:
        print_lines([stats_record(counts)])
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


@app.command()
def verify(db: DbOption = DEFAULT_DB) -> None:
    """Check that no history of a case was changed, and that the tables say what the histories say."""
    with open_queue(db) as queue:
        problems = list(queue.find_damage())
        cases, last = queue.last_event()
    for problem in problems:
        typer.echo(problem)
    if problems:
        raise WorkError(f"{len(problems)} things in {db} are not as the queue left them")
    typer.echo(f"every case's history is whole; the last of {cases:,} cases ends with {last or 'nothing'}")


def _now() -> datetime:
    return datetime.now(UTC)


def read_settings(path: Path | None) -> QueueSettings:
    """How the queue is run.

    Raises:
        SettingsError: with every mistake in the file.
    """
    return validated(QueueSettings, read_yaml(path), source=str(path)) if path else QueueSettings()
