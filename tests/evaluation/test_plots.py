import dataclasses
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from counterfeit_risk.config import EvaluationSettings
from counterfeit_risk.evaluation import plots
from counterfeit_risk.evaluation.calibration import Calibrations
from counterfeit_risk.evaluation.evaluate import Evaluation, evaluate
from counterfeit_risk.evaluation.predictions import Predictions
from counterfeit_risk.evaluation.risk_bands import RiskBands

PLOTS = [
    plots.precision_recall,
    plots.reliability,
    plots.risk_histogram,
    plots.slice_average_precision,
    plots.comparison,
]


@pytest.mark.parametrize("plot", PLOTS)
def test_nothing_to_show_is_an_empty_figure(
    plot: Callable[[Evaluation], Figure],
    predictions: Predictions,
    calibrations: Calibrations,
    bands: RiskBands,
    settings: EvaluationSettings,
) -> None:
    nothing = evaluate(predictions.select(np.array([], dtype=int)), calibrations, bands, settings, seed=0)
    assert plots.to_png(plot(nothing)).startswith(b"\x89PNG")


def test_a_figure_is_a_png_wide_enough_for_a_page(evaluation: Evaluation) -> None:
    with Image.open(BytesIO(plots.to_png(plots.risk_histogram(evaluation)))) as image:
        assert image.format == "PNG"
        assert image.width >= 900


def test_precision_recall_names_the_three_heads_and_no_skill(evaluation: Evaluation) -> None:
    legend = plots.precision_recall(evaluation).axes[0].get_legend()
    assert legend is not None
    names = [text.get_text().split(" (")[0] for text in legend.get_texts()]
    assert names == ["photos and title", "photos only", "title only", "no skill"]


def test_the_histogram_draws_the_thresholds_there_are(evaluation: Evaluation) -> None:
    for automatic, lines in ((0.9, 2), (None, 1)):
        risk_bands = evaluation.risk_bands | {"review_from": 0.2, "automatic_from": automatic}
        changed = dataclasses.replace(evaluation, risk_bands=risk_bands)
        assert len(plots.risk_histogram(changed).axes[0].lines) == lines


def test_slices_stand_lowest_first_and_letters_without_a_glyph_become_boxes(evaluation: Evaluation) -> None:
    axes = plots.slice_average_precision(evaluation).axes[0]
    shown = [label.get_text() for label in axes.get_yticklabels()]
    slices = sorted(evaluation.slices, key=lambda one: one.metrics["average_precision"].value or 0.0)
    assert [text.rsplit("= ", 1)[1] for text in shown] == [f"{one.listings})" for one in slices]
    assert any("□□ $x$" in text for text in shown)


def test_many_slices_are_cut_to_the_lowest(evaluation: Evaluation) -> None:
    many = dataclasses.replace(evaluation, slices=evaluation.slices * 20)
    assert len(plots.slice_average_precision(many).axes[0].get_yticklabels()) == 24


def test_a_comparison_draws_a_row_a_head_and_baseline_and_a_diamond_a_ceiling(
    comparing: Callable[..., Evaluation],
) -> None:
    axes = plots.comparison(comparing(leaky=False)).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["photos and title", "photos only", "title only", "seller", "exact photo"]
    assert [line.get_marker() for line in axes.lines].count("D") == 3
