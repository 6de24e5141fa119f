from dataclasses import replace
from pathlib import Path

import pytest

from counterfeit_risk.errors import SettingsError
from counterfeit_risk.evaluation.gates import Gates, load_gates, reasons_against
from counterfeit_risk.evaluation.head_to_head import Compared, HeadToHead, QueueChange, Slice, Verdict
from counterfeit_risk.evaluation.metrics import Measured


def compared(model: float, difference: float) -> Compared:
    return Compared(model, model - difference, Measured(difference, difference - 0.01, difference + 0.01, 0))


GOOD = HeadToHead(
    model_id="new",
    other_id="old",
    listings=1000,
    counterfeits=100,
    groups=300,
    left_out=0,
    capacity=100,
    calibration_error=0.02,
    metrics={"average_precision": compared(0.6, 0.1), "recall_at_capacity": compared(0.5, 0.05)},
    queue=[QueueChange("the 100 riskiest", 100, 100, 20, 20, 15, 3)],
    slices=[Slice("brand", "a", 200, 20, compared(0.5, 0.0))],
    verdict=Verdict.BETTER,
)


def test_nothing_speaks_against_a_model_that_holds_all_gates() -> None:
    assert reasons_against(GOOD, Gates()) == []


@pytest.mark.parametrize(
    ("found", "gates", "reason"),
    [
        (replace(GOOD, verdict=Verdict.UNDECIDED), Gates(), "the verdict is undecided, and only better is let through"),
        (replace(GOOD, counterfeits=49), Gates(), "49 counterfeits, fewer than 50"),
        (GOOD, Gates(smallest_average_precision=0.7), "average precision is 0.600, below 0.7"),
        (replace(GOOD, calibration_error=0.06), Gates(), "calibration error is 0.060, above 0.05"),
        (replace(GOOD, calibration_error=float("nan")), Gates(), "calibration error is nan"),
        (GOOD, Gates(largest_churn=0.3), "33% of the riskiest cases would change, more than 30%"),
        (
            replace(GOOD, slices=[Slice("brand", "a", 200, 20, compared(0.5, -0.08))]),
            Gates(),
            "brand a loses 0.080 average precision, more than 0.05",
        ),
    ],
)
def test_each_gate_says_why_not(found: HeadToHead, gates: Gates, reason: str) -> None:
    (said,) = reasons_against(found, gates)
    assert reason in said


def test_a_slice_whose_loss_may_be_chance_is_let_through() -> None:
    unsure = Compared(0.4, 0.5, Measured(-0.1, -0.3, 0.1, 0))
    assert reasons_against(replace(GOOD, slices=[Slice("brand", "a", 30, 3, unsure)]), Gates()) == []


def test_all_reasons_are_given_at_once() -> None:
    assert len(reasons_against(replace(GOOD, verdict=Verdict.WORSE, counterfeits=1), Gates())) == 2


def test_the_project_s_own_gates_are_the_defaults() -> None:
    assert load_gates(Path(__file__).parents[2] / "configs" / "gates.yaml") == Gates()


def test_a_misspelt_gate_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "gates.yaml").write_text("largest_chum: 0.2\n")
    with pytest.raises(SettingsError, match="did you mean largest_churn"):
        load_gates(tmp_path / "gates.yaml")
