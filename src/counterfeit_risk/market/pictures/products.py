"""The goods that carry a brand's mark: how each kind looks, where its mark goes, and the colours it comes in.

Knows no brand and no label.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from counterfeit_risk.market.pictures import accessories, clothing
from counterfeit_risk.market.pictures.shapes import Colour, Point, Shape


@dataclass(frozen=True)
class Product:
    """One kind of goods, drawn in the unit square."""

    category: str
    shapes: tuple[Shape, ...]
    mark_centre: Point = (0.5, 0.5)
    mark_side: float = 0.0
    """Side of the mark as a share of the product's; 0 where there is no mark."""
    seams: tuple[tuple[Point, ...], ...] = ()
    """Open lines: stitches on soft goods, engraved or moulded lines on hard ones."""

    @property
    def foot(self) -> float:
        """The y at which the product stands."""
        return max(y for shape in self.shapes for _, y in shape.outline)


COLOURWAYS: Mapping[str, Colour] = {
    "black": (48, 48, 54),
    "white": (232, 230, 224),
    "navy": (38, 60, 112),
    "red": (178, 48, 52),
    "beige": (212, 190, 156),
    "brown": (122, 82, 54),
    "green": (74, 112, 78),
    "pink": (230, 146, 168),
    "grey": (146, 150, 156),
    "yellow": (226, 184, 72),
}
"""The body colours of goods, by the word that a title's phrases translate."""

PRODUCTS: Mapping[str, Product] = {
    product.category: product
    for product in (
        Product("sneaker", clothing.SNEAKER, (0.42, 0.58), 0.34, clothing.SNEAKER_SEAMS),
        Product("handbag", accessories.HANDBAG, (0.48, 0.69), 0.44, accessories.HANDBAG_SEAMS),
        Product("watch", accessories.WATCH, (0.5, 0.64), 0.3, accessories.WATCH_SEAMS),
        Product("t-shirt", clothing.T_SHIRT, (0.49, 0.46), 0.4, clothing.T_SHIRT_SEAMS),
        Product("cap", clothing.CAP, (0.44, 0.47), 0.36, clothing.CAP_SEAMS),
        Product("backpack", clothing.BACKPACK, (0.49, 0.37), 0.42, clothing.BACKPACK_SEAMS),
        Product("sunglasses", accessories.SUNGLASSES, (0.5, 0.79), 0.33, accessories.SUNGLASSES_SEAMS),
        Product("perfume", accessories.PERFUME, (0.48, 0.64), 0.4, accessories.PERFUME_SEAMS),
        Product("headphones", accessories.HEADPHONES, (0.33, 0.69), 0.34, accessories.HEADPHONES_SEAMS),
        Product("jacket", clothing.JACKET, (0.5, 0.5), 0.3, clothing.JACKET_SEAMS),
    )
}
