"""Draws one listing after another: hidden causes first, then everything that they leave to be seen.

Knows no file and no pixel. The order is who sells and where the goods come from (which is the label), what stands
before the camera, what the title says of it, and the price.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from counterfeit_risk.listings.listing import Label, LabeledListing, Listing, Photo
from counterfeit_risk.market.brands import Brand
from counterfeit_risk.market.calendar import BrandCatalog, month_start
from counterfeit_risk.market.causes import Causes, Giveaway, Laws
from counterfeit_risk.market.chance import happens, pick, pick_weighted
from counterfeit_risk.market.claims import TitleContent, draw_content
from counterfeit_risk.market.items import Shown, Stock
from counterfeit_risk.market.kinds import Offering, SellerKind, Source
from counterfeit_risk.market.pictures.scenes import Scene
from counterfeit_risk.market.sellers import SellerDirectory
from counterfeit_risk.market.signals import TAMPERING, BrandTreatment, Contradiction, FileEvasion
from counterfeit_risk.market.words.phrases import Language
from counterfeit_risk.market.words.titles import NAMING_OFFERINGS, Claim, compose_title

_PLATFORMS = ("bazarro", "kramline", "tindahub")
_DAYS_TO_LABEL = (1.0, 14.0)
_MOST_IN_COLLAGE = 4


@dataclass(frozen=True)
class PhotoFile:
    """One photo of a listing before it is drawn: what it shows, and what was done to the file."""

    scenes: tuple[Scene, ...]
    """More than one in a collage."""
    origins: tuple[str, ...]
    """Ids of the originals that it shows; photos of one original are copies of each other."""
    evasions: frozenset[FileEvasion]
    quality: int
    """Of the JPEG file."""
    seed: int
    """Decides how the evasions are done; the same scenes, evasions, quality and seed are the same file."""


@dataclass(frozen=True)
class Offer:
    """A listing, what its photos show in the same order, and the hidden truth about it."""

    listing: LabeledListing
    photos: tuple[PhotoFile, ...]
    causes: Causes
    giveaway: Giveaway
    shown: Shown
    content: TitleContent
    evasions: frozenset[FileEvasion]

    @property
    def evades(self) -> bool:
        """True where the files or the title were made to mislead; the goods themselves may still look wrong."""
        return bool(
            self.evasions
            or TAMPERING & self.shown.grades.keys()
            or self.content.wording.tells
            or self.content.wording.treatment is not BrandTreatment.PLAIN
            or self.content.contradiction is not Contradiction.NONE
        )


class OfferDraw:
    """Draws the listings of one period."""

    def __init__(self, laws: Laws, brands: BrandCatalog, stock: Stock) -> None:
        self._settings = laws.settings
        self._laws = laws
        self._brands = brands
        self._stock = stock

    def draw(self, rng: np.random.Generator, sellers: SellerDirectory, numbers: range) -> Iterator[Offer]:
        """Draws one offer for each number, which names the listing and its photos."""
        for number in numbers:
            causes = self._laws.draw_causes(rng, sellers)
            shown = self._stock.choose(rng, causes, self._laws)
            giveaway = self._laws.draw_giveaway(rng, causes, crude=shown.crude)
            content = draw_content(rng, self._laws, self._brands, shown.item, causes, giveaway)
            evasions = self._draw_evasions(rng, shown, causes)
            photos = tuple(self._draw_files(rng, shown, evasions))
            listing = self._publish(rng, number, causes, content, len(photos))
            yield Offer(listing, photos, causes, giveaway, shown, content, evasions)

    def _draw_evasions(self, rng: np.random.Generator, shown: Shown, causes: Causes) -> frozenset[FileEvasion]:
        law = self._laws.file_evasions(causes.month, crude=shown.crude, deceives=causes.deceives)
        drawn = [evasion for evasion, probability in law.items() if happens(rng, probability)]
        return frozenset(drawn) - (frozenset() if shown.photo_count > 1 else {FileEvasion.COLLAGE})

    def _draw_files(
        self, rng: np.random.Generator, shown: Shown, evasions: frozenset[FileEvasion]
    ) -> Iterator[PhotoFile]:
        """A copy is the very file of the original, or saved anew; a collage takes the place of the photos in it."""
        item, brand = shown.item, self._brands.brands[shown.item.brand]
        quality, seed = item.quality, item.seed
        tampered = shown.grades != item.grades
        if evasions or tampered or (shown.before and not happens(rng, self._settings.copied_exactly)):
            quality, seed = int(rng.integers(*self._settings.jpeg_quality, endpoint=True)), int(rng.integers(2**32))
        together = min(_MOST_IN_COLLAGE, shown.photo_count) if FileEvasion.COLLAGE in evasions else 1
        for numbers in (range(together), *(range(n, n + 1) for n in range(together, shown.photo_count))):
            yield PhotoFile(
                scenes=tuple(item.scene(number, brand, shown.grades) for number in numbers),
                origins=tuple(item.origin(number) for number in numbers),
                evasions=evasions - {FileEvasion.COLLAGE},
                quality=quality,
                seed=seed + numbers[0],
            )

    def _publish(
        self, rng: np.random.Generator, number: int, causes: Causes, content: TitleContent, photo_count: int
    ) -> LabeledListing:
        brand = self._brands.brands[content.brand]
        language = pick_weighted(rng, brand.languages)
        claim = self._claim(rng, causes, content, brand)
        published = self._moment(rng, causes.month)
        named = content.offering in NAMING_OFFERINGS and content.wording.treatment is BrandTreatment.PLAIN
        listing = Listing(
            listing_id=f"L{number:06d}",
            title=compose_title(claim, Language(language), content.wording, rng),
            photos=tuple(Photo(path=photo_path(number, place)) for place in range(photo_count)),
            brand=brand.name if named else None,
            platform=pick(rng, _PLATFORMS),
            seller_id=causes.seller.seller_id,
            category=content.category,
            price=round(self._price(rng, causes, content.offering, brand), 2),
            currency="EUR",
            language=language,
            created_at=published,
        )
        return LabeledListing(
            listing=listing,
            label=Label.COUNTERFEIT if causes.counterfeit else Label.GENUINE,
            label_source="market",
            labelled_at=published + timedelta(days=rng.uniform(*_DAYS_TO_LABEL)),
            seller_group=causes.seller.seller_group,
        )

    def _claim(self, rng: np.random.Generator, causes: Causes, content: TitleContent, brand: Brand) -> Claim:
        second = None
        if content.offering is Offering.BUNDLE:
            there = zip(self._brands.brands, self._brands.shares(causes.month), strict=True)
            second = pick(rng, [other for other, share in there if share and other is not brand])
        return Claim(
            offering=content.offering,
            brand=brand,
            line=content.line,
            category=content.category,
            colour=content.colour,
            used=content.used,
            other_brand=second,
        )

    def _moment(self, rng: np.random.Generator, month: int) -> datetime:
        start, end = (month_start(self._settings.calendar, m) for m in (month, month + 1))
        return start + (end - start) * rng.random()

    def _price(self, rng: np.random.Generator, causes: Causes, offering: Offering, brand: Brand) -> float:
        prices = self._settings.prices
        if offering not in NAMING_OFFERINGS and offering is not Offering.UNBRANDED:
            return float(rng.uniform(*prices.plain))
        low = (self._settings.counterfeit if causes.counterfeit else self._settings.genuine).low_price
        factors = prices.low if happens(rng, low) else prices.of(self._alleged_source(rng, causes))
        return float(rng.uniform(*brand.price) * rng.uniform(*factors))

    def _alleged_source(self, rng: np.random.Generator, causes: Causes) -> Source:
        """Where the goods come from, or where those come from that they pass for."""
        kind = causes.seller.kind
        if kind is not SellerKind.RING and not causes.counterfeit:
            return causes.source
        passes_for = SellerKind(causes.seller.guise.value) if kind is SellerKind.RING else kind
        return pick_weighted(rng, self._settings.kinds[passes_for].sources)


def photo_path(number: int, place: int) -> str:
    """Where the photos of a listing lie in the market's folder, a thousand listings a folder."""
    return f"images/{number // 1000:03d}/L{number:06d}_{place}.jpg"
