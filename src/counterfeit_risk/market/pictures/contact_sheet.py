"""Lays photos out in captioned rows, to be looked at.

Knows nothing of what the photos show.
"""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageOps

from counterfeit_risk.market.pictures.lettering import font

_PAPER = (250, 249, 246)
_INK = (52, 50, 54)


def contact_sheet(rows: Sequence[tuple[str, Sequence[Image.Image]]], *, columns: int, cell: int = 160) -> Image.Image:
    """Makes one picture of many photos.

    Args:
        rows: a caption and its photos, each shown whole; a row that is longer than `columns` goes on in the next line.
        columns: photos side by side.
        cell: side of the square that a photo fits into, in pixels.

    Returns:
        RGB.
    """
    gap, line = max(cell // 16, 2), max(cell // 7, 12)
    lines = [max(-(-len(photos) // columns), 1) for _, photos in rows]
    height = gap + sum(line + gap + count * (cell + gap) for count in lines)
    sheet = Image.new("RGB", (gap + columns * (cell + gap), height), _PAPER)
    top = gap
    for (caption, photos), count in zip(rows, lines, strict=True):
        ImageDraw.Draw(sheet).text(
            (gap, top + line // 2), caption, fill=_INK, font=font("sans", line * 2 // 3), anchor="lm"
        )
        for place, photo in enumerate(photos):
            corner = (gap + place % columns * (cell + gap), top + line + place // columns * (cell + gap))
            _lay(sheet, photo, corner, cell)
        top += line + gap + count * (cell + gap)
    return sheet


def _lay(sheet: Image.Image, photo: Image.Image, corner: tuple[int, int], cell: int) -> None:
    fitted = ImageOps.contain(photo, (cell, cell), Image.Resampling.LANCZOS)
    sheet.paste(fitted, (corner[0] + (cell - fitted.width) // 2, corner[1] + (cell - fitted.height) // 2))
