"""Draws marks: an emblem on a badge, so that no two have both in common.

Knows no brand and no colour. A mark fills the unit square, and looks different in a mirror.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from counterfeit_risk.market.pictures.emblems import EMBLEMS
from counterfeit_risk.market.pictures.shapes import Ink, Point, Shape, blob, fitted, oval, polygon, rounded

_PLATE = 0.91
_FIELD = 0.8
"""Scales of what lies within a badge's white edge, and within its rim as well."""
_SNUG = 0.87
"""Scale of an emblem within a rim."""
_OTHER_INK: Mapping[Ink, Ink] = {"primary": "secondary", "secondary": "primary"}


class Mark(NamedTuple):
    """A badge and the emblem on it; the emblem's shapes come last."""

    badge: tuple[Shape, ...]
    emblem: tuple[Shape, ...]


@dataclass(frozen=True)
class _Badge:
    outline: Shape
    room: float
    """Scale at which an emblem fits in."""
    centre: Point = (0.5, 0.5)
    rimmed: bool = False
    """The emblem has the primary colour, on a field of the secondary one with a primary rim; else the reverse."""

    def behind(self, emblem: tuple[Shape, ...]) -> Mark:
        """The mark that they make, the emblem moved and scaled to fit."""
        plate = fitted(replace(self.outline, ink="primary"), (0.5, 0.5), _PLATE)
        if not self.rimmed:
            return Mark((self.outline, plate), tuple(fitted(shape, self.centre, self.room) for shape in emblem))
        field = fitted(replace(self.outline, ink="secondary"), (0.5, 0.5), _FIELD)
        swapped = (replace(shape, ink=_OTHER_INK[shape.ink]) for shape in emblem)
        snug = tuple(fitted(shape, self.centre, self.room * _SNUG) for shape in swapped)
        return Mark((self.outline, plate, field), snug)


_PLAIN_BADGES = (
    _Badge(oval("edge", 0.5, 0.5, 1.0), 0.7),
    _Badge(rounded("edge", 0.0, 0.0, 1.0, 1.0, 0.1), 0.76),
    _Badge(polygon("edge", (0.5, -0.08), (1.08, 0.5), (0.5, 1.08), (-0.08, 0.5)), 0.62),
    _Badge(
        blob("edge", *2 * ((0.02, 0.0),), *2 * ((0.98, 0.0),), (1.02, 0.74), *2 * ((0.5, 1.06),), (-0.02, 0.74)),
        0.68,
        (0.5, 0.46),
    ),
    _Badge(polygon("edge", (0.25, 0.04), (0.75, 0.04), (1.02, 0.5), (0.75, 0.96), (0.25, 0.96), (-0.02, 0.5)), 0.68),
    _Badge(
        blob("edge", *2 * ((0.06, 1.0),), (0.06, 0.5), (0.06, -0.06), (0.94, -0.06), (0.94, 0.5), *2 * ((0.94, 1.0),)),
        0.68,
        (0.5, 0.53),
    ),
)
_BADGES = (*_PLAIN_BADGES, *(replace(badge, rimmed=True) for badge in _PLAIN_BADGES))
MOST_MARKS = len(EMBLEMS) * len(_BADGES)
"""There are no more pairs of badge and emblem."""


def draw_marks(rng: np.random.Generator) -> Iterator[Mark]:
    """Up to `MOST_MARKS` marks; each family of emblems comes once before any comes again."""
    badges = [rng.permutation(len(_BADGES)) for _ in EMBLEMS]
    for turn in range(len(_BADGES)):
        for family in rng.permutation(len(EMBLEMS)):
            yield _BADGES[badges[family][turn]].behind(EMBLEMS[family](rng))
