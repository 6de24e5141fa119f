"""The package: a carton, a paper bag or a hang tag in the brand's colours; plain goods come in plain cardboard.

Knows no place and no goods.
"""

from counterfeit_risk.market.brands import Brand
from counterfeit_risk.market.pictures.finishes import brightness, mixed
from counterfeit_risk.market.pictures.goods_tells import Tells, draw_mark, draw_wordmark
from counterfeit_risk.market.pictures.layers import Layer
from counterfeit_risk.market.pictures.shapes import (
    Colour,
    Ink,
    Placement,
    Shape,
    arch,
    band,
    box,
    fill,
    oval,
    polygon,
    shaded,
)

_CARTON: tuple[Shape, ...] = (
    polygon("dark", (0.88, 0.34), (1.02, 0.22), (1.02, 0.84), (0.88, 0.98)),
    box("body", -0.02, 0.34, 0.88, 0.98),
    polygon("light", (-0.04, 0.22), (0.12, 0.1), (1.04, 0.1), (0.9, 0.22)),
    polygon("shade", (0.9, 0.22), (1.04, 0.1), (1.04, 0.24), (0.9, 0.38)),
    box("trim", -0.04, 0.22, 0.9, 0.38),
    box("shade", -0.04, 0.37, 0.9, 0.385),
)
_BAG: tuple[Shape, ...] = (
    arch("dark", 0.5, 0.16, 0.34, 0.2, thickness=0.03),
    polygon("body", (0.1, 0.14), (0.84, 0.14), (0.86, 1.0), (0.08, 1.0)),
    polygon("shade", (0.84, 0.14), (0.94, 0.18), (0.95, 0.96), (0.86, 1.0)),
    box("trim", 0.1, 0.14, 0.84, 0.19),
    polygon("shade", (0.7, 1.0), (0.78, 0.62), (0.86, 1.0)),
)
_TAG: tuple[Shape, ...] = (
    band("dark", ((0.5, 0.1), (0.42, -0.1), (0.6, -0.5)), 0.014),
    polygon("body", (0.3, 0.0), (0.7, 0.0), (0.86, 0.14), (0.86, 1.02), (0.14, 1.02), (0.14, 0.14)),
    polygon("trim", (0.14, 0.94), (0.86, 0.94), (0.86, 1.02), (0.14, 1.02)),
    oval("shade", 0.5, 0.08, 0.1),
    oval("dark", 0.5, 0.08, 0.06),
)
_PLAIN: tuple[Shape, ...] = (
    box("trim", 0.4, 0.385, 0.52, 0.98),
    box("edge", 0.06, 0.6, 0.32, 0.84),
    *(
        box("dark", 0.09 + x, 0.64, 0.1 + x + 0.006 * (i % 3), 0.76)
        for i, x in enumerate((0.0, 0.03, 0.06, 0.1, 0.14, 0.17))
    ),
    polygon("dark", (0.64, 0.6), (0.7, 0.5), (0.76, 0.6), (0.72, 0.6), (0.72, 0.72), (0.68, 0.72), (0.68, 0.6)),
)
"""What is on the front of a plain carton: tape, an address, this side up."""
_PRINT = (
    (_CARTON, (0.21, 0.68), (0.63, 0.68), 0.42),
    (_BAG, (0.46, 0.48), (0.46, 0.8), 0.6),
    (_TAG, (0.5, 0.42), (0.5, 0.78), 0.6),
)
"""Each package with the centres of its mark and wordmark, and the wordmark's width."""
_MARK_SIDES = (0.32, 0.44, 0.44)


def draw_package(layer: Layer, brand: Brand | None, kind: int, where: Placement, tells: Tells) -> None:
    """Draws a package; `kind` is any number from 0, and the same for an item in all its photos."""
    if brand is None:
        fill(layer.pen, (*_CARTON, *_PLAIN), where, _cardboard())
        return
    kind %= len(_PRINT)
    shapes, mark_centre, word_centre, width = _PRINT[kind]
    inks = _brand_inks(brand)
    fill(layer.pen, shapes, where, inks)
    words = Placement(where.land(word_centre), width * where.side, where.degrees)
    draw_wordmark(layer, brand, words, inks["trim"], tells)
    draw_mark(layer, brand, Placement(where.land(mark_centre), _MARK_SIDES[kind] * where.side, where.degrees), tells)


def _brand_inks(brand: Brand) -> dict[Ink, Colour]:
    """Pale cardboard with the brand's darker colour on it."""
    strong = min(brand.primary, brand.secondary, key=brightness)
    strong = shaded(strong, min(1.0, 130 / max(brightness(strong), 1)))
    pale = mixed(strong, (250, 248, 242), 0.86)
    return {
        "body": pale,
        "shade": shaded(pale, 0.82),
        "light": mixed(strong, (255, 255, 255), 0.25),
        "trim": strong,
        "dark": shaded(pale, 0.66),
    }


def _cardboard() -> dict[Ink, Colour]:
    brown = (196, 156, 110)
    return {
        "body": brown,
        "shade": shaded(brown, 0.8),
        "light": mixed(brown, (255, 255, 255), 0.2),
        "trim": mixed(brown, (255, 255, 255), 0.1),
        "dark": shaded(brown, 0.6),
        "edge": (244, 242, 236),
    }
