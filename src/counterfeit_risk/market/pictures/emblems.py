"""Twenty families of emblems, each drawn anew from a generator; none looks the same in a mirror.

Knows no badge, no brand and no colour: the secondary ink draws the emblem, the primary one cuts into it. An emblem
fills a disc that touches the sides of the unit square.
"""

import math
from collections.abc import Callable

import numpy as np

from counterfeit_risk.market.chance import pick
from counterfeit_risk.market.pictures.shapes import (
    Ink,
    Point,
    Shape,
    band,
    bend,
    blob,
    bow,
    box,
    fitted,
    oval,
    polygon,
    ring,
    sector,
    turned,
)

Emblem = tuple[Shape, ...]

_FORE: Ink = "secondary"
_BACK: Ink = "primary"


def _spikes(ink: Ink, count: int, depth: float) -> Shape:
    """A star with its first ray up; a depth of 1 leaves a regular polygon's inner corners at its middle."""
    radii = (0.5, 0.5 * (1 - depth))
    angles = [math.pi * step / count - math.pi / 2 for step in range(2 * count)]
    return Shape(
        ink, tuple((0.5 + radii[n % 2] * math.cos(a), 0.5 + radii[n % 2] * math.sin(a)) for n, a in enumerate(angles))
    )


def _smaller(emblem: Emblem, scale: float) -> Emblem:
    return tuple(fitted(shape, (0.5, 0.5), scale) for shape in emblem)


def _chevrons(rng: np.random.Generator) -> Emblem:
    count, reach = int(rng.integers(2, 4)), rng.uniform(0.22, 0.32)
    thick = 0.46 / count
    lefts = [0.06 + number * (thick + 0.09) for number in range(count)]
    arrows = [
        polygon(
            _FORE,
            (x, 0.14),
            (x + thick, 0.14),
            (x + thick + reach, 0.5),
            (x + thick, 0.86),
            (x, 0.86),
            (x + reach, 0.5),
        )
        for x in lefts
    ]
    turn = pick(rng, (0, -24, 24))
    return tuple(turned(arrow, turn) for arrow in arrows)


def _comet(rng: np.random.Generator) -> Emblem:
    head, size = (0.66, 0.32), rng.uniform(0.42, 0.5)
    ends = ((0.0, 0.52), (0.1, 0.88), (0.44, 1.02))
    tails = [band(_FORE, (head, end), 0.26, 0.02) for end in ends]
    return (*tails, oval(_BACK, *head, size + 0.1), oval(_FORE, *head, size), oval(_BACK, 0.71, 0.27, size * 0.34))


def _pinwheel(rng: np.random.Generator) -> Emblem:
    count, lean = int(rng.integers(3, 7)), rng.uniform(0.26, 0.36)
    petal = blob(
        _FORE, (0.5, 0.5), (0.5, 0.5), (0.5 - 0.3 / count, 0.1), (0.52, -0.04), (0.5 + lean, 0.06), (0.6, 0.28)
    )
    hub = oval(_BACK, 0.5, 0.5, rng.uniform(0.14, 0.2))
    return (*(turned(petal, 360 * number / count) for number in range(count)), hub)


def _rings(rng: np.random.Generator) -> Emblem:
    thickness = rng.uniform(0.075, 0.11)
    large, small = (0.36, 0.6, 0.64), (0.7, 0.36, pick(rng, (0.42, 0.52)))
    gap = ring(_BACK, small[0], small[1], small[2] + 0.07, thickness=thickness + 0.07)
    hoops = (ring(_FORE, *large, thickness=thickness), gap, ring(_FORE, *small, thickness=thickness))
    return (*hoops, oval(_FORE, *pick(rng, ((0.36, 0.6), (0.7, 0.36))), 0.14))


def _bars(rng: np.random.Generator) -> Emblem:
    count, slant = int(rng.integers(3, 6)), pick(rng, (0.0, 0.1))
    pitch = 0.86 / count
    tops = [0.74 - 0.62 * number / (count - 1) for number in range(count)]
    lefts = [0.08 + number * pitch for number in range(count)]
    steps = [
        polygon(_FORE, (x, top), (x + pitch * 0.72, top - slant), (x + pitch * 0.72, 0.9), (x, 0.9))
        for x, top in zip(lefts, tops, strict=True)
    ]
    return (*steps, oval(_FORE, 0.24, 0.32, 0.2)) if rng.random() < 0.5 else tuple(steps)


def _waves(rng: np.random.Generator) -> Emblem:
    count, swell = int(rng.integers(2, 4)), rng.uniform(0.14, 0.2)
    crest = bend(
        (0.02, 0.1), (0.2, 0.1 - swell), (0.42, 0.1 - swell), (0.62, 0.1 + swell), (0.84, 0.1 + swell), (1.0, 0.02)
    )
    thick = 0.34 / count + 0.03
    rows = [0.52 + number * 0.4 / count for number in range(count)]
    sea = [Shape(_FORE, tuple((x, y + row) for x, y in band(_FORE, crest, thick, thick / 4).outline)) for row in rows]
    return (*sea, oval(_FORE, 0.7, 0.26, rng.uniform(0.26, 0.34)))


def _leaf(rng: np.random.Generator) -> Emblem:
    wide = rng.uniform(0.3, 0.4)
    blade = blob(
        _FORE,
        (0.5, 0.0),
        (0.5, 0.0),
        (0.5 + wide, 0.34),
        (0.5 + wide * 0.7, 0.74),
        (0.5, 0.9),
        (0.5 - wide * 0.9, 0.62),
        (0.5 - wide, 0.3),
    )
    veins = [
        band(_BACK, ((0.5, y + 0.14), (0.5 + side * wide * 0.62, y)), 0.035) for y in (0.3, 0.5) for side in (1, -1)
    ]
    stem = band(_FORE, bend((0.5, 0.8), (0.5, 0.92), (0.4, 1.02)), 0.06)
    leaf = (blade, band(_BACK, ((0.5, 0.2), (0.5, 0.92)), 0.045), *veins[: pick(rng, (0, 2, 4))], stem)
    turn = rng.uniform(30, 46)
    return tuple(turned(shape, turn) for shape in leaf)


def _star(rng: np.random.Generator) -> Emblem:
    star = _spikes(_FORE, int(rng.integers(5, 9)), rng.uniform(0.46, 0.6))
    cut = band(_BACK, ((0.02, 0.86), (0.98, 0.3)), rng.uniform(0.07, 0.1), 0.03)
    return (fitted(star, (0.47, 0.52), 0.98), cut, fitted(star, (0.86, 0.14), 0.26))


def _bird(rng: np.random.Generator) -> Emblem:
    lift = rng.uniform(-0.06, 0.08)
    body = blob(
        _FORE,
        (0.0, 0.72),
        (0.0, 0.72),
        (0.34, 0.46),
        (0.6, 0.36),
        (0.74, 0.2),
        (0.92, 0.26),
        (0.86, 0.5),
        (0.62, 0.74),
        (0.3, 0.74),
    )
    beak = polygon(_FORE, (0.86, 0.28), (1.04, 0.36), (0.84, 0.4))
    wing = blob(_FORE, (0.34, 0.62), (0.1, 0.34), (0.14 + lift, 0.02), (0.14 + lift, 0.02), (0.46, 0.2), (0.64, 0.52))
    feather = band(_BACK, bend((0.3, 0.3), (0.4, 0.5), (0.62, 0.56)), 0.05)
    tail = polygon(_FORE, (0.2, 0.7), (0.02, 0.92), (0.16, 0.9), (0.34, 0.72))
    return (tail, body, beak, wing, feather, oval(_BACK, 0.8, 0.32, 0.07))


def _key(rng: np.random.Generator) -> Emblem:
    teeth = int(rng.integers(2, 4))
    diamond = polygon(_FORE, (0.24, 0.16), (0.56, 0.5), (0.24, 0.84), (-0.08, 0.5))
    head = pick(rng, (oval(_FORE, 0.25, 0.5, rng.uniform(0.5, 0.58)), diamond))
    bits = [box(_FORE, x, 0.5, x + 0.11, 0.82 - 0.05 * number) for number, x in enumerate((0.91, 0.74, 0.57)[:teeth])]
    turn = pick(rng, (0, -38))
    return tuple(
        turned(shape, turn) for shape in (head, oval(_BACK, 0.24, 0.5, 0.22), box(_FORE, 0.42, 0.42, 1.02, 0.58), *bits)
    )


def _moon(rng: np.random.Generator) -> Emblem:
    bite = rng.uniform(0.62, 0.7)
    gem = pick(rng, (oval(_FORE, 0.5, 0.5, 0.7), polygon(_FORE, (0.5, 0.0), (0.84, 0.5), (0.5, 1.0), (0.16, 0.5))))
    return (oval(_FORE, 0.46, 0.5, 0.94), oval(_BACK, 0.64, 0.42, bite), fitted(gem, (0.7, 0.4), 0.4))


def _pennant(rng: np.random.Generator) -> Emblem:
    notch = pick(rng, (0.0, 0.2))
    flag = polygon(_FORE, (0.26, 0.04), (1.0, 0.1), (1.0 - notch, 0.36), (0.8 + notch, 0.62), (0.26, 0.68))
    token = pick(rng, (oval(_BACK, 0.48, 0.36, 0.26), band(_BACK, ((0.26, 0.36), (0.8, 0.36)), 0.13)))
    return _smaller((box(_FORE, 0.06, -0.02, 0.18, 1.02), flag, token), 0.82)


def _fish(rng: np.random.Generator) -> Emblem:
    deep = rng.uniform(0.26, 0.36)
    body = blob(
        _FORE, (0.2, 0.5), (0.36, 0.5 - deep), (0.7, 0.5 - deep), (1.06, 0.5), (0.7, 0.5 + deep), (0.36, 0.5 + deep)
    )
    tail = blob(_FORE, (0.32, 0.5), (0.32, 0.5), (-0.06, 0.16), (-0.02, 0.3), (0.1, 0.5), (-0.02, 0.7), (-0.06, 0.84))
    gill = band(_BACK, bow((0.52, 0.5), 0.24, 2 * deep, -70, 70), 0.05)
    scales = [oval(_BACK, x, y, 0.07) for x, y in ((0.46, 0.4), (0.34, 0.5), (0.46, 0.6))]
    leap = pick(rng, (0, -28))
    fish = (tail, body, gill, *scales, oval(_BACK, 0.8, 0.45, 0.09))
    return _smaller(tuple(turned(shape, leap) for shape in fish), 0.92)


def _peaks(rng: np.random.Generator) -> Emblem:
    high = rng.uniform(0.08, 0.18)
    far = polygon(_FORE, (0.42, 0.84), (0.74, 0.42), (1.02, 0.84))
    gap = polygon(_BACK, (0.02, 0.88), (0.4, high - 0.06), (0.8, 0.88))
    near = polygon(_FORE, (-0.04, 0.84), (0.38, high), (0.73, 0.84))
    snow = polygon(
        _BACK,
        (0.25, 0.36),
        (0.33, 0.42),
        (0.39, 0.35),
        (0.46, 0.43),
        (0.55, 0.36),
        (0.55, 0.42),
        (0.46, 0.5),
        (0.38, 0.42),
        (0.32, 0.5),
        (0.22, 0.42),
    )
    return _smaller((oval(_FORE, 0.76, 0.24, rng.uniform(0.18, 0.28)), far, gap, near, snow), 0.9)


def _bolt(rng: np.random.Generator) -> Emblem:
    bolt = polygon(
        _FORE, (0.6, -0.02), (0.16, 0.56), (0.44, 0.56), (0.34, 1.02), (0.84, 0.38), (0.54, 0.38), (0.74, -0.02)
    )
    speed = [band(_FORE, ((0.0, y), (x, y)), 0.06) for x, y in ((0.22, 0.3), (0.14, 0.42))]
    halo = ring(_FORE, 0.5, 0.5, 0.98, thickness=0.06)
    outline = fitted(Shape(_BACK, bolt.outline), (0.5, 0.5), 1.16)
    return (halo, outline, bolt) if rng.random() < 0.5 else (*speed, bolt)


def _boat(rng: np.random.Generator) -> Emblem:
    rake = rng.uniform(0.0, 0.12)
    hull = blob(_FORE, (0.02, 0.72), (0.02, 0.72), (1.0, 0.7), (1.0, 0.7), (0.84, 0.96), (0.2, 0.96))
    main = blob(
        _FORE, (0.5, 0.0), (0.5, 0.0), (0.94 + rake, 0.44), (0.92, 0.64), (0.92, 0.64), (0.5, 0.64), (0.5, 0.64)
    )
    jib = polygon(_FORE, (0.43, 0.14), (0.43, 0.64), (0.12, 0.64))
    return (hull, main, jib, band(_BACK, ((0.1, 0.82), (0.9, 0.8)), 0.045))


def _tiles(rng: np.random.Generator) -> Emblem:
    """Quarter discs in a two by two grid; the last stays bare or holds a dot, which breaks every symmetry."""
    corners = {0: (0.0, 0.0), 90: (1.0, 0.0), 180: (1.0, 1.0), 270: (0.0, 1.0)}
    cells = ((0.27, 0.27), (0.73, 0.27), (0.27, 0.73))
    turns = (pick(rng, (0, 180)), pick(rng, (0, 180)), pick(rng, (90, 270)))
    quarters = [
        fitted(sector(_FORE, corners[turn], 1.0, turn, turn + 90), cell, 0.43)
        for turn, cell in zip(turns, cells, strict=True)
    ]
    return (*quarters, oval(_FORE, 0.73, 0.73, pick(rng, (0.22, 0.42))))


def _spiral(rng: np.random.Generator) -> Emblem:
    rounds, start = rng.uniform(1.5, 2.2), rng.uniform(0, 90)
    line: list[Point] = []
    for step in range(49):
        angle, radius = math.radians(start + 360 * rounds * step / 48), 0.06 + 0.4 * step / 48
        line.append((0.5 + radius * math.cos(angle), 0.5 + radius * math.sin(angle)))
    return (band(_FORE, line, 0.06, 0.24 / rounds),)


def _planet(rng: np.random.Generator) -> Emblem:
    tilt, globe = rng.uniform(-34, -18), oval(_FORE, 0.5, 0.5, 0.64)
    orbit = ring(_FORE, 0.5, 0.5, 1.08, height=0.34, thickness=0.06)
    gap = ring(_BACK, 0.5, 0.5, 1.16, height=0.42, thickness=0.14)
    behind = sector(_FORE, (0.5, 0.5), 0.32, 180, 360)
    system = (globe, gap, orbit, behind, oval(_FORE, 0.86, 0.12, rng.uniform(0.1, 0.18)))
    return tuple(turned(shape, tilt) for shape in system)


def _flame(rng: np.random.Generator) -> Emblem:
    sway = rng.uniform(-0.06, 0.06)
    outer = blob(
        _FORE,
        (0.58 + sway, -0.06),
        (0.58 + sway, -0.06),
        (0.66, 0.3),
        (1.02, 0.4),
        (0.92, 0.96),
        (0.5, 1.06),
        (0.06, 0.96),
        (0.06, 0.5),
        (0.28, 0.24),
        (0.3, 0.46),
        (0.5, 0.3),
    )
    inner = blob(
        _BACK, (0.56, 0.44), (0.56, 0.44), (0.76, 0.66), (0.66, 0.92), (0.46, 0.94), (0.32, 0.82), (0.42, 0.62)
    )
    return (outer, inner, oval(_FORE, 0.5, 0.84, pick(rng, (0.01, 0.12))))


EMBLEMS: tuple[Callable[[np.random.Generator], Emblem], ...] = (
    *(_chevrons, _comet, _pinwheel, _rings, _bars, _waves, _leaf, _star, _bird, _key),
    *(_moon, _pennant, _fish, _peaks, _bolt, _boat, _tiles, _spiral, _planet, _flame),
)
