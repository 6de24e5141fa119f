"""Writes a synthetic market: a labelled table, a later unlabelled dump, and their photos.

Knows no model. The same seed gives the same bytes under the same versions of NumPy and Pillow.
"""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from counterfeit_risk.errors import UsageError
from counterfeit_risk.listings.catalog import write_labeled_listings, write_listings
from counterfeit_risk.listings.listing import Label
from counterfeit_risk.market.offers import Offer, Period, draw_offers
from counterfeit_risk.market.photos import render_photo
from counterfeit_risk.market.sellers import SellerPool

LABELED_PERIOD = Period(datetime(2025, 1, 6, tzinfo=UTC), timedelta(days=180))
NIGHTLY_PERIOD = Period(datetime(2025, 7, 21, tzinfo=UTC), timedelta(days=1))
"""Begins when the last label is in."""

_JPEG_QUALITIES = (60, 92)


@dataclass(frozen=True)
class Market:
    """What was written where, and how much of it."""

    folder: Path
    labeled: Path
    nightly: Path
    nightly_truth: Path
    """`listing_id,label` of the nightly dump: to show afterwards how well a queue did, never to learn from."""
    labeled_count: int
    nightly_count: int
    counterfeit_count: int
    """In both tables together."""
    photo_count: int


def write_market(
    out: Path,
    *,
    listings: int = 2000,
    nightly: int = 500,
    seed: int = 0,
    on_progress: Callable[[int], None] | None = None,
) -> Market:
    """Draws a market and writes it into a folder.

    Photos come first and `labeled.csv` last, so a folder without it is what a killed run left.

    Args:
        out: a new or empty folder.
        listings: labelled listings, at least 1.
        nightly: unlabelled listings of one later night, for the most part from new sellers.
        seed: the same one gives the same market.
        on_progress: called after each listing whose photos are written, with how many that were.

    Raises:
        UsageError: if a number is out of range, or `out` is not empty or cannot be a folder.
    """
    _check(listings, nightly, seed)
    _open_folder(out)
    labeled_offers, nightly_offers = _draw(np.random.default_rng(seed), listings, nightly)
    offers = [*labeled_offers, *nightly_offers]
    for number, offer in enumerate(offers):
        _write_photos(out, offer, np.random.default_rng((seed, number)))
        if on_progress:
            on_progress(1)
    market = Market(
        folder=out,
        labeled=out / "labeled.csv",
        nightly=out / "nightly.csv",
        nightly_truth=out / "nightly_truth.csv",
        labeled_count=listings,
        nightly_count=nightly,
        counterfeit_count=sum(offer.listing.label is Label.COUNTERFEIT for offer in offers),
        photo_count=sum(len(offer.scenes) for offer in offers),
    )
    _write_truth(market.nightly_truth, nightly_offers)
    write_listings(market.nightly, (offer.listing.listing for offer in nightly_offers))
    write_labeled_listings(market.labeled, (offer.listing for offer in labeled_offers))
    return market


def _check(listings: int, nightly: int, seed: int) -> None:
    for name, value, least in (("listings", listings, 1), ("nightly", nightly, 0), ("seed", seed, 0)):
        if value < least:
            raise UsageError(f"{name} must be at least {least}, not {value}")


def _open_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        empty = not any(out.iterdir())
    except OSError as error:
        raise UsageError(f"{out} cannot be used as a folder: {error.strerror}") from None
    if not empty:
        raise UsageError(f"{out} is not empty; name a new folder, or empty this one first")
    (out / "images").mkdir()


def _draw(rng: np.random.Generator, listings: int, nightly: int) -> tuple[list[Offer], list[Offer]]:
    sellers = SellerPool.open(rng, listings)
    tonight = SellerPool.open(rng, nightly, after=sellers)
    return (
        list(draw_offers(rng, sellers, range(listings), LABELED_PERIOD)),
        list(draw_offers(rng, tonight, range(listings, listings + nightly), NIGHTLY_PERIOD)),
    )


def _write_photos(out: Path, offer: Offer, camera: np.random.Generator) -> None:
    for photo, scene in zip(offer.listing.listing.photos, offer.scenes, strict=True):
        quality = int(camera.integers(*_JPEG_QUALITIES))
        render_photo(scene, camera).save(out / str(photo), "JPEG", quality=quality)


def _write_truth(table: Path, offers: Iterable[Offer]) -> None:
    with table.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("listing_id", "label"))
        rows.writerows((offer.listing.listing.listing_id, offer.listing.label.value) for offer in offers)
