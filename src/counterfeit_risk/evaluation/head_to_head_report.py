"""Writes the comparison of two models as JSON, one figure and one HTML page.

Knows the comparison only.
"""

import json
from pathlib import Path

from counterfeit_risk.errors import UsageError
from counterfeit_risk.evaluation import page, plots
from counterfeit_risk.evaluation.head_to_head import Compared, HeadToHead, Verdict
from counterfeit_risk.evaluation.page import Html, Section

COMPARISON = "comparison.json"
_VERDICTS = {
    Verdict.BETTER: "ranks better, and catches no fewer counterfeits at capacity",
    Verdict.WORSE: "ranks worse, or catches fewer counterfeits at capacity",
    Verdict.UNDECIDED: "is not shown to be better or worse: these listings cannot tell",
}


def write_comparison(found: HeadToHead, folder: Path) -> None:
    """Writes `comparison.json`, `comparison.html` and `differences.png` into a folder, made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found.to_dict(), indent=2, allow_nan=False)
    (folder / COMPARISON).write_text(text + "\n", encoding="utf-8")
    image = plots.to_png(plots.differences(found))
    (folder / "differences.png").write_bytes(image)
    sections = [
        Section("Ranking", page.join([_metrics(found), page.figure(image, "Differences with 95 % intervals.")])),
        Section("The queue", _queue(found)),
        Section("Slices", _slices(found)),
    ]
    title = f"Model {found.model_id} against {found.other_id}"
    (folder / "comparison.html").write_text(page.page(title, verdict_in_words(found), sections), encoding="utf-8")


def read_comparison(path: Path) -> HeadToHead:
    """Reads what `write_comparison` wrote.

    Raises:
        UsageError: if the file is not there or is no comparison.
    """
    try:
        return HeadToHead.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is no comparison of two models: {error}") from None


def verdict_in_words(found: HeadToHead) -> str:
    """One sentence."""
    difference = found.metrics["average_precision"].difference
    return (
        f"On {found.listings:,} listings, of which {found.counterfeits:,} counterfeit, {found.model_id} "
        f"{_VERDICTS[found.verdict]}. Average precision: {_signed(difference.value)} "
        f"[{_signed(difference.low)}, {_signed(difference.high)}]."
    )


def _metrics(found: HeadToHead) -> Html:
    rows = [[name.replace("_", " "), *_cells(one)] for name, one in found.metrics.items()]
    left_out = f"{found.left_out:,} listings that only one of them could judge are left out. " if found.left_out else ""
    return page.join(
        [
            page.table(["", found.model_id, found.other_id, "difference", "95 % interval"], rows),
            page.paragraph(
                f"{left_out}Draws of whole groups, {found.groups:,} of them, judge both models at once, so that what "
                f"is hard for both cancels out. Recall is that of {found.capacity:,} reviews."
            ),
        ]
    )


def _queue(found: HeadToHead) -> Html:
    headers = ["in the queue", "before", "after", "enter", "of them counterfeit", "leave", "of them counterfeit"]
    rows = [
        [
            change.rule,
            f"{change.before:,}",
            f"{change.after:,}",
            f"{change.entering:,}",
            f"{change.entering_counterfeits:,}",
            f"{change.leaving:,}",
            f"{change.leaving_counterfeits:,}",
        ]
        for change in found.queue
    ]
    return page.table(headers, rows)


def _slices(found: HeadToHead) -> Html:
    if not found.slices:
        return page.paragraph("No slice has enough listings and both kinds.")
    headers = ["slice", "value", "listings", "counterfeit", found.model_id, found.other_id, "difference", "interval"]
    rows = [
        [one.name, one.value, f"{one.listings:,}", f"{one.counterfeits:,}", *_cells(one.average_precision)]
        for one in found.slices
    ]
    return page.join([page.paragraph("Average precision."), page.table(headers, rows)])


def _cells(one: Compared) -> list[str]:
    values = [_plain(one.model), _plain(one.other), _signed(one.difference.value)]
    return [*values, f"[{_signed(one.difference.low)}, {_signed(one.difference.high)}]"]


def _plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f}"
