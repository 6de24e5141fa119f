"""What leaves the queue for platforms, sellers, the EU and training.

Commands of `counterfeit-risk queue`, which `queue` registers.
"""

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from counterfeit_risk.cli.options import JsonOption
from counterfeit_risk.cli.queue_options import DEFAULT_DB, LARGEST, DbOption
from counterfeit_risk.cli.queue_records import print_lines
from counterfeit_risk.listings.catalog import write_labeled_listings
from counterfeit_risk.takedown.display import actions_table, format_time
from counterfeit_risk.takedown.queue import open_queue
from counterfeit_risk.takedown.statements.batches import write_batches

AfterOption = Annotated[int, typer.Option(min=0, max=LARGEST, help="Last sequence number that you have seen.")]


def actions(
    after: AfterOption = 0,
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


def statements(
    out: Annotated[
        Path | None, typer.Option(help="Folder for batches for the EU Transparency Database.", show_default=False)
    ] = None,
    after: AfterOption = 0,
    *,
    json_lines: JsonOption = False,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Print what sellers are to be told of restrictions, in order; with --out write the EU's batches instead."""
    last = after

    def payloads() -> Iterator[dict[str, Any]]:
        nonlocal last
        for statement in queue.statements(after):
            last = statement.sequence
            yield statement.payload

    with open_queue(db) as queue:
        if out:
            count = write_batches(payloads(), out)
            typer.echo(f"{count} statements in {out}; continue with --after {last}")
        elif json_lines:
            print_lines(asdict(statement) for statement in queue.statements(after))
        else:
            for one in queue.statements(after):
                typer.echo(
                    f"{one.sequence}  {format_time(one.created_at)} UTC  to seller {one.seller_id or 'unknown'}\n"
                )
                typer.echo(one.seller_text)


COMMANDS = (actions, statements, labels)
