"""A night's scores into the queue: photos are kept, copies of one photo found, and then all of it loaded at once."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import typer
from sqlalchemy import make_url

from counterfeit_risk.cli.photo_copies import name_copies
from counterfeit_risk.cli.progress import progress
from counterfeit_risk.listings.catalog import read_listings
from counterfeit_risk.listings.columns import ColumnMap
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.scoring.risk_score import read_scores
from counterfeit_risk.takedown.case import LoadResult, listing_key
from counterfeit_risk.takedown.loading import Night, lane_of, pair_scores
from counterfeit_risk.takedown.photo_archive import PhotoArchive
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

_COMPARED_FOR = timedelta(days=30)
"""How long after a decision a case's photos are compared with new ones; the same bytes are known for ever."""


@dataclass(frozen=True)
class ScoredNight:
    """What one load reads."""

    scores: Path
    listings: Path
    columns: ColumnMap
    image_root: Path
    is_whole_dump: bool = False


def default_archive(db: str) -> PhotoArchive | None:
    """Where photos are kept beside a SQLite file; None for a server, for which a folder must be named."""
    address = make_url(db)
    if address.get_backend_name() != "sqlite" or not address.database:
        return None
    return PhotoArchive(Path(address.database).with_suffix(".photos"))


def load_night(
    queue: TakedownQueue, night: ScoredNight, settings: QueueSettings, archive: PhotoArchive | None, now: datetime
) -> LoadResult:
    """Loads a night's scores; without an archive no photo is kept, and copies are found by their bytes alone."""
    names = name_photos(queue, _asked_about(night, settings), night.image_root, archive, now)
    with progress("loading scores") as advance:
        scores = _count_each(read_scores(night.scores), advance)
        rows = read_listings(night.listings, night.columns)
        brought = Night(night.image_root, names, is_whole_dump=night.is_whole_dump)
        return queue.load(scores, rows, now, night=brought)


def name_photos(
    queue: TakedownQueue, listings: Iterable[Listing], image_root: Path, archive: PhotoArchive | None, now: datetime
) -> Mapping[str, Sequence[str]] | None:
    """Keeps the photos of listings that people will be asked about, and names copies alike; None without an archive."""
    if archive is None:
        logger.warning("no photo is kept, and copies are found by their bytes alone: name a folder with --photos")
        return None
    return name_copies(listings, image_root, archive, queue.photo_names(now - _COMPARED_FOR))


def print_result(result: LoadResult) -> None:
    """Says what became of the scores."""
    typer.echo(
        f"load {result.load_id}: {result.opened} cases opened, {result.joined} listings joined one, "
        f"{result.updated} updated, {result.already_known} already known, {result.passed} passed, "
        f"{result.audited} drawn for audit; {result.hidden} listings hidden until a person decides"
    )
    for count, what in (
        (result.merged, "cases turned out to be one with an older one"),
        (result.gone, "listings are offered no longer"),
        (result.slipped, "cases are due a day later: more was flagged than people can see"),
    ):
        if count:
            typer.echo(f"{count} {what}")


def _asked_about(night: ScoredNight, settings: QueueSettings) -> Iterator[Listing]:
    rows = read_listings(night.listings, night.columns)
    for score, listing in pair_scores(read_scores(night.scores), rows):
        key = listing_key(listing.platform, listing.listing_id)
        if lane_of(key, score.content_hash, score.band, settings):
            yield listing


def _count_each(items: Iterable[Item], advance: Callable[[int], None]) -> Iterator[Item]:
    for item in items:
        yield item
        advance(1)
