"""Draws a case sheet: a listing's photos and title, and what in them raised or lowered its risk.

Knows an explanation, not the model behind it. Figures are made through Matplotlib's object interface, so that no global
state is touched. Letters: S pixels a side.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure

from counterfeit_risk.embeddings.content import ListingContent
from counterfeit_risk.explanations.explanation import Explanation
from counterfeit_risk.explanations.lettering import BOX, font_families, shorten, wrap
from counterfeit_risk.explanations.model import Pixels
from counterfeit_risk.explanations.photo_regions import HeatMap

RAISES, LOWERS = "#b2182b", "#2166ac"
"""The ends of the diverging map, which colour-blind readers can tell apart."""
_COLOUR_MAP = "RdBu_r"
_NEUTRAL = "#767676"
_STRONGEST_TINT = 0.85
_SMALLEST_SCALE = 0.1
"""Logits; weaker heat maps stay pale, as nothing in the photo speaks."""

_WIDTH_INCHES = 9.0
_PAIRS_A_ROW = 2
_FEWEST_BARS, _MOST_WORDS = 4, 14
_TITLE_CELLS, _TITLE_LINES = 76, 3
_ID_CELLS, _WORD_CELLS = 40, 18


def case_sheet(explanation: Explanation, title: str, content: ListingContent) -> Figure:
    """Draws one listing: its photos, each beside its heat map, its title's words, and which of them spoke.

    Args:
        explanation: of the same content.
        title: as the seller wrote it; a letter that is invisible, or that no installed font has, is drawn as a box.
        content: the photos as the model saw them.
    """
    title_lines = wrap(title, cells=_TITLE_CELLS, lines=_TITLE_LINES) or ["(no title)"]
    photo_rows = -(-len(content.pixels) // _PAIRS_A_ROW)
    bars = max(_FEWEST_BARS, min(len(explanation.words), _MOST_WORDS))
    heights = (0.75 + 0.23 * len(title_lines), 2.2 * photo_rows or 0.5, 1.1 + 0.24 * bars)
    figure = Figure(figsize=(_WIDTH_INCHES, sum(heights)), layout="constrained", facecolor="white")
    header, photos, evidence = figure.subfigures(3, 1, squeeze=False, height_ratios=heights)[:, 0]
    _draw_header(header, explanation, title_lines, content, height_inches=heights[0])
    _draw_photos(photos, content.pixels, explanation.photo_heat_maps)
    words, shares = evidence.subplots(1, 2, width_ratios=(3, 2))
    _draw_words(words, explanation)
    _draw_shares(shares, explanation)
    return figure


def _draw_header(
    panel: SubFigure,
    explanation: Explanation,
    title_lines: Sequence[str],
    content: ListingContent,
    *,
    height_inches: float,
) -> None:
    notes = [shorten(f"listing {explanation.listing_id}", cells=_ID_CELLS)]
    if content.photos_lost:
        notes.append(f"photos that could not be used: {len(content.photos_lost)}")
    if BOX in "".join([*notes, *title_lines]):
        notes.append(f"{BOX}: a letter that is hidden, or in no installed font")
    lines: list[tuple[float, str, dict[str, Any]]] = [
        (0.08, f"Risk {explanation.risk:.1%}, band: {explanation.band.value}", {"fontsize": 14, "fontweight": "bold"}),
        (0.40, ";  ".join(notes), {"fontsize": 8.5, "color": _NEUTRAL}),
        (0.62, "\n".join(title_lines), {"fontsize": 11}),
    ]
    style: dict[str, Any] = {"verticalalignment": "top", "fontfamily": font_families(), "parse_math": False}
    for top_inches, text, own_style in lines:
        panel.text(0.015, 1 - top_inches / height_inches, text, **style, **own_style)


def _draw_photos(panel: SubFigure, photos: Sequence[Pixels], heat_maps: Sequence[HeatMap]) -> None:
    if not photos:
        panel.text(0.015, 0.5, "(no usable photo)", verticalalignment="center", fontsize=11)
        return
    rows = -(-len(photos) // _PAIRS_A_ROW)
    grid = panel.subplots(rows, 2 * _PAIRS_A_ROW, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    scale = max(_SMALLEST_SCALE, *(float(np.abs(heat_map).max()) for heat_map in heat_maps))
    norm = Normalize(-scale, scale)
    for number, (photo, heat_map) in enumerate(zip(photos, heat_maps, strict=True), start=1):
        plain, tinted = grid.reshape(-1, 2)[number - 1]
        plain.imshow(photo)
        plain.set_title(f"photo {number}", fontsize=9)
        tinted.imshow(photo @ np.array([0.299, 0.587, 0.114]), cmap="gray", vmin=0, vmax=255)
        tinted.imshow(heat_map, cmap=_COLOUR_MAP, norm=norm, alpha=np.abs(heat_map) / scale * _STRONGEST_TINT)
        tinted.set_title("what the model reacts to", fontsize=9)
    bar = panel.colorbar(ScalarMappable(norm, _COLOUR_MAP), ax=grid, shrink=0.8, aspect=25, pad=0.01)
    bar.set_ticks(
        [-scale, 0, scale], labels=[f"lowers the risk\n({-scale:+.2f})", "0", f"raises the risk\n({scale:+.2f})"]
    )
    bar.ax.tick_params(labelsize=8, length=0)


def _draw_words(axes: Axes, explanation: Explanation) -> None:
    """The weightiest words, in the title's order."""
    axes.set_title("Title, word by word", loc="left", fontsize=10, fontweight="bold")
    words = explanation.words
    if not words:
        axes.set_axis_off()
        axes.text(0, 0.9, "(no title)", transform=axes.transAxes)
        return
    weightiest = sorted(range(len(words)), key=lambda place: -abs(words[place].weight))[:_MOST_WORDS]
    shown = [words[place] for place in sorted(weightiest)]
    _draw_bars(axes, [shorten(word.word, cells=_WORD_CELLS) for word in shown], [word.weight for word in shown])
    left_out = f"; {len(words) - len(shown)} weaker words are left out" if len(shown) < len(words) else ""
    axes.set_xlabel(f"change in logit through the word{left_out}", fontsize=8)


def _draw_shares(axes: Axes, explanation: Explanation) -> None:
    axes.set_title("Which spoke, photos, title or price?", loc="left", fontsize=10, fontweight="bold")
    shares = [explanation.photo_share, explanation.title_share, explanation.price_share, explanation.interaction]
    _draw_bars(axes, ["photos", "title", "price", "photos with title"], shares)
    axes.patches[-1].set(facecolor="white", edgecolor=_NEUTRAL, hatch="////")
    axes.set_xlabel(
        f"logit {explanation.base_logit:+.2f} with none, {explanation.logit:+.2f} with all;\n"
        "half of the hatched bar is in photos, half in title",
        fontsize=8,
    )


def _draw_bars(axes: Axes, names: Sequence[str], weights: Sequence[float]) -> None:
    """Signed horizontal bars, first on top, on a scale symmetric around 0."""
    places = np.arange(len(names))
    bars = axes.barh(places, weights, color=[RAISES if weight > 0 else LOWERS for weight in weights], height=0.65)
    axes.bar_label(bars, fmt="{:+z.2f}", padding=3, fontsize=8)
    axes.set_yticks(places, names, fontfamily=font_families(), fontsize=9, parse_math=False)
    scale = max(_SMALLEST_SCALE, *(abs(weight) for weight in weights))
    axes.set(xlim=(-1.35 * scale, 1.35 * scale), ylim=(max(len(names), _FEWEST_BARS) - 0.4, -0.6))
    axes.axvline(0, color=_NEUTRAL, linewidth=0.8)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right", "left"]].set_visible(False)
