"""The typefaces of wordmarks, labels and captions: those that ship with Matplotlib, so that every machine has them.

Knows no brand and draws nothing.
"""

from functools import lru_cache
from pathlib import Path

import matplotlib as mpl
from PIL import ImageFont

_FILES = {
    "sans": "DejaVuSans.ttf",
    "sans-bold": "DejaVuSans-Bold.ttf",
    "sans-bold-oblique": "DejaVuSans-BoldOblique.ttf",
    "serif-bold": "DejaVuSerif-Bold.ttf",
    "serif-italic": "DejaVuSerif-Italic.ttf",
    "mono-bold": "DejaVuSansMono-Bold.ttf",
    "book": "STIXGeneral.ttf",
    "book-bold-italic": "STIXGeneralBolIta.ttf",
    "grotesque": "cmss10.ttf",
}
TYPEFACES: tuple[str, ...] = tuple(_FILES)
"""Each has the letters and digits of English; all but `grotesque` have accents, the degree sign and Cyrillic too."""


@lru_cache(maxsize=128)
def font(typeface: str, size: int) -> ImageFont.FreeTypeFont:
    """A typeface at a size.

    Args:
        typeface: one of `TYPEFACES`.
        size: height of a line in pixels.

    Raises:
        KeyError: the typeface is not one of `TYPEFACES`.
    """
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / _FILES[typeface], size)
