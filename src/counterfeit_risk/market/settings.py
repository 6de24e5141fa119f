"""The market's settings file: prevalence, sellers, and how often each signal is seen on counterfeit and genuine goods.

Knows no listing. `market.yaml` beside this module holds the defaults, with a comment on each.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from counterfeit_risk.market.kinds import HONEST_GUISES, Guise, SellerKind, Source
from counterfeit_risk.market.pictures.scenes import Place, View
from counterfeit_risk.market.probabilities import (
    BrandTreatments,
    Contradictions,
    FileEvasions,
    PhotoTells,
    Probability,
    Range,
    TitleTells,
    ZipfExponent,
    names_all,
    sums_to_one,
)
from counterfeit_risk.market.words.phrases import Offering
from counterfeit_risk.sections import Section, validated
from counterfeit_risk.strict_yaml import read_strictly


class Event(Section):
    """A month with more trade; factors on an ordinary month."""

    month: int = Field(ge=1)
    genuine: float = Field(gt=0)
    counterfeit: float = Field(gt=0)


class CalendarSettings(Section):
    """When listings are published."""

    start: date
    months: int = Field(ge=1, le=60)
    events: tuple[Event, ...] = ()


class BrandSettings(Section):
    """How many brands there are, and how popular."""

    count: int = Field(ge=3)
    late: int = Field(ge=0)
    zipf_exponent: ZipfExponent

    @model_validator(mode="after")
    def _some_are_there_from_the_start(self) -> Self:
        if self.late > self.count - 2:
            raise ValueError(f"late must leave two of {self.count} brands for the first month, not {self.late}")
        return self


class SellerSettings(Section):
    """How accounts share the trade."""

    zipf_exponent: ZipfExponent
    zipf_shift: float = Field(ge=0)
    ring_accounts: Annotated[dict[int, Probability], AfterValidator(sums_to_one)]
    ring_months: int = Field(ge=1)
    links_known: Probability
    catalog_dealers: int = Field(ge=1)


class Kind(Section):
    """One honest kind of seller."""

    share: Probability
    listings_each: float = Field(gt=0)
    """Mean listings of an account."""
    fewest: int = Field(ge=1)
    """Accounts in even the smallest market, so that it can be split by seller."""
    sources: Annotated[dict[Source, Probability], AfterValidator(sums_to_one)]

    @property
    def counterfeit_share(self) -> float:
        """P(counterfeit | such a seller)."""
        return self.sources.get(Source.REPLICA_FACTORY, 0.0)


class Ring(Section):
    """The accounts of counterfeiters; their share of the trade follows from the prevalence."""

    listings_each: float = Field(gt=0)
    fewest: int = Field(ge=1)
    sources: Annotated[dict[Source, Probability], AfterValidator(sums_to_one)]
    poses_as: Annotated[dict[Guise, Probability], AfterValidator(sums_to_one)]


class Presentation(Section):
    """How a guise shows its goods."""

    official_photos: bool
    places: Annotated[dict[Place, Probability], AfterValidator(sums_to_one)]
    used: Probability


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


class PriceSettings(Section):
    """Factors on a brand's price for new goods, by source; `plain` is in euros."""

    brand: Range
    parallel_import: Range
    outlet: Range
    second_hand: Range
    replica_factory: Range
    low: Range
    plain: Range

    def of(self, source: Source) -> tuple[float, float]:
        """The factors for goods of one source."""
        factors: tuple[float, float] = getattr(self, source.value)
        return factors


class Relisted(Section):
    """Shares of listings that show goods which the seller has shown before."""

    shop: Probability
    reseller: Probability
    ring: Probability


class NightlySettings(Section):
    """A later night's dump."""

    known_sellers: Probability


class MarketSettings(Section):
    """One market's causes and signals."""

    prevalence: float = Field(gt=0, lt=1)
    calendar: CalendarSettings
    brands: BrandSettings
    sellers: SellerSettings
    kinds: Annotated[dict[SellerKind, Kind], AfterValidator(names_all(HONEST_GUISES, "law"))]
    ring: Ring
    guises: Annotated[dict[Guise, Presentation], AfterValidator(names_all(Guise, "presentation"))]
    photo_counts: Annotated[dict[int, Probability], AfterValidator(sums_to_one)]
    second_view: Annotated[dict[View, Probability], AfterValidator(sums_to_one)]
    jpeg_quality: tuple[int, int]
    relisted: Relisted
    copied_exactly: Probability
    offerings: Annotated[dict[Offering, Probability], AfterValidator(sums_to_one)]
    genuine: GenuineSignals
    counterfeit: CounterfeitSignals
    prices: PriceSettings
    nightly: NightlySettings

    @model_validator(mode="after")
    def _prevalence_can_be_reached(self) -> Self:
        honest, rings = self.honest_counterfeit_share, self.ring.sources.get(Source.REPLICA_FACTORY, 0.0)
        if not honest <= self.prevalence <= rings:
            raise ValueError(
                f"prevalence must lie between what honest sellers sell unknowingly ({honest:.3g}) and what rings "
                f"sell ({rings:.3g}), not {self.prevalence:g}"
            )
        return self

    @property
    def honest_counterfeit_share(self) -> float:
        """P(counterfeit | an honest seller)."""
        return sum(kind.share * kind.counterfeit_share for kind in self.kinds.values())

    @cached_property
    def kind_shares(self) -> dict[SellerKind, float]:
        """P(kind of seller): rings get what brings the counterfeits to their prevalence."""
        honest, rings = self.honest_counterfeit_share, self.ring.sources.get(Source.REPLICA_FACTORY, 0.0)
        ring_share = (self.prevalence - honest) / (rings - honest)
        return {kind: (1 - ring_share) * law.share for kind, law in self.kinds.items()} | {SellerKind.RING: ring_share}

    def sources(self, kind: SellerKind) -> Mapping[Source, float]:
        """P(source of the goods | kind of seller)."""
        return self.ring.sources if kind is SellerKind.RING else self.kinds[kind].sources

    @cached_property
    def guise_shares(self) -> dict[Guise, tuple[float, float]]:
        """P(guise and genuine), P(guise and counterfeit)."""
        shares = dict.fromkeys(Guise, (0.0, 0.0))
        for kind, share in self.kind_shares.items():
            fakes = self.sources(kind).get(Source.REPLICA_FACTORY, 0.0)
            for guise, posing in self.poses_as(kind).items():
                genuine, counterfeit = shares[guise]
                shares[guise] = (genuine + share * posing * (1 - fakes), counterfeit + share * posing * fakes)
        return shares

    def poses_as(self, kind: SellerKind) -> Mapping[Guise, float]:
        """P(guise | kind of seller): honest kinds look like what they are."""
        return self.ring.poses_as if kind is SellerKind.RING else {HONEST_GUISES[kind]: 1.0}

    def regime(self, month: int) -> Regime:
        """The regime of a month, counted from 1."""
        return [regime for regime in self.counterfeit.regimes if regime.from_month <= month][-1]


@cache
def default_market_settings() -> MarketSettings:
    """The settings that ship with the package."""
    return load_market_settings()


def load_market_settings(path: Path | None = None, *, prevalence: float | None = None) -> MarketSettings:
    """Reads a market's settings file, or the package's own where no path is given.

    Raises:
        SettingsError: with every mistake found.
    """
    source = path or Path(str(files("counterfeit_risk.market") / "market.yaml"))
    values, problems = read_strictly(source)
    if prevalence is not None:
        values["prevalence"] = prevalence
    return validated(MarketSettings, values, problems, source=str(source))
