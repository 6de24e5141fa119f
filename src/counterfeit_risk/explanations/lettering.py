"""Finds fonts for titles in any script, and stands in for what no installed font can draw.

Knows no figure.
"""

import textwrap
from functools import cache

from matplotlib.font_manager import findfont, fontManager, get_font
from rich.cells import cell_len, set_cell_size

_WANTED = (
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans",
    "Malgun Gothic",
    "Noto Sans Arabic",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Arial Unicode MS",
)
"""The first comes with Matplotlib; of the others, those that are installed serve for its gaps, in this order."""
BOX = "▯"


@cache
def font_families() -> tuple[str, ...]:
    """The families to draw titles with."""
    installed = {font.name for font in fontManager.ttflist}
    return tuple(name for name in _WANTED if name in installed)


def drawable(text: str) -> str:
    """The text with white space evened, and a box for each letter that is invisible or that no family has.

    Matplotlib would warn of each such letter, and leave out the invisible ones that a seller may have hidden.
    """
    return "".join(letter if letter == " " or _has_glyph(letter) else BOX for letter in " ".join(text.split()))


def shorten(text: str, *, cells: int) -> str:
    """One drawable line of at most so many cells; a Latin letter is one cell wide, a Chinese one two."""
    text = drawable(text)
    return text if cell_len(text) <= cells else f"{set_cell_size(text, cells - 1).rstrip()}…"


def wrap(text: str, *, cells: int, lines: int) -> list[str]:
    """Drawable lines of about so many cells; where they are too many, an ellipsis stands for the rest."""
    text = drawable(text)
    letters_a_line = int(cells * len(text) / max(cell_len(text), 1))
    wrapped = textwrap.wrap(text, max(letters_a_line, 1))
    return wrapped if len(wrapped) <= lines else [*wrapped[: lines - 1], f"{wrapped[lines - 1]}…"]


@cache
def _has_glyph(letter: str) -> bool:
    fonts = (get_font(findfont(family)) for family in font_families())
    return letter.isprintable() and any(font.get_char_index(ord(letter)) for font in fonts)
