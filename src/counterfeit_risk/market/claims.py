"""What a listing's title says of the goods that its photos show, and how it says it.

Knows no label: which law holds was decided by the causes. Words are chosen in `titles`.
"""

from dataclasses import dataclass, replace

import numpy as np

from counterfeit_risk.market.calendar import BrandCatalog
from counterfeit_risk.market.causes import Causes, Giveaway, Laws
from counterfeit_risk.market.chance import happens, pick, pick_weighted
from counterfeit_risk.market.items import PLAIN_CATEGORIES, Item
from counterfeit_risk.market.kinds import Offering
from counterfeit_risk.market.signals import BrandTreatment, Contradiction
from counterfeit_risk.market.words.titles import NAMING_OFFERINGS, Wording


@dataclass(frozen=True)
class TitleContent:
    """What a title claims, and how."""

    offering: Offering
    brand: int
    """Number of the brand that it names."""
    category: str
    line: str
    colour: str
    used: bool
    """It calls the goods used."""
    contradiction: Contradiction
    """How it differs from what the photos show."""
    wording: Wording


def draw_content(
    rng: np.random.Generator,
    laws: Laws,
    brands: BrandCatalog,
    item: Item,
    causes: Causes,
    giveaway: Giveaway,
) -> TitleContent:
    """Draws what the title of a listing claims about an item.

    A claim of another brand needs a brand in the title and a second brand with such goods: without, there is none.
    """
    month, contradiction = causes.month, Contradiction.NONE
    if item.offering is Offering.BRANDED:
        contradiction = pick_weighted(rng, laws.contradictions(month, contradicts=giveaway.contradicts))
    law = laws.title_tells(month, title_speaks=giveaway.title_speaks)
    tells = frozenset([tell for tell, probability in law.items() if happens(rng, probability)])
    treatment = BrandTreatment.PLAIN
    if item.offering in NAMING_OFFERINGS and contradiction is not Contradiction.HIDDEN_LINK:
        treatment = pick_weighted(rng, laws.brand_treatments(month, title_speaks=giveaway.title_speaks))
        if item.offering is Offering.BUNDLE and treatment is BrandTreatment.REMOVED:
            treatment = BrandTreatment.PLAIN  # a bundle is one of two brands, or none
    truthful = TitleContent(
        item.offering,
        item.brand,
        item.product.category,
        item.line,
        item.colour,
        happens(rng, laws.settings.guises[causes.seller.guise].used),
        Contradiction.NONE,
        Wording(treatment, tells),
    )
    return _contradict(rng, truthful, contradiction, brands, month)


def _contradict(
    rng: np.random.Generator, content: TitleContent, contradiction: Contradiction, brands: BrandCatalog, month: int
) -> TitleContent:
    if contradiction is Contradiction.HIDDEN_LINK:
        category = pick(rng, PLAIN_CATEGORIES[Offering.TRAP])
        return replace(content, offering=Offering.TRAP, category=category, contradiction=contradiction)
    if contradiction is Contradiction.OTHER_MODEL:
        others = [category for category in brands.brands[content.brand].products if category != content.category]
        return replace(content, category=pick(rng, others), contradiction=contradiction)
    claimable = other_brands(brands, month, content.brand, content.category)
    removed = content.wording.treatment is BrandTreatment.REMOVED
    if contradiction is Contradiction.NONE or not claimable or removed:
        return content
    brand = pick_weighted(rng, claimable)
    return replace(content, brand=brand, line=pick(rng, brands.brands[brand].lines), contradiction=contradiction)


def other_brands(brands: BrandCatalog, month: int, shown: int, category: str) -> dict[int, float]:
    """Weights of the brands, other than the shown one, that sell such goods in this month."""
    return {
        number: share
        for number, share in enumerate(brands.shares(month))
        if share and number != shown and category in brands.brands[number].products
    }
