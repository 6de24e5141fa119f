"""Measures what a listing's files and title look like from outside: sizes, compression, counts. No pixel is decoded.

Knows no label. That none of these traits tells a counterfeit is what `evaluation.shortcuts` checks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from counterfeit_risk.listings.images import DEFAULT_LIMITS, ImageLimits, UnreadableImageError
from counterfeit_risk.listings.listing import Listing

FILE_TRAITS = (
    "mean_width",
    "mean_height",
    "mean_file_bytes",
    "mean_jpeg_quality",
    "lowest_jpeg_quality",
    "photo_count",
    "title_length",
)
"""Names of the F values of `file_traits`."""

# ITU-T T.81, table K.1: the luminance table that libjpeg scales by its quality
_LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
).ravel()
_QUALITIES = np.arange(1, 101)
_SCALES = np.where(_QUALITIES < 50, 5000 // _QUALITIES, 200 - 2 * _QUALITIES)
_TABLES = np.clip((_LUMINANCE * _SCALES[:, None] + 50) // 100, 1, 255)


@dataclass(frozen=True, slots=True)
class PhotoTraits:
    """One photo file from outside."""

    width: int
    height: int
    file_bytes: int
    jpeg_quality: int | None
    """From 1 to 100 on libjpeg's scale, the nearest one; None for other formats."""


def photo_traits(data: bytes, limits: ImageLimits = DEFAULT_LIMITS) -> PhotoTraits:
    """Measures a file by its header.

    Raises:
        UnreadableImageError: if it is no image in an allowed format, or is larger than allowed.
    """
    try:
        with Image.open(BytesIO(data), formats=limits.formats) as image:
            width, height = image.size
            tables = getattr(image, "quantization", None)  # JPEG has them
    except Exception as error:  # hostile bytes raise nearly anything from a decoder
        raise UnreadableImageError("damaged image, or not in an allowed format") from error
    if width * height > limits.max_pixels:
        raise UnreadableImageError(f"{width}x{height} pixels is over the limit of {limits.max_pixels:,}")
    return PhotoTraits(width, height, len(data), estimate_quality(tables[0]) if tables and 0 in tables else None)


def estimate_quality(table: Sequence[int]) -> int:
    """The libjpeg quality, from 1 to 100, whose luminance table is nearest to these 64 values."""
    return int(_QUALITIES[np.abs(_TABLES - np.asarray(table)).sum(axis=1).argmin()])


def file_traits(listing: Listing, photos: Sequence[PhotoTraits]) -> NDArray[np.float64]:
    """(F,) one value for each of `FILE_TRAITS`; NaN where no photo tells.

    Args:
        listing: its photos are counted and its title is measured as they stand, readable or not.
        photos: those of its photos that could be read.
    """
    qualities = [photo.jpeg_quality for photo in photos if photo.jpeg_quality is not None]
    values = (
        _mean([photo.width for photo in photos]),
        _mean([photo.height for photo in photos]),
        _mean([photo.file_bytes for photo in photos]),
        _mean(qualities),
        min(qualities, default=np.nan),
        len(listing.photos),
        len(listing.title),
    )
    return np.array(values, dtype=np.float64)


def _mean(values: Sequence[int]) -> float:
    return float(np.mean(values)) if values else float("nan")
