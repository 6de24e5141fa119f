"""How goods look: flat shapes with a darker side, and where the brand's mark goes.

Knows no brand and no label. `PRODUCTS` carry a mark; `PLAIN_GOODS` are honest goods with no mark, and their titles
hold words that counterfeit titles hold too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from counterfeit_risk.market.shapes import Point, Shape, arch, blob, box, half_oval, oval, polygon


@dataclass(frozen=True)
class Product:
    """One kind of goods, drawn in the unit square."""

    category: str
    shapes: tuple[Shape, ...]
    mark_centre: Point = (0.5, 0.5)
    mark_side: float = 0.0
    """Side of the mark as a share of the product's; 0 where there is no mark."""

    @property
    def foot(self) -> float:
        """The y at which the product stands."""
        return max(y for shape in self.shapes for _, y in shape.outline)


PRODUCTS: Mapping[str, Product] = {
    product.category: product
    for product in (
        Product(
            "sneaker",
            (
                blob(
                    "body",
                    (0.02, 0.7),
                    (0.0, 0.22),
                    (0.2, 0.18),
                    (0.36, 0.2),
                    (0.52, 0.36),
                    (0.72, 0.5),
                    (1.0, 0.56),
                    (1.0, 0.78),
                    (0.02, 0.78),
                ),
                blob("shade", (0.74, 0.74), (0.72, 0.5), (1.0, 0.54), (1.0, 0.76)),
                blob("dark", (0.06, 0.24), (0.2, 0.19), (0.34, 0.21), (0.3, 0.29), (0.1, 0.3)),
                *(
                    polygon("light", (x, y), (x + 0.12, y - 0.06), (x + 0.14, y - 0.03), (x + 0.02, y + 0.03))
                    for x, y in ((0.45, 0.4), (0.54, 0.46), (0.63, 0.52))
                ),
                blob("light", (-0.02, 0.72), (1.03, 0.72), (1.02, 0.87), (0.0, 0.87)),
                box("trim", 0.03, 0.79, 0.98, 0.82),
            ),
            (0.33, 0.53),
            0.42,
        ),
        Product(
            "handbag",
            (
                arch("trim", 0.5, 0.42, 0.5, 0.42, thickness=0.055),
                blob("body", (0.1, 0.32), (0.9, 0.32), (1.0, 0.82), (0.98, 1.0), (0.02, 1.0), (0.0, 0.82)),
                blob("shade", (0.76, 0.34), (0.88, 0.34), (0.98, 0.82), (0.95, 0.98), (0.8, 0.98)),
                blob("trim", (0.08, 0.34), (0.92, 0.34), (0.94, 0.46), (0.06, 0.46)),
                oval("light", 0.5, 0.42, 0.07),
            ),
            (0.46, 0.69),
            0.46,
        ),
        Product(
            "watch",
            (
                polygon("trim", (0.34, -0.02), (0.66, -0.02), (0.7, 0.5), (0.66, 1.02), (0.34, 1.02), (0.3, 0.5)),
                *(box("shade", 0.36, y, 0.64, y + 0.02) for y in (0.04, 0.1, 0.88, 0.94)),
                box("dark", 0.86, 0.46, 0.93, 0.54),
                oval("shade", 0.5, 0.5, 0.78),
                oval("body", 0.49, 0.49, 0.74),
                oval("light", 0.5, 0.5, 0.62),
                *(
                    box("dark", x - 0.015, y - 0.015, x + 0.015, y + 0.015)
                    for x, y in ((0.5, 0.23), (0.77, 0.5), (0.5, 0.77), (0.23, 0.5))
                ),
                polygon("dark", (0.49, 0.5), (0.7, 0.27), (0.72, 0.29), (0.51, 0.52)),
            ),
            (0.48, 0.51),
            0.42,
        ),
        Product(
            "t-shirt",
            (
                polygon(
                    "body",
                    (0.3, 0.06),
                    (0.7, 0.06),
                    (1.02, 0.24),
                    (0.92, 0.46),
                    (0.78, 0.38),
                    (0.78, 0.98),
                    (0.22, 0.98),
                    (0.22, 0.38),
                    (0.08, 0.46),
                    (-0.02, 0.24),
                ),
                polygon("shade", (0.78, 0.38), (0.78, 0.98), (0.66, 0.98), (0.72, 0.36)),
                polygon("shade", (1.02, 0.24), (0.92, 0.46), (0.86, 0.43), (0.95, 0.2)),
                oval("trim", 0.5, 0.07, 0.28, 0.16),
                oval("dark", 0.5, 0.055, 0.21, 0.11),
            ),
            (0.47, 0.42),
            0.42,
        ),
        Product(
            "cap",
            (
                half_oval("body", 0.42, 0.68, 0.82, 0.52),
                polygon("shade", (0.02, 0.68), (0.08, 0.4), (0.2, 0.28), (0.16, 0.68)),
                blob("trim", (0.3, 0.62), (0.82, 0.6), (1.06, 0.76), (0.7, 0.72), (0.3, 0.74)),
                oval("trim", 0.42, 0.17, 0.08, 0.05),
            ),
            (0.49, 0.42),
            0.42,
        ),
        Product(
            "backpack",
            (
                arch("trim", 0.5, 0.16, 0.26, 0.18, thickness=0.04),
                blob("trim", (0.0, 0.3), (0.16, 0.24), (0.16, 0.92), (0.02, 0.88)),
                blob("trim", (1.0, 0.3), (0.84, 0.24), (0.84, 0.92), (0.98, 0.88)),
                blob(
                    "body",
                    (0.14, 0.2),
                    (0.3, 0.02),
                    (0.7, 0.02),
                    (0.86, 0.2),
                    (0.9, 0.88),
                    (0.82, 1.0),
                    (0.18, 1.0),
                    (0.1, 0.88),
                ),
                blob("shade", (0.72, 0.1), (0.8, 0.14), (0.88, 0.5), (0.88, 0.96), (0.78, 0.96)),
                blob("shade", (0.18, 0.64), (0.82, 0.64), (0.84, 0.76), (0.82, 0.97), (0.18, 0.97), (0.16, 0.76)),
                box("light", 0.2, 0.68, 0.8, 0.7),
            ),
            (0.48, 0.37),
            0.46,
        ),
    )
}

PLAIN_GOODS: Mapping[str, Product] = {
    product.category: product
    for product in (
        Product(
            "batteries",
            tuple(
                shape
                for x in (0.08, 0.38, 0.68)
                for shape in (
                    box("dark", x + 0.08, 0.06, x + 0.16, 0.14),
                    box("body", x, 0.14, x + 0.24, 0.95),
                    box("trim", x, 0.14, x + 0.24, 0.36),
                    box("shade", x + 0.17, 0.14, x + 0.24, 0.95),
                )
            ),
        ),
        Product(
            "scale-model",
            (
                blob(
                    "body",
                    (0.0, 0.66),
                    (0.04, 0.46),
                    (0.26, 0.44),
                    (0.38, 0.26),
                    (0.68, 0.26),
                    (0.82, 0.46),
                    (1.0, 0.5),
                    (1.0, 0.68),
                ),
                polygon("light", (0.33, 0.44), (0.41, 0.32), (0.52, 0.32), (0.52, 0.44)),
                polygon("light", (0.55, 0.44), (0.55, 0.32), (0.66, 0.32), (0.74, 0.44)),
                box("shade", 0.02, 0.58, 0.98, 0.64),
                *(oval("dark", x, 0.68, 0.22) for x in (0.24, 0.77)),
                *(oval("light", x, 0.68, 0.1) for x in (0.24, 0.77)),
            ),
        ),
        Product(
            "collectible",
            (
                oval("shade", 0.52, 0.52, 0.92),
                oval("body", 0.5, 0.5, 0.9),
                oval("trim", 0.5, 0.5, 0.74),
                blob(
                    "light",
                    (0.4, 0.76),
                    (0.42, 0.56),
                    (0.32, 0.46),
                    (0.4, 0.22),
                    (0.62, 0.24),
                    (0.66, 0.5),
                    (0.58, 0.58),
                    (0.64, 0.76),
                ),
            ),
        ),
        Product(
            "strap",
            (
                polygon("body", (0.1, 0.02), (0.32, 0.02), (0.36, 0.98), (0.06, 0.98)),
                polygon("shade", (0.26, 0.02), (0.32, 0.02), (0.36, 0.98), (0.28, 0.98)),
                polygon("body", (0.64, 0.16), (0.86, 0.16), (0.9, 0.98), (0.6, 0.98)),
                box("dark", 0.6, 0.04, 0.9, 0.18),
                box("light", 0.65, 0.08, 0.85, 0.14),
                *(oval("dark", 0.21, y, 0.04) for y in (0.2, 0.32, 0.44, 0.56)),
            ),
        ),
    )
}
