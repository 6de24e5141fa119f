"""Draws a whole market: its brands, its sellers, its listings, and the truth about each.

Knows no file and no pixel.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from counterfeit_risk.errors import UsageError
from counterfeit_risk.market.brands import Brand
from counterfeit_risk.market.calendar import Period, draw_catalog
from counterfeit_risk.market.causes import Laws
from counterfeit_risk.market.items import Stock
from counterfeit_risk.market.offers import Offer, OfferDraw
from counterfeit_risk.market.posterior import Posterior, Posteriors
from counterfeit_risk.market.sellers import open_accounts
from counterfeit_risk.market.settings import MarketSettings, default_market_settings

LABELED, NIGHTLY = "labeled", "nightly"


@dataclass(frozen=True)
class MarketPlan:
    """What to draw."""

    listings: int = 2000
    """Labelled listings, at least 1."""
    nightly: int = 500
    """Unlabelled listings of one later night, for the most part from new sellers."""
    seed: int = 0
    with_photos: bool = True
    """Without, listings have a title and no photo; their true posteriors are those of the photos they would have."""
    settings: MarketSettings = field(default_factory=default_market_settings)

    def check(self) -> None:
        """Raises UsageError if a number is out of range."""
        for name, value, least in (
            ("listings", self.listings, 1),
            ("nightly", self.nightly, 0),
            ("seed", self.seed, 0),
        ):
            if value < least:
                raise UsageError(f"{name} must be at least {least}, not {value}")


@dataclass(frozen=True)
class DrawnListing:
    """A listing with the truth about it."""

    table: str
    offer: Offer
    posterior: Posterior
    shown_brand: Brand
    """Whose mark the goods carry; where they carry none, whom their title may name."""


def draw_market(plan: MarketPlan) -> Iterator[DrawnListing]:
    """Draws a market's listings, the labelled ones first; photos are described, and not yet drawn."""
    settings, rng = plan.settings, np.random.default_rng(plan.seed)
    months = settings.calendar.months
    brands = draw_catalog(rng, settings.brands, months)
    stock = Stock(settings, brands)
    sellers = None
    numbers = range(plan.listings), range(plan.listings, plan.listings + plan.nightly)
    periods = Period(LABELED, "S", range(1, months + 1)), Period(NIGHTLY, "T", range(months + 1, months + 2))
    for period, period_numbers in zip(periods, numbers, strict=True):
        sellers = open_accounts(rng, settings, brands, period, listings=len(period_numbers), regulars=sellers)
        laws = Laws(settings, period)
        posteriors = Posteriors(laws, brands)
        for offer in OfferDraw(laws, brands, stock).draw(rng, sellers, period_numbers):
            yield DrawnListing(period.name, offer, posteriors.of(offer), brands.brands[offer.shown.item.brand])
