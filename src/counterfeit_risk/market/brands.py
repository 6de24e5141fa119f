"""Draws the invented brands: a name, two colours, a mark, what they sell, where, and for how much.

Knows no seller and no label. Names and marks are made up by rule; any likeness to a real one is chance.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from counterfeit_risk.market.chance import pick, pick_weighted
from counterfeit_risk.market.pictures.colours import on_screen, seen
from counterfeit_risk.market.pictures.lettering import TYPEFACES
from counterfeit_risk.market.pictures.marks import MOST_MARKS, Mark, draw_marks
from counterfeit_risk.market.pictures.shapes import Colour, Shape
from counterfeit_risk.market.words import names

LANGUAGES = ("en", "zh", "es", "ru")

_HOMONYMS_EVERY = 8
_COLOUR_CANDIDATES = 24
_LEAST_LANGUAGE_SHARE = 0.02


@dataclass(frozen=True)
class Brand:
    """One brand's identity."""

    name: str
    primary: Colour
    """The darker of its two colours; fills the badge or draws the mark, and prints the wordmark."""
    secondary: Colour
    badge: tuple[Shape, ...]
    """The mark's ground, in the inks `edge`, `primary` and `secondary`."""
    emblem: tuple[Shape, ...]
    """What stands on the badge, in the inks `primary` and `secondary`; looks different in a mirror."""
    typeface: str
    """Of its wordmark; one of `lettering.TYPEFACES`."""
    lines: tuple[str, ...]
    """Names of its product lines."""
    products: tuple[str, ...]
    """Categories of goods, keys of `products.PRODUCTS`."""
    price: tuple[float, float]
    """What its cheapest and dearest goods cost new, in euros."""
    languages: Mapping[str, float]
    """Share of its listings by the language they are in, ISO 639-1."""
    homonym: bool = False
    """Its name is an ordinary word as well: a plant, a bird, a fish."""

    @property
    def mark(self) -> tuple[Shape, ...]:
        """Badge and emblem, in the unit square."""
        return (*self.badge, *self.emblem)


@dataclass(frozen=True)
class _Tier:
    cheapest: tuple[float, float]
    dearest: tuple[float, float]
    products: tuple[str, ...]


_TIERS: Mapping[_Tier, float] = {
    _Tier((25, 40), (80, 120), ("sneaker", "t-shirt", "cap", "backpack", "sunglasses", "headphones", "jacket")): 0.4,
    _Tier(
        (90, 120), (240, 400), ("sneaker", "handbag", "watch", "t-shirt", "backpack", "perfume", "headphones", "jacket")
    ): 0.35,
    _Tier((300, 420), (900, 1500), ("handbag", "watch", "sunglasses", "perfume", "jacket", "cap")): 0.25,
}


def draw_brands(rng: np.random.Generator, count: int) -> tuple[Brand, ...]:
    """Draws brands that nobody takes for one another.

    Raises:
        ValueError: there are not so many marks.
    """
    if count > MOST_MARKS:
        raise ValueError(f"at most {MOST_MARKS} brands have marks of their own, not {count}; ask for fewer")
    words = names.draw_homonyms(rng, max(1, count // _HOMONYMS_EVERY))
    coined = names.draw_coined(rng, count - len(words), apart_from=words)
    looks = zip(draw_marks(rng), _draw_colours(rng, count), strict=False)
    sold = dict.fromkeys((category for tier in _TIERS for category in tier.products), 0)
    return tuple(
        _draw_brand(rng, str(name), look, sold)
        for name, look in zip(rng.permutation([*words, *coined]), looks, strict=False)
    )


def _draw_brand(
    rng: np.random.Generator, name: str, look: tuple[Mark, tuple[Colour, Colour]], sold: dict[str, int]
) -> Brand:
    """Draws the rest of a brand, and counts in `sold` what it sells, so that every kind of goods finds its brands."""
    tier = pick_weighted(rng, _TIERS)
    by_need = sorted(tier.products, key=lambda category: (sold[category], rng.random()))
    products = tuple(by_need[: int(rng.integers(2, 6))])
    sold.update({category: sold[category] + 1 for category in products})
    mark, (primary, secondary) = look
    return Brand(
        name=name,
        primary=primary,
        secondary=secondary,
        badge=mark.badge,
        emblem=mark.emblem,
        typeface=pick(rng, TYPEFACES),
        lines=tuple(str(line) for line in rng.choice(names.LINES, int(rng.integers(2, 5)), replace=False)),
        products=products,
        price=(round(rng.uniform(*tier.cheapest), -1), round(rng.uniform(*tier.dearest), -1)),
        languages=_draw_languages(rng),
        homonym=name in names.HOMONYMS,
    )


def _draw_languages(rng: np.random.Generator) -> Mapping[str, float]:
    """A brand is at home in one or two languages, and sold in all."""
    shares = rng.dirichlet(np.full(len(LANGUAGES), 0.8)) + _LEAST_LANGUAGE_SHARE
    return dict(zip(LANGUAGES, (shares / shares.sum()).tolist(), strict=True))


def _draw_colours(rng: np.random.Generator, count: int) -> list[tuple[Colour, Colour]]:
    """Pairs of a darker and a lighter colour; each primary is the candidate farthest from all before it."""
    chosen: list[npt.NDArray[np.float64]] = []
    pairs = []
    for _ in range(count):
        candidates = [
            seen(rng.uniform(0.27, 0.6), rng.uniform(0.05, 0.2), rng.uniform(0, 360)) for _ in range(_COLOUR_CANDIDATES)
        ]
        gaps = [min((float(np.linalg.norm(one - other)) for other in chosen), default=1.0) for one in candidates]
        primary = candidates[int(np.argmax(gaps))]
        chosen.append(primary)
        pairs.append((on_screen(primary), on_screen(_draw_secondary(rng, primary))))
    return pairs


def _draw_secondary(rng: np.random.Generator, primary: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Much lighter: cream, gold, a tint of the primary's hue, or a fresh colour from across the hues."""
    hue = float(np.degrees(np.arctan2(primary[2], primary[1])))
    across = hue + rng.uniform(120, 240)
    chroma, towards = pick(rng, ((0.035, 85.0), (0.13, 90.0), (0.04, hue), (0.11, hue + 40), (0.09, across)))
    return seen(rng.uniform(max(0.8, primary[0] + 0.36), 0.97), chroma, towards)
