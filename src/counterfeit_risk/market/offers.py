"""Draws one listing after another: hidden causes first, then everything that they leave to be seen.

Knows no file. The order is the source of the goods (which is the label), who sells such goods, the goods and their
photos, the title, the price.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from counterfeit_risk.listings.listing import Label, LabeledListing, Listing, Photo
from counterfeit_risk.market.backdrops import Place
from counterfeit_risk.market.brands import BRANDS, Brand
from counterfeit_risk.market.chance import happens, pick, pick_weighted
from counterfeit_risk.market.photos import Scene, View
from counterfeit_risk.market.phrases import LANGUAGE_SHARES
from counterfeit_risk.market.products import PLAIN_GOODS, PRODUCTS, Product
from counterfeit_risk.market.sellers import CONDUCT, PREVALENCE, Seller, SellerPool
from counterfeit_risk.market.signals import PHOTO_TELLS, TITLE_TELLS, Tell, draw_tells
from counterfeit_risk.market.titles import Claim, compose_title

PLAIN_SHARE = 0.08
"""Share of genuine listings that sell unbranded goods whose titles sound like a copy's."""

RELISTED_SHARE = 0.25
"""Share of a ring's listings that show goods, and so scenes, which the ring has shown before."""

_PHOTO_COUNTS = {1: 0.35, 2: 0.38, 3: 0.19, 4: 0.08}
_PLATFORMS = ("bazarro", "kramline", "tindahub")
_PLAIN_PRICE = (4.0, 40.0)
_DAYS_TO_LABEL = (1.0, 14.0)


@dataclass(frozen=True)
class Period:
    """When listings are published, the first at `start` and all before `start + length`."""

    start: datetime
    length: timedelta


@dataclass(frozen=True)
class Offer:
    """A listing and what its photos show, in the same order."""

    listing: LabeledListing
    scenes: tuple[Scene, ...]


@dataclass(frozen=True)
class _Goods:
    """What a seller has to offer, before a word is written."""

    claim: Claim
    label: Label
    scenes: tuple[Scene, ...]


def draw_offers(rng: np.random.Generator, sellers: SellerPool, numbers: range, period: Period) -> Iterator[Offer]:
    """Draws one offer for each number, from the first published to the last.

    Args:
        rng: decides everything.
        sellers: who publishes.
        numbers: name the listings and their photos.
        period: when they publish.
    """
    shown: dict[tuple[str, Label], list[_Goods]] = {}
    for place, number in enumerate(numbers):
        label = Label.COUNTERFEIT if happens(rng, PREVALENCE) else Label.GENUINE
        seller = sellers.pick(rng, label)
        shelf = shown.setdefault((seller.group or seller.seller_id, label), [])
        if seller.group and shelf and happens(rng, RELISTED_SHARE):
            goods = pick(rng, shelf)
        else:
            goods = _stock(rng, seller, label)
            shelf.append(goods)
        published = period.start + period.length * ((place + rng.random()) / len(numbers))
        yield Offer(_publish(rng, goods, seller, number, published), goods.scenes)


def _stock(rng: np.random.Generator, seller: Seller, label: Label) -> _Goods:
    conduct = CONDUCT[seller.kind]
    place = Place.STUDIO if happens(rng, conduct.studio) else Place.HOME
    brand = pick(rng, BRANDS)
    if label is Label.GENUINE and happens(rng, PLAIN_SHARE):
        product = pick(rng, list(PLAIN_GOODS.values()))
        return _Goods(Claim(brand, product.category), label, _scenes(rng, product, None, frozenset(), place))
    product = PRODUCTS[pick(rng, brand.products)]
    contradicted = bool(draw_tells(rng, (Tell.CONTRADICTION,), label))
    shown = pick(rng, [other for other in BRANDS if other is not brand]) if contradicted else brand
    scenes = _scenes(rng, product, shown, draw_tells(rng, PHOTO_TELLS, label), place)
    return _Goods(Claim(brand, product.category, happens(rng, conduct.second_hand)), label, scenes)


def _scenes(
    rng: np.random.Generator, product: Product, brand: Brand | None, tells: frozenset[Tell], place: Place
) -> tuple[Scene, ...]:
    """The whole product, then its mark from near, then either."""
    views = (View.WHOLE, View.MARK, pick(rng, tuple(View)), pick(rng, tuple(View)))
    count = pick_weighted(rng, _PHOTO_COUNTS)
    return tuple(Scene(product, brand, tells, view, place, int(rng.integers(2**32))) for view in views[:count])


def _publish(
    rng: np.random.Generator, goods: _Goods, seller: Seller, number: int, published: datetime
) -> LabeledListing:
    claim = goods.claim
    language = pick_weighted(rng, LANGUAGE_SHARES)
    listing = Listing(
        listing_id=f"L{number:06d}",
        title=compose_title(claim, language, draw_tells(rng, TITLE_TELLS, goods.label), rng),
        photos=tuple(Photo(path=f"images/{number:06d}_{place}.jpg") for place in range(len(goods.scenes))),
        brand=None if claim.category in PLAIN_GOODS else claim.brand.name,
        platform=pick(rng, _PLATFORMS),
        seller_id=seller.seller_id,
        category=claim.category,
        price=round(_price(rng, claim, goods.label), 2),
        currency="EUR",
        language=language,
        created_at=published,
    )
    return LabeledListing(
        listing=listing,
        label=goods.label,
        label_source="market",
        labelled_at=published + timedelta(days=rng.uniform(*_DAYS_TO_LABEL)),
        seller_group=seller.group,
    )


def _price(rng: np.random.Generator, claim: Claim, label: Label) -> float:
    if claim.category in PLAIN_GOODS:
        return rng.uniform(*_PLAIN_PRICE)
    asked = rng.uniform(*claim.brand.price)
    if draw_tells(rng, (Tell.LOW_PRICE,), label):
        return asked * rng.uniform(0.15, 0.4)
    return asked * (rng.uniform(0.45, 0.8) if claim.second_hand else rng.uniform(0.85, 1.0))
