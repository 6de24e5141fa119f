"""Unlabelled listings to align the towers on: those with photos and a title that no held-out row shows.

Knows no label and no model.
"""

import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from counterfeit_risk.config import AlignmentSettings
from counterfeit_risk.embeddings.content import ContentReader, ListingContent
from counterfeit_risk.listings.catalog import read_listings
from counterfeit_risk.listings.listing import Listing, RejectedRow
from counterfeit_risk.training.rows import LabeledRows

logger = logging.getLogger(__name__)


def read_unlabelled(settings: AlignmentSettings, reader: ContentReader, rows: LabeledRows) -> tuple[Listing, ...]:
    """Reads the table that the alignment names; nothing where it names none.

    A listing that is among the labelled rows, or shows a photo of one, is left out: a pair that was drawn together
    here looks like no contradiction where labels are learned from, or judged.

    Args:
        settings: name the table.
        reader: of this table's photos.
        rows: the labelled rows.
    """
    if settings.listings is None:
        return ()
    known = {row.listing.listing_id for row in rows.listings}
    known_photos = {key for keys in rows.photo_hashes for key in keys}
    kept, left_out = [], 0
    for listing, content in _read_contents(settings, reader):
        usable = content.title and content.photo_hashes and listing.listing_id not in known
        if usable and known_photos.isdisjoint(content.photo_hashes):
            kept.append(listing)
        else:
            left_out += 1
    logger.info("alignment: %d unlabelled listings of %s, %d left out", len(kept), settings.listings, left_out)
    return tuple(kept)


def _read_contents(settings: AlignmentSettings, reader: ContentReader) -> Iterator[tuple[Listing, ListingContent]]:
    def read(listing: Listing) -> tuple[Listing, ListingContent]:
        return listing, replace(reader.read(listing), pixels=())

    assert settings.listings is not None
    listings = (row for row in read_listings(settings.listings) if not isinstance(row, RejectedRow))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(read, listings)
