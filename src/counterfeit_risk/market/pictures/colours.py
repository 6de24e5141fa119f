"""Colours by lightness, colourfulness and hue as people see them (Oklab, Ottosson 2020).

Knows no brand and no goods.
"""

import math

import numpy as np

from counterfeit_risk.market.pictures.shapes import Colour

_OPPONENT_TO_CONES = (
    (1.0, 0.3963377774, 0.2158037573),
    (1.0, -0.1055613458, -0.0638541728),
    (1.0, -0.0894841775, -1.2914855480),
)
_CONES_TO_LIGHT = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.7076147010),
)


def seen(lightness: float, chroma: float, hue: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A colour as a point (3,) of Oklab, where distances are differences that people see.

    Args:
        lightness: 0 is black, 1 is white.
        chroma: 0 is grey; about 0.3 is the most that a screen shows.
        hue: degrees; about 30 is red, 110 yellow, 145 green, 260 blue.
    """
    return np.array([lightness, chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))])


def on_screen(point: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Colour:
    """The nearest sRGB colour of a point (3,) of Oklab; what a screen cannot show is cut off."""
    light = np.clip(np.array(_CONES_TO_LIGHT) @ (np.array(_OPPONENT_TO_CONES) @ point) ** 3, 0, 1)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    red, green, blue = (round(float(level) * 255) for level in encoded)
    return red, green, blue
