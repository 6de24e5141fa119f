"""How often each signal is seen on counterfeit and on genuine goods: a part of the market's settings.

Knows no seller.
"""

from typing import Self

from pydantic import Field, model_validator

from counterfeit_risk.market.probabilities import (
    BrandTreatments,
    Contradictions,
    FileEvasions,
    PhotoTells,
    Probability,
    TitleTells,
)
from counterfeit_risk.sections import Section


class GenuineSignals(Section):
    """P(signal | genuine)."""

    photo_tells: PhotoTells
    file_evasions: FileEvasions
    brand_treatments: BrandTreatments
    title_tells: TitleTells
    contradictions: Contradictions
    low_price: Probability


class TitleSpeaks(Section):
    """P(the title gives a counterfeit away), by what its photos do."""

    crude: Probability
    fine: Probability


class Regime(Section):
    """How counterfeiters write and evade from one month on, until the next regime."""

    from_month: int = Field(ge=1)
    title_speaks: TitleSpeaks
    contradicts: Probability
    contradictions: Contradictions
    brand_treatments: BrandTreatments
    title_tells: TitleTells
    file_evasions: FileEvasions


class CounterfeitSignals(Section):
    """P(signal | counterfeit)."""

    crude: Probability
    photo_tells: PhotoTells
    low_price: Probability
    regimes: tuple[Regime, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _regimes_follow_each_other(self) -> Self:
        months = [regime.from_month for regime in self.regimes]
        if months[0] != 1 or sorted(set(months)) != months:
            raise ValueError(f"regimes must start in month 1 and follow each other, not in months {months}")
        return self
