"""Draws the hidden causes of a listing: when, by whom, with goods from where, and how a counterfeit gives itself away.

Knows no goods and no words. The label follows from where the goods come from, and from nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from counterfeit_risk.market.calendar import Period, month_shares
from counterfeit_risk.market.chance import Lottery, happens, pick_weighted
from counterfeit_risk.market.kinds import SellerKind, Source
from counterfeit_risk.market.probabilities import GRADES
from counterfeit_risk.market.sellers import Seller, SellerDirectory
from counterfeit_risk.market.settings import MarketSettings
from counterfeit_risk.market.signals import (
    TAMPERING,
    BrandTreatment,
    Contradiction,
    FileEvasion,
    PhotoTell,
    TitleTell,
)


@dataclass(frozen=True)
class Causes:
    """What made a listing what it is; none of it is published but the seller's id."""

    month: int
    seller: Seller
    source: Source

    @property
    def counterfeit(self) -> bool:
        """True where the goods come from the replica factory."""
        return self.source is Source.REPLICA_FACTORY

    @property
    def deceives(self) -> bool:
        """True where the seller knows that the goods are counterfeit."""
        return self.counterfeit and self.seller.kind is SellerKind.RING


@dataclass(frozen=True)
class Giveaway:
    """Where a counterfeit gives itself away; nowhere, where all are False."""

    crude: bool = False
    """In the goods and, where somebody means to deceive, in what was done to their photos."""
    title_speaks: bool = False
    contradicts: bool = False
    """Photos and title are fine, each by itself, and speak of different things."""


class Laws:
    """The settings as laws to draw from: which of them holds follows from the causes."""

    def __init__(self, settings: MarketSettings, period: Period) -> None:
        self.settings = settings
        self.period = period
        self._kinds = Lottery(settings.kind_shares)
        self._months = {label: Lottery(self.month_shares(counterfeit=label)) for label in (False, True)}

    def month_shares(self, *, counterfeit: bool) -> dict[int, float]:
        """P(month | label) over the period."""
        shares = month_shares(self.settings.calendar, counterfeit=counterfeit)
        # months after the calendar's end are like each other
        weights = {month: shares[month - 1] if month <= len(shares) else 1.0 for month in self.period.months}
        return {month: weight / sum(weights.values()) for month, weight in weights.items()}

    def draw_causes(self, rng: np.random.Generator, sellers: SellerDirectory) -> Causes:
        """Kind of seller, then the source of the goods, then the month and the account."""
        kind = self._kinds.draw(rng)
        source = pick_weighted(rng, self.settings.sources(kind))
        month = self._months[source is Source.REPLICA_FACTORY].draw(rng)
        return Causes(month, sellers.pick(rng, kind, month), source)

    def draw_crude(self, rng: np.random.Generator, causes: Causes) -> bool:
        """Whether the goods give a counterfeit away."""
        return causes.counterfeit and happens(rng, self.settings.counterfeit.crude)

    def draw_giveaway(self, rng: np.random.Generator, causes: Causes, *, crude: bool) -> Giveaway:
        """Whether the title gives it away too, or only that photos and title do not agree."""
        if not causes.deceives:
            return Giveaway(crude)
        regime = self.settings.regime(causes.month)
        speaks = happens(rng, regime.title_speaks.crude if crude else regime.title_speaks.fine)
        return Giveaway(crude, speaks, not crude and not speaks and happens(rng, regime.contradicts))

    def photo_tells(self, *, crude: bool, deceives: bool) -> Mapping[PhotoTell, tuple[float, ...]]:
        """P(grade) of each tell, for grades 1 to 3; nobody tampers with photos of goods thought to be genuine."""
        genuine, counterfeit = self.settings.genuine.photo_tells, self.settings.counterfeit.photo_tells
        if not crude:
            return genuine
        return {tell: genuine[tell] if tell in TAMPERING and not deceives else counterfeit[tell] for tell in PhotoTell}

    def file_evasions(self, month: int, *, crude: bool, deceives: bool) -> Mapping[FileEvasion, float]:
        """P(evasion)."""
        evades = crude and deceives
        return self.settings.regime(month).file_evasions if evades else self.settings.genuine.file_evasions

    def brand_treatments(self, month: int, *, title_speaks: bool) -> Mapping[BrandTreatment, float]:
        """P(treatment) of a title that names a brand."""
        law = self.settings.regime(month) if title_speaks else self.settings.genuine
        return law.brand_treatments

    def title_tells(self, month: int, *, title_speaks: bool) -> Mapping[TitleTell, float]:
        """P(tell)."""
        law = self.settings.regime(month) if title_speaks else self.settings.genuine
        return law.title_tells

    def contradictions(self, month: int, *, contradicts: bool) -> Mapping[Contradiction, float]:
        """P(contradiction) of branded goods."""
        law = self.settings.regime(month) if contradicts else self.settings.genuine
        return law.contradictions


def draw_grades(
    rng: np.random.Generator, law: Mapping[PhotoTell, tuple[float, ...]], visible: frozenset[PhotoTell]
) -> dict[PhotoTell, int]:
    """The tells that are seen, with their grades; only those in `visible` can be."""
    grades = {}
    for tell in PhotoTell:  # in a fixed order: a set has none
        if tell in visible:
            chance = rng.random()
            for grade, probability in zip(range(1, GRADES + 1), law[tell], strict=True):
                if chance < probability:
                    grades[tell] = grade
                    break
                chance -= probability
    return grades
