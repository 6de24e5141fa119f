"""What the queue tells of sellers, of reviewers and of what the model misses; and the cases that measure reviewers.

Commands of `counterfeit-risk queue`, which `queue` registers.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from counterfeit_risk.cli.options import ColumnMapOption, ImageRootOption, JsonOption
from counterfeit_risk.cli.progress import progress
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
from counterfeit_risk.cli.queue_records import Record, print_lines
from counterfeit_risk.embeddings.fingerprint import photo_hash
from counterfeit_risk.errors import UsageError
from counterfeit_risk.listings.catalog import load_column_map, read_labeled_listings
from counterfeit_risk.listings.images import UnreadableImageError, decode_image, read_photo
from counterfeit_risk.listings.listing import LabeledListing, Listing, RejectedRow, RejectReason
from counterfeit_risk.listings.thumbnails import SMALLEST_SIDE
from counterfeit_risk.takedown.display import plain_text
from counterfeit_risk.takedown.insight.display import format_count, reviewers_table, sellers_table, strata_table
from counterfeit_risk.takedown.insight.reviewers import ReviewerRecord, Share, read_reviewers
from counterfeit_risk.takedown.insight.sellers import SellerGroup, Tally, read_links, read_sellers
from counterfeit_risk.takedown.known_answers import KnownAnswer, load_known_answers
from counterfeit_risk.takedown.photo_archive import PhotoArchive

logger = logging.getLogger(__name__)


def sellers(
    links: Annotated[
        Path | None,
        typer.Option(
            help="CSV or JSON Lines: sellers that the platform knows to belong together, by "
            "platform, seller_id and seller_group.",
            show_default=False,
        ),
    ] = None,
    brand: Annotated[str | None, typer.Option(help="Count this brand's listings alone.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="Groups to show.")] = 20,
    settings: SettingsOption = None,
    *,
    json_lines: JsonOption = False,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Show whose listings people found counterfeit, the most first, by what Article 23 of the DSA weighs.

    Sellers whose fakes show copies of the same photos stand together. Nobody is suspended by this: the photos may be
    a brand's own, and before any suspension a person looks at the cases and warns the seller.
    """
    order, known = read_settings(settings).order, read_links(links) if links else []
    with opened(db) as engine:
        report = read_sellers(engine, order, links=known, brand=brand)
    shown, unknown = report.groups[:limit], report.without_seller
    if json_lines:
        print_lines(_group_record(group) for group in shown)
        print_lines([{"listings_without_seller_id": unknown.decided, "found_counterfeit": unknown.found_counterfeit}])
        return
    Console().print(sellers_table(shown))
    typer.echo(
        f"{len(shown):,} of {len(report.groups):,} groups; listings without a seller id: {unknown.decided:,} decided, "
        f"{unknown.found_counterfeit:,} of them found counterfeit"
    )


def reviewers(*, json_lines: JsonOption = False, db: DbOption = DEFAULT_DB) -> None:
    """Show how much and how fast reviewers decide, what did not stand, and how often they find known answers."""
    with opened(db) as engine:
        records = read_reviewers(engine)
    if json_lines:
        print_lines(_reviewer_record(record) for record in records)
    else:
        Console().print(reviewers_table(records))
        typer.echo("minutes are the median from taking a case to its verdict; intervals hold in 95 of 100 cases")


def missed(
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Count what was loaded from this day on, in UTC.", show_default=False),
    ] = None,
    *,
    json_lines: JsonOption = False,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Estimate how many counterfeits passed, from the listings that passed and were drawn for people to see.

    It takes people to be right, and those drawn but not decided yet to be like the others.
    """
    try:
        from counterfeit_risk.takedown.insight.missed import read_missed
    except ModuleNotFoundError as error:
        raise UsageError(
            f"this estimate needs {error.name}, which is not installed: pip install counterfeit-risk[train]"
        ) from error
    with opened(db) as engine:
        found = read_missed(engine, since.replace(tzinfo=UTC) if since else None)
    if json_lines:
        print_lines([_finite(asdict(found))])
        return
    Console().print(strata_table((one.probability, one.drawn, one.decided, one.counterfeit) for one in found.strata))
    estimate = "unknown: nobody has decided any" if found.share is None else format_count(found.estimate)
    typer.echo(
        f"counterfeits that passed: {estimate}; 95 % interval {format_count(found.low)} to {format_count(found.high)}"
    )
    if found.share is not None:
        typer.echo(f"of those decided {found.share:.2%}; 95 % interval {found.share_low:.2%} to {found.share_high:.2%}")
    if found.not_estimated:
        typer.echo(f"not in the estimate: {found.not_estimated:,} drawn with a probability with which none is decided")


def known_answers(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE",
            help="Labelled listings whose answer is sure: .csv, .jsonl or .parquet.",
            show_default=False,
        ),
    ],
    column_map: ColumnMapOption = None,
    image_root: ImageRootOption = None,
    photos: PhotosOption = None,
    settings: SettingsOption = None,
    db: DbOption = DEFAULT_DB,
) -> None:
    """Open a case for each listing of which it is sure what it is, to learn what reviewers miss.

    Reviewers are not told which cases these are, and nothing follows from their verdict; `reviewers` counts how often
    they were right. Loading the same listings again changes nothing; `withdraw` takes undecided ones back.
    """
    root = (image_root or table.parent).resolve()
    how, archive = read_settings(settings), PhotoArchive(photos) if photos else default_archive(db)
    if archive is None:
        logger.warning("no photo is kept: name a folder with --photos")
    with opened(db) as engine:
        answers, refused = [], []
        for row in _keep_photos(read_labeled_listings(table, load_column_map(column_map)), root, archive):
            if isinstance(row, RejectedRow):
                refused.append((row.listing_id or f"row {row.row_number}", row.detail))
            else:
                answers.append(row)
        loaded = load_known_answers(engine, answers, how, utc_now(), root)
    refused += loaded.refused
    load = f"load {loaded.load_id}: " if loaded.load_id else ""
    typer.echo(
        f"{load}{loaded.opened} cases opened, {loaded.already_known} already known, {len(refused)} listings refused"
    )
    for name, reason in refused:
        typer.echo(plain_text(f"{name}: {reason}").plain)


def _keep_photos(
    rows: Iterable[LabeledListing | RejectedRow], image_root: Path, archive: PhotoArchive | None
) -> Iterator[KnownAnswer | RejectedRow]:
    """Keeps the photos of listings; one of whose photos none can be read has no answer that a reviewer could find."""
    with progress("keeping photos") as advance:
        for number, row in enumerate(rows, start=1):
            if isinstance(row, RejectedRow):
                yield row
            else:
                hashes, problem = _keep(row.listing, image_root, archive)
                if problem and not hashes:
                    yield RejectedRow(number, RejectReason.NOTHING_READABLE, problem, row.listing.listing_id)
                else:
                    yield KnownAnswer(row, hashes)
            advance(1)


def _keep(listing: Listing, image_root: Path, archive: PhotoArchive | None) -> tuple[tuple[str, ...], str | None]:
    """The hashes of a listing's photos, and what is wrong with the last that cannot be read."""
    hashes, problem = [], None
    for photo in listing.photos:
        try:
            data = read_photo(photo, image_root)
            decode_image(data, smallest_side=SMALLEST_SIDE)
        except UnreadableImageError as error:
            problem = f"{photo}: {error}"
            continue
        key = photo_hash(data)
        if archive:
            archive.keep(key, data)
        hashes.append(key)
    return tuple(hashes), problem


def _group_record(group: SellerGroup) -> Record:
    members = [asdict(seller) | _tally_record(tally) for seller, tally in group.sellers]
    return _tally_record(group.total) | {"sellers": members}


def _tally_record(tally: Tally) -> Record:
    return asdict(tally) | {"share": tally.share}


def _reviewer_record(record: ReviewerRecord) -> Record:
    shares = {"sensitivity": record.sensitivity, "specificity": record.specificity}
    told = {name: _share_record(share) for name, share in shares.items()}
    return asdict(record) | {"known_answers": record.known_answers} | told


def _share_record(share: Share) -> Record:
    low, high = share.interval
    return asdict(share) | {"value": share.value, "low": low, "high": high}


def _finite(record: dict[str, Any]) -> Record:
    """JSON has no infinity."""
    return {name: None if isinstance(one, float) and not isfinite(one) else one for name, one in record.items()}


COMMANDS = (sellers, reviewers, missed, known_answers)
