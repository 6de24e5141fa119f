"""`counterfeit-risk queue`: loads scores, hands out cases, records decisions; its other commands are registered here.

Knows the command line and the clock; `counterfeit_risk.takedown` knows the rules.
"""

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from counterfeit_risk.cli import (
    queue_brands,
    queue_evidence,
    queue_exchange,
    queue_insight,
    queue_keeping,
    queue_upkeep,
)
from counterfeit_risk.cli.options import ColumnMapOption, ImageRootOption, JsonOption, ListingsArgument
from counterfeit_risk.cli.queue_load import ScoredNight, default_archive, load_night, print_result
from counterfeit_risk.cli.queue_options import (
    DEFAULT_DB,
    LARGEST,
    CaseArgument,
    DbOption,
    PhotosOption,
    SettingsOption,
    TokenOption,
    read_settings,
    utc_now,
)
from counterfeit_risk.cli.queue_records import case_record, leased_record, print_lines, stats_record
from counterfeit_risk.cli.queue_simulate import simulate_orders
from counterfeit_risk.listings.catalog import load_column_map
from counterfeit_risk.takedown.complaints.appeals import Appeal
from counterfeit_risk.takedown.complaints.tables import Appellant
from counterfeit_risk.takedown.display import case_sheet, format_time, queue_table, stats_table
from counterfeit_risk.takedown.photo_archive import PhotoArchive
from counterfeit_risk.takedown.queue import open_queue
from counterfeit_risk.takedown.states import Verdict

app = typer.Typer(help="Work the takedown queue.", no_args_is_help=True)


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
        print_result(load_night(queue, night, how, archive, utc_now()))


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
        leased = queue.next_case(reviewer, utc_now(), specialist=specialist)
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
    settings: SettingsOption = None,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Decide a case that you hold; sent twice, it counts once."""
    with open_queue(db, settings=read_settings(settings)) as queue:
        decision = queue.decide(case, reviewer, verdict, reason, token, utc_now(), spared=spare or ())
    typer.echo(f"case {case}: {decision.verdict}")  # not what follows: it would tell whether the answer was known


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
        queue.skip(case, reviewer, reason, token, utc_now())
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
        queue.escalate(case, reviewer, reason, token, utc_now())
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
        queue.undo(case, reviewer, utc_now())
    typer.echo(f"case {case}: open again, its listings as they were")


@app.command()
def reopen(
    case: CaseArgument,
    by: Annotated[str, typer.Option(help="Who reopens it.", show_default=False)],
    reason: Annotated[str, typer.Option(help="The mistake, or the complaint.", show_default=False)],
    db: DbOption = DEFAULT_DB,
) -> None:
    """Take a decided case back into the queue; the listing stays as it is until it is decided again."""
    with open_queue(db) as queue:
        reopened = queue.reopen(case, by, reason, utc_now())
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
        appealed = queue.appeal(case, Appeal(listing, appellant, grounds), by, utc_now())
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
        cases = queue.top(utc_now(), limit)
    if json_lines:
        print_lines(case_record(case) for case in cases)
    else:
        Console().print(queue_table(cases))


@app.command()
def stats(*, json_lines: JsonOption = False, db: DbOption = DEFAULT_DB) -> None:
    """Count cases by state and band, what is overdue, and what was decided."""
    with open_queue(db) as queue:
        counts = queue.stats(utc_now())
    if json_lines:
        print_lines([stats_record(counts)])
    else:
        Console().print(stats_table(counts))


for room in (queue_exchange, queue_brands, queue_evidence, queue_insight, queue_upkeep, queue_keeping):
    for command in room.COMMANDS:
        app.command()(command)
app.command("simulate")(simulate_orders)
