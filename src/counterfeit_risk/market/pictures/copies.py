"""Does to photo files what sellers' tools do: mirrors, crops, frames, watermarks, compresses, and joins photos in one.

Knows no label and no scene: a photo comes in and a copy of it goes out, with the longer side as long as before.
"""

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from counterfeit_risk.market.chance import happens, pick
from counterfeit_risk.market.signals import FileEvasion

Box = tuple[float, float, float, float]
"""Left, top, width and height."""

_FRAMES = (
    (255, 255, 255),
    (250, 246, 236),
    (20, 20, 24),
    (196, 40, 48),
    (236, 180, 40),
    (44, 92, 168),
    (226, 160, 184),
)
_SHOP_WORDS = ("Best Shop", "Top Store", "Daily Deals", "My Closet", "Trend Corner", "Bag Street", "Nice Finds")
_CONTACTS = ("DM me", "chat 555-0142", "call 555-0167", "@{}", "id: {}", "{}.example")
_LAYOUTS: Mapping[int, tuple[tuple[Box, ...], ...]] = {
    2: (((0, 0, 1, 1), (1, 0, 1, 1)), ((0, 0, 1, 1), (0, 1, 1, 1))),
    3: (
        ((0, 0, 2, 2), (2, 0, 1, 1), (2, 1, 1, 1)),
        ((0, 0, 2, 2), (0, 2, 1, 1), (1, 2, 1, 1)),
    ),
    4: (((0, 0, 1, 1), (1, 0, 1, 1), (0, 1, 1, 1), (1, 1, 1, 1)),),
}
"""Where the photos of a collage stand, in widths and heights of the smallest of them, so that each keeps its shape."""


def apply_evasions(photo: Image.Image, evasions: frozenset[FileEvasion], rng: np.random.Generator) -> Image.Image:
    """Makes a copy that a search for equal files misses.

    Args:
        photo: RGB; it stays as it is.
        evasions: what is done, always in the order of the enum; COLLAGE is not of one photo, see `make_collage`.
        rng: decides how.

    Returns:
        RGB, its longer side as long as the photo's.
    """
    copy = photo
    for evasion, change in _CHANGES.items():
        if evasion in evasions:
            copy = change(copy, rng)
    return _to_longer_side(copy, max(photo.size))


def make_collage(photos: Sequence[Image.Image], rng: np.random.Generator) -> Image.Image:
    """Puts two to four RGB photos into one, its longer side as long as the first photo's.

    A photo of another shape than the first is trimmed to that shape.

    Raises:
        ValueError: if there are fewer or more photos.
    """
    if len(photos) not in _LAYOUTS:
        raise ValueError(f"a collage holds {min(_LAYOUTS)} to {max(_LAYOUTS)} photos, not {len(photos)}")
    cells = pick(rng, _LAYOUTS[len(photos)])
    columns, rows = (max(cell[axis] + cell[axis + 2] for cell in cells) for axis in (0, 1))
    shape = photos[0].size
    scale = max(shape) / max(columns * shape[0], rows * shape[1])
    width, height = shape[0] * scale, shape[1] * scale
    sheet = Image.new("RGB", (round(columns * width), round(rows * height)), pick(rng, _FRAMES))
    gutter = round(max(sheet.size) * rng.uniform(0, 0.015))
    for photo, (left, top, across, down) in zip(photos, cells, strict=True):
        size = (max(round(across * width) - gutter, 1), max(round(down * height) - gutter, 1))
        place = (round(left * width) + gutter // 2, round(top * height) + gutter // 2)
        sheet.paste(ImageOps.fit(photo, size, Image.Resampling.LANCZOS), place)
    return sheet


def _crop(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    width, height = photo.size
    left, top, right, bottom = rng.uniform(0.04, 0.14, 4)
    return photo.crop(
        (round(left * width), round(top * height), round((1 - right) * width), round((1 - bottom) * height))
    )


def _frame(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    width = round(max(photo.size) * rng.uniform(0.03, 0.08))
    colour = pick(rng, _FRAMES)
    framed = ImageOps.expand(photo, width, fill=colour)
    if happens(rng, 0.3):
        inside = Image.new("L", framed.size, 0)
        corners = (width, width, framed.width - width - 1, framed.height - width - 1)
        ImageDraw.Draw(inside).rounded_rectangle(corners, radius=2 * width, fill=255)
        framed = Image.composite(framed, Image.new("RGB", framed.size, colour), inside)
    return framed


def _watermark(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Writes a shop's words over the photo, once or over all of it."""
    words = pick(rng, _SHOP_WORDS)
    text = f"{words} {pick(rng, _CONTACTS).format(words.replace(' ', '').lower())}"
    size = max(round(photo.width * rng.uniform(0.045, 0.08)), 8)
    strength = round(255 * rng.uniform(0.35, 0.65))
    layer = Image.new("L", photo.size, 0)
    draw, font = ImageDraw.Draw(layer), ImageFont.load_default(size)
    lines = (0.15, 0.5, 0.85) if happens(rng, 0.3) else (float(rng.uniform(0.1, 0.9)),)
    for line in lines:
        centre = (photo.width * rng.uniform(0.35, 0.65), photo.height * line)
        draw.text(centre, text, fill=strength, font=font, anchor="mm")
    ink = pick(rng, ((255, 255, 255), (30, 30, 34), (200, 36, 44)))
    return Image.composite(Image.new("RGB", photo.size, ink), photo, layer)


def _recompress(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Saves as a small JPEG, half of the time after making the photo smaller, as chat programs do."""
    scale = float(rng.uniform(0.6, 0.8)) if happens(rng, 0.5) else 1.0
    small = photo.resize((round(photo.width * scale), round(photo.height * scale)), Image.Resampling.LANCZOS)
    stream = BytesIO()
    small.save(stream, "JPEG", quality=int(rng.integers(25, 45, endpoint=True)))
    with Image.open(stream) as saved:
        return saved.convert("RGB")


def _to_longer_side(photo: Image.Image, side: int) -> Image.Image:
    scale = side / max(photo.size)
    size = (max(round(photo.width * scale), 1), max(round(photo.height * scale), 1))
    return photo.resize(size, Image.Resampling.LANCZOS) if size != photo.size else photo.copy()


_CHANGES: Mapping[FileEvasion, Callable[[Image.Image, np.random.Generator], Image.Image]] = {
    FileEvasion.MIRRORED: lambda photo, _: ImageOps.mirror(photo),
    FileEvasion.CROPPED: _crop,
    FileEvasion.BORDERED: _frame,
    FileEvasion.WATERMARKED: _watermark,
    FileEvasion.RECOMPRESSED: _recompress,
}
