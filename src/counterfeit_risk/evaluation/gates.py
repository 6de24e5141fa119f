"""Decides whether a model may replace the champion: a verdict, and gates that people have set.

Knows no registry: it only says why not.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from counterfeit_risk.evaluation.head_to_head import HeadToHead, Verdict
from counterfeit_risk.sections import Section, validated
from counterfeit_risk.strict_yaml import read_strictly


class Gates(Section):
    """What a model must hold to become the champion."""

    verdicts: tuple[Verdict, ...] = (Verdict.BETTER,)
    """Verdicts that allow it."""
    fewest_counterfeits: int = Field(default=50, ge=1)
    """Counterfeits among the listings of the comparison; with fewer, nothing is promoted."""
    smallest_average_precision: float = Field(default=0.0, ge=0, le=1)
    largest_calibration_error: float = Field(default=0.05, ge=0, le=1)
    """Expected calibration error of the new model."""
    largest_churn: float = Field(default=0.7, ge=0, le=1)
    """Share of the riskiest cases of either model that only one of them has there."""
    largest_slice_loss: float = Field(default=0.05, ge=0, le=1)
    """Average precision that a slice may lose, where its interval shows a loss at all."""


def load_gates(path: Path) -> Gates:
    """Reads a gates file.

    Raises:
        SettingsError: with every mistake found.
    """
    values, problems = read_strictly(path)
    return validated(Gates, values, problems, source=str(path))


def reasons_against(found: HeadToHead, gates: Gates) -> list[str]:
    """Why the model must not be promoted; empty where it may."""
    return [*_reasons(found, gates), *_slice_reasons(found, gates)]


def _reasons(found: HeadToHead, gates: Gates) -> Iterator[str]:
    if found.verdict not in gates.verdicts:
        allowed = " or ".join(gates.verdicts)
        yield f"the verdict is {found.verdict}, and only {allowed} is let through"
    if found.counterfeits < gates.fewest_counterfeits:
        yield f"the comparison saw {found.counterfeits} counterfeits, fewer than {gates.fewest_counterfeits}"
    reached = found.metrics["average_precision"].model
    if reached is None or reached < gates.smallest_average_precision:
        shown = "not defined" if reached is None else f"{reached:.3f}"
        yield f"its average precision is {shown}, below {gates.smallest_average_precision:g}"
    if not found.calibration_error <= gates.largest_calibration_error:
        yield f"its calibration error is {found.calibration_error:.3f}, above {gates.largest_calibration_error:g}"
    churn = found.queue[0].churn
    if churn > gates.largest_churn:
        yield f"{churn:.0%} of the riskiest cases would change, more than {gates.largest_churn:.0%}"


def _slice_reasons(found: HeadToHead, gates: Gates) -> Iterator[str]:
    for one in found.slices:
        change = one.average_precision.difference
        if change.value is None or change.high is None or change.high >= 0:
            continue
        if -change.value > gates.largest_slice_loss:
            loss = f"loses {-change.value:.3f} average precision, more than {gates.largest_slice_loss:g}"
            yield f"{one.name} {one.value} {loss}"
