"""Writes a synthetic market: a labelled table, a later unlabelled dump, their photos, and the hidden truth.

Knows no model. The same plan gives the same bytes under the same lock file and architecture.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from counterfeit_risk.errors import UsageError
from counterfeit_risk.listings.catalog import write_labeled_listings, write_listings
from counterfeit_risk.listings.listing import LabeledListing
from counterfeit_risk.market.darkroom import Order, develop
from counterfeit_risk.market.drawing import LABELED, NIGHTLY, DrawnListing, MarketPlan, draw_market
from counterfeit_risk.market.offers import Offer
from counterfeit_risk.market.showcase import write_showcase
from counterfeit_risk.market.truth import truth_row, write_truth


@dataclass(frozen=True)
class Market:
    """Where a market lies, and how much of it there is."""

    folder: Path
    listings: int
    counterfeits: int
    """In both tables together."""
    photos: int

    @property
    def labeled(self) -> Path:
        """The table to learn from."""
        return self.folder / f"{LABELED}.parquet"

    @property
    def nightly(self) -> Path:
        """The later night's table, without labels."""
        return self.folder / f"{NIGHTLY}.parquet"

    @property
    def showcase(self) -> Path:
        """Genuine and counterfeit goods of one brand, to look at."""
        return self.folder / "contact_sheet.jpg"

    @property
    def truth(self) -> Path:
        """The hidden truth about both: to judge with afterwards, never to learn from."""
        return self.folder / "truth.parquet"


def write_market(
    out: Path, plan: MarketPlan, *, workers: int | None = None, on_progress: Callable[[int], None] | None = None
) -> Market:
    """Draws a market and writes it into a folder.

    Photos come first and `labeled.parquet` last, so a folder without it is what a killed run left.

    Args:
        out: a new or empty folder.
        plan: what to draw; it alone decides every byte.
        workers: processes that draw photos; as many as there are cores where it is not given.
        on_progress: called with how many photos were just written, or listings drawn where there are no photos.

    Raises:
        UsageError: if the plan cannot be drawn, or `out` is not empty or cannot be a folder.
        OSError: if a file cannot be written.
    """
    plan.check()
    _open_folder(out)
    advance = on_progress or (lambda _: None)
    ledger = _Ledger(with_photos=plan.with_photos)
    drawn = ledger.note(draw_market(plan))
    if plan.with_photos:
        orders = chain.from_iterable(_orders(out, listing.offer) for listing in drawn)
        develop(orders, workers=workers, on_photos=advance)
    else:
        for _ in drawn:
            advance(1)
    market = Market(out, len(ledger.truth), ledger.counterfeits, ledger.photos)
    if plan.with_photos:
        write_showcase(market.showcase, ledger.rows[LABELED], ledger.truth)
    write_truth(market.truth, ledger.truth)
    write_listings(market.nightly, (row.listing for row in ledger.rows[NIGHTLY]))
    write_labeled_listings(market.labeled, ledger.rows[LABELED])
    return market


class _Ledger:
    """Notes what the tables will hold while the photos are drawn."""

    def __init__(self, *, with_photos: bool) -> None:
        self.rows: dict[str, list[LabeledListing]] = {LABELED: [], NIGHTLY: []}
        self.truth: list[dict[str, Any]] = []
        self.counterfeits = self.photos = 0
        self._with_photos = with_photos

    def note(self, drawn: Iterable[DrawnListing]) -> Iterator[DrawnListing]:
        for listing in drawn:
            row = listing.offer.listing
            self.rows[listing.table].append(row if self._with_photos else _without_photos(row))
            self.truth.append(truth_row(listing))
            self.counterfeits += listing.offer.causes.counterfeit
            self.photos += len(listing.offer.photos) if self._with_photos else 0
            yield listing


def _without_photos(row: LabeledListing) -> LabeledListing:
    return replace(row, listing=replace(row.listing, photos=()))


def _orders(out: Path, offer: Offer) -> Iterator[Order]:
    for photo, file in zip(offer.listing.listing.photos, offer.photos, strict=True):
        yield out / str(photo), file


def _open_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        empty = not any(out.iterdir())
    except OSError as error:
        raise UsageError(f"{out} cannot be used as a folder: {error.strerror}") from None
    if not empty:
        raise UsageError(f"{out} is not empty; name a new folder, or empty this one first")
