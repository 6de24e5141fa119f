"""Before a load: keeps the photos that people will be asked about, and names copies of one photo alike.

Stages meet here sideways: `listings.near_duplicates` finds the copies, `takedown` makes cases of them.
"""

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from counterfeit_risk.cli.progress import progress
from counterfeit_risk.embeddings.fingerprint import photo_hash
from counterfeit_risk.listings.images import UnreadableImageError, decode_image, read_photo
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.listings.thumbnails import SMALLEST_SIDE, Thumbnail, make_thumbnail
from counterfeit_risk.takedown.photo_archive import PhotoArchive

logger = logging.getLogger(__name__)

_MAX_PHOTOS = 12
"""As many as any model may read."""


@dataclass(frozen=True)
class _Photos:
    listing_id: str
    hashes: tuple[str, ...]
    thumbnails: tuple[Thumbnail, ...]


def name_copies(
    listings: Iterable[Listing], image_root: Path, archive: PhotoArchive, known: Sequence[str]
) -> Mapping[str, Sequence[str]] | None:
    """Keeps listings' photos, and names each so that copies have one name.

    Args:
        listings: those that people will be asked about.
        image_root: where their photo paths start.
        archive: where the photos are kept.
        known: names from earlier nights, of photos in the archive.

    Returns:
        By listing id the names of its photos; None where what finds copies is not installed.
    """
    with progress("keeping photos") as advance, ThreadPoolExecutor(os.cpu_count()) as pool:
        found = []
        for photos in pool.map(partial(_keep, image_root=image_root, archive=archive), listings):
            found.append(photos)
            advance(1)
        earlier = [one for one in pool.map(partial(_recall, archive=archive), known) if one]
    try:
        from counterfeit_risk.listings.near_duplicates import shared_photo_keys
    except ModuleNotFoundError as error:
        logger.warning("copies of photos are found by their bytes alone: %s is not installed", error.name)
        return None
    every = [*earlier, *found]
    count = len({key for photos in every for key in photos.hashes})
    with progress("comparing photos", count) as advance:
        names = shared_photo_keys(
            [photos.hashes for photos in every], [photos.thumbnails for photos in every], on_progress=advance
        )
    return {photos.listing_id: name for photos, name in zip(found, names[len(earlier) :], strict=True)}


def _keep(listing: Listing, *, image_root: Path, archive: PhotoArchive) -> _Photos:
    hashes, thumbnails = [], []
    for photo in listing.photos[:_MAX_PHOTOS]:
        try:
            data = read_photo(photo, image_root)
            thumbnail = make_thumbnail(decode_image(data, smallest_side=SMALLEST_SIDE))
        except UnreadableImageError:
            continue  # scoring has named it
        key = photo_hash(data)
        archive.keep(key, data)
        hashes.append(key)
        thumbnails.append(thumbnail)
    return _Photos(listing.listing_id, tuple(hashes), tuple(thumbnails))


def _recall(key: str, *, archive: PhotoArchive) -> _Photos | None:
    data = archive.read(key)
    if data is None:
        return None
    try:
        return _Photos("", (key,), (make_thumbnail(decode_image(data, smallest_side=SMALLEST_SIDE)),))
    except UnreadableImageError:
        return None
