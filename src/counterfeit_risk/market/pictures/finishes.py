"""How one item is finished: its own tone, trim, thread and surface, the same in every photo of it.

Knows no tell and no place.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from counterfeit_risk.market.chance import pick
from counterfeit_risk.market.pictures.products import COLOURWAYS
from counterfeit_risk.market.pictures.scenes import Scene
from counterfeit_risk.market.pictures.shapes import Colour, Ink, shaded

_TRIMS: tuple[Colour, ...] = (
    (60, 52, 48),
    (128, 90, 58),
    (92, 100, 116),
    (198, 192, 180),
    (190, 160, 96),
    (150, 62, 60),
    (70, 92, 84),
)
_PALE_THREADS: tuple[Colour, ...] = ((240, 234, 220), (226, 206, 160), (206, 214, 222))
_DARK_THREADS: tuple[Colour, ...] = ((58, 50, 50), (84, 62, 48), (52, 58, 82))
_SURFACES: Mapping[str, str] = {
    "sneaker": "leather",
    "handbag": "leather",
    "watch": "brushed",
    "t-shirt": "knit",
    "cap": "twill",
    "backpack": "weave",
    "jacket": "twill",
    "strap": "leather",
}
"""Of the goods made of cloth, leather or brushed metal; the others are smooth."""
_SEWN = frozenset({"sneaker", "handbag", "t-shirt", "cap", "backpack", "jacket", "strap"})


@dataclass(frozen=True)
class Finish:
    """One item's own look."""

    inks: Mapping[Ink, Colour]
    thread: Colour
    surface: str
    """Key of `textures.SURFACES`."""
    sewn: bool
    """False: hard goods, whose lines are engraved."""
    pattern: int
    """Which of the ways its parts are put together; any number from 0."""


def draw_finish(scene: Scene) -> Finish:
    """The item's finish; depends on its product, colour and goods seed alone."""
    rng = np.random.default_rng((scene.goods_seed, 0))
    red, green, blue = (int(min(level * rng.uniform(0.94, 1.06), 255)) for level in COLOURWAYS[scene.colour])
    body = (red, green, blue)
    dark_body = brightness(body) < 110
    trim = pick(rng, [trim for trim in _TRIMS if abs(brightness(trim) - brightness(body)) > 30])
    return Finish(
        inks={
            "body": body,
            "shade": shaded(body, 0.8),
            "trim": trim,
            "light": (240, 238, 232),
            "dark": (46, 44, 50),
            "edge": (252, 251, 248),
        },
        thread=pick(rng, _PALE_THREADS if dark_body else _DARK_THREADS),
        surface=_SURFACES.get(scene.product.category, "paper"),
        sewn=scene.product.category in _SEWN,
        pattern=int(rng.integers(0, 1000)),
    )


def brightness(colour: Colour) -> float:
    """How bright a colour looks, from 0 to 255 (weights of ITU-R BT.601)."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def mixed(a: Colour, b: Colour, share: float) -> Colour:
    """Between two colours: a share of 0 is `a`, 1 is `b`."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue
