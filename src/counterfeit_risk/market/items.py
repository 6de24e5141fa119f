"""What sellers put before the camera: items with their colour, their tells and their photos, some shown again.

Knows no title. An item's photos are originals; what is uploaded of them may be the same file or a copy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from counterfeit_risk.market.brands import Brand
from counterfeit_risk.market.calendar import BrandCatalog
from counterfeit_risk.market.causes import Causes, Laws, draw_grades
from counterfeit_risk.market.chance import Lottery, happens, pick, pick_weighted
from counterfeit_risk.market.kinds import Guise, Offering, SellerKind
from counterfeit_risk.market.pictures.plain_goods import PLAIN_GOODS
from counterfeit_risk.market.pictures.products import COLOURWAYS, PRODUCTS, Product
from counterfeit_risk.market.pictures.scenes import VISIBLE_IN, Place, Scene, View
from counterfeit_risk.market.settings import MOST_PHOTOS, MarketSettings
from counterfeit_risk.market.signals import TAMPERING, PhotoTell

MARKED = frozenset({Offering.BRANDED, Offering.REPLICA_SHIRT, Offering.BUNDLE})
"""Offerings whose goods carry a brand's mark."""
_ACCESSORY_TO = {"watch": "strap", "headphones": "phone-case"}
PLAIN_CATEGORIES: Mapping[Offering, tuple[str, ...]] = {
    Offering.TRAP: ("batteries", "scale-model", "collectible", "mirror"),
    Offering.ACCESSORY: tuple(_ACCESSORY_TO.values()),
    Offering.HOMONYM: ("figurine", "seeds"),
    Offering.UNBRANDED: tuple(PRODUCTS),
}
NEEDS_BRAND: Mapping[Offering, Callable[[Brand], bool]] = {
    Offering.ACCESSORY: lambda brand: not _ACCESSORY_TO.keys().isdisjoint(brand.products),
    Offering.HOMONYM: lambda brand: brand.homonym,
}
"""Plain goods whose titles name a brand of a certain sort; where there is none, a trap is offered instead."""
REPLICA_CATEGORY = "t-shirt"

_CATALOG_ITEMS = 4
"""Items of one brand and offering of which a catalogue has photos."""
_MAIN_BRAND_SHARE = 0.6
"""Share of an account's listings that are of its main brand."""


@dataclass(frozen=True)
class Item:
    """Goods as they stand before the camera, and the photos that were taken of them."""

    name: str
    """Begins the ids of its photos."""
    offering: Offering
    brand: int
    """Number of the brand whose mark the goods carry; where they carry none, of the brand that their title may name."""
    product: Product
    colour: str
    line: str
    """The brand's product line."""
    place: Place
    views: tuple[View, ...]
    grades: Mapping[PhotoTell, int]
    crude: bool
    """The goods give a counterfeit away."""
    quality: int
    """JPEG quality of its photos' original files."""
    seed: int

    @property
    def marked(self) -> bool:
        """True where the goods carry a brand's mark."""
        return self.offering in MARKED

    def origin(self, number: int) -> str:
        """Id of one of its photos."""
        return f"{self.name}-{number}"

    def scene(self, number: int, brand: Brand, grades: Mapping[PhotoTell, int]) -> Scene:
        """What one of its photos shows, with these tells."""
        return Scene(
            product=self.product,
            brand=brand if self.marked else None,
            view=self.views[number],
            place=self.place,
            tells=grades,
            goods_seed=self.seed,
            seed=(self.seed + 7919 * (number + 1)) % 2**32,
            colour=self.colour,
            line=self.line,
        )


@dataclass(frozen=True)
class Shown:
    """What the photos of one listing show."""

    item: Item
    photo_count: int
    """The first ones of the item's."""
    grades: Mapping[PhotoTell, int]
    crude: bool
    """The goods give a counterfeit away."""
    before: bool
    """Another listing has shown these photos."""
    official: bool = False
    """The photos are the brand's own, of genuine goods: only tampering can be seen on them."""

    @property
    def visible_tells(self) -> frozenset[PhotoTell]:
        """The tells that these photos can show."""
        return self.tells_if(official=self.official)

    def tells_if(self, *, official: bool) -> frozenset[PhotoTell]:
        """The tells that such photos can show, were they the brand's own or the seller's."""
        if not self.item.marked:
            return frozenset()
        seen = visible_tells(self.item.views[: self.photo_count])
        return seen & TAMPERING if official else seen


def visible_tells(views: tuple[View, ...]) -> frozenset[PhotoTell]:
    """The tells that at least one of the views can show."""
    return frozenset[PhotoTell]().union(*(VISIBLE_IN[view] for view in views))


class Stock:
    """All items of a market: each account's or ring's own, and those in the brands' catalogues."""

    def __init__(self, settings: MarketSettings, brands: BrandCatalog) -> None:
        self._settings = settings
        self._brands = brands
        self._counts = Lottery(settings.photo_counts)
        self._second_view = Lottery(settings.second_view)
        self._shelves: dict[tuple[str, Guise, Offering, int, bool], list[Item]] = {}
        self._catalogs: dict[tuple[str, Offering, int, int], Item] = {}
        self._items = 0

    def choose(self, rng: np.random.Generator, causes: Causes, laws: Laws) -> Shown:
        """Draws what a listing shows; its law is the same whether the goods are new on the shelf or shown again."""
        guise = causes.seller.guise
        official = self._settings.guises[guise].official_photos
        offering, brand = self._draw_offering(rng, causes)
        if official and offering in MARKED:
            return self._from_catalog(rng, causes, laws, offering, brand)
        shelf = self._shelves.setdefault((causes.seller.shelf, guise, offering, brand, causes.counterfeit), [])
        if shelf and happens(rng, self._relisted_share(causes.seller.kind)):
            item = pick(rng, shelf)
            return Shown(item, len(item.views), item.grades, item.crude, before=True)
        crude = laws.draw_crude(rng, causes)
        item = self._photograph(rng, guise, offering, brand, self._draw_views(rng, self._counts.draw(rng)))
        if offering in MARKED:
            law = laws.photo_tells(crude=crude, deceives=causes.deceives)
            item = replace(item, grades=draw_grades(rng, law, visible_tells(item.views)), crude=crude)
        shelf.append(item)
        return Shown(item, len(item.views), item.grades, item.crude, before=False)

    def _from_catalog(
        self, rng: np.random.Generator, causes: Causes, laws: Laws, offering: Offering, brand: int
    ) -> Shown:
        """The brand's own photos of genuine goods: a ring that has stolen them can tamper with them, and no more."""
        key = (causes.seller.catalog, offering, brand, int(rng.integers(_CATALOG_ITEMS)))
        before = key in self._catalogs
        if not before:
            views = self._draw_views(rng, MOST_PHOTOS)
            self._catalogs[key] = self._photograph(rng, causes.seller.guise, offering, brand, views)
        item, count = self._catalogs[key], self._counts.draw(rng)
        crude = laws.draw_crude(rng, causes)
        law = laws.photo_tells(crude=crude, deceives=causes.deceives)
        grades = draw_grades(rng, law, visible_tells(item.views[:count]) & TAMPERING)
        return Shown(item, count, grades, crude, before, official=True)

    def _photograph(
        self, rng: np.random.Generator, guise: Guise, offering: Offering, brand: int, views: tuple[View, ...]
    ) -> Item:
        """Goods without a tell, as the guise presents them."""
        self._items += 1
        return Item(
            name=f"I{self._items:06d}",
            offering=offering,
            brand=brand,
            product=_draw_product(rng, offering, self._brands.brands[brand]),
            colour=pick(rng, list(COLOURWAYS)),
            line=pick(rng, self._brands.brands[brand].lines),
            place=pick_weighted(rng, self._settings.guises[guise].places),
            views=views,
            grades={},
            crude=False,
            quality=int(rng.integers(*self._settings.jpeg_quality, endpoint=True)),
            seed=int(rng.integers(2**32)),
        )

    def _draw_views(self, rng: np.random.Generator, count: int) -> tuple[View, ...]:
        """The front, then something nearer, then any."""
        any_view = [pick(rng, list(View)) for _ in range(max(0, count - 2))]
        return (View.FRONT, self._second_view.draw(rng), *any_view)[:count]

    def _draw_offering(self, rng: np.random.Generator, causes: Causes) -> tuple[Offering, int]:
        shares = self._brands.shares(causes.month)
        brand = causes.seller.brand
        if shares[brand] == 0 or not happens(rng, _MAIN_BRAND_SHARE):
            brand = self._brands.draw(rng, causes.month)
        if causes.counterfeit:
            return Offering.BRANDED, brand
        offering = pick_weighted(rng, offering_shares(self._settings, self._brands.brands[brand]))
        if offering in NEEDS_BRAND:
            fits = NEEDS_BRAND[offering]
            named = {n: share for n, share in enumerate(shares) if share and fits(self._brands.brands[n])}
            return (offering, pick_weighted(rng, named)) if named else (Offering.TRAP, brand)
        return offering, brand

    def _relisted_share(self, kind: SellerKind) -> float:
        relisted = self._settings.relisted
        if kind is SellerKind.RING:
            return relisted.ring
        return relisted.reseller if kind is SellerKind.RESELLER else relisted.shop


def offering_shares(settings: MarketSettings, brand: Brand) -> Mapping[Offering, float]:
    """P(offering | genuine, brand): a brand that sells no shirts has no replica shirts."""
    shares = {offering: settings.offerings.get(offering, 0.0) for offering in Offering}
    if REPLICA_CATEGORY not in brand.products:
        shares[Offering.BRANDED] += shares.pop(Offering.REPLICA_SHIRT)
    return shares


def _draw_product(rng: np.random.Generator, offering: Offering, brand: Brand) -> Product:
    if offering is Offering.REPLICA_SHIRT:
        return PRODUCTS[REPLICA_CATEGORY]
    if offering in MARKED:
        return PRODUCTS[pick(rng, brand.products)]
    if offering is Offering.ACCESSORY:
        return PLAIN_GOODS[pick(rng, [part for goods, part in _ACCESSORY_TO.items() if goods in brand.products])]
    category = pick(rng, PLAIN_CATEGORIES[offering])
    return replace(PRODUCTS[category], mark_side=0.0) if offering is Offering.UNBRANDED else PLAIN_GOODS[category]
