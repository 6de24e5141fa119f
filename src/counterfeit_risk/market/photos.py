"""Draws one photo of one listing: goods before a backdrop, the brand's mark on them, and what the tells do to it.

Knows no label and no title. A `Scene` is what stands before the camera and always looks the same; the camera (position,
exposure, noise) is another draw, so that linked sellers can share a scene without sharing a file.
"""

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from counterfeit_risk.market.backdrops import Place, draw_backdrop
from counterfeit_risk.market.brands import Brand
from counterfeit_risk.market.chance import pick
from counterfeit_risk.market.products import Product
from counterfeit_risk.market.shapes import Colour, Ink, Placement, blob, box, fill, oval, shaded
from counterfeit_risk.market.signals import Tell

PHOTO_SIDE = 224
"""Pixels."""

_SLACK = 24
_CANVAS = 2 * PHOTO_SIDE + _SLACK
"""Drawn at twice a photo's size, for smooth edges, with room for the camera to move."""
_WHITE = (255, 255, 255)
_BODIES = (
    (226, 220, 208),
    (176, 186, 196),
    (64, 70, 82),
    (200, 168, 128),
    (142, 164, 140),
    (214, 178, 178),
    (112, 92, 80),
)
_TRIMS = ((58, 50, 46), (120, 84, 52), (90, 98, 112), (190, 186, 178))
_STICKERS = ((240, 196, 164), (250, 220, 60), (196, 132, 96))


class View(StrEnum):
    """How much of the goods a photo shows."""

    WHOLE = "whole"
    MARK = "mark"
    """The label card from near; goods without a mark are shown whole instead."""


@dataclass(frozen=True)
class Scene:
    """What stands before the camera."""

    product: Product
    brand: Brand | None
    """Whose mark it carries; None: no mark."""
    tells: frozenset[Tell]
    view: View
    place: Place
    seed: int
    """Decides colours and position."""


def render_photo(scene: Scene, camera: np.random.Generator) -> Image.Image:
    """Draws a scene and takes its photo.

    Args:
        scene: what is shown.
        camera: draws its position, the exposure and the noise.

    Returns:
        RGB, `PHOTO_SIDE` pixels a side.
    """
    rng = np.random.default_rng(scene.seed)
    inks = _goods_inks(rng)
    if scene.view is View.MARK and scene.brand:
        canvas, mark = _draw_card(scene.brand, inks, rng)
    else:
        canvas, mark = _draw_goods(scene, inks, rng)
    if scene.brand:
        canvas = _draw_mark(canvas, scene.brand, scene.tells, mark, rng)
    return _take_photo(canvas, scene.place, camera)


def _draw_goods(scene: Scene, inks: Mapping[Ink, Colour], rng: np.random.Generator) -> tuple[Image.Image, Placement]:
    """The whole product, and where on it the mark goes."""
    canvas, floor = draw_backdrop(scene.place, _CANVAS, rng)
    draw = ImageDraw.Draw(canvas)
    side = _CANVAS * rng.uniform(0.66, 0.8)
    centre = (_CANVAS * rng.uniform(0.44, 0.56), _CANVAS * rng.uniform(0.46, 0.54))
    spread = 3 if scene.place is Place.STUDIO else 10
    where = Placement(centre, side, degrees=rng.uniform(-spread, spread))
    ground = Placement(where.land((0.52, scene.product.foot)), side, degrees=where.degrees)
    fill(draw, (oval("dark", 0.5, 0.5, 1.0, 0.1),), ground, {"dark": shaded(floor, 0.75)})
    fill(draw, scene.product.shapes, where, inks)
    mark = Placement(where.land(scene.product.mark_centre), side * scene.product.mark_side, degrees=where.degrees)
    return canvas, mark


def _draw_card(brand: Brand, inks: Mapping[Ink, Colour], rng: np.random.Generator) -> tuple[Image.Image, Placement]:
    """A label card on the goods' cloth, with the brand's name, and where on it the mark goes."""
    canvas = Image.new("RGB", (_CANVAS, _CANVAS), inks["body"])
    draw = ImageDraw.Draw(canvas)
    for x in range(int(rng.integers(40)), _CANVAS, 40):
        draw.line([(x, 0), (x + 30, _CANVAS)], fill=inks["shade"], width=8)
    where = Placement((_CANVAS * rng.uniform(0.46, 0.54), _CANVAS * rng.uniform(0.46, 0.54)), _CANVAS * 0.82)
    fill(draw, (blob("shade", (0.08, 0.02), (0.98, 0.02), (0.98, 1.06), (0.08, 1.06)),), where, inks)
    fill(draw, (box("edge", 0.06, 0.0, 0.94, 1.0),), where, inks)
    draw.text(where.land((0.5, 0.88)), brand.name, fill=brand.primary, font=_font(54), anchor="mm")
    return canvas, Placement(where.land((0.5, 0.42)), where.side * 0.62, degrees=rng.uniform(-4, 4))


def _draw_mark(
    canvas: Image.Image, brand: Brand, tells: frozenset[Tell], where: Placement, rng: np.random.Generator
) -> Image.Image:
    stretch = pick(rng, (0.5, 2.0)) if Tell.WRONG_PROPORTIONS in tells else 1.0
    mark = Placement(where.centre, where.side, where.degrees, stretch, mirrored=Tell.MIRRORED_MARK in tells)
    fill(ImageDraw.Draw(canvas), brand.mark, mark, _mark_inks(brand, tells, rng))
    if Tell.BLURRED_MARK in tells:
        canvas = _smear(canvas, where)
    if Tell.COVERED_MARK in tells:
        _cover(ImageDraw.Draw(canvas), where, rng)
    return canvas


def _mark_inks(brand: Brand, tells: frozenset[Tell], rng: np.random.Generator) -> dict[Ink, Colour]:
    if Tell.WRONG_COLOURS not in tells:
        return {"primary": brand.primary, "secondary": brand.secondary, "edge": _WHITE}
    turn = rng.uniform(0.3, 0.7)
    return {"primary": _turn_hue(brand.secondary, turn), "secondary": _turn_hue(brand.primary, turn), "edge": _WHITE}


def _smear(canvas: Image.Image, where: Placement) -> Image.Image:
    """Blurs the mark beyond reading and leaves the rest sharp."""
    reach = 0.62 * where.side
    x, y = where.centre
    area = (int(x - reach), int(y - reach), int(x + reach), int(y + reach))
    smeared = canvas.copy()
    smeared.paste(canvas.crop(area).filter(ImageFilter.BoxBlur(where.side / 7)), area[:2])
    return smeared


def _cover(draw: ImageDraw.ImageDraw, where: Placement, rng: np.random.Generator) -> None:
    """Puts a sticker or a thumb over most of the mark."""
    shift = where.side * 0.12
    centre = (where.centre[0] + rng.uniform(-shift, shift), where.centre[1] + rng.uniform(-shift, shift))
    patch = Placement(centre, where.side * 0.95, degrees=rng.uniform(-50, 50))
    colour = pick(rng, _STICKERS)
    shapes = (
        blob("dark", (0.0, 0.14), (1.03, 0.14), (1.03, 0.9), (0.0, 0.9)),
        blob("light", (0.0, 0.12), (1.0, 0.12), (1.0, 0.86), (0.0, 0.86)),
    )
    fill(draw, shapes, patch, {"dark": shaded(colour, 0.6), "light": colour})


def _take_photo(canvas: Image.Image, place: Place, camera: np.random.Generator) -> Image.Image:
    """Moves a little, and at home adds a colour cast and noise."""
    left, top = (int(shift) for shift in camera.integers(0, _SLACK, 2, endpoint=True))
    photo = canvas.reduce(2, box=(left, top, left + 2 * PHOTO_SIDE, top + 2 * PHOTO_SIDE))
    gains = (
        camera.uniform(0.96, 1.02, 3)
        if place is Place.STUDIO
        else camera.uniform(0.76, 1.04) * camera.uniform(0.94, 1.04, 3)
    )
    photo = photo.point(np.outer(gains, np.arange(256)).clip(0, 255).astype(int).ravel().tolist())
    if place is Place.STUDIO:
        return photo
    noise = Image.frombytes("L", photo.size, camera.integers(0, 22, PHOTO_SIDE**2, dtype=np.uint8).tobytes())
    return ImageChops.add(photo, Image.merge("RGB", (noise, noise, noise)))


def _goods_inks(rng: np.random.Generator) -> dict[Ink, Colour]:
    body = pick(rng, _BODIES)
    return {
        "body": body,
        "shade": shaded(body, 0.82),
        "trim": pick(rng, _TRIMS),
        "light": (244, 242, 236),
        "dark": (44, 44, 50),
        "edge": _WHITE,
    }


def _turn_hue(colour: Colour, turn: float) -> Colour:
    """The colour in a cheap, glaring ink of another hue; a turn of 1 comes full circle."""
    hue, _, value = colorsys.rgb_to_hsv(*(level / 255 for level in colour))
    red, green, blue = colorsys.hsv_to_rgb((hue + turn) % 1, 0.85, max(value, 0.3))
    return round(red * 255), round(green * 255), round(blue * 255)


@lru_cache(maxsize=4)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
