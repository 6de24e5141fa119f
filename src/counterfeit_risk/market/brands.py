"""The invented brands: a name, two colours, a mark, what they sell and for how much.

Knows no seller and no label. Names and marks are made up; any likeness to a real one is chance. Every mark points to
the right, so that a mirrored one looks wrong whatever its brand.
"""

from dataclasses import dataclass

from counterfeit_risk.market.shapes import Colour, Shape, blob, box, oval, polygon


@dataclass(frozen=True)
class Brand:
    """One brand's identity; `price` is what its cheapest and dearest goods cost new, in euros."""

    name: str
    primary: Colour
    """Fills the badge behind the mark."""
    secondary: Colour
    """Draws the mark."""
    mark: tuple[Shape, ...]
    lines: tuple[str, ...]
    products: tuple[str, ...]
    price: tuple[float, float]


_DISC = (oval("edge", 0.5, 0.5, 1.0), oval("primary", 0.5, 0.5, 0.9))
_SQUARE = (box("edge", 0.03, 0.03, 0.97, 0.97), box("primary", 0.08, 0.08, 0.92, 0.92))
_DIAMOND = (
    polygon("edge", (0.5, -0.08), (1.08, 0.5), (0.5, 1.08), (-0.08, 0.5)),
    polygon("primary", (0.5, 0.0), (1.0, 0.5), (0.5, 1.0), (0.0, 0.5)),
)
_SHIELD = (
    blob("edge", (0.0, -0.05), (1.0, -0.05), (1.02, 0.62), (0.5, 1.12), (-0.02, 0.62)),
    blob("primary", (0.06, 0.0), (0.94, 0.0), (0.96, 0.6), (0.5, 1.04), (0.04, 0.6)),
)

BRANDS = (
    Brand(
        "Velquor",
        (196, 30, 44),
        (255, 240, 214),
        (
            *_DISC,
            polygon("secondary", (0.22, 0.2), (0.46, 0.2), (0.72, 0.5), (0.46, 0.8), (0.22, 0.8), (0.46, 0.5)),
            oval("secondary", 0.8, 0.5, 0.13),
        ),
        ("Strata", "Cinder"),
        ("sneaker", "cap", "t-shirt"),
        (70, 190),
    ),
    Brand(
        "Ostrenna",
        (18, 46, 110),
        (247, 205, 70),
        (
            *_SHIELD,
            polygon("secondary", (0.2, 0.16), (0.32, 0.16), (0.32, 0.8), (0.2, 0.8)),
            polygon("secondary", (0.36, 0.18), (0.86, 0.34), (0.36, 0.52)),
        ),
        ("Meridian", "Noctua"),
        ("watch", "handbag"),
        (240, 900),
    ),
    Brand(
        "Brimavo",
        (12, 120, 72),
        (240, 250, 220),
        (
            *_SQUARE,
            blob("secondary", (0.12, 0.86), (0.2, 0.3), (0.86, 0.16), (0.8, 0.72)),
            polygon("primary", (0.24, 0.8), (0.3, 0.84), (0.74, 0.3), (0.68, 0.28)),
        ),
        ("Canopy", "Fern"),
        ("t-shirt", "cap", "backpack"),
        (35, 120),
    ),
    Brand(
        "Kaldreya",
        (94, 24, 122),
        (250, 190, 230),
        (
            *_DISC,
            oval("secondary", 0.66, 0.42, 0.36),
            polygon("secondary", (0.6, 0.26), (0.12, 0.6), (0.56, 0.48)),
            polygon("secondary", (0.62, 0.42), (0.2, 0.78), (0.72, 0.56)),
        ),
        ("Comet", "Astra"),
        ("handbag", "sneaker"),
        (150, 640),
    ),
    Brand(
        "Tesquino",
        (24, 24, 28),
        (255, 122, 26),
        (
            *_SQUARE,
            polygon(
                "secondary",
                (0.16, 0.84),
                (0.16, 0.66),
                (0.38, 0.66),
                (0.38, 0.48),
                (0.6, 0.48),
                (0.6, 0.3),
                (0.84, 0.3),
                (0.84, 0.84),
            ),
            oval("secondary", 0.72, 0.19, 0.16),
        ),
        ("Forge", "Ascent"),
        ("backpack", "watch", "cap"),
        (60, 260),
    ),
    Brand(
        "Quivorra",
        (0, 104, 150),
        (214, 246, 250),
        (
            *_DIAMOND,
            blob("secondary", (0.24, 0.5), (0.5, 0.2), (0.9, 0.5), (0.5, 0.8)),
            polygon("secondary", (0.32, 0.5), (0.12, 0.3), (0.12, 0.7)),
            oval("primary", 0.66, 0.46, 0.09),
        ),
        ("Tide", "Pelagic"),
        ("watch", "t-shirt", "backpack"),
        (50, 320),
    ),
    Brand(
        "Pellornix",
        (222, 92, 0),
        (255, 250, 235),
        (
            *_SHIELD,
            oval("secondary", 0.46, 0.44, 0.62),
            oval("primary", 0.6, 0.36, 0.5),
            oval("secondary", 0.72, 0.3, 0.2),
        ),
        ("Lumen", "Dusk"),
        ("sneaker", "t-shirt"),
        (60, 170),
    ),
    Brand(
        "Dravexo",
        (120, 12, 30),
        (236, 200, 140),
        (
            *_SQUARE,
            *(
                polygon(
                    "secondary",
                    (x, 0.18),
                    (x + 0.12, 0.18),
                    (x + 0.34, 0.5),
                    (x + 0.12, 0.82),
                    (x, 0.82),
                    (x + 0.2, 0.5),
                )
                for x in (0.12, 0.36)
            ),
            box("secondary", 0.74, 0.44, 0.88, 0.56),
        ),
        ("Regent", "Opus"),
        ("handbag", "watch"),
        (320, 1200),
    ),
    Brand(
        "Ishtovel",
        (30, 64, 50),
        (160, 232, 120),
        (
            *_DISC,
            blob(
                "secondary",
                (0.16, 0.62),
                (0.3, 0.24),
                (0.88, 0.12),
                (0.56, 0.44),
                (0.8, 0.52),
                (0.44, 0.62),
                (0.6, 0.72),
                (0.2, 0.84),
            ),
        ),
        ("Heron", "Marsh"),
        ("backpack", "sneaker", "cap"),
        (55, 210),
    ),
    Brand(
        "Harquenne",
        (150, 20, 96),
        (255, 226, 90),
        (
            *_DIAMOND,
            polygon("secondary", (0.28, 0.26), (0.8, 0.5), (0.28, 0.74), (0.4, 0.5)),
        ),
        ("Soirée", "Plume"),
        ("handbag", "t-shirt"),
        (180, 760),
    ),
    Brand(
        "Zopharin",
        (40, 40, 160),
        (120, 236, 236),
        (
            *_DISC,
            polygon("secondary", (0.2, 0.3), (0.62, 0.3), (0.84, 0.5), (0.62, 0.7), (0.2, 0.7), (0.34, 0.5)),
            oval("primary", 0.56, 0.5, 0.18),
        ),
        ("Vector", "Pulse"),
        ("sneaker", "watch", "t-shirt"),
        (80, 280),
    ),
    Brand(
        "Mundrasco",
        (86, 52, 20),
        (250, 222, 176),
        (
            *_SHIELD,
            *(box("secondary", 0.16, y, right, y + 0.13) for y, right in ((0.16, 0.62), (0.36, 0.86), (0.56, 0.62))),
        ),
        ("Trail", "Saddle"),
        ("cap", "backpack", "handbag"),
        (45, 240),
    ),
)
