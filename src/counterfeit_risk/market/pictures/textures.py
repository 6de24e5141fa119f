"""Surfaces as brightness: cloth, leather, wood, carpet, paper. Each is built once and a photo shows a window of it.

Knows no colour and no goods: a texture multiplies what is drawn.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Light = NDArray[np.float32]
"""(H, W) brightness; 1 changes nothing."""

_SIDE = 512


def texture(name: str, size: tuple[int, int], rng: np.random.Generator) -> Light:
    """A window of a surface.

    Args:
        name: a key of `SURFACES`.
        size: width and height in pixels, at most 320.
        rng: decides where the window lies.

    Returns:
        (H, W), around 1.
    """
    left, top = (int(rng.integers(0, _SIDE - side, endpoint=True)) for side in size)
    return _tile(name)[top : top + size[1], left : left + size[0]]


@lru_cache(maxsize=16)
def _tile(name: str) -> Light:
    roughness, surface = SURFACES[name]
    grain = surface(np.random.default_rng(len(name)))
    light: Light = (1 + roughness * (grain - grain.mean()) / grain.std()).clip(0.4, 1.6).astype(np.float32)
    return light


def _grain(rng: np.random.Generator, across: float, down: float) -> Light:
    """Noise whose specks are `across` and `down` pixels wide and high."""
    shape = (int(_SIDE / down) + 2, int(_SIDE / across) + 2)
    noise = Image.fromarray(rng.standard_normal(shape, dtype=np.float32))
    return np.asarray(noise.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC))


def _weave(rng: np.random.Generator) -> Light:
    y, x = np.mgrid[:_SIDE, :_SIDE].astype(np.float32)
    over = np.sin(x * 1.57) * np.cos(y * 0.785) + np.sin(y * 1.57) * np.cos(x * 0.785)
    light: Light = over + 0.7 * _grain(rng, 2, 2) + 0.5 * _grain(rng, 24, 24)
    return light


def _twill(rng: np.random.Generator) -> Light:
    y, x = np.mgrid[:_SIDE, :_SIDE].astype(np.float32)
    light: Light = np.sin((x + y) * 1.2) + 0.6 * _grain(rng, 2, 2) + 0.4 * _grain(rng, 30, 30)
    return light


def _knit(rng: np.random.Generator) -> Light:
    y, x = np.mgrid[:_SIDE, :_SIDE].astype(np.float32)
    stitch = np.sin(y * 1.3 + 2 * np.abs(np.sin(x * 0.6))) + 0.6 * np.cos(x * 1.2)
    light: Light = stitch + 0.5 * _grain(rng, 2, 2) + 0.4 * _grain(rng, 30, 30)
    return light


def _leather(rng: np.random.Generator) -> Light:
    """Cells between creases: the absolute value of soft noise has sharp valleys."""
    creases = np.minimum(np.abs(_grain(rng, 7, 7)), np.abs(_grain(rng, 5, 6))).clip(0, 0.5)
    light: Light = 3 * creases + 0.5 * _grain(rng, 40, 40)
    return light


def _brushed(rng: np.random.Generator) -> Light:
    light: Light = _grain(rng, 60, 1) + 0.4 * _grain(rng, 90, 3)
    return light


def _wood(rng: np.random.Generator) -> Light:
    """Rings cut lengthwise, bent by slow noise."""
    y, _ = np.mgrid[:_SIDE, :_SIDE].astype(np.float32)
    rings = np.sin(0.35 * y + 3.2 * _grain(rng, 160, 26))
    light: Light = rings + 0.8 * _grain(rng, 50, 1.5) + 0.8 * _grain(rng, 120, 12)
    return light


def _carpet(rng: np.random.Generator) -> Light:
    light: Light = _grain(rng, 1.6, 1.6) + 0.7 * _grain(rng, 4, 4) + 0.4 * _grain(rng, 40, 40)
    return light


def _paper(rng: np.random.Generator) -> Light:
    light: Light = _grain(rng, 1.5, 1.5) + 1.0 * _grain(rng, 60, 60)
    return light


SURFACES: Mapping[str, tuple[float, Callable[[np.random.Generator], Light]]] = {
    "weave": (0.045, _weave),
    "twill": (0.05, _twill),
    "knit": (0.04, _knit),
    "leather": (0.035, _leather),
    "brushed": (0.03, _brushed),
    "wood": (0.07, _wood),
    "carpet": (0.09, _carpet),
    "paper": (0.01, _paper),
}
"""How rough each surface is (standard deviation of its brightness), and how it is made."""


def folds(size: tuple[int, int], depth: float, rng: np.random.Generator) -> Light:
    """Four long soft folds of cloth.

    Args:
        size: width and height in pixels.
        depth: brightness between a fold's two sides, about.
        rng: decides where they lie.

    Returns:
        (H, W), around 1.
    """
    y, x = np.mgrid[-1:1:48j, -1:1:48j]
    light = np.ones_like(x)
    for _ in range(4):
        angle, bend = rng.uniform(0, np.pi), rng.uniform(-0.4, 0.4)
        along = np.cos(angle) * x + np.sin(angle) * y + bend * np.sin(2 * (np.sin(angle) * x - np.cos(angle) * y))
        across = (along - rng.uniform(-0.9, 0.9)) / rng.uniform(0.1, 0.22)
        light -= depth * rng.uniform(0.6, 1.3) * across * np.exp(-(across**2) / 2)
    return spread(light, size)


def spread(light: NDArray[np.floating], size: tuple[int, int]) -> Light:
    """A small brightness map over `size` (width, height) pixels."""
    small = Image.fromarray(np.ascontiguousarray(light, dtype=np.float32))
    return np.asarray(small.resize(size, Image.Resampling.BILINEAR))
