"""Where a photo is taken: a bright studio, or somebody's home.

Knows no goods, only what stands behind them.
"""

from enum import StrEnum

import numpy as np
from PIL import Image, ImageDraw

from counterfeit_risk.market.chance import pick
from counterfeit_risk.market.shapes import Colour, Placement, box, fill, shaded

_WALLS = ((206, 196, 180), (178, 190, 190), (196, 180, 188), (160, 168, 150), (188, 176, 150))
_FLOORS = ((150, 112, 76), (120, 96, 80), (134, 134, 140), (170, 140, 104), (96, 110, 106))
_THINGS = ((200, 190, 170), (92, 74, 60), (128, 92, 70), (110, 124, 130), (150, 130, 142))


class Place(StrEnum):
    """Where a photo was taken."""

    STUDIO = "studio"
    HOME = "home"


def draw_backdrop(place: Place, side: int, rng: np.random.Generator) -> tuple[Image.Image, Colour]:
    """An empty place, `side` pixels wide and high, and the colour of its floor."""
    return _studio(side, rng) if place is Place.STUDIO else _home(side, rng)


def _studio(side: int, rng: np.random.Generator) -> tuple[Image.Image, Colour]:
    light = int(rng.integers(228, 252))
    floor = shaded((light, light, light), rng.uniform(0.9, 0.98))
    canvas = Image.new("RGB", (side, side), (light, light, light))
    ImageDraw.Draw(canvas).rectangle((0, side * rng.uniform(0.55, 0.75), side, side), fill=floor)
    return canvas, floor


def _home(side: int, rng: np.random.Generator) -> tuple[Image.Image, Colour]:
    canvas = Image.new("RGB", (side, side), pick(rng, _WALLS))
    draw = ImageDraw.Draw(canvas)
    horizon = side * rng.uniform(0.35, 0.7)
    floor = pick(rng, _FLOORS)
    draw.rectangle((0, horizon, side, side), fill=floor)
    for y in np.linspace(horizon, side, 5)[1:-1]:
        draw.line([(0, y), (side, y + rng.uniform(-14, 14))], fill=shaded(floor, 0.85), width=4)
    for _ in range(int(rng.integers(1, 4))):
        thing = Placement((side * rng.uniform(0, 1), horizon), side * rng.uniform(0.15, 0.4))
        fill(draw, (box("body", 0.1, 0.0, 0.9, 0.6),), thing, {"body": pick(rng, _THINGS)})
    return canvas, floor
