"""`counterfeit-risk notice`: takes complaints in, for every platform, and passes on what notifiers are told."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from counterfeit_risk.cli.options import ColumnMapOption, ImageRootOption, JsonOption
from counterfeit_risk.cli.progress import progress
from counterfeit_risk.cli.queue_load import default_archive, name_photos
from counterfeit_risk.cli.queue_options import (
    DEFAULT_DB,
    LARGEST,
    DbOption,
    PhotosOption,
    SettingsOption,
    read_settings,
    utc_now,
)
from counterfeit_risk.cli.queue_records import print_lines
from counterfeit_risk.errors import UsageError, WorkError
from counterfeit_risk.listings.catalog import load_column_map, read_listings
from counterfeit_risk.scoring.risk_score import read_scores
from counterfeit_risk.takedown.case import listing_key
from counterfeit_risk.takedown.complaints.notice import Notice, RefusedNotice, read_notices
from counterfeit_risk.takedown.complaints.rights import Rights, read_authorisations, read_marks
from counterfeit_risk.takedown.display import format_time
from counterfeit_risk.takedown.loading import Night, ScoredListing, pair_scores
from counterfeit_risk.takedown.photo_archive import PhotoArchive
from counterfeit_risk.takedown.queue import open_queue

app = typer.Typer(help="Take in notices of what somebody holds for illegal.", no_args_is_help=True)

_FILE = {"exists": True, "dir_okay": False, "show_default": False}


@app.command()
def load(
    notices: Annotated[Path, typer.Argument(metavar="NOTICES", help="JSON Lines, one notice each.", **_FILE)],
    marks: Annotated[Path | None, typer.Option(help="Registered marks, CSV or JSON Lines.", **_FILE)] = None,
    authorised: Annotated[Path | None, typer.Option(help="Authorised sellers, CSV or JSON Lines.", **_FILE)] = None,
    scores: Annotated[
        Path | None, typer.Option(help="Folder that `score` wrote: the risks of listings that nobody has seen yet.")
    ] = None,
    listings: Annotated[Path | None, typer.Option(help="The table that was scored.", **_FILE)] = None,
    column_map: ColumnMapOption = None,
    image_root: ImageRootOption = None,
    photos: PhotosOption = None,
    settings: SettingsOption = None,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Take notices in: each is acknowledged, its validity estimated, and answered; once more, it changes nothing.

    A notice that lacks a particular is refused with all that it lacks, and the exit status is 1.
    """
    if (scores is None) != (listings is None):
        raise UsageError("--scores and --listings go together: a folder that `score` wrote, and the table it scored")
    read = list(read_notices(notices))
    refused = [one for one in read if isinstance(one, RefusedNotice)]
    complete = [one for one in read if isinstance(one, Notice)]
    rights = Rights(read_marks(marks) if marks else (), read_authorisations(authorised) if authorised else ())
    scored = _find_reported(complete, scores, listings, column_map) if scores and listings else {}
    root = (image_root or listings.parent).resolve() if listings else None
    archive = PhotoArchive(photos) if photos else default_archive(db)
    with open_queue(db, create=True, settings=read_settings(settings)) as queue:
        reported = [listing for _, listing in scored.values()]
        night = Night(root, name_photos(queue, reported, root, archive, utc_now()) if root else None)
        with progress("notices") as advance:
            result = queue.notice_desk(rights, scored, night).take_in(_count_each(complete, advance), utc_now())
    typer.echo(f"{result.taken_in} notices taken in, {result.already_known} already known, {len(refused)} refused")
    for outcome, count in sorted((result.listings or {}).items()):
        typer.echo(f"{count} listings: {outcome}")
    if refused:
        for one in refused:
            name = f"line {one.line}" + (f", notice {one.notice_id}" if one.notice_id else "")
            sys.stderr.write(f"{name}: {'; '.join(one.reasons)}\n")
        raise WorkError(f"{len(refused)} notices of {notices} are not complete; the others were taken in")


@app.command()
def messages(
    after: Annotated[int, typer.Option(min=0, max=LARGEST, help="Last sequence number that you have sent.")] = 0,
    *,
    json_lines: JsonOption = False,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Print what notifiers are to be told, in order."""
    with open_queue(db) as queue:
        if json_lines:
            print_lines(asdict(message) for message in queue.messages(after))
        else:
            for message in queue.messages(after):
                typer.echo(f"{message.sequence}  {format_time(message.created_at)} UTC  to {message.email}\n")
                typer.echo(message.text)


def _find_reported(
    notices: Iterable[Notice], scores: Path, listings: Path, column_map: Path | None
) -> dict[str, ScoredListing]:
    wanted = {listing_key(item.platform, item.listing_id) for notice in notices for item in notice.items}
    rows = read_listings(listings, load_column_map(column_map))
    found = {}
    for score, listing in pair_scores(read_scores(scores), rows):
        key = listing_key(listing.platform, listing.listing_id)
        if key in wanted:
            found[key] = score, listing
    return found


def _count_each(notices: Iterable[Notice], advance: Callable[[int], None]) -> Iterator[Notice]:
    for notice in notices:
        yield notice
        advance(1)
