"""Who sells: honest shops, authorised dealers, resellers, liquidators, and rings of linked accounts.

Knows no goods. What a seller means to do is hidden from the listing table; only `seller_id` and, for some companies and
rings, the group of linked accounts are published.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from counterfeit_risk.market.calendar import BrandCatalog, Period
from counterfeit_risk.market.chance import Lottery, happens, pick_weighted, zipf_weights
from counterfeit_risk.market.kinds import HONEST_GUISES, Guise, SellerKind
from counterfeit_risk.market.settings import MarketSettings


@dataclass(frozen=True)
class Seller:
    """One account."""

    seller_id: str
    kind: SellerKind
    guise: Guise
    """What it looks like; a ring's account poses as an honest kind."""
    brand: int
    """Number of the brand that it sells most."""
    catalog: str
    """The brands' own photos that it shows where it looks like a dealer; a ring's account stole them."""
    months: range
    """When it publishes."""
    ring: str | None = None
    """The ring it belongs to."""
    seller_group: str | None = None
    """Shared by accounts in one hand, where the platform knows of it."""

    @property
    def shelf(self) -> str:
        """Accounts with the same shelf show the same goods."""
        return self.ring or self.seller_id


class SellerDirectory:
    """The accounts of one period, and how much each of them sells."""

    def __init__(
        self,
        settings: MarketSettings,
        sellers: Sequence[Seller],
        months: range,
        regulars: "SellerDirectory | None" = None,
    ) -> None:
        self.sellers = tuple(sellers)
        self._months = months
        self._regulars = regulars
        self._regulars_share = settings.nightly.known_sellers
        self._lotteries = {
            (kind, month): _lottery(settings, [seller for seller in sellers if seller.kind is kind], month)
            for kind in SellerKind
            for month in months
        }

    def pick(self, rng: np.random.Generator, kind: SellerKind, month: int) -> Seller:
        """Who of this kind publishes a listing in this month: a few publish much, most publish little."""
        if self._regulars and happens(rng, self._regulars_share):
            return self._regulars.pick(rng, kind, self._regulars.last_month)
        return self._lotteries[kind, month].draw(rng)

    @property
    def last_month(self) -> int:
        """The last month in which its accounts publish."""
        return self._months[-1]


def open_accounts(
    rng: np.random.Generator,
    settings: MarketSettings,
    brands: BrandCatalog,
    period: Period,
    *,
    listings: int,
    regulars: SellerDirectory | None = None,
) -> SellerDirectory:
    """Opens the accounts that publish in a period.

    Args:
        rng: draws brands, guises and rings.
        settings: of the market.
        brands: what can be sold.
        period: when they publish; its prefix begins their ids, whose numbers say nothing of the kind.
        listings: how many listings the accounts will publish, about.
        regulars: the accounts of the period before, some of whom still publish.
    """
    counts = {kind: _accounts(settings, kind, listings) for kind in SellerKind}
    ids = iter([f"{period.prefix}{number:06d}" for number in rng.permutation(sum(counts.values()))])
    catalogs = _catalogs(settings, period, dealers=counts[SellerKind.DEALER])
    sellers: list[Seller] = []
    for kind, guise in HONEST_GUISES.items():
        for number, company in enumerate(_deal(rng, settings.sellers.company_accounts, counts[kind], ids)):
            catalog, group = catalogs[number % len(catalogs)], _known_group(rng, settings, company)
            for seller_id in company:
                brand = _main_brand(rng, brands, period.months)
                sellers.append(Seller(seller_id, kind, guise, brand, catalog, period.months, seller_group=group))
    rings = list(_deal(rng, settings.sellers.ring_accounts, counts[SellerKind.RING], ids))
    robbed = rng.permutation(len(catalogs))
    for ring, accounts in enumerate(rings):
        months = _ring_months(rng, settings, period, place=ring / len(rings))
        sellers += _open_ring(rng, settings, brands, accounts, catalogs[robbed[ring % len(catalogs)]], months)
    return SellerDirectory(settings, sellers, period.months, regulars)


def _catalogs(settings: MarketSettings, period: Period, *, dealers: int) -> list[str]:
    return [f"{period.prefix}C{number:05d}" for number in range(max(1, dealers // settings.sellers.catalog_dealers))]


def _deal(
    rng: np.random.Generator, law: Mapping[int, float], accounts: int, ids: Iterator[str]
) -> Iterator[tuple[str, ...]]:
    """Ids of accounts, those in one hand together."""
    while accounts > 0:
        size = min(pick_weighted(rng, law), accounts)
        yield tuple(next(ids) for _ in range(size))
        accounts -= size


def _known_group(rng: np.random.Generator, settings: MarketSettings, ids: Sequence[str]) -> str | None:
    """A name that tells nothing of who they are, where the platform knows them to be linked."""
    known = happens(rng, settings.sellers.links_known)
    return f"G{min(ids)}" if known and len(ids) > 1 else None


def _ring_months(rng: np.random.Generator, settings: MarketSettings, period: Period, *, place: float) -> range:
    """When a ring is there. `place` in [0, 1) is its place among the rings, which begin one after another."""
    first, last, stay = period.months[0], period.months[-1], settings.sellers.ring_months
    start = min(first - stay + 1 + int(place * (last - first + stay) + rng.random()), last)
    return range(max(start, first), min(start + stay - 1, last) + 1)


def _open_ring(
    rng: np.random.Generator,
    settings: MarketSettings,
    brands: BrandCatalog,
    ids: Sequence[str],
    catalog: str,
    months: range,
) -> Iterator[Seller]:
    group = _known_group(rng, settings, ids)
    for seller_id in ids:
        guise = pick_weighted(rng, settings.ring_guises)
        brand = _main_brand(rng, brands, months)
        yield Seller(seller_id, SellerKind.RING, guise, brand, catalog, months, f"ring of {min(ids)}", group)


def _accounts(settings: MarketSettings, kind: SellerKind, listings: int) -> int:
    law = settings.ring if kind is SellerKind.RING else settings.kinds[kind]
    return max(law.fewest, round(listings * settings.kind_shares[kind] / law.listings_each))


def _main_brand(rng: np.random.Generator, brands: BrandCatalog, months: range) -> int:
    return pick_weighted(rng, dict(enumerate(brands.shares(months[-1]))))


def _lottery(settings: MarketSettings, sellers: Sequence[Seller], month: int) -> Lottery[Seller]:
    """Draws among those who are there in a month; in a market too small for that, among all of them."""
    there = [seller for seller in sellers if month in seller.months] or sellers
    there = sorted(there, key=lambda seller: seller.seller_id)  # by chance: ids tell nothing
    weights = zipf_weights(len(there), settings.sellers.zipf_exponent, settings.sellers.zipf_shift)
    return Lottery(dict(zip(there, weights, strict=True)))
