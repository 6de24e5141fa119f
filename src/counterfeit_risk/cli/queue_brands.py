"""What a brand receives, and what it sends back.

Commands of `counterfeit-risk queue`, which `queue` registers.
"""

from dataclasses import asdict
from datetime import MAXYEAR, UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from counterfeit_risk.cli.options import JsonOption
from counterfeit_risk.cli.queue_options import DEFAULT_DB, DbOption, SettingsOption, opened, read_settings, utc_now
from counterfeit_risk.cli.queue_records import print_lines
from counterfeit_risk.errors import UsageError, WorkError
from counterfeit_risk.takedown.display import plain_text
from counterfeit_risk.takedown.exchange.brand_feedback import FeedbackResult, read_answers, take_in_answers
from counterfeit_risk.takedown.exchange.brand_report import Period, write_brand_report

BrandOption = Annotated[str, typer.Option(help="The brand, however it is written.", show_default=False)]


def report(
    brand: BrandOption,
    out: Annotated[Path, typer.Option(help="Folder to write, which must not be there yet.", show_default=False)],
    since: Annotated[
        datetime | None, typer.Option(metavar="DATE", formats=["%Y-%m-%d"], help="First day, in UTC.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(metavar="DATE", formats=["%Y-%m-%d"], help="Last day, in UTC.")
    ] = None,
    *,
    json_lines: JsonOption = False,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Write what a brand receives: its decided listings, to fill in and send back, figures, and a page."""
    period = _period(since, until)
    with opened(db) as engine:
        summary = write_brand_report(engine, brand, period, out, utc_now())
    if json_lines:
        print_lines([asdict(summary)])
        return
    figures = Table(show_header=False, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    figures.title = plain_text(summary.brand)
    figures.add_column()
    figures.add_column(justify="right")
    for name, value in summary.figures():
        figures.add_row(name, value)
    Console().print(figures)
    typer.echo(f"the report is in {out}")


def feedback(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A report's listings.csv, filled in, or JSON Lines.", show_default=False),
    ],
    brand: BrandOption,
    by: Annotated[str, typer.Option(help="Who takes it in.", show_default=False)],
    settings: SettingsOption = None,
    *,
    json_lines: JsonOption = False,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Take in the labels that a brand sends back; where they contradict people, the case is decided again."""
    how = read_settings(settings)
    answers, without_label = read_answers(file)
    with opened(db) as engine:
        result = take_in_answers(engine, how, answers, brand, by, utc_now())
    if json_lines:
        print_lines([asdict(result) | {"without_label": without_label}])
    else:
        _print_result(result, without_label)
    if result.refused:
        raise WorkError(f"{len(result.refused)} rows of {file} were refused; the others were taken in")


def _print_result(result: FeedbackResult, without_label: int) -> None:
    typer.echo(
        f"{result.taken} labels taken in, {result.known} already known, {len(result.refused)} refused, "
        f"{without_label} rows without a label"
    )
    for case_id in result.reopened:
        typer.echo(f"case {case_id}: open again, since the brand disagrees")
    for remark in result.not_reopened:
        typer.echo(f"line {remark.line}: taken in, but {remark.reason}")
    for remark in result.refused:
        typer.echo(f"line {remark.line}: {remark.reason}")


def _period(since: datetime | None, until: datetime | None) -> Period:
    """From the first day's first moment to before the day after the last."""
    if since and until and since > until:
        raise UsageError(f"--since {since:%Y-%m-%d} comes after --until {until:%Y-%m-%d}")
    end = until + timedelta(days=1) if until and until.year < MAXYEAR else None
    return Period(since and since.replace(tzinfo=UTC), end and end.replace(tzinfo=UTC))


COMMANDS = (report, feedback)
