"""Filled polygons in a unit square, and where they land on a canvas.

Knows no product and no brand: both are lists of shapes. y points down, as on a canvas.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from PIL import ImageDraw

Point = tuple[float, float]
Colour = tuple[int, int, int]
Ink = Literal["body", "shade", "light", "trim", "dark", "primary", "secondary", "edge"]

_CORNER_CUTS = 3


@dataclass(frozen=True)
class Shape:
    """A filled polygon; its outline lies in the unit square."""

    ink: Ink
    outline: tuple[Point, ...]


def polygon(ink: Ink, *corners: Point) -> Shape:
    """A polygon with sharp corners."""
    return Shape(ink, corners)


def blob(ink: Ink, *corners: Point) -> Shape:
    """A polygon with round corners (Chaikin 1974: each corner is cut at a quarter of its two sides).

    A corner that is named twice stays sharp.
    """
    outline: Sequence[Point] = corners
    for _ in range(_CORNER_CUTS):
        sides = list(zip(outline, (*outline[1:], outline[0]), strict=True))
        outline = [point for a, b in sides for point in (_between(a, b, 0.25), _between(a, b, 0.75))]
    return Shape(ink, tuple(outline))


def bend(*points: Point) -> tuple[Point, ...]:
    """An open line with its inner corners cut round; it starts and ends where the points do."""
    line: Sequence[Point] = points
    for _ in range(_CORNER_CUTS):
        legs = pairwise(line)
        cuts = [point for a, b in legs for point in (_between(a, b, 0.25), _between(a, b, 0.75))]
        line = [line[0], *cuts[1:-1], line[-1]]
    return tuple(line)


def band(ink: Ink, line: Sequence[Point], width: float, end_width: float | None = None) -> Shape:
    """A strip along an open line of two points or more, such as a strap; its width changes evenly to `end_width`."""
    last = len(line) - 1
    grows = 0.0 if end_width is None else (end_width - width) / last
    left, right = [], []
    for index, (x, y) in enumerate(line):
        across, down = _normal(line[max(index - 1, 0)], line[min(index + 1, last)])
        half = (width + grows * index) / 2
        left.append((x + half * across, y + half * down))
        right.append((x - half * across, y - half * down))
    return Shape(ink, (*left, *reversed(right)))


def box(ink: Ink, left: float, top: float, right: float, bottom: float) -> Shape:
    """An upright rectangle."""
    return polygon(ink, (left, top), (right, top), (right, bottom), (left, bottom))


def rounded(ink: Ink, left: float, top: float, right: float, bottom: float, radius: float) -> Shape:
    """An upright rectangle with round corners."""
    corners = ((right, bottom, -1, -1), (left, bottom, 1, -1), (left, top, 1, 1), (right, top, -1, 1))
    middles = [(x + across * radius, y + down * radius) for x, y, across, down in corners]
    quarters = [_arc(*middle, radius, radius, 90 * turn, 90 * turn + 90) for turn, middle in enumerate(middles)]
    return Shape(ink, tuple(point for quarter in quarters for point in quarter))


def oval(ink: Ink, x: float, y: float, width: float, height: float | None = None) -> Shape:
    """An ellipse around (x, y); a circle where no height is given."""
    return Shape(ink, tuple(_arc(x, y, width / 2, (height or width) / 2, 0, 360)))


def ring(ink: Ink, x: float, y: float, width: float, *, thickness: float, height: float | None = None) -> Shape:
    """An ellipse around (x, y) with a hole."""
    tall = height or width
    outer = _arc(x, y, width / 2, tall / 2, 0, 360)
    inner = _arc(x, y, width / 2 - thickness, tall / 2 - thickness, 0, 360)
    return Shape(ink, (*outer, *reversed(inner)))


def sector(ink: Ink, centre: Point, radius: float, start: int, end: int) -> Shape:
    """A slice of a disc between two angles in degrees: 0 points right, 90 down."""
    return Shape(ink, (centre, *_arc(*centre, radius, radius, start, end)))


def bow(centre: Point, width: float, height: float, start: int, end: int) -> tuple[Point, ...]:
    """An open line along an ellipse between two angles in degrees: 0 points right, 90 down."""
    return tuple(_arc(*centre, width / 2, height / 2, start, end))


def half_oval(ink: Ink, x: float, y: float, width: float, height: float) -> Shape:
    """The upper half of an ellipse; (x, y) is the middle of its flat side and `height` the half's own."""
    return Shape(ink, tuple(_arc(x, y, width / 2, height, 180, 360)))


def arch(ink: Ink, x: float, y: float, width: float, height: float, *, thickness: float) -> Shape:
    """A bow open at the bottom, such as a handle; (x, y) is the middle of the line between its feet."""
    outer = _arc(x, y, width / 2, height, 180, 360)
    inner = _arc(x, y, width / 2 - thickness, height - thickness, 180, 360)
    return Shape(ink, (*outer, *reversed(inner)))


def turned(shape: Shape, degrees: float, about: Point = (0.5, 0.5)) -> Shape:
    """The shape turned clockwise."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    offsets = [(x - about[0], y - about[1]) for x, y in shape.outline]
    landed = tuple((about[0] + x * cos - y * sin, about[1] + x * sin + y * cos) for x, y in offsets)
    return replace(shape, outline=landed)


def fitted(shape: Shape, centre: Point, scale: float) -> Shape:
    """The shape in a unit square that is made smaller or larger and moved to another centre."""
    x, y = centre
    return replace(shape, outline=tuple((x + (a - 0.5) * scale, y + (b - 0.5) * scale) for a, b in shape.outline))


@dataclass(frozen=True)
class Placement:
    """Where a unit square lands on a canvas: `centre` and `side` in pixels, turned clockwise by `degrees`."""

    centre: Point
    side: float
    degrees: float = 0.0
    stretch: float = 1.0
    """Width over height; the area stays."""
    mirrored: bool = False

    def land(self, point: Point) -> Point:
        """The canvas pixel at which a point of the unit square lands."""
        return self.land_all((point,))[0]

    def land_all(self, points: Iterable[Point]) -> list[Point]:
        """The canvas pixels at which points of the unit square land."""
        across = self.side * math.sqrt(self.stretch) * (-1 if self.mirrored else 1)
        down = self.side / math.sqrt(self.stretch)
        cos, sin = math.cos(math.radians(self.degrees)), math.sin(math.radians(self.degrees))
        offsets = [((x - 0.5) * across, (y - 0.5) * down) for x, y in points]
        return [(self.centre[0] + x * cos - y * sin, self.centre[1] + x * sin + y * cos) for x, y in offsets]


def fill(draw: ImageDraw.ImageDraw, shapes: Iterable[Shape], placement: Placement, inks: Mapping[Ink, Colour]) -> None:
    """Draws shapes in order, the last on top."""
    for shape in shapes:
        draw.polygon(placement.land_all(shape.outline), fill=inks[shape.ink])


def shaded(colour: Colour, factor: float) -> Colour:
    """The colour in less light: a factor of 0 is black, 1 changes nothing."""
    red, green, blue = (int(level * factor) for level in colour)
    return red, green, blue


def _between(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _normal(a: Point, b: Point) -> Point:
    """The unit vector across the line from a to b."""
    length = math.dist(a, b)
    return (a[1] - b[1]) / length, (b[0] - a[0]) / length


def _arc(x: float, y: float, half_width: float, half_height: float, start: int, end: int) -> list[Point]:
    steps = max(1, round(abs(end - start) / 10))
    angles = [math.radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return [(x + half_width * math.cos(angle), y + half_height * math.sin(angle)) for angle in angles]
