"""What stands before the camera: goods, their brand, a view, a place, and the tells to show.

Knows no label, no title and no drawing: `photos` renders a scene and looks at nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from counterfeit_risk.market.brands import Brand
from counterfeit_risk.market.pictures.products import Product
from counterfeit_risk.market.signals import PhotoTell


class View(StrEnum):
    """What of the goods a photo shows."""

    FRONT = "front"
    """All of them."""
    DETAIL = "detail"
    """The mark, the wordmark and a run of stitches from near."""
    LABEL = "label"
    """The sewn-in or printed label."""
    BOX = "box"
    """The package with mark and wordmark."""


class Place(StrEnum):
    """Where a photo is taken: the first two in a studio, the others in a home."""

    WHITE = "white"
    STUDIO = "studio"
    TABLE = "table"
    FLOOR = "floor"
    BED = "bed"
    SHELF = "shelf"


_ON_THE_MARK = frozenset(
    {PhotoTell.WRONG_PROPORTIONS, PhotoTell.WRONG_COLOURS, PhotoTell.BLURRED_MARK, PhotoTell.COVERED_MARK}
)

VISIBLE_IN: Mapping[View, frozenset[PhotoTell]] = {
    View.FRONT: _ON_THE_MARK,
    View.DETAIL: _ON_THE_MARK | {PhotoTell.WRONG_STITCHING, PhotoTell.WRONG_LETTERFORMS},
    View.LABEL: frozenset({PhotoTell.MISSING_LABEL}),
    View.BOX: frozenset({PhotoTell.WRONG_PROPORTIONS, PhotoTell.WRONG_COLOURS, PhotoTell.WRONG_LETTERFORMS}),
}
"""The tells that each view shows; the others change nothing in it."""


@dataclass(frozen=True)
class Scene:
    """One shot of one item."""

    product: Product
    brand: Brand | None
    """Whose mark it carries; None: plain goods, which show no tell."""
    view: View
    place: Place
    colour: str
    """Key of `products.COLOURWAYS`: the body of the goods."""
    tells: Mapping[PhotoTell, int]
    """Those present, each with its grade: 1 slight, 2 plain, 3 gross."""
    goods_seed: int
    """The item itself, the same in all its photos: trim, thread, small variations."""
    seed: int
    """This shot alone: photo size, position, light, camera, clutter."""
    line: str = ""
    """The product line, as the label names it."""
