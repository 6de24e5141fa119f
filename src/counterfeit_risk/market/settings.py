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

from counterfeit_risk.market.kinds import HONEST_GUISES, Guise, Offering, SellerKind, Source
from counterfeit_risk.market.pictures.marks import MOST_MARKS
from counterfeit_risk.market.pictures.scenes import Place, View
from counterfeit_risk.market.probabilities import (
    Probability,
    Range,
    ZipfExponent,
    names_all,
    sums_to_one,
)
from counterfeit_risk.market.signal_laws import CounterfeitSignals, GenuineSignals, Regime
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

    count: int = Field(ge=3, le=MOST_MARKS)
    late: int = Field(ge=0)
    zipf_exponent: ZipfExponent

    @model_validator(mode="after")
    def _some_are_there_from_the_start(self) -> Self:
        if self.late > self.count - 2:
            raise ValueError(f"late must leave two of {self.count} brands for the first month, not {self.late}")
        return self


AccountCounts = Annotated[dict[Annotated[int, Field(ge=1, le=20)], Probability], AfterValidator(sums_to_one)]
"""P(number of accounts in one hand)."""


class SellerSettings(Section):
    """How accounts share the trade."""

    zipf_exponent: ZipfExponent
    zipf_shift: float = Field(ge=0)
    company_accounts: AccountCounts
    ring_accounts: AccountCounts
    ring_months: int = Field(ge=1)
    links_known: Probability
    catalog_dealers: int = Field(ge=1)


def _are_genuine(sources: dict[Source, float]) -> dict[Source, float]:
    if Source.REPLICA_FACTORY in sources:
        raise ValueError("are those of genuine goods; who sells counterfeits stands under counterfeits_from")
    return sources


class Kind(Section):
    """One honest kind of seller."""

    share: Probability
    listings_each: float = Field(gt=0)
    """Mean listings of an account."""
    fewest: int = Field(ge=1)
    """Accounts in even the smallest market, so that it can be split by seller."""
    sources: Annotated[dict[Source, Probability], AfterValidator(sums_to_one), AfterValidator(_are_genuine)]
    """P(source | genuine goods)."""


class Ring(Section):
    """The accounts of counterfeiters; their share of the trade follows from the prevalence."""

    listings_each: float = Field(gt=0)
    fewest: int = Field(ge=1)
    decoys: float = Field(ge=0, le=0.5)
    """Share of a ring's listings that offer genuine goods."""


class Presentation(Section):
    """How a guise shows its goods."""

    official_photos: bool
    places: Annotated[dict[Place, Probability], AfterValidator(sums_to_one)]
    used: Probability


class PriceSettings(Section):
    """Factors on a brand's price for new goods, by source; `plain` is in euros."""

    brand: Range
    parallel_import: Range
    outlet: Range
    second_hand: Range
    low: Range
    plain: Range

    def of(self, source: Source) -> tuple[float, float]:
        """The factors for genuine goods of one source."""
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


def _are_qualities(bounds: tuple[int, int]) -> tuple[int, int]:
    if not 1 <= bounds[0] <= bounds[1] <= MOST_QUALITY:
        raise ValueError(f"must be two rising qualities from 1 to {MOST_QUALITY}, not {bounds[0]} and {bounds[1]}")
    return bounds


def _all_but_rings(kinds: dict[SellerKind, Kind]) -> dict[SellerKind, Kind]:
    sums_to_one({kind: law.share for kind, law in kinds.items()})
    return kinds


MOST_PHOTOS = 8
"""Of one listing."""
MOST_PREVALENCE = 0.9
"""Above it, there would be too few honest sellers to pose as."""
MOST_QUALITY = 95
"""Of a JPEG file; above it, files grow and photos do not improve."""
Prevalence = Annotated[float, Field(ge=0, le=MOST_PREVALENCE)]


class MarketSettings(Section):
    """One market's causes and signals."""

    prevalence: Prevalence
    calendar: CalendarSettings
    brands: BrandSettings
    sellers: SellerSettings
    kinds: Annotated[
        dict[SellerKind, Kind], AfterValidator(names_all(HONEST_GUISES, "law")), AfterValidator(_all_but_rings)
    ]
    ring: Ring
    counterfeits_from: Annotated[dict[SellerKind, Probability], AfterValidator(sums_to_one)]
    guises: Annotated[dict[Guise, Presentation], AfterValidator(names_all(Guise, "presentation"))]
    photo_counts: Annotated[dict[Annotated[int, Field(ge=1, le=MOST_PHOTOS)], Probability], AfterValidator(sums_to_one)]
    second_view: Annotated[dict[View, Probability], AfterValidator(sums_to_one)]
    jpeg_quality: Annotated[tuple[int, int], AfterValidator(_are_qualities)]
    relisted: Relisted
    copied_exactly: Probability
    offerings: Annotated[dict[Offering, Probability], AfterValidator(sums_to_one)]
    genuine: GenuineSignals
    counterfeit: CounterfeitSignals
    prices: PriceSettings
    nightly: NightlySettings

    @model_validator(mode="after")
    def _rings_can_pose_as_all(self) -> Self:
        if not self.counterfeits_from.get(SellerKind.RING):
            raise ValueError("counterfeits_from must leave a share for rings")
        exposed = [guise.value for guise, share in self.ring_guises.items() if share < 0]
        if exposed:
            raise ValueError(
                f"counterfeits_from has honest sellers sell more counterfeits in the guise of a {', '.join(exposed)} "
                "than go with its share of the trade, so the guise would tell the label"
            )
        return self

    @cached_property
    def traded(self) -> dict[SellerKind, tuple[float, float]]:
        """P(kind of seller and genuine), P(kind of seller and counterfeit)."""
        fakes = {kind: self.prevalence * self.counterfeits_from.get(kind, 0.0) for kind in SellerKind}
        decoys = fakes[SellerKind.RING] * self.ring.decoys / (1 - self.ring.decoys)
        honest = 1 - self.prevalence - decoys
        return {SellerKind.RING: (decoys, fakes[SellerKind.RING])} | {
            kind: (honest * law.share, fakes[kind]) for kind, law in self.kinds.items()
        }

    @cached_property
    def kind_shares(self) -> dict[SellerKind, float]:
        """P(kind of seller)."""
        return {kind: sum(self.traded[kind]) for kind in SellerKind}

    def sources(self, kind: SellerKind) -> Mapping[Source, float]:
        """P(source of the goods | kind of seller)."""
        genuine, fakes = self.traded[kind]
        replicas = fakes / (genuine + fakes) if fakes else 0.0
        laws = {Source.BRAND: 1.0} if kind is SellerKind.RING else self.kinds[kind].sources
        return {source: (1 - replicas) * share for source, share in laws.items()} | {Source.REPLICA_FACTORY: replicas}

    @cached_property
    def guise_shares(self) -> dict[Guise, float]:
        """P(guise), the same among genuine and among counterfeit listings."""
        decoys, _ = self.traded[SellerKind.RING]
        posing = decoys / (1 - self.prevalence)
        return {
            guise: posing * self.ring_guises[guise] + (1 - posing) * self._honest(guise, of_counterfeits=False)
            for guise in Guise
        }

    @cached_property
    def ring_guises(self) -> dict[Guise, float]:
        """P(what an account poses as | ring): what makes the guise tell nothing of the label."""
        decoys, _ = self.traded[SellerKind.RING]
        posing, rings = decoys / (1 - self.prevalence), self.counterfeits_from[SellerKind.RING]
        return {
            guise: (
                (1 - posing) * self._honest(guise, of_counterfeits=False) - self._honest(guise, of_counterfeits=True)
            )
            / (rings - posing)
            for guise in Guise
        }

    def unwitting_share(self, guise: Guise) -> float:
        """P(the seller does not know | counterfeit, guise)."""
        shown = self.guise_shares[guise]
        return self._honest(guise, of_counterfeits=True) / shown if shown else 0.0

    def poses_as(self, kind: SellerKind) -> Mapping[Guise, float]:
        """P(guise | kind of seller): honest kinds look like what they are."""
        return self.ring_guises if kind is SellerKind.RING else {HONEST_GUISES[kind]: 1.0}

    def _honest(self, guise: Guise, *, of_counterfeits: bool) -> float:
        """P(guise | honest seller of genuine goods), or P(guise and honest seller | counterfeit)."""
        return sum(
            self.counterfeits_from.get(kind, 0.0) if of_counterfeits else law.share
            for kind, law in self.kinds.items()
            if HONEST_GUISES[kind] is guise
        )

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
