"""Who sells: honest shops, resellers, dealers of mixed stock, and rings of linked accounts.

Knows no goods. What a seller means to do is hidden from the listing table; only `seller_id` and, for rings, the group
are published.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np

from counterfeit_risk.listings.listing import Label
from counterfeit_risk.market.chance import happens, pick_weighted

PREVALENCE = 0.12
"""Share of counterfeits among all listings."""

KNOWN_SELLER_SHARE = 0.3
"""Share of a later night's listings that come from sellers of the nights before."""

_ZIPF_EXPONENT = 0.6


class SellerKind(StrEnum):
    """What a seller means to do."""

    SHOP = "shop"
    """Sells new goods from the brand."""
    RESELLER = "reseller"
    """Sells used goods, and was sometimes fooled."""
    DEALER = "dealer"
    """Sells what comes in and does not ask."""
    RING = "ring"
    """One of several accounts of the same counterfeiters."""


@dataclass(frozen=True)
class Conduct:
    """How one kind of seller behaves; shares are in [0, 1]."""

    of_genuine: float
    """Share of the market's genuine listings that are theirs; over all kinds these sum to 1."""
    of_counterfeit: float
    """Share of the market's counterfeits that are theirs; over all kinds these sum to 1."""
    listings_each: float
    """Mean listings of one account."""
    fewest: int
    """Accounts in even the smallest market, so that its listings can be split by seller."""
    studio: float
    """Share of offers with studio photos; the rings' are stolen."""
    second_hand: float
    """Share of offers called used."""


CONDUCT: Mapping[SellerKind, Conduct] = {
    SellerKind.SHOP: Conduct(0.55, 0.00, listings_each=20, fewest=16, studio=0.95, second_hand=0.0),
    SellerKind.RESELLER: Conduct(0.33, 0.05, listings_each=4, fewest=16, studio=0.08, second_hand=0.9),
    SellerKind.DEALER: Conduct(0.10, 0.20, listings_each=12, fewest=8, studio=0.5, second_hand=0.3),
    SellerKind.RING: Conduct(0.02, 0.75, listings_each=3.5, fewest=16, studio=0.55, second_hand=0.1),
}
_RING_ACCOUNTS = 4


@dataclass(frozen=True)
class Seller:
    """One account."""

    seller_id: str
    kind: SellerKind
    group: str | None = None
    """The ring it belongs to."""


@dataclass(frozen=True)
class SellerPool:
    """The accounts that publish in one period, each kind's busiest first."""

    accounts: Mapping[SellerKind, tuple[Seller, ...]]
    regulars: "SellerPool | None" = None
    """The pool of the period before, some of whom still publish."""

    @classmethod
    def open(cls, rng: np.random.Generator, listings: int, *, after: "SellerPool | None" = None) -> Self:
        """Opens the accounts for so many listings.

        Args:
            rng: draws which account is busy.
            listings: how many listings the pool will publish, about.
            after: the pool of the period before; ids go on where it ends.
        """
        first = len(after) if after else 0
        kinds = [kind for kind in SellerKind for _ in range(_accounts(kind, listings))]
        numbers = first + rng.permutation(len(kinds))
        sellers = [
            _open_account(kind, place, int(number))
            for place, (kind, number) in enumerate(zip(kinds, numbers, strict=True), start=first)
        ]
        sellers.sort(key=lambda seller: seller.seller_id)
        return cls({kind: tuple(s for s in sellers if s.kind is kind) for kind in SellerKind}, after)

    def __len__(self) -> int:
        return sum(len(sellers) for sellers in self.accounts.values()) + len(self.regulars or ())

    def pick(self, rng: np.random.Generator, label: Label) -> Seller:
        """Who publishes a listing of such goods: a few accounts of each kind publish much, most publish little."""
        if self.regulars and happens(rng, KNOWN_SELLER_SHARE):
            return self.regulars.pick(rng, label)
        counterfeit = label is Label.COUNTERFEIT
        kind = pick_weighted(rng, {k: c.of_counterfeit if counterfeit else c.of_genuine for k, c in CONDUCT.items()})
        sellers = self.accounts[kind]
        return pick_weighted(rng, {seller: rank**-_ZIPF_EXPONENT for rank, seller in enumerate(sellers, start=1)})


def _accounts(kind: SellerKind, listings: int) -> int:
    conduct = CONDUCT[kind]
    share = PREVALENCE * conduct.of_counterfeit + (1 - PREVALENCE) * conduct.of_genuine
    return max(conduct.fewest, round(listings * share / conduct.listings_each))


def _open_account(kind: SellerKind, place: int, number: int) -> Seller:
    """An account whose number says nothing of its kind; neighbouring places in a ring's row belong to one ring."""
    group = f"G{place // _RING_ACCOUNTS:05d}" if kind is SellerKind.RING else None
    return Seller(f"S{number:05d}", kind, group)
