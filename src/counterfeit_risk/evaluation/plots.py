"""The figures of an evaluation report, in one look.

Knows evaluations, not predictions: what a figure shows is in `evaluation.json` too. Figures are made through
Matplotlib's object interface, so that no global state is touched.
"""

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from scipy.stats import binomtest

from counterfeit_risk.evaluation.evaluate import Evaluation, SliceEvaluation
from counterfeit_risk.evaluation.head_to_head import HeadToHead
from counterfeit_risk.evaluation.metrics import Measured

COLOURS = {
    "fused": "#0072B2",
    "photo": "#E69F00",
    "title": "#009E73",
    "genuine": "#56B4E9",
    "counterfeit": "#D55E00",
    "reference": "#767676",
}
"""From Okabe and Ito's palette, which colour-blind readers can tell apart."""

_LINES = {"fused": "-", "photo": "--", "title": "-."}
NAMES = {"fused": "photos and title", "photo": "photos only", "title": "title only"}
_DOTS_PER_INCH = 150
_MOST_SLICES = 24


def precision_recall(evaluation: Evaluation) -> Figure:
    """Precision over recall of the three heads, with the line of no skill."""
    figure = _new_figure("Precision and recall")
    axes = figure.subplots()
    for head, judged in evaluation.heads.items():
        found = judged.metrics["average_precision"].value
        if found is None:
            continue
        recall, precision = [p.recall for p in judged.curve], [p.precision for p in judged.curve]
        label = f"{NAMES[head]} (average {found:.2f}, n = {judged.listings:,})"
        axes.step(recall, precision, where="pre", label=label, color=COLOURS[head], linestyle=_LINES[head])
    prevalence = evaluation.counterfeits / max(evaluation.listings, 1)
    axes.axhline(
        prevalence, color=COLOURS["reference"], linewidth=1.2, linestyle=":", label=f"no skill ({prevalence:.2f})"
    )
    axes.set(xlabel="Recall: share of counterfeits caught", ylabel="Precision", xlim=(0, 1.01), ylim=(0, 1.03))
    axes.legend(loc="lower left")
    _tidy(axes)
    return figure


def comparison(evaluation: Evaluation) -> Figure:
    """Average precision of heads and baselines with their intervals, and each head's ceiling."""
    found = evaluation.comparison
    judged = {NAMES[head]: evaluation.heads[head].metrics["average_precision"] for head in NAMES}
    judged |= {name.replace("_", " "): measured["average_precision"] for name, measured in found.baselines.items()}
    colours = [*(COLOURS[head] for head in NAMES), *[COLOURS["reference"]] * len(found.baselines)]
    figure = _new_figure("What could be reached, and what must be beaten", height=1.6 + 0.32 * len(judged))
    axes = figure.subplots()
    for row, (measured, colour) in enumerate(zip(judged.values(), colours, strict=True)):
        _draw_measured(axes, row, measured, colour, "o")
    for row, head in enumerate(NAMES):
        if found.ceilings:
            _draw_measured(axes, row - 0.25, found.ceilings.heads[head].average_precision, "black", "D")
    prevalence = evaluation.counterfeits / max(evaluation.listings, 1)
    axes.axvline(prevalence, color=COLOURS["reference"], linewidth=1.2, linestyle=":")
    axes.set_yticks(np.arange(len(judged)), list(judged))
    axes.set(xlabel="Average precision\n(dotted line: no skill)", xlim=(0, 1.02))
    axes.invert_yaxis()
    _tidy(axes)
    return figure


def reliability(evaluation: Evaluation) -> Figure:
    """Counterfeit share over fused risk, in bins of about equal count, with exact 95 % intervals; counts below."""
    figure = _new_figure("Does the risk mean what it says?")
    axes, below = figure.subplots(2, sharex=True, height_ratios=(5, 1))
    bins = evaluation.heads["fused"].reliability
    risks, shares = [one.mean_risk for one in bins], [one.counterfeit_share for one in bins]
    axes.plot([0, 1], [0, 1], color=COLOURS["reference"], linewidth=1.2, linestyle=":", label="risk = share")
    for one in bins:
        interval = binomtest(round(one.counterfeit_share * one.weight), round(one.weight)).proportion_ci()
        axes.vlines(one.mean_risk, interval.low, interval.high, color=COLOURS["fused"], linewidth=1.5, alpha=0.5)
    axes.plot(risks, shares, color=COLOURS["fused"], marker="o", label="bins, with 95 % intervals")
    below.vlines(risks, 0, [one.weight for one in bins], color=COLOURS["fused"], linewidth=4)
    axes.set(ylabel="Share of counterfeits", ylim=(-0.03, 1.03))
    below.set(xlabel="Mean risk in the bin", ylabel="Listings", xlim=(-0.02, 1.02), ylim=(0, None))
    axes.legend(loc="upper left")
    _tidy(axes, below)
    return figure


def risk_histogram(evaluation: Evaluation) -> Figure:
    """Fused risks of genuine and of counterfeit listings, with the bands' thresholds."""
    figure = _new_figure("Risks, and where the bands start")
    axes = figure.subplots()
    shown = evaluation.histogram
    for label, counts in (("genuine", shown.genuine), ("counterfeit", shown.counterfeit)):
        axes.stairs(counts, shown.edges, fill=True, color=COLOURS[label], alpha=0.45)
        axes.stairs(counts, shown.edges, color=COLOURS[label], linewidth=1.6, label=f"{label} ({sum(counts):,})")
    for name, linestyle in (("review", "--"), ("automatic", "-")):
        threshold = evaluation.risk_bands[f"{name}_from"]
        if threshold is not None:
            axes.axvline(threshold, color="black", linestyle=linestyle, label=f"{name} from {threshold:.3f}")
    axes.set(xlabel="Risk", ylabel="Listings", xlim=(0, 1))
    axes.set_yscale("symlog", linthresh=10)
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper center")
    _tidy(axes)
    return figure


def slice_average_precision(evaluation: Evaluation) -> Figure:
    """Average precision in each slice with its interval; of many slices, the lowest 24."""
    slices = sorted(evaluation.slices, key=_average_precision)[:_MOST_SLICES]
    figure = _new_figure("Where it ranks well, and where not", height=1.6 + 0.32 * max(len(slices), 2))
    axes = figure.subplots()
    for row, one in enumerate(slices):
        _draw_measured(axes, row, one.metrics["average_precision"], COLOURS["fused"], "o")
        axes.plot(one.counterfeits / one.listings, row, color=COLOURS["reference"], marker="|", markersize=10)
    names = [_drawable(f"{one.name}: {one.value}", 28) + f"  (n = {one.listings:,})" for one in slices]
    axes.set_yticks(np.arange(len(slices)), names, parse_math=False)  # a dollar sign is a dollar sign
    overall = evaluation.heads["fused"].metrics["average_precision"].value
    if overall is not None:
        axes.axvline(overall, color=COLOURS["reference"], linewidth=1.2, linestyle=":")
    axes.set(xlabel="Average precision\n(dotted line: all listings; tick: no skill)", xlim=(0, 1.02))
    axes.margins(y=0.08)
    _tidy(axes)
    return figure


def differences(found: HeadToHead) -> Figure:
    """By how much one model is above another, in each metric and slice, with intervals; of many slices, the lowest."""
    slices = sorted(found.slices, key=lambda one: one.average_precision.difference.value or 0.0)[:_MOST_SLICES]
    rows = [(_drawable(f"{one.name}: {one.value}", 28), one.average_precision.difference) for one in slices]
    rows += [(name.replace("_", " "), one.difference) for name, one in reversed(found.metrics.items())]
    figure = _new_figure("How much better, and where", height=1.6 + 0.32 * max(len(rows), 2))
    axes = figure.subplots()
    for row, (_, measured) in enumerate(rows):
        overall = row >= len(slices)
        _draw_measured(axes, row, measured, COLOURS["counterfeit" if overall else "fused"], "D" if overall else "o")
    axes.set_yticks(np.arange(len(rows)), [name for name, _ in rows], parse_math=False)
    axes.axvline(0, color=COLOURS["reference"], linewidth=1.2, linestyle=":")
    axes.set(xlabel="Difference with its 95 % interval\n(right of the line: the first model is better)")
    axes.margins(y=0.08)
    _tidy(axes)
    return figure


def to_png(figure: Figure) -> bytes:
    """Draws a figure at 150 dots an inch; equal figures give equal bytes."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
    return file.getvalue()


def _new_figure(title: str, *, height: float = 4.4) -> Figure:
    figure = Figure(figsize=(6.4, height), layout="constrained", facecolor="white")
    figure.suptitle(title, x=0.01, horizontalalignment="left", fontsize=12, fontweight="bold")
    return figure


def _draw_measured(axes: Axes, row: float, measured: Measured, colour: str, marker: str) -> None:
    """A value with its interval on one line; nothing where it is not defined."""
    if measured.value is None:
        return
    if measured.low is not None and measured.high is not None:
        axes.hlines(row, measured.low, measured.high, color=colour, linewidth=1.5, alpha=0.5)
    axes.plot(measured.value, row, color=colour, marker=marker, markersize=5 if marker == "D" else 6)


def _tidy(*all_axes: Axes) -> None:
    for axes in all_axes:
        axes.grid(color="#e5e5e5")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)


def _average_precision(one: SliceEvaluation) -> float:
    return one.metrics["average_precision"].value or 0.0


def _drawable(text: str, most: int) -> str:
    """One short line; a box stands for every letter that the font lacks, which would be a warning each."""
    font = get_font(findfont(FontProperties()))
    letters = [letter if letter.isprintable() and font.get_char_index(ord(letter)) else "□" for letter in text]
    return "".join(letters if len(letters) <= most else [*letters[: most - 1], "…"])
