"""Writes an evaluation as a folder that people and programs read: JSON, figures and one HTML page.

Knows the evaluation only, so that a report can be written again from it at any time.
"""

import json
from pathlib import Path

from counterfeit_risk.evaluation import page, plots
from counterfeit_risk.evaluation.ceiling import Ceilings
from counterfeit_risk.evaluation.evaluate import BandEvaluation, Evaluation
from counterfeit_risk.evaluation.metrics import Measured
from counterfeit_risk.evaluation.page import Html, Section
from counterfeit_risk.evaluation.predictions import HEADS
from counterfeit_risk.evaluation.reference import Comparison

_SOME_SLICES = "Fused head. A slice with few counterfeits has a wide interval: read the interval, not the point."


def write_report(evaluation: Evaluation, folder: Path, *, title: str) -> None:
    """Writes `evaluation.json`, `report.html` and one PNG a figure.

    Args:
        evaluation: what to report.
        folder: made where it is missing; files of an earlier report in it are replaced.
        title: of the page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(evaluation.to_dict(), indent=2, allow_nan=False)
    (folder / "evaluation.json").write_text(text + "\n", encoding="utf-8")
    images = {
        "precision_recall": plots.to_png(plots.precision_recall(evaluation)),
        "reliability": plots.to_png(plots.reliability(evaluation)),
        "risk_histogram": plots.to_png(plots.risk_histogram(evaluation)),
    }
    if evaluation.slices:
        images["slices"] = plots.to_png(plots.slice_average_precision(evaluation))
    compared = bool(evaluation.comparison.ceilings or evaluation.comparison.baselines)
    if compared:
        images["comparison"] = plots.to_png(plots.comparison(evaluation))
    for name, image in images.items():
        (folder / f"{name}.png").write_bytes(image)
    sections = [
        Section("Ranking", page.join([_metrics(evaluation), _figure(images, "precision_recall")])),
        *([Section("Ceiling and baselines", _comparison(evaluation, images))] if compared else []),
        Section("What a risk means", _figure(images, "reliability")),
        Section("Bands", page.join([_bands(evaluation), _figure(images, "risk_histogram")])),
        Section("Slices", page.join([_slices(evaluation), _figure(images, "slices")])),
    ]
    (folder / "report.html").write_text(page.page(title, headline(evaluation), sections), encoding="utf-8")


def headline(evaluation: Evaluation) -> str:
    """What the evaluation found, in two plain sentences."""
    found = evaluation.heads["fused"].metrics
    counted = f"{evaluation.listings:,} listings, of which {evaluation.counterfeits:,} counterfeit"
    if found["recall_at_capacity"].value is None:
        return f"Judged on {counted}: ranking cannot be judged without both kinds."
    reviewed = min(evaluation.settings["review_capacity"], evaluation.listings)
    caught, right = _share(found["recall_at_capacity"].value), _share(found["precision_at_capacity"].value)
    return (
        f"Of {counted}, people who review the {reviewed:,} riskiest find {caught} of the counterfeits, and {right} of "
        f"what they open is counterfeit. Average precision is {_measured(found['average_precision'])}; a ranking by "
        f"chance would get {evaluation.counterfeits / evaluation.listings:.3f}."
    )


def _metrics(evaluation: Evaluation) -> Html:
    floor, capacity = evaluation.settings["precision_floor"], evaluation.settings["review_capacity"]
    names = {
        "average_precision": "average precision",
        "roc_auc": "ROC AUC",
        "brier": "Brier score (0 is best)",
        "expected_calibration_error": "expected calibration error (0 is best)",
        "calibration_gap": "mean risk less share of counterfeits (0 is best)",
        "calibration_gap_in_top_100": "the same among the 100 riskiest",
        "calibration_gap_in_top_1000": "the same among the 1,000 riskiest",
        "recall_at_precision": f"recall at precision ≥ {floor:g}",
        "precision_at_capacity": f"precision in {capacity:,} reviews",
        "recall_at_capacity": f"recall in {capacity:,} reviews",
        "share_of_oracle": f"share of the best possible in {capacity:,} reviews",
    }
    heads = [evaluation.heads[head] for head in HEADS]
    rows = [
        [name, *(_measured(head.metrics[key]) for head in heads), _number(heads[0].no_skill.get(key))]
        for key, name in names.items()
    ]
    counts = ["listings (counterfeit)", *(f"{head.listings:,} ({head.counterfeits:,})" for head in heads)]
    return page.join(
        [
            page.table(["", *(plots.NAMES[head] for head in HEADS), "no skill"], [counts, *rows]),
            page.paragraph(
                "In brackets: 95 % intervals from a bootstrap of whole groups (sellers, or photo groups). "
                "Each column is measured on the listings that have what it reads. "
                "Chance alone keeps the calibration error above 0."
            ),
        ]
    )


def _comparison(evaluation: Evaluation, images: dict[str, bytes]) -> Html:
    found = evaluation.comparison
    rows = [_head_row(evaluation, head) for head in HEADS]
    for name, measured in found.baselines.items():
        shown = [_measured(measured[key]) for key in ("average_precision", "roc_auc")]
        rows.append([f"baseline: {name.replace('_', ' ')}", *shown, None, None])
    prevalence = _number(evaluation.heads["fused"].no_skill.get("average_precision"))
    headers = ["", "average precision", "ROC AUC", "ceiling", "share of the ceiling"]
    return page.join(
        [
            page.table(headers, [*rows, ["no skill", prevalence, "0.500", None, None]]),
            _ceiling_words(found.ceilings),
            _baseline_words(found),
            _figure(images, "comparison"),
        ]
    )


def _head_row(evaluation: Evaluation, head: str) -> list[object]:
    measured = evaluation.heads[head].metrics
    shown = [plots.NAMES[head], _measured(measured["average_precision"]), _measured(measured["roc_auc"])]
    if evaluation.comparison.ceilings is None:
        return [*shown, None, None]
    ceiling = evaluation.comparison.ceilings.heads[head]
    return [*shown, _measured(ceiling.average_precision), _measured(ceiling.share_reached)]


def _ceiling_words(ceilings: Ceilings | None) -> Html:
    if ceilings is None:
        return Html()
    return page.paragraph(
        "The ceiling is the average precision of ranking by the true probability of being counterfeit, given what the "
        f"head may see; those probabilities foretell {_number(ceilings.heads['fused'].expected)} for photos and title. "
        f"By photos and title, {_share(ceilings.untellable.value)} of the counterfeits are no likelier to be "
        "counterfeit than the average listing: only a seller, a price or a test purchase could tell those."
    )


def _baseline_words(comparison: Comparison) -> Html:
    if not comparison.baselines:
        return Html()
    leaks = " and ".join(name.replace("_", " ") for name in comparison.leaks)
    verdict = f"Above it here: {leaks}; this split leaks." if leaks else "They are."
    return page.paragraph(
        "Each baseline learns one thing from the rows that the model learned from. No seller and no photo stands on "
        "both sides of an honest split, so seller and exact photo must be at chance, at a ROC AUC of 0.5. " + verdict
    )


def _bands(evaluation: Evaluation) -> Html:
    rows = [_band_row(band, evaluation.risk_bands) for band in evaluation.bands]
    evidence = evaluation.risk_bands["evidence"]
    return page.join(
        [
            page.table(["band", "from risk", "listings", "counterfeit", "precision", "of all counterfeits"], rows),
            page.paragraph(_automatic_promise(evidence["automatic"])),
            page.paragraph(_review_promise(evidence["review"])),
        ]
    )


def _band_row(band: BandEvaluation, risk_bands: dict[str, float | None]) -> list[object]:
    start = risk_bands.get(f"{band.band}_from", 0.0)
    shown = "never" if start is None else f"{start:.4f}"
    return [
        band.band,
        shown,
        f"{band.listings:,}",
        f"{band.counterfeits:,}",
        _share(band.precision),
        _share(band.recall),
    ]


def _automatic_promise(evidence: dict[str, float]) -> str:
    promise = (
        f"at most {_share(evidence['wrongful_share_promised'])} of automatic actions hit a genuine listing, "
        f"with {_share(evidence['confidence'])} confidence"
    )
    seen = f"{evidence['wrongful']:,} genuine among the {evidence['listings']:,} riskiest, one listing a group"
    if not evidence["listings"]:
        seen = f"{evidence['groups']:,} listings, one a group, are too few to test"
    if evidence["certified"]:
        return f"Automatic, certified on the calibration split: {promise} ({seen})."
    return (
        f"Nothing is automatic: the calibration split cannot certify that {promise} ({seen}). "
        f"It takes at least {evidence['more_listings_needed']:,} more labelled counterfeits of other groups that are "
        f"riskier than all of these{_random_groups(evidence['more_groups_needed'])}."
    )


def _random_groups(groups: float | None) -> str:
    return "" if groups is None else f", which about {groups:,} more groups labelled at random would hold"


def _review_promise(evidence: dict[str, float]) -> str:
    promise = (
        f"at most {_share(evidence['missed_share_promised'])} of counterfeits pass unseen, "
        f"with {_share(evidence['confidence'])} confidence"
    )
    if evidence["certified"]:
        return f"Review, certified on {evidence['counterfeits']:,} counterfeits of distinct groups: {promise}."
    return (
        f"Review is not certified: {evidence['counterfeits']:,} counterfeits of distinct groups cannot show that "
        f"{promise}. It takes {evidence['more_counterfeits_needed']:,} more; meanwhile it starts at the smallest risk "
        "of those seen."
    )


def _slices(evaluation: Evaluation) -> Html:
    if not evaluation.slices:
        smallest = evaluation.settings["smallest_slice"]
        return page.paragraph(f"No slice has {smallest:,} listings and both kinds.")
    rows = [
        [one.name, one.value, f"{one.listings:,}", f"{one.counterfeits:,}", *map(_measured, one.metrics.values())]
        for one in evaluation.slices
    ]
    headers = [
        "slice",
        "value",
        "listings",
        "counterfeit",
        "average precision",
        "ROC AUC",
        "Brier score",
        "risk − share",
    ]
    return page.join([page.paragraph(_SOME_SLICES), page.table(headers, rows)])


def _figure(images: dict[str, bytes], name: str) -> Html:
    captions = {
        "precision_recall": "Precision against recall as the threshold falls from left to right.",
        "comparison": "Dots: average precision with 95 % intervals. Diamonds: the best that can be reached.",
        "reliability": "Above the dotted line the risk is too low, below it too high.",
        "risk_histogram": "How many listings have which risk. The scale of counts is logarithmic above 10.",
        "slices": "Average precision by slice, the lowest at the bottom; bars are 95 % intervals.",
    }
    return page.figure(images[name], captions[name]) if name in images else Html()


def _measured(measured: Measured) -> str:
    if measured.low is None or measured.high is None:
        return _number(measured.value)
    return f"{_number(measured.value)} [{measured.low:.3f}, {measured.high:.3f}]"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.3g} %"
