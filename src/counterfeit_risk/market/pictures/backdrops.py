"""Where a photo is taken: seamless white, coloured paper, a table, a floor, a bed, a shelf.

Knows no goods, only what stands and lies behind them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PIL import ImageFilter

from counterfeit_risk.market.chance import happens, pick
from counterfeit_risk.market.pictures.layers import SCALE, Layer, Picture, as_image, as_picture
from counterfeit_risk.market.pictures.props import LYING, STANDING, around, pick_thing
from counterfeit_risk.market.pictures.scenes import Place
from counterfeit_risk.market.pictures.shapes import Colour, Placement, fill, shaded
from counterfeit_risk.market.pictures.textures import Light, folds, spread, texture

Size = tuple[int, int]

_PAPERS: tuple[Colour, ...] = (
    (232, 200, 190),
    (198, 214, 206),
    (206, 202, 226),
    (236, 222, 184),
    (176, 198, 216),
    (216, 214, 208),
    (154, 160, 164),
    (112, 130, 140),
    (224, 172, 140),
)
_WOODS: tuple[Colour, ...] = ((196, 152, 104), (158, 112, 74), (112, 78, 56), (214, 184, 146), (178, 168, 154))
_WALLS: tuple[Colour, ...] = ((222, 214, 200), (198, 206, 204), (212, 198, 200), (186, 192, 176), (172, 184, 198))
_CARPETS: tuple[Colour, ...] = ((176, 168, 158), (122, 128, 140), (150, 122, 112), (196, 184, 160), (104, 116, 106))
_SHEETS: tuple[Colour, ...] = ((238, 236, 232), (206, 216, 228), (230, 210, 210), (214, 208, 190), (150, 160, 176))


@dataclass(frozen=True)
class Backdrop:
    """An empty place."""

    picture: Picture
    from_above: bool
    """The goods lie, the camera looks down; otherwise they stand."""


def draw_backdrop(place: Place, size: Size, rng: np.random.Generator) -> Backdrop:
    """Draws a place before the goods come.

    Args:
        place: where.
        size: width and height of the photo in pixels.
        rng: decides colours and clutter.
    """
    return _DRAWN[place](size, rng)


def _white(size: Size, rng: np.random.Generator) -> Backdrop:
    level = rng.uniform(250, 255)
    sweep = _down(size, 1.0, rng.uniform(0.95, 0.98))
    return Backdrop(_filled(size, (level, level, level)) * sweep, from_above=happens(rng, 0.3))


def _studio(size: Size, rng: np.random.Generator) -> Backdrop:
    """Paper that comes down the wall and bends into the floor, brightest where the lamp points."""
    y, x = np.mgrid[-1:1:24j, -1:1:24j]
    left, top = rng.uniform(-0.5, 0.5, 2)
    pool = 1.06 - 0.1 * ((x - left) ** 2 + (y - top) ** 2)
    bend = rng.uniform(0.15, 0.5)
    pool -= 0.08 * np.exp(-(((y - bend) / 0.12) ** 2))
    light = spread(pool, size) * texture("paper", size, rng)
    return Backdrop(_filled(size, pick(rng, _PAPERS)) * light, from_above=happens(rng, 0.3))


def _table(size: Size, rng: np.random.Generator) -> Backdrop:
    from_above = happens(rng, 0.4)
    planks = _planks(size, pick(rng, _WOODS), int(rng.integers(2, 5)), rng)
    if from_above:
        return Backdrop(_strewn(planks, size, rng), from_above=True)
    wall = _filled(size, pick(rng, _WALLS)) * _down(size, rng.uniform(0.86, 0.98), 1.0)
    edge = int(size[1] * rng.uniform(0.4, 0.62))
    wall = _furnished(wall, size, edge, rng)
    wall[:, edge:] = planks[:, edge:] * _down((size[0], size[1] - edge), 0.9, 1.06)
    return Backdrop(wall, from_above=False)


def _floor(size: Size, rng: np.random.Generator) -> Backdrop:
    if happens(rng, 0.5):
        ground = _planks(size, pick(rng, _WOODS), int(rng.integers(5, 8)), rng)
    else:
        ground = _filled(size, pick(rng, _CARPETS)) * texture("carpet", size, rng)
        ground = _bordered(ground, rng) if happens(rng, 0.5) else ground
    return Backdrop(_strewn(ground, size, rng), from_above=True)


def _bed(size: Size, rng: np.random.Generator) -> Backdrop:
    """A sheet, plain, striped or checked, with long soft folds."""
    sheet = _filled(size, pick(rng, _SHEETS))
    stripe = float(pick(rng, (1.0, 0.93, 0.88)))
    width = int(rng.integers(10, 28))
    columns, rows = (np.arange(pixels) // width % 2 == 0 for pixels in size)
    sheet[:, :, columns] *= stripe
    if happens(rng, 0.4):
        sheet[:, rows] *= stripe
    light = folds(size, 0.1, rng) * texture("weave", size, rng)
    return Backdrop(_strewn(sheet * light, size, rng, at_most=1), from_above=True)


def _shelf(size: Size, rng: np.random.Generator) -> Backdrop:
    """A board at the bottom, another at the top, and things out of focus between them."""
    wall = _filled(size, shaded(pick(rng, _WALLS), 0.82)) * _down(size, 0.7, 1.0)
    board = int(size[1] * rng.uniform(0.78, 0.88))
    wall = _furnished(wall, size, board, rng, at_least=2)
    scene = as_picture(as_image(wall).filter(ImageFilter.BoxBlur(float(rng.uniform(1, 2.5)))))
    wood = _planks(size, pick(rng, _WOODS), 1, rng)
    scene[:, board:] = wood[:, board:] * _down((size[0], size[1] - board), 1.08, 0.86)
    scene[:, : size[1] // 24] = wood[:, : size[1] // 24] * 0.7
    return Backdrop(scene, from_above=False)


_DRAWN: Mapping[Place, Callable[[Size, np.random.Generator], Backdrop]] = {
    Place.WHITE: _white,
    Place.STUDIO: _studio,
    Place.TABLE: _table,
    Place.FLOOR: _floor,
    Place.BED: _bed,
    Place.SHELF: _shelf,
}


def _filled(size: Size, colour: tuple[float, float, float]) -> Picture:
    return np.repeat(np.array(colour, np.float32), size[0] * size[1]).reshape(3, size[1], size[0])


def _down(size: Size, top: float, bottom: float) -> Light:
    """(H, 1) light that changes evenly from top to bottom."""
    return np.linspace(top, bottom, size[1], dtype=np.float32)[:, None]


def _planks(size: Size, wood: Colour, count: int, rng: np.random.Generator) -> Picture:
    """Boards side by side, each of its own tone and grain, with dark joints."""
    edges = np.linspace(0, size[1], count + 1).astype(int)
    ground = _filled(size, wood)
    for top, bottom in pairwise(edges):
        grain = texture("wood", (size[0], int(bottom - top)), rng)
        ground[:, top:bottom] *= grain * rng.uniform(0.9, 1.06)
        ground[:, max(bottom - 2, 0) : bottom] *= 0.72
    return ground


def _bordered(carpet: Picture, rng: np.random.Generator) -> Picture:
    """A rug's edge on the floor beside it."""
    seam = int(carpet.shape[2] * rng.uniform(0.06, 0.2))
    floor = carpet[:, :, :seam].mean(axis=2, keepdims=True) * np.array((0.78, 0.7, 0.6), np.float32)[:, None, None]
    carpet[:, :, :seam] = floor
    carpet[:, :, seam : seam + 7] *= np.array((0.8, 0.66, 0.62), np.float32)[:, None, None]
    return carpet[:, :, ::-1].copy() if happens(rng, 0.5) else carpet


def _furnished(wall: Picture, size: Size, foot: int, rng: np.random.Generator, *, at_least: int = 0) -> Picture:
    """Things that stand against the wall, their feet at y = foot."""
    layer = Layer(size, (128, 120, 112))
    for _ in range(int(rng.integers(at_least, at_least + 3))):
        thing, inks = pick_thing(STANDING, rng)
        side = SCALE * min(size) * rng.uniform(0.22, 0.42)
        where = Placement((SCALE * size[0] * rng.uniform(0.0, 1.0), SCALE * foot - side / 2 + 2), side)
        fill(layer.pen, thing, where, inks)
    cut = layer.cut_out()
    return cut.lay_on(wall * cut.shadow((6, 3), softness=2, strength=0.25), cut.rounded(0.5, depth=0.12))


def _strewn(ground: Picture, size: Size, rng: np.random.Generator, *, at_most: int = 3) -> Picture:
    """Things that lie along the rim."""
    layer = Layer(size, (128, 120, 112))
    for _ in range(int(rng.integers(0, at_most, endpoint=True))):
        thing, inks = pick_thing(LYING, rng)
        fill(layer.pen, thing, around(rng, layer.image.size, SCALE * min(size) * rng.uniform(0.2, 0.36)), inks)
    cut = layer.cut_out()
    return cut.lay_on(ground * cut.shadow((4, 5), softness=1.5, strength=0.4), cut.rounded(0.5, depth=0.1))
