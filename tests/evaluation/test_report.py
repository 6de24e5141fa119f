import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from counterfeit_risk.config import EvaluationSettings
from counterfeit_risk.evaluation.calibration import Calibrations
from counterfeit_risk.evaluation.evaluate import Evaluation, evaluate
from counterfeit_risk.evaluation.predictions import Predictions
from counterfeit_risk.evaluation.report import headline, write_report
from counterfeit_risk.evaluation.risk_bands import RiskBands


@pytest.fixture(scope="module")
def report(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "new" / "folder"
    write_report(evaluation, folder, title="A <model>")
    return folder


def test_a_report_is_json_a_page_and_its_figures(report: Path) -> None:
    files = {path.name for path in report.iterdir()}
    figures = {"precision_recall.png", "reliability.png", "risk_histogram.png", "slices.png"}
    assert files == figures | {"evaluation.json", "report.html"}


def test_the_json_is_the_evaluation(evaluation: Evaluation, report: Path) -> None:
    assert json.loads((report / "evaluation.json").read_text(encoding="utf-8")) == evaluation.to_dict()


def test_the_page_says_what_was_found_and_escapes_names(evaluation: Evaluation, report: Path) -> None:
    html = (report / "report.html").read_text(encoding="utf-8")
    assert "A &lt;model&gt;" in html
    assert "&lt;b&gt;Bo&lt;/b&gt;" in html
    assert "<b>" not in html
    assert html.count("<figure>") == 4
    assert headline(evaluation) in html


def test_the_headline_counts_listings_and_reviews(evaluation: Evaluation) -> None:
    assert headline(evaluation).startswith(f"Of 400 listings, of which {evaluation.counterfeits} counterfeit, ")
    assert "the 50 riskiest" in headline(evaluation)


def test_the_page_says_what_is_certified_and_what_is_missing(evaluation: Evaluation, tmp_path: Path) -> None:
    evidence = evaluation.risk_bands["evidence"]
    changed = {
        "automatic": evidence["automatic"] | {"certified": True},
        "review": evidence["review"] | {"certified": False, "more_counterfeits_needed": 9},
    }
    risk_bands = evaluation.risk_bands | {"evidence": changed}
    write_report(dataclasses.replace(evaluation, risk_bands=risk_bands), tmp_path, title="t")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Automatic, certified on the calibration split: at most 5 % of automatic actions" in html
    assert "Review is not certified" in html
    assert "It takes 9 more" in html


def test_nothing_to_judge_is_still_a_report(
    predictions: Predictions,
    calibrations: Calibrations,
    bands: RiskBands,
    settings: EvaluationSettings,
    tmp_path: Path,
) -> None:
    nothing = evaluate(predictions.select(np.array([], dtype=int)), calibrations, bands, settings, seed=0)
    write_report(nothing, tmp_path, title="t")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "cannot be judged" in html
    assert not (tmp_path / "slices.png").exists()


def test_ceilings_and_baselines_stand_beside_the_model(comparing: Callable[..., Evaluation], tmp_path: Path) -> None:
    evaluation = comparing(leaky=False)
    write_report(evaluation, tmp_path, title="t")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Ceiling and baselines" in html
    assert "baseline: exact photo" in html
    assert "at a ROC AUC of 0.5. They are." in html
    assert (tmp_path / "comparison.png").exists()
    assert json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8")) == evaluation.to_dict()


def test_a_seller_baseline_above_chance_is_called_a_leak(comparing: Callable[..., Evaluation], tmp_path: Path) -> None:
    write_report(comparing(leaky=True), tmp_path, title="t")
    assert "Above it here: seller; this split leaks." in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_nothing_to_compare_with_takes_no_room(report: Path) -> None:
    assert "Ceiling and baselines" not in (report / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("groups", "said"), [(539, "about 539 more groups labelled at random"), (None, None)])
def test_the_report_says_how_many_labels_are_missing(
    evaluation: Evaluation, tmp_path: Path, groups: int | None, said: str | None
) -> None:
    automatic = evaluation.risk_bands["evidence"]["automatic"]
    short = automatic | {"certified": False, "more_listings_needed": 21, "more_groups_needed": groups}
    bands = evaluation.risk_bands | {"evidence": evaluation.risk_bands["evidence"] | {"automatic": short}}
    write_report(dataclasses.replace(evaluation, risk_bands=bands), tmp_path, title="x")

    page = (tmp_path / "report.html").read_text(encoding="utf-8")

    assert "21 more labelled counterfeits of other groups" in page
    assert ("labelled at random" in page) == (said is not None)
    assert said is None or said in page
