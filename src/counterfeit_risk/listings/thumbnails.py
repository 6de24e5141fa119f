"""One photo as a small picture of brightness and colour, and windows of many such pictures at once.

Knows no copy and no threshold. A window is (left, top, right, bottom) in shares of the picture, and may reach beyond
it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LUMA_SIDE = 96
CHROMA_SIDE = 48
SMALLEST_SIDE = 128
"""Pixels that a decoded photo's shorter side should have for a faithful thumbnail."""

Floats = NDArray[np.float32]


class Thumbnail(NamedTuple):
    """14 kB of one photo, whatever its shape was."""

    luma: NDArray[np.uint8]
    """(96, 96)."""
    chroma: NDArray[np.uint8]
    """(2, 48, 48), Cb and Cr."""


class Thumbnails(NamedTuple):
    """P thumbnails."""

    luma: NDArray[Any]
    """(P, 96, 96); bytes, or numbers to calculate with."""
    chroma: NDArray[Any]
    """(P, 2, 48, 48)."""

    def pick(self, rows: NDArray[np.int64] | slice) -> "Thumbnails":
        """The thumbnails of some rows, in their order, as numbers to calculate with."""
        return Thumbnails(self.luma[rows].astype(np.float32), self.chroma[rows].astype(np.float32))

    def halve(self) -> "Thumbnails":
        """Half as wide and as high, as numbers to calculate with: enough to find where to look closer."""
        return Thumbnails(*(_halve(part) for part in self))

    def turn(self, turn: int) -> "Thumbnails":
        """Turned by `turn % 4` quarters, and mirrored first where `turn` is 4 or more."""
        parts = (part[..., ::-1] if turn >= 4 else part for part in self)
        return Thumbnails(*(np.ascontiguousarray(np.rot90(part, turn % 4, axes=(-2, -1))) for part in parts))


def make_thumbnail(photo: NDArray[np.uint8]) -> Thumbnail:
    """Makes the thumbnail of an RGB photo of shape (H, W, 3)."""
    image = Image.fromarray(photo).resize((LUMA_SIDE, LUMA_SIDE), Image.Resampling.BOX).convert("YCbCr")
    factor = LUMA_SIDE // CHROMA_SIDE
    luma, chroma = np.asarray(image)[..., 0], np.asarray(image.reduce(factor))[..., 1:]
    return Thumbnail(luma.copy(), np.moveaxis(chroma, -1, 0).copy())


def stack(thumbnails: Sequence[Thumbnail]) -> Thumbnails:
    """Puts thumbnails side by side."""
    luma = np.empty((len(thumbnails), LUMA_SIDE, LUMA_SIDE), np.uint8)
    chroma = np.empty((len(thumbnails), 2, CHROMA_SIDE, CHROMA_SIDE), np.uint8)
    for row, thumbnail in enumerate(thumbnails):
        luma[row], chroma[row] = thumbnail
    return Thumbnails(luma, chroma)


def _halve(pictures: NDArray[Any]) -> Floats:
    rows = pictures[..., 0::2, :].astype(np.float32) + pictures[..., 1::2, :]
    halved: Floats = (rows[..., 0::2] + rows[..., 1::2]) / 4
    return halved


def resample(pictures: Floats, windows: Floats, cells: int) -> Floats:
    """Averages what each of cells x cells equal parts of a window shows.

    Args:
        pictures: (P, ..., S, S).
        windows: (P, 4); what lies beyond the picture counts as 0.
        cells: of a side.

    Returns:
        (P, ..., cells, cells).
    """
    side = pictures.shape[-1]
    extra = (slice(None), *(None,) * (pictures.ndim - 3))
    down = cell_weights(windows[:, 1], windows[:, 3], cells, side)[extra]
    across = cell_weights(windows[:, 0], windows[:, 2], cells, side)[extra]
    sampled: Floats = np.matmul(np.matmul(down, pictures), np.swapaxes(across, -1, -2))
    return sampled


def cell_weights(start: Floats, end: Floats, cells: int, side: int) -> Floats:
    """(P, cells, side): the weight of each of `side` pixels in the mean over each cell of [start, end)."""
    edges = start[:, None] + (end - start)[:, None] * np.linspace(0, 1, cells + 1, dtype=np.float32)
    pixels = np.linspace(0, 1, side + 1, dtype=np.float32)
    overlap = np.minimum(pixels[1:], edges[:, 1:, None]) - np.maximum(pixels[:-1], edges[:, :-1, None])
    covered = np.maximum(overlap, 0)
    weights: Floats = (covered / np.maximum(covered.sum(axis=2, keepdims=True), 1e-6)).astype(np.float32)
    return weights
