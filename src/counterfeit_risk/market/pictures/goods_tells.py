"""Marks, wordmarks and stitches, genuine or with the tells of a copy.

Knows no view and no place: it shows a tell where it is told its grade, and where there is none draws the genuine thing.
A tell's own draws come from the item's seed: they change nothing else and are the same in all photos of the item.
"""

import colorsys
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from counterfeit_risk.market.brands import Brand
from counterfeit_risk.market.chance import happens, pick
from counterfeit_risk.market.pictures.finishes import mixed
from counterfeit_risk.market.pictures.layers import SCALE, Layer
from counterfeit_risk.market.pictures.lettering import TYPEFACES, font
from counterfeit_risk.market.pictures.props import FINGER, skin_inks
from counterfeit_risk.market.pictures.scenes import VISIBLE_IN, Scene
from counterfeit_risk.market.pictures.shapes import Colour, Ink, Placement, Point, blob, fill, oval, shaded
from counterfeit_risk.market.signals import PhotoTell

_STRETCH = (1.0, 1.28, 1.6, 2.1)
_SHIFT = (0.0, 0.04, 0.09, 0.15)
_HUE_TURN = (0.0, 0.08, 0.2, 0.42)
_LEAST_SATURATION = (0.0, 0.3, 0.55, 0.85)
_TRACKING = (0.03, 0.1, 0.13, 0.2)
_UNEVEN = (0.0, 0.09, 0.12, 0.2)
_WANDER = (0.0, 6.0, 12.0, 20.0)
_SKIPPED = (0.0, 0.04, 0.12, 0.22)
_WRONG_THREAD = (0.0, 0.15, 0.6, 1.0)
_SMEAR = (0.0, 0.025, 0.055, 0.12)
_COVER = (0.0, 0.5, 0.76, 1.08)
"""All by grade; 0 is the genuine thing."""

_GLARING: tuple[Colour, ...] = ((232, 48, 150), (40, 190, 90), (250, 120, 20), (40, 130, 240))
_STICKERS: tuple[Colour, ...] = ((250, 214, 70), (240, 240, 236), (240, 130, 130), (130, 190, 220))
_EM = 64
"""Size at which names are measured."""
_PITCH = 24.0
"""Canvas pixels from one stitch to the next."""


@dataclass(frozen=True)
class Tells:
    """The tells that one photo shows."""

    grades: Mapping[PhotoTell, int]
    goods_seed: int

    def grade(self, tell: PhotoTell) -> int:
        """0 where the tell is absent."""
        return self.grades.get(tell, 0)

    def generator(self, tell: PhotoTell) -> np.random.Generator:
        """The tell's own draws, the same in all photos of the item."""
        return np.random.default_rng((self.goods_seed, 1 + list(PhotoTell).index(tell)))


def tells_in_view(scene: Scene) -> Tells:
    """Those of the scene's tells that its view can show; plain goods show none."""
    visible = VISIBLE_IN[scene.view] if scene.brand else frozenset[PhotoTell]()
    return Tells({tell: grade for tell, grade in scene.tells.items() if tell in visible}, scene.goods_seed)


def draw_mark(layer: Layer, brand: Brand, where: Placement, tells: Tells) -> None:
    """Draws a brand's mark, and what covers it."""
    grade = tells.grade(PhotoTell.WRONG_PROPORTIONS)
    rng = tells.generator(PhotoTell.WRONG_PROPORTIONS)
    stretch = _STRETCH[grade] ** pick(rng, (-1, 1))
    badge = replace(where, stretch=stretch)
    angle, shift = rng.uniform(0, 2 * math.pi), _SHIFT[grade]
    emblem = replace(badge, centre=badge.land((0.5 + shift * math.cos(angle), 0.5 + shift * math.sin(angle))))
    inks = _mark_inks(brand, tells)
    fill(layer.pen, brand.badge, badge, inks)
    fill(layer.pen, brand.emblem, emblem, inks)
    if tells.grade(PhotoTell.COVERED_MARK):
        _cover(layer, where, tells)


def draw_wordmark(layer: Layer, brand: Brand, where: Placement, colour: Colour, tells: Tells) -> None:
    """Writes a brand's name centred at `where`, as wide as its side and a quarter of that high at most."""
    grade = tells.grade(PhotoTell.WRONG_LETTERFORMS)
    rng = tells.generator(PhotoTell.WRONG_LETTERFORMS)
    typeface = _foreign_typeface(brand.typeface, rng) if grade >= 2 else brand.typeface
    letters, odd = brand.name, (0, 1, 2, len(brand.name))[grade]
    ems = font(typeface, _EM).getlength(letters) / _EM + _TRACKING[grade] * len(letters)
    size = min(where.side / ems, where.side / 4)
    growth, drop = np.zeros(len(letters)), np.zeros(len(letters))
    uneven = rng.permutation(len(letters))[:odd]
    growth[uneven] = _UNEVEN[grade] * rng.uniform(1, 2, odd)
    drop[uneven] = _UNEVEN[grade] * rng.choice((-1.0, 1.0), odd)
    canvas = Image.new("L", (int(where.side * 1.4 + size), int(size * 2)))
    pen, x = ImageDraw.Draw(canvas), size * 0.2
    for letter, more, lower in zip(letters, growth, drop, strict=True):
        letter_font = font(typeface, _even(size * (1 + more)))
        pen.text((x, size * (1.3 + lower)), letter, fill=255, font=letter_font, anchor="ls")
        x += letter_font.getlength(letter) + size * _TRACKING[grade]
    _paste(layer, canvas.crop((0, 0, int(x + size * 0.2), canvas.height)), where, colour)


def write(layer: Layer, text: str, typeface: str, where: Placement, colour: Colour) -> None:
    """Writes small print centred at `where`, whose side is the line's height in canvas pixels."""
    letters = font(typeface, _even(where.side))
    left, top, right, bottom = (int(edge) for edge in letters.getbbox(text))
    canvas = Image.new("L", (right - left + 4, bottom - top + 4))
    ImageDraw.Draw(canvas).text((2 - left, 2 - top), text, fill=255, font=letters)
    _paste(layer, canvas, where, colour)


def draw_stitches(layer: Layer, line: Sequence[Point], thread: Colour, tells: Tells, *, engraved: bool) -> None:
    """Draws a run of stitches, or of engraved notches, along an open line of canvas pixels."""
    grade = tells.grade(PhotoTell.WRONG_STITCHING)
    rng = tells.generator(PhotoTell.WRONG_STITCHING)
    colour = mixed(thread, pick(rng, _GLARING), _WRONG_THREAD[grade])
    width, share = (6, 0.3) if engraved else (8, 0.62)
    phase = rng.uniform(0, 2 * math.pi)
    for place, (x, y, across, down) in enumerate(_steps(line, _PITCH)):
        wander = _WANDER[grade] * (0.7 * math.sin(phase + 0.7 * place) + 0.5 * rng.uniform(-1, 1))
        slant, length = (
            _WANDER[grade] * rng.uniform(-0.4, 0.4),
            _PITCH * share * (1 + 0.4 * bool(grade) * rng.uniform(-1, 1)),
        )
        if happens(rng, _SKIPPED[grade]):
            continue
        x, y = x - wander * down, y + wander * across
        end = (x + length * across - slant * down, y + length * down + slant * across)
        layer.pen.line([(x + 1, y + 3), (end[0] + 1, end[1] + 3)], fill=shaded(thread, 0.35), width=width)
        layer.pen.line([(x, y), end], fill=colour, width=width)


def smear(photo: Image.Image, where: Placement, tells: Tells) -> None:
    """Blurs the mark in a finished photo; its placement is in canvas pixels."""
    grade = tells.grade(PhotoTell.BLURRED_MARK)
    if not grade:
        return
    side = where.side / SCALE
    x, y = (pixel / SCALE for pixel in where.centre)
    reach = 0.78 * side
    area = (int(x - reach), int(y - reach), int(x + reach), int(y + reach))
    brush = Image.new("L", (area[2] - area[0], area[3] - area[1]))
    ImageDraw.Draw(brush).ellipse((1, 1, brush.width - 2, brush.height - 2), fill=255)
    blurred = photo.crop(area).filter(ImageFilter.GaussianBlur(_SMEAR[grade] * side))
    photo.paste(blurred, area[:2], brush.filter(ImageFilter.BoxBlur(0.06 * side)))


def _mark_inks(brand: Brand, tells: Tells) -> dict[Ink, Colour]:
    grade = tells.grade(PhotoTell.WRONG_COLOURS)
    sign = pick(tells.generator(PhotoTell.WRONG_COLOURS), (-1, 1))
    primary, secondary = (_turned(colour, grade, sign) for colour in (brand.primary, brand.secondary))
    return {"primary": primary, "secondary": secondary, "edge": (252, 251, 248)}


def _turned(colour: Colour, grade: int, sign: int) -> Colour:
    """The colour in a cheaper ink: of another hue, glaring, and neither black nor white."""
    if not grade:
        return colour
    hue, saturation, value = colorsys.rgb_to_hsv(*(level / 255 for level in colour))
    turned = (hue + sign * _HUE_TURN[grade]) % 1
    floor = _LEAST_SATURATION[grade]
    inks = colorsys.hsv_to_rgb(turned, max(saturation, floor), min(max(value, 0.8 * floor), 1 - 0.15 * floor))
    red, green, blue = (round(level * 255) for level in inks)
    return red, green, blue


def _foreign_typeface(typeface: str, rng: np.random.Generator) -> str:
    family = typeface.partition("-")[0]
    return pick(rng, [name for name in TYPEFACES if name.partition("-")[0] != family])


def _cover(layer: Layer, where: Placement, tells: Tells) -> None:
    """A sticker, a thumb or a painted patch over part of the mark."""
    rng = tells.generator(PhotoTell.COVERED_MARK)
    share = _COVER[tells.grade(PhotoTell.COVERED_MARK)]
    kind, angle = int(rng.integers(3)), rng.uniform(0, 2 * math.pi)
    off = 0.5 * (1.08 - share)
    middle = where.land((0.5 + off * math.cos(angle), 0.5 + off * math.sin(angle)))
    patch = Placement(middle, where.side * share, degrees=float(rng.uniform(-40, 40)))
    if kind == 0:
        _stick(layer, patch, pick(rng, _STICKERS))
    elif kind == 1:
        thumb = Placement(patch.land((0.5, 0.75)), 1.5 * patch.side, patch.degrees)
        fill(layer.pen, FINGER, thumb, skin_inks(rng))
    else:
        corners = [(0.5 + r * math.cos(a), 0.5 + r * math.sin(a)) for a, r in _ragged(rng)]
        fill(
            layer.pen,
            (blob("dark", *corners),),
            patch,
            {"dark": pick(rng, ((24, 24, 28), (236, 236, 234), (70, 110, 190)))},
        )


def _stick(layer: Layer, where: Placement, colour: Colour) -> None:
    """A round sticker with a smile."""
    shapes = (
        oval("shade", 0.51, 0.53, 1.0),
        oval("body", 0.5, 0.5, 1.0),
        oval("dark", 0.34, 0.4, 0.1, 0.16),
        oval("dark", 0.66, 0.4, 0.1, 0.16),
        blob("dark", (0.24, 0.6), (0.5, 0.72), (0.76, 0.6), (0.72, 0.7), (0.5, 0.9), (0.28, 0.7)),
    )
    fill(layer.pen, shapes, where, {"shade": shaded(colour, 0.6), "body": colour, "dark": (60, 50, 50)})


def _ragged(rng: np.random.Generator) -> list[tuple[float, float]]:
    """Angle and radius of the corners of a patch painted by hand."""
    return [(2 * math.pi * step / 9, float(rng.uniform(0.5, 0.7))) for step in range(9)]


def _steps(line: Sequence[Point], pitch: float) -> list[tuple[float, float, float, float]]:
    """Points at equal distances along a line, each with the unit vector along it."""
    steps, ahead = [], 0.0
    for (x, y), (to_x, to_y) in pairwise(line):
        length = math.dist((x, y), (to_x, to_y))
        if not length:
            continue
        across, down = (to_x - x) / length, (to_y - y) / length
        while ahead < length:
            steps.append((x + ahead * across, y + ahead * down, across, down))
            ahead += pitch
        ahead -= length
    return steps


def _even(size: float) -> int:
    """A font size; there are few, so that each is loaded once."""
    return max(2 * round(size / 2), 8)


def _paste(layer: Layer, letters: Image.Image, where: Placement, colour: Colour) -> None:
    if abs(where.degrees) > 0.3:
        letters = letters.rotate(-where.degrees, Image.Resampling.BICUBIC, expand=True)
    corner = (round(where.centre[0] - letters.width / 2), round(where.centre[1] - letters.height / 2))
    layer.image.paste((*colour, 255), corner, letters)
