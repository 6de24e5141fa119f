"""Keeps the queue in order: nights taken back, tables brought up to date.

Commands of `counterfeit-risk queue`, which `queue` registers.
"""

from typing import Annotated

import typer

from counterfeit_risk.cli.queue_options import DEFAULT_DB, LARGEST, DbOption, utc_now
from counterfeit_risk.takedown.database import migrate_database
from counterfeit_risk.takedown.queue import open_queue


def withdraw(
    load_id: Annotated[int, typer.Argument(metavar="LOAD", min=1, max=LARGEST, help="As `load` printed it.")],
    by: Annotated[str, typer.Option(help="Who takes it back.", show_default=False)],
    db: DbOption = DEFAULT_DB,
) -> None:
    """Take a bad night back: its undecided cases close without a label, and what policy hid is visible again."""
    with open_queue(db) as queue:
        closed, given_back = queue.withdraw(load_id, by, utc_now())
    typer.echo(f"load {load_id}: {closed} cases closed, {given_back} listings reinstated")


def migrate(db: DbOption = DEFAULT_DB) -> None:
    """Bring the tables of an older release up to date; what is in them is kept. Make a backup before."""
    before, after = migrate_database(db)
    typer.echo(f"revision {after}: " + ("nothing to do" if before == after else f"was {before}"))


COMMANDS = (withdraw, migrate)
