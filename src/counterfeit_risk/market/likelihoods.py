"""How likely the law of genuine goods, and that of counterfeits, make what a listing shows.

Knows no prior: `posterior` weighs these. Arrays are (M,), one value a month of the period.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from counterfeit_risk.market.calendar import BrandCatalog
from counterfeit_risk.market.causes import Laws
from counterfeit_risk.market.claims import TitleContent, other_brands
from counterfeit_risk.market.items import NEEDS_BRAND, PLAIN_CATEGORIES, Shown, offering_shares
from counterfeit_risk.market.settings import GenuineSignals, Regime
from counterfeit_risk.market.signals import BrandTreatment, Contradiction, FileEvasion, PhotoTell
from counterfeit_risk.market.words.phrases import Offering
from counterfeit_risk.market.words.titles import NAMING_OFFERINGS

Months = NDArray[np.float64]


@dataclass(frozen=True)
class TellLikelihood:
    """Likelihood of a modality's tells under each of its two laws."""

    quiet: float
    """The law of genuine listings, and of counterfeits that this modality does not give away."""
    speaking: Months
    """The law of counterfeits that it does give away."""


@dataclass(frozen=True)
class ClaimLikelihood:
    """Likelihood of what a title claims, whatever the photos show or given what they show."""

    genuine: Months
    silent: Months
    """Of a counterfeit under the genuine law of contradictions."""
    contradicting: Months
    """Of a counterfeit under the law of those that only a contradiction gives away."""


class Likelihoods:
    """The likelihoods of one period of a market."""

    def __init__(self, laws: Laws, brands: BrandCatalog) -> None:
        self._settings = laws.settings
        self._brands = brands
        self._months = tuple(laws.period.months)
        self.regimes = tuple(self._settings.regime(month) for month in self._months)
        self._shares = np.array([brands.shares(month) for month in self._months])
        self._branded = np.array([offering_shares(self._settings, b)[Offering.BRANDED] for b in brands.brands])
        self._kinds = np.array([len(brand.products) for brand in brands.brands])
        # a catalogue is of a brand that was there when the period began
        self._shares_by_kind_of_photos = {True: np.tile(self._shares[0], (len(self._months), 1)), False: self._shares}
        self._other_brands = cache(self._find_other_brands)
        self._claim_shares = cache(self._count_claims)

    def by_month(self, value: Callable[[Regime], float]) -> Months:
        """A value of each month's regime."""
        return np.array([value(regime) for regime in self.regimes])

    def brand_shares(self, brand: int, *, official: bool) -> Months:
        """P(brand | month), where the photos are the brand's own or the seller's."""
        return self._shares_by_kind_of_photos[official][:, brand]

    def photo_tells(self, shown: Shown, evasions: frozenset[FileEvasion]) -> TellLikelihood:
        """Of the tells on the goods and of what was done to the files."""
        possible = [e for e in FileEvasion if e is not FileEvasion.COLLAGE or shown.photo_count > 1]

        def tells(law: Mapping[PhotoTell, tuple[float, ...]]) -> float:
            return prod(_grade_probability(law[tell], shown.grades.get(tell, 0)) for tell in shown.visible_tells)

        def files(law: Mapping[FileEvasion, float]) -> float:
            return prod(law[evasion] if evasion in evasions else 1 - law[evasion] for evasion in possible)

        genuine, counterfeit = self._settings.genuine, self._settings.counterfeit
        return TellLikelihood(
            quiet=tells(genuine.photo_tells) * files(genuine.file_evasions),
            speaking=tells(counterfeit.photo_tells) * self.by_month(lambda regime: files(regime.file_evasions)),
        )

    def title_tells(self, content: TitleContent) -> TellLikelihood:
        """Of the tells in the title's words, and of how it writes the brand."""

        def words(law: GenuineSignals | Regime) -> float:
            told = prod(p if tell in content.wording.tells else 1 - p for tell, p in law.title_tells.items())
            if _is_nameless(content):
                return told * law.brand_treatments.get(BrandTreatment.REMOVED, 0.0)
            named = content.offering in NAMING_OFFERINGS
            return told * (law.brand_treatments.get(content.wording.treatment, 0.0) if named else 1.0)

        return TellLikelihood(quiet=words(self._settings.genuine), speaking=self.by_month(words))

    def claim_given_photos(self, shown: Shown, content: TitleContent) -> ClaimLikelihood:
        """P(claim | what the photos of branded goods show)."""
        silent, contradicting = (self._given_photos(shown, content, law) for law in self._contradiction_laws())
        return ClaimLikelihood(genuine=silent, silent=silent, contradicting=contradicting)

    def claim(self, content: TitleContent, *, official: bool) -> ClaimLikelihood:
        """P(claim), whatever the photos show: of branded goods, or of plain ones that may hide branded ones."""
        laws = self._contradiction_laws()
        if content.offering is Offering.TRAP:
            return self._plain_claim(laws, official=official)
        if _is_nameless(content):
            return self._nameless_claim(content.category, laws, official=official)
        likelihoods = []
        for law, counterfeit in ((laws[0], False), (laws[0], True), (laws[1], True)):
            own, alone, others = self._claim_shares(
                content.brand, content.category, official=official, counterfeit=counterfeit
            )
            same = law[Contradiction.NONE] + law[Contradiction.OTHER_MODEL]
            likelihoods.append(own * same + law[Contradiction.OTHER_BRAND] * (alone + others))
        return ClaimLikelihood(*likelihoods)

    def _plain_claim(self, laws: tuple[Mapping[Contradiction, Months], ...], *, official: bool) -> ClaimLikelihood:
        shares = self._shares_by_kind_of_photos[official]
        traps = np.full(len(self._months), self._settings.offerings.get(Offering.TRAP, 0.0))
        for offering, fits in NEEDS_BRAND.items():
            there = self._shares @ np.array([fits(brand) for brand in self._brands.brands])
            traps += np.where(there > 0, 0.0, self._settings.offerings.get(offering, 0.0))
        hidden, hidden_alone = (law[Contradiction.HIDDEN_LINK] for law in laws)
        return ClaimLikelihood(
            genuine=traps + shares @ self._branded * hidden, silent=hidden, contradicting=hidden_alone
        )

    def _nameless_claim(
        self, category: str, laws: tuple[Mapping[Contradiction, Months], ...], *, official: bool
    ) -> ClaimLikelihood:
        """Of goods without a word of their brand: it was removed, or there is none."""
        sold = np.array([category in brand.products for brand in self._brands.brands]) / self._kinds
        shares = self._shares_by_kind_of_photos[official]
        seen, seen_alone = (1 - law[Contradiction.HIDDEN_LINK] for law in laws)
        unbranded = self._settings.offerings.get(Offering.UNBRANDED, 0.0) / len(PLAIN_CATEGORIES[Offering.UNBRANDED])
        removed = self._settings.genuine.brand_treatments.get(BrandTreatment.REMOVED, 0.0)
        # the likelihood of the title's tells counts the removal, which goods without a brand do not need
        honest = unbranded / max(removed, np.finfo(float).tiny)
        return ClaimLikelihood(
            genuine=shares @ (sold * self._branded) * seen + honest,
            silent=shares @ sold * seen,
            contradicting=shares @ sold * seen_alone,
        )

    def _contradiction_laws(self) -> tuple[Mapping[Contradiction, Months], ...]:
        """P(contradiction) by month: the genuine law, and that of counterfeits which nothing else gives away."""
        genuine, counterfeit = [self._settings.genuine] * len(self._months), self.regimes
        return tuple(
            {c: np.array([law.contradictions.get(c, 0.0) for law in laws]) for c in Contradiction}
            for laws in (genuine, counterfeit)
        )

    def _given_photos(self, shown: Shown, content: TitleContent, law: Mapping[Contradiction, Months]) -> Months:
        contradiction, brand, category = content.contradiction, shown.item.brand, shown.item.product.category
        if contradiction is Contradiction.HIDDEN_LINK:
            return law[contradiction] / len(PLAIN_CATEGORIES[Offering.TRAP])
        if contradiction is Contradiction.OTHER_MODEL:
            return law[contradiction] / (len(self._brands.brands[brand].products) - 1)
        others: NDArray[np.float64] = self._other_brands(brand, category)
        if contradiction is Contradiction.OTHER_BRAND:
            return law[contradiction] * others[:, content.brand]
        removed = content.wording.treatment is BrandTreatment.REMOVED
        unseen = np.ones(len(self._months)) if removed else 1 - others.sum(axis=1)
        return law[Contradiction.NONE] + law[Contradiction.OTHER_BRAND] * unseen

    def _find_other_brands(self, shown: int, category: str) -> NDArray[np.float64]:
        """(M, brands): P(claimed brand | what is shown, another brand is claimed); 0 where there is no other."""
        weights = np.zeros_like(self._shares)
        for row, month in enumerate(self._months):
            for brand, share in other_brands(self._brands, month, shown, category).items():
                weights[row, brand] = share
        shares: NDArray[np.float64] = weights / np.maximum(weights.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        return shares

    def _count_claims(
        self, brand: int, category: str, *, official: bool, counterfeit: bool
    ) -> tuple[Months, Months, Months]:
        """P(showing such goods), the same where no other brand can be claimed, P(claiming them | another brand's)."""
        shares = self._shares_by_kind_of_photos[official] * (1.0 if counterfeit else self._branded) / self._kinds
        own = shares[:, brand]
        alone = own * (1 - self._other_brands(brand, category).sum(axis=1))
        others = np.zeros(len(self._months))
        for shown, sold in enumerate(self._brands.brands):
            if shown != brand and category in sold.products:
                others = others + shares[:, shown] * self._other_brands(shown, category)[:, brand]
        return own, alone, others


def _is_nameless(content: TitleContent) -> bool:
    removed = content.offering is Offering.BRANDED and content.wording.treatment is BrandTreatment.REMOVED
    return removed or content.offering is Offering.UNBRANDED


def _grade_probability(law: tuple[float, ...], grade: int) -> float:
    return law[grade - 1] if grade else 1 - sum(law)
