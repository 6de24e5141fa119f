"""One untrusted photo becomes a bounded RGB array.

Knows no model: how large a photo needs to be is told by the caller. Changes no setting of Pillow, so that many threads
can decode at once.
"""

import contextlib
import math
import os
import stat
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

from counterfeit_risk.listings.listing import Photo


class UnreadableImageError(Exception):
    """A photo that cannot be used; `reason` names the kind of trouble, never a decoder's own words."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class ImageLimits:
    """What is still taken for a photo."""

    max_bytes: int = 20 * 2**20
    max_pixels: int = 50_000_000
    """Width times height as the header states it; three bytes each in memory, four with transparency."""
    formats: tuple[str, ...] = ("JPEG", "PNG", "WEBP", "GIF")
    """Pillow's names."""


DEFAULT_LIMITS = ImageLimits()


def read_photo(photo: Photo, image_root: Path, limits: ImageLimits = DEFAULT_LIMITS) -> bytes:
    """Reads a photo's file, or returns the bytes that the table held.

    Args:
        photo: its path must be relative, and lead to a regular file under `image_root` with all symlinks followed.
        image_root: folder that no path may leave.
        limits: no more than `max_bytes` are ever read.

    Raises:
        UnreadableImageError: if there is no such file, or it may not be read.
    """
    if photo.data is not None:
        _check_size(len(photo.data), limits)
        return photo.data
    try:
        path = _resolve_inside(photo.path or "", image_root)
        return _read_regular_file(path, limits)
    except (FileNotFoundError, NotADirectoryError):
        raise UnreadableImageError("no such file") from None
    except (OSError, RuntimeError, ValueError):  # no permission; a loop of symlinks; a NUL or surrogate in the name
        raise UnreadableImageError("file cannot be opened") from None


def decode_image(data: bytes, *, smallest_side: int, limits: ImageLimits = DEFAULT_LIMITS) -> NDArray[np.uint8]:
    """Decodes the first frame, upright, with transparent parts over white.

    Args:
        data: the file's bytes.
        smallest_side: pixels, at least 1. A larger photo may come back smaller, as decoding less is faster, but its
            shorter side stays at least this long. A smaller photo keeps its size.
        limits: checked against the header, before any pixel is decoded.

    Returns:
        (H, W, 3) RGB.

    Raises:
        UnreadableImageError: whatever is wrong with the bytes.
    """
    try:
        with _open_image(data, limits) as image:
            _check_pixels(image, limits)
            image.draft(None, (smallest_side, smallest_side))
            image.load()
            return np.array(_to_rgb(image, smallest_side))
    except UnreadableImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:  # some decoders check by themselves
        raise UnreadableImageError("more pixels than Pillow decodes safely") from error
    except Exception as error:  # hostile bytes raise nearly anything from a decoder
        truncated = "truncated" in str(error).lower()
        raise UnreadableImageError("truncated image" if truncated else "damaged image") from error


def _resolve_inside(name: str, image_root: Path) -> str:
    # strings, as a path object for each photo costs more than reading it
    root = _resolve_root(image_root)
    path = os.path.realpath(f"{root}/{name}")
    if name.startswith("/") or os.path.commonpath([root, path]) != root:
        raise UnreadableImageError("path leaves the image root")
    return path


@lru_cache(16)
def _resolve_root(image_root: Path) -> str:
    return os.path.realpath(image_root)


def _read_regular_file(path: str, limits: ImageLimits) -> bytes:
    if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 (as above); opening a device can act on it
        raise UnreadableImageError("not a regular file")
    # should a FIFO take the file's place in between, opening it must not wait for a writer
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableImageError("not a regular file")
        _check_size(status.st_size, limits)
        return file.read(status.st_size)


def _check_size(size_bytes: int, limits: ImageLimits) -> None:
    if size_bytes > limits.max_bytes:
        megabytes = math.ceil(size_bytes / 2**20)
        raise UnreadableImageError(f"file of {megabytes} MB is over the limit of {limits.max_bytes / 2**20:.3g} MB")


def _open_image(data: bytes, limits: ImageLimits) -> ImageFile.ImageFile:
    """Reads the header only.

    `Image.open` would do, but it compares the size with a global limit of its own first, and warns or raises without
    saying what the size is.
    """
    Image.init()
    for name in limits.formats:
        opener, accepts = Image.OPEN[name]
        if accepts is not None and accepts(data[:16]) is True:
            return opener(BytesIO(data), "")
    raise UnreadableImageError("not an image in an allowed format")


def _check_pixels(image: Image.Image, limits: ImageLimits) -> None:
    width, height = image.size
    if width * height > limits.max_pixels:
        raise UnreadableImageError(f"{width}x{height} pixels is over the limit of {limits.max_pixels:,}")


def _to_rgb(image: Image.Image, smallest_side: int) -> Image.Image:
    with contextlib.suppress(Exception):  # a photo with broken EXIF is still a photo
        ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith("I"):
        image = _to_8_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
    elif image.mode not in {"L", "RGB", "CMYK"}:
        image = image.convert("RGB")
    # twice the size asked for is what Pillow's own reducing_gap leaves for a faithful resize
    factor = min(image.size) // (2 * smallest_side)
    if factor > 1:
        image = image.reduce(factor)
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image)
        image = white
    return image.convert("RGB")


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Scales 16-bit greyscale; `convert` would clip every value above 255 to white."""
    values = np.asarray(image)
    if values.dtype != np.uint16:
        values = np.clip(values, 0, 2**16 - 1)
    return Image.fromarray((values >> 8).astype(np.uint8))
