"""Things that stand and lie about in a home, and the hand that holds the goods.

Knows no goods and no place.
"""

from collections.abc import Sequence

import numpy as np

from counterfeit_risk.market.chance import pick
from counterfeit_risk.market.pictures.shapes import (
    Colour,
    Ink,
    Placement,
    Shape,
    arch,
    blob,
    box,
    half_oval,
    oval,
    polygon,
    shaded,
)

_HUES: tuple[Colour, ...] = (
    (176, 84, 66),
    (86, 112, 128),
    (210, 188, 146),
    (104, 126, 96),
    (66, 70, 92),
    (196, 152, 160),
    (232, 226, 214),
    (128, 98, 84),
)
_SKINS: tuple[Colour, ...] = ((244, 204, 172), (226, 178, 142), (190, 136, 100), (142, 96, 68), (98, 66, 50))

_CUP = (
    arch("shade", 0.76, 0.6, 0.36, 0.3, thickness=0.08),
    blob("body", (0.14, 0.22), (0.8, 0.22), (0.78, 0.98), (0.66, 1.0), (0.26, 1.0), (0.16, 0.98)),
    polygon("shade", (0.62, 0.26), (0.78, 0.26), (0.74, 0.94), (0.6, 0.98)),
    oval("dark", 0.47, 0.27, 0.6, 0.12),
)
_PLANT = (
    *(
        blob("light", (0.5, 0.62), (0.5 + x * 0.6, 0.5 - y), (0.5 + x * 1.1, 0.3 - y), (0.5 + x * 0.3, 0.3 - y))
        for x, y in ((-0.42, 0.0), (0.4, 0.02), (-0.2, 0.26), (0.22, 0.24), (0.02, 0.3))
    ),
    polygon("body", (0.24, 0.58), (0.76, 0.58), (0.68, 1.0), (0.32, 1.0)),
    polygon("shade", (0.6, 0.58), (0.76, 0.58), (0.68, 1.0), (0.58, 1.0)),
    box("shade", 0.2, 0.54, 0.8, 0.64),
)
_LAMP = (
    box("dark", 0.47, 0.4, 0.53, 0.96),
    oval("dark", 0.5, 0.97, 0.5, 0.08),
    polygon("body", (0.3, 0.0), (0.7, 0.0), (0.9, 0.46), (0.1, 0.46)),
    polygon("shade", (0.6, 0.0), (0.7, 0.0), (0.9, 0.46), (0.68, 0.46)),
)
_BOOKS = (
    box("body", 0.04, 0.2, 0.22, 1.0),
    box("shade", 0.24, 0.1, 0.4, 1.0),
    box("dark", 0.42, 0.26, 0.56, 1.0),
    box("light", 0.58, 0.14, 0.7, 1.0),
    polygon("trim", (0.74, 0.24), (0.88, 0.2), (0.98, 0.98), (0.82, 1.0)),
    *(box("trim", x, 0.34, x + 0.1, 0.38) for x in (0.07, 0.27)),
)
_FRAME = (
    box("body", 0.08, 0.1, 0.92, 1.0),
    box("light", 0.16, 0.18, 0.84, 0.92),
    polygon("shade", (0.16, 0.92), (0.16, 0.66), (0.36, 0.44), (0.54, 0.68), (0.66, 0.56), (0.84, 0.78), (0.84, 0.92)),
    oval("trim", 0.66, 0.34, 0.14),
)
STANDING: tuple[tuple[Shape, ...], ...] = (_CUP, _PLANT, _LAMP, _BOOKS, _FRAME)
"""Seen from the side; each stands on y = 1."""

_CUP_FROM_ABOVE = (
    box("shade", 0.82, 0.43, 1.06, 0.55),
    oval("body", 0.5, 0.5, 0.86),
    oval("shade", 0.5, 0.5, 0.72),
    oval("dark", 0.51, 0.51, 0.66),
)
_PHONE = (
    blob("dark", (0.2, 0.0), (0.8, 0.0), (0.8, 1.1), (0.2, 1.1)),
    box("shade", 0.28, 0.12, 0.72, 0.98),
    polygon("light", (0.28, 0.12), (0.5, 0.12), (0.28, 0.5)),
)
_BOOK = (
    box("dark", 0.1, 0.02, 0.98, 1.02),
    box("light", 0.08, 0.02, 0.94, 0.99),
    box("body", 0.04, 0.0, 0.92, 0.97),
    box("trim", 0.2, 0.2, 0.76, 0.28),
    box("trim", 0.2, 0.34, 0.6, 0.38),
)
_PEN = (
    box("body", 0.46, 0.0, 0.54, 0.86),
    polygon("dark", (0.46, 0.86), (0.54, 0.86), (0.5, 1.0)),
    box("shade", 0.46, 0.1, 0.49, 0.86),
)
_KEYS = (
    oval("shade", 0.5, 0.24, 0.44),
    oval("light", 0.5, 0.24, 0.3),
    *(
        polygon("trim", (0.46 + x, 0.4), (0.54 + x, 0.4), (0.56 + 2 * x, 0.98), (0.46 + 2 * x, 0.96))
        for x in (-0.12, 0.06)
    ),
)
_SOCK = (
    blob("body", (0.3, 0.0), (0.62, 0.0), (0.62, 0.5), (0.98, 0.7), (0.94, 1.0), (0.6, 1.0), (0.28, 0.72)),
    polygon("trim", (0.31, 0.06), (0.61, 0.06), (0.61, 0.16), (0.31, 0.16)),
)
LYING: tuple[tuple[Shape, ...], ...] = (_CUP_FROM_ABOVE, _PHONE, _BOOK, _PEN, _KEYS, _SOCK)
"""Seen from above."""

FINGER = (
    blob("shade", (0.28, 0.02), (0.7, 0.0), (0.76, 0.6), (0.72, 1.1), (0.26, 1.1), (0.22, 0.6)),
    blob("body", (0.3, 0.02), (0.66, 0.0), (0.7, 0.6), (0.66, 1.1), (0.28, 1.1), (0.24, 0.6)),
    half_oval("light", 0.48, 0.3, 0.26, 0.22),
)
"""It points up."""
PALM = (
    polygon("trim", (0.3, 1.0), (0.66, 1.0), (0.84, 3.0), (0.34, 3.0)),
    box("dark", 0.29, 0.98, 0.67, 1.06),
    blob("body", (0.36, 0.6), (0.62, 0.6), (0.63, 1.0), (0.63, 1.0), (0.33, 1.0), (0.33, 1.0)),
    blob("body", (0.14, 0.1), (0.8, 0.1), (0.84, 0.5), (0.66, 0.86), (0.32, 0.86), (0.14, 0.56)),
    *(blob("shade", (x, 0.3), (x + 0.03, 0.3), (x + 0.04, 0.56), (x + 0.02, 0.56)) for x in (0.26, 0.4, 0.54)),
)
"""Behind the goods, which end at y = 0.34; the sleeve leaves downwards."""
THUMB = (
    blob("shade", (0.84, 0.6), (0.7, 0.86), (0.54, 0.7), (0.6, 0.4), (0.57, 0.17), (0.7, 0.13), (0.76, 0.4)),
    blob("body", (0.82, 0.6), (0.7, 0.82), (0.56, 0.68), (0.61, 0.4), (0.58, 0.18), (0.69, 0.15), (0.74, 0.4)),
    blob("light", (0.6, 0.19), (0.68, 0.17), (0.69, 0.3), (0.62, 0.31)),
)
"""In front of the goods, on the same hand."""


def prop_inks(rng: np.random.Generator) -> dict[Ink, Colour]:
    """Colours of one thing."""
    body = pick(rng, _HUES)
    return {
        "body": body,
        "shade": shaded(body, 0.78),
        "light": (236, 232, 222),
        "trim": pick(rng, _HUES),
        "dark": (52, 48, 50),
    }


def leaf_inks(rng: np.random.Generator) -> dict[Ink, Colour]:
    """Colours of a pot with leaves."""
    return prop_inks(rng) | {"light": pick(rng, ((84, 128, 82), (110, 146, 92), (70, 112, 90)))}


def skin_inks(rng: np.random.Generator) -> dict[Ink, Colour]:
    """Colours of a hand."""
    skin = pick(rng, _SKINS)
    red, green, blue = skin
    nail = (min(red + 16, 255), min(green + 8, 255), min(blue + 10, 255))
    sleeve = pick(rng, _HUES)
    return {"body": skin, "shade": shaded(skin, 0.84), "light": nail, "trim": sleeve, "dark": shaded(sleeve, 0.75)}


def pick_thing(
    things: Sequence[tuple[Shape, ...]], rng: np.random.Generator
) -> tuple[tuple[Shape, ...], dict[Ink, Colour]]:
    """One of the things, with its colours."""
    thing = pick(rng, things)
    return thing, leaf_inks(rng) if thing is _PLANT else prop_inks(rng)


def around(rng: np.random.Generator, size: tuple[int, int], side: float) -> Placement:
    """Somewhere along the rim of a canvas, so that the goods in the middle stay in sight."""
    angle = rng.uniform(0, 2 * np.pi)
    x, y = 0.5 + 0.52 * np.cos(angle), 0.5 + 0.52 * np.sin(angle)
    return Placement((size[0] * x, size[1] * y), side, degrees=float(rng.uniform(0, 360)))
