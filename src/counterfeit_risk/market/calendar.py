"""When things happen on the market: months, the trade in them, and the brands that are there.

Knows no listing. Months are counted from 1.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import accumulate

import numpy as np

from counterfeit_risk.market.brands import Brand, draw_brands
from counterfeit_risk.market.chance import zipf_weights
from counterfeit_risk.market.settings import BrandSettings, CalendarSettings


@dataclass(frozen=True)
class Period:
    """The months for which accounts are opened and listings drawn."""

    name: str
    prefix: str
    """Begins the ids of its accounts."""
    months: range


@dataclass(frozen=True)
class BrandCatalog:
    """The market's brands, the most popular first."""

    brands: tuple[Brand, ...]
    popularity: tuple[float, ...]
    """Weights, which sum to 1."""
    first_months: tuple[int, ...]
    """The month in which each appears."""

    def shares(self, month: int) -> tuple[float, ...]:
        """P(brand | month) of each brand; 0 before it appears."""
        weights = [
            weight if first <= month else 0.0 for weight, first in zip(self.popularity, self.first_months, strict=True)
        ]
        total = sum(weights)
        return tuple(weight / total for weight in weights)

    def draw(self, rng: np.random.Generator, month: int) -> int:
        """Number of a brand, as likely as it is popular in that month."""
        return min(bisect_right(list(accumulate(self.shares(month))), rng.random()), len(self.brands) - 1)


def draw_catalog(rng: np.random.Generator, settings: BrandSettings, months: int) -> BrandCatalog:
    """Draws the brands, their popularity, and when the late ones appear: evenly over the months after the first."""
    brands = draw_brands(rng, settings.count)
    first_months = np.ones(settings.count, int)
    if settings.late and months > 1:
        late = rng.choice(settings.count, settings.late, replace=False)
        first_months[late] = 2 + np.arange(settings.late) * (months - 1) // settings.late
    popularity = zipf_weights(settings.count, settings.zipf_exponent)
    return BrandCatalog(brands, tuple(popularity), tuple(int(month) for month in first_months))


def month_shares(settings: CalendarSettings, *, counterfeit: bool) -> list[float]:
    """P(month | label), from the first month to the last."""
    weights = [1.0] * settings.months
    for event in settings.events:
        if event.month <= settings.months:
            weights[event.month - 1] *= event.counterfeit if counterfeit else event.genuine
    return [weight / sum(weights) for weight in weights]


def month_start(settings: CalendarSettings, month: int) -> datetime:
    """The first moment of a month, UTC; months may be past the calendar's last."""
    years, months = divmod(settings.start.month - 1 + month - 1, 12)
    return datetime.combine(settings.start.replace(year=settings.start.year + years, month=months + 1), time(), UTC)
