"""Goods from near: the mark beside a run of stitches, and the label sewn into them.

Knows no place: from near the goods fill the photo.
"""

from collections.abc import Mapping

import numpy as np

from counterfeit_risk.market.brands import Brand
from counterfeit_risk.market.chance import pick
from counterfeit_risk.market.pictures.finishes import Finish, brightness, mixed
from counterfeit_risk.market.pictures.goods_tells import Tells, draw_mark, draw_stitches, draw_wordmark, write
from counterfeit_risk.market.pictures.layers import Layer
from counterfeit_risk.market.pictures.scenes import Scene
from counterfeit_risk.market.pictures.shapes import (
    Colour,
    Ink,
    Placement,
    Point,
    Shape,
    band,
    bend,
    blob,
    box,
    fill,
    oval,
    polygon,
    ring,
    shaded,
)
from counterfeit_risk.market.signals import PhotoTell

_SEAMS: tuple[tuple[Point, ...], ...] = (
    bend((-1.0, 0.92), (0.3, 0.88), (0.8, 0.9), (2.0, 0.84)),
    bend((0.08, -1.0), (0.06, 0.4), (0.1, 0.8), (0.06, 2.0)),
    bend((-1.0, 0.5), (-0.1, 0.8), (0.4, 0.93), (2.0, 0.97)),
    bend((-1.0, 0.1), (0.3, 0.08), (0.7, 0.06), (2.0, 0.12)),
)
"""Where two panels meet; the mark has the larger one to itself."""
_BEYOND: tuple[tuple[Point, ...], ...] = (
    ((2.0, 2.5), (-1.0, 2.5)),
    ((-1.5, 2.0), (-1.5, -1.0)),
    ((2.0, 2.5), (-1.0, 2.5)),
    ((2.0, -1.5), (-1.0, -1.5)),
)
"""What closes the outline of the other panel."""
_INWARD: tuple[Point, ...] = ((0.0, -0.045), (0.045, 0.0), (0.01, -0.045), (0.0, 0.045))
_PRINT: Colour = (66, 62, 66)
_LABEL_INKS: Mapping[Ink, Colour] = {"edge": (246, 243, 234), "dark": _PRINT}
_GENUINE = Tells({}, 0)
_CARE: tuple[tuple[Shape, ...], ...] = (
    (
        polygon(
            "dark",
            (0.05, 0.3),
            (0.2, 0.85),
            (0.8, 0.85),
            (0.95, 0.3),
            (0.85, 0.3),
            (0.72, 0.74),
            (0.28, 0.74),
            (0.15, 0.3),
        ),
    ),
    (polygon("dark", (0.5, 0.1), (0.95, 0.9), (0.05, 0.9)), polygon("edge", (0.5, 0.32), (0.78, 0.8), (0.22, 0.8))),
    (
        box("dark", 0.1, 0.1, 0.9, 0.9),
        box("edge", 0.2, 0.2, 0.8, 0.8),
        oval("dark", 0.5, 0.5, 0.5),
        oval("edge", 0.5, 0.5, 0.34),
    ),
    (blob("dark", (0.05, 0.85), (0.3, 0.4), (0.9, 0.3), (0.95, 0.85)), box("edge", 0.36, 0.56, 0.78, 0.68)),
    (ring("dark", 0.5, 0.5, 0.86, thickness=0.1),),
)
"""Wash, bleach, dry, iron, clean."""
_CLOTHS = ("100 % Cotton", "80 % Wool 20 % Silk", "Outer: Leather", "Shell: Polyamide")
_HARD = ("Steel / Resin", "Glass / Steel", "Polycarbonate", "Aluminium")


_NOTICES = ("Keep dry", "For indoor use", "Handle with care", "See leaflet", "Recycle me")


def draw_detail(layer: Layer, scene: Scene, finish: Finish, where: Placement, tells: Tells) -> Placement:
    """Draws two panels and their seam, the mark and the wordmark.

    Returns:
        Where the mark is; without a brand, where it would be.
    """
    way = finish.pattern % len(_SEAMS)
    _draw_panels(layer, finish, where, way)
    aside = _INWARD[way]
    run = where.land_all([(x + aside[0], y + aside[1]) for x, y in _SEAMS[way]])
    draw_stitches(layer, run, finish.thread, tells, engraved=not finish.sewn)
    middle = (0.5 + (0.08 if way == 1 else 0.0), 0.5 if way == 3 else 0.36)
    mark = Placement(where.land(middle), 0.44 * where.side, where.degrees)
    if scene.brand:
        below = where.land((middle[0], middle[1] + 0.335))
        ink = _legible(scene.brand, finish.inks["body"])
        draw_wordmark(layer, scene.brand, Placement(below, 0.76 * where.side, where.degrees), ink, tells)
        draw_mark(layer, scene.brand, mark, tells)
    return mark


def draw_hem(layer: Layer, finish: Finish, where: Placement) -> None:
    """Draws the cloth that a label is sewn into."""
    cloth, shade = finish.inks["body"], finish.inks["shade"]
    inks: dict[Ink, Colour] = {"body": cloth, "shade": shade, "trim": mixed(cloth, shade, 0.5)}
    hem = band("shade", ((-1.0, 0.12), (2.0, 0.12)), 0.025)
    fill(layer.pen, (box("body", -1.0, -1.0, 2.0, 2.0), box("trim", -1.0, -1.0, 2.0, 0.1), hem), where, inks)
    draw_stitches(layer, where.land_all(((-1.0, 0.05), (2.0, 0.05))), finish.thread, _GENUINE, engraved=False)


def draw_label(layer: Layer, scene: Scene, finish: Finish, where: Placement, tells: Tells) -> None:
    """Draws the label, or what is there instead."""
    grade = tells.grade(PhotoTell.MISSING_LABEL)
    if grade == 3:
        _draw_cut_threads(layer, where, finish, tells)
        return
    fill(layer.pen, (box("edge", 0.13, 0.1, 0.86, 0.9),), where, _LABEL_INKS)
    draw_stitches(layer, where.land_all(((0.15, 0.14), (0.84, 0.14))), finish.thread, _GENUINE, engraved=False)
    if grade < 2:
        _print_label(layer, scene, finish, where, named=grade == 0)


def _draw_panels(layer: Layer, finish: Finish, where: Placement, way: int) -> None:
    line = _SEAMS[way]
    other = finish.inks["trim"] if finish.pattern % 3 else finish.inks["shade"]
    panel = polygon("trim", *line, *_BEYOND[way])
    body = finish.inks["body"]
    inks: dict[Ink, Colour] = {
        "body": body,
        "trim": other,
        "dark": shaded(other, 0.55),
        "light": mixed(body, (255, 255, 255), 0.2),
    }
    fill(layer.pen, (box("body", -1.5, -1.5, 2.5, 2.5), panel), where, inks)
    fill(layer.pen, (band("light", line, 0.022), band("dark", line, 0.012)), where, inks)


def _print_label(layer: Layer, scene: Scene, finish: Finish, where: Placement, *, named: bool) -> None:
    """The print: wordmark and product line where `named`, and always material and care signs."""
    rng = np.random.default_rng((scene.goods_seed, 100))
    texts = _NOTICES if scene.brand is None else _CLOTHS if finish.sewn else _HARD
    lines = [pick(rng, texts), f"Art. {int(rng.integers(10_000, 100_000))}"]
    care = [_CARE[place] for place in rng.permutation(len(_CARE))[:4]]
    if scene.brand and named:
        title = Placement(where.land((0.495, 0.3)), 0.58 * where.side, where.degrees)
        draw_wordmark(layer, scene.brand, title, _dark(scene.brand), _GENUINE)
        style = Placement(where.land((0.495, 0.43)), 0.08 * where.side, where.degrees)
        write(layer, scene.line, "sans", style, _PRINT)
    if scene.brand is None:
        _draw_bars(layer, where, rng)
    for row, line in enumerate(lines):
        print_line = Placement(where.land((0.495, 0.56 + 0.085 * row)), 0.064 * where.side, where.degrees)
        write(layer, line, "sans", print_line, _PRINT)
    for place, sign in enumerate(care):
        fill(
            layer.pen,
            sign,
            Placement(where.land((0.26 + 0.157 * place, 0.79)), 0.1 * where.side, where.degrees),
            _LABEL_INKS,
        )


def _draw_bars(layer: Layer, where: Placement, rng: np.random.Generator) -> None:
    """A bar code."""
    x = 0.26
    while x < 0.72:
        width = float(rng.uniform(0.006, 0.018))
        fill(layer.pen, (box("dark", x, 0.22, x + width, 0.42),), where, _LABEL_INKS)
        x += width + float(rng.uniform(0.008, 0.018))


def _draw_cut_threads(layer: Layer, where: Placement, finish: Finish, tells: Tells) -> None:
    """The ends of the threads that held a label."""
    rng = tells.generator(PhotoTell.MISSING_LABEL)
    for x in np.linspace(0.16, 0.84, 9):
        foot = (float(x), 0.13)
        tip = (float(x + rng.uniform(-0.05, 0.05)), float(0.17 + rng.uniform(0, 0.07)))
        layer.pen.line(where.land_all((foot, tip)), fill=finish.thread, width=4)


def _legible(brand: Brand, behind: Colour) -> Colour:
    """The brand's colour that stands out more from what is behind it."""
    inks = (brand.primary, brand.secondary)
    return max(inks, key=lambda ink: abs(brightness(ink) - brightness(behind)))


def _dark(brand: Brand) -> Colour:
    """The brand's darker colour, dark enough for print on white."""
    ink = min(brand.primary, brand.secondary, key=brightness)
    return shaded(ink, min(1.0, 120 / max(brightness(ink), 1)))
