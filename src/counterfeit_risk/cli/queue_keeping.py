"""Backups, and the end of personal data.

Commands of `counterfeit-risk queue`, which `queue` registers.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from counterfeit_risk.cli.options import JsonOption
from counterfeit_risk.cli.queue_load import default_archive
from counterfeit_risk.cli.queue_options import (
    DEFAULT_DB,
    DbOption,
    PhotosOption,
    SettingsOption,
    opened,
    read_settings,
    utc_now,
)
from counterfeit_risk.cli.queue_records import print_lines
from counterfeit_risk.errors import UsageError, WorkError
from counterfeit_risk.takedown.free_text import check_name
from counterfeit_risk.takedown.keeping.backup import Copy, copy_queue, rebuild_queue
from counterfeit_risk.takedown.keeping.erasure import REQUEST, Eraser, erase_notifier, erase_seller
from counterfeit_risk.takedown.keeping.retention import RETENTION, erase_old, remove_photos
from counterfeit_risk.takedown.photo_archive import PhotoArchive

logger = logging.getLogger(__name__)

ByOption = Annotated[str, typer.Option(help="Who erases it.", show_default=False)]
ToOption = Annotated[
    str,
    typer.Option(help="Empty database: sqlite:///FILE, or postgresql://USER:PASSWORD@HOST/NAME.", show_default=False),
]


def erase(
    by: ByOption,
    notifier: Annotated[
        str | None, typer.Option(metavar="ID", help="Whose notices and messages.", show_default=False)
    ] = None,
    seller: Annotated[
        str | None, typer.Option(metavar="ID", help="Whose listings and statements.", show_default=False)
    ] = None,
    platform: Annotated[
        str | None, typer.Option(help="Whose seller it is; without it, of listings that name none.", show_default=False)
    ] = None,
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Even of cases under way: a court or an authority said so.")
    ] = False,
    settings: SettingsOption = None,
    json_lines: JsonOption = False,
    db: DbOption = DEFAULT_DB,
) -> None:
    """End the personal data of one notifier or one seller, at their request; what was decided stays.

    What a seller's listings look like goes with them. Photos go with `retention`, when no case shows them any longer.
    """
    if (notifier is None) == (seller is None):
        raise UsageError("name --notifier or --seller, and not both")
    if notifier is not None and (platform is not None or force):
        raise UsageError("--platform and --force go with --seller")
    how = read_settings(settings)
    with opened(db) as engine:
        eraser = Eraser(engine, check_name(by), utc_now(), REQUEST)
        if notifier is not None:
            erased = erase_notifier(eraser, notifier)
        else:
            erased = erase_seller(eraser, str(seller), platform, how, is_ordered=force)
        counts = Counter(table for table, _ in erased)
    _print_counts("Erased", counts, json_lines=json_lines)


def retention(
    by: ByOption,
    photos: PhotosOption = None,
    settings: SettingsOption = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing, and count what would be erased.")] = False,
    json_lines: JsonOption = False,
    db: DbOption = DEFAULT_DB,
) -> None:
    """End the personal data of cases and notices that were kept long enough, and of photos that no kept case shows.

    How long is a setting, two years by default. Run it every night; one that was interrupted is finished by the next.
    """
    now, how = utc_now(), read_settings(settings)
    archive = PhotoArchive(photos) if photos else default_archive(db)
    with opened(db) as engine:
        eraser = Eraser(engine, check_name(by), now, RETENTION, is_trial=dry_run)
        names = list(erase_old(eraser, how))
        counts = Counter(table for table, _ in names)
        if archive:
            counts["photos"] = remove_photos(engine, archive, names, now, trial=dry_run)
    _print_counts("Would be erased" if dry_run else "Erased", counts, json_lines=json_lines)
    if archive is None:
        logger.warning("no photo was looked at: name their folder with --photos")


def backup(to: ToOption, *, json_lines: JsonOption = False, db: DbOption = DEFAULT_DB) -> None:
    """Copy the whole queue, as it stands at one moment, into an empty database; people may work on meanwhile.

    Restore by the same command the other way round, between SQLite and PostgreSQL too. Photos lie in a folder of their
    own: copy it with any tool, after the queue.
    """
    with opened(db) as engine:
        copy = copy_queue(engine, to)
    _print_copy("Copied", copy, json_lines=json_lines)


def rebuild(to: ToOption, *, json_lines: JsonOption = False, db: DbOption = DEFAULT_DB) -> None:
    """Make the queue's tables anew from its audit log, in an empty database, and check them.

    The log carries all of it but the queue's identity, and how long each history was and with which hash it ended:
    those are read from where they stand.
    """
    with opened(db) as engine:
        copy = rebuild_queue(engine, to)
    _print_copy("Rebuilt", copy, json_lines=json_lines)
    for problem in copy.problems:
        typer.echo(problem, err=json_lines)
    if copy.problems:
        raise WorkError(f"{len(copy.problems)} things are not as the queue left them: do not work on what was rebuilt")


def _print_copy(title: str, copy: Copy, *, json_lines: bool) -> None:
    _print_counts(title, copy.rows, json_lines=json_lines)
    if not json_lines:
        typer.echo(f"the last of {copy.cases:,} cases ends with {copy.last_sha256 or 'nothing'}")


def _print_counts(title: str, counts: Mapping[str, int], *, json_lines: bool) -> None:
    if json_lines:
        print_lines([dict(counts)])
        return
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("rows of", no_wrap=True)
    table.add_column("count", justify="right")
    for name, count in counts.items():
        table.add_row(name.replace("_", " "), f"{count:,}")
    if not counts:
        table.add_row("nothing", "0")
    Console().print(table)


COMMANDS: tuple[Callable[..., None], ...] = (erase, retention, backup, rebuild)
