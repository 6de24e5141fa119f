"""What the market's settings are made of: probabilities, and the laws of signals, each checked where it is read.

Knows no section of the settings.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

from counterfeit_risk.market.signals import BrandTreatment, Contradiction, FileEvasion, PhotoTell, TitleTell

T = TypeVar("T")

GRADES = 3
"""A photo tell is slight (1), plain (2) or gross (3)."""


def sums_to_one(weights: Mapping[StrEnum | int, float]) -> Mapping[StrEnum | int, float]:
    """Checks that these are shares of a whole."""
    total = sum(weights.values())
    if abs(total - 1) > 1e-6:
        raise ValueError(f"must sum to 1, not {total:g}")
    return weights


def names_all(signals: Iterable[StrEnum], what: str) -> Callable[[Mapping[StrEnum, T]], Mapping[StrEnum, T]]:
    """A check that a mapping leaves none of them out."""

    def check(values: Mapping[StrEnum, T]) -> Mapping[StrEnum, T]:
        missing = [signal.value for signal in signals if signal not in values]
        if missing:
            raise ValueError(f"{', '.join(missing)} has no {what}")
        return values

    return check


def _at_most_certain(tells: Mapping[PhotoTell, tuple[float, ...]]) -> Mapping[PhotoTell, tuple[float, ...]]:
    for tell, grades in tells.items():
        if sum(grades) > 1:
            raise ValueError(f"the grades of {tell.value} sum to {sum(grades):g}, more than 1")
    return tells


def _rises(bounds: tuple[float, float]) -> tuple[float, float]:
    if not 0 < bounds[0] <= bounds[1]:
        raise ValueError(f"must be two rising numbers above 0, not {bounds[0]:g} and {bounds[1]:g}")
    return bounds


Probability = Annotated[float, Field(ge=0, le=1)]
Range = Annotated[tuple[float, float], AfterValidator(_rises)]
PhotoTells = Annotated[
    dict[PhotoTell, tuple[Probability, Probability, Probability]],
    AfterValidator(names_all(PhotoTell, "probability")),
    AfterValidator(_at_most_certain),
]
"""P(grade) of each tell: slight, plain, gross."""
FileEvasions = Annotated[dict[FileEvasion, Probability], AfterValidator(names_all(FileEvasion, "probability"))]
BrandTreatments = Annotated[dict[BrandTreatment, Probability], AfterValidator(sums_to_one)]
TitleTells = Annotated[dict[TitleTell, Probability], AfterValidator(names_all(TitleTell, "probability"))]
Contradictions = Annotated[dict[Contradiction, Probability], AfterValidator(sums_to_one)]
ZipfExponent = Annotated[float, Field(ge=0, le=3)]
