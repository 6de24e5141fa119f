"""How likely the law of genuine goods, and those of counterfeits, make what a listing shows.

Knows no prior and no guise: `posterior` weighs these. Arrays are (M,), one value a month of the period.
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
from counterfeit_risk.market.items import NEEDS_BRAND, PLAIN_CATEGORIES, REPLICA_CATEGORY, Shown, offering_shares
from counterfeit_risk.market.kinds import Offering
from counterfeit_risk.market.signal_laws import GenuineSignals, Regime
from counterfeit_risk.market.signals import BrandTreatment, Contradiction, FileEvasion, PhotoTell
from counterfeit_risk.market.words.titles import NAMING_OFFERINGS

Months = NDArray[np.float64]


@dataclass(frozen=True)
class PhotoLikelihood:
    """Likelihood of the tells on the goods and of what was done to the files."""

    quiet: float
    """Of genuine goods, and of copies that are too good to tell."""
    crude: Months
    """Of crude copies that a ring sells."""
    unknowing: float
    """Of crude copies that an honest seller sells."""


@dataclass(frozen=True)
class TitleLikelihood:
    """Likelihood of the tells in a title's words, and of how it writes the brand's name where it has one to write."""

    quiet: float
    """Of genuine goods, and of counterfeits that the title does not give away."""
    speaking: Months
    """Of counterfeits that it does give away."""
    unbranded: float
    """Of genuine goods whose title has no brand to write."""


@dataclass(frozen=True)
class ClaimLikelihood:
    """Likelihood of what a title claims, whatever the photos show or given what they show."""

    genuine: Months
    """Of the brand's goods."""
    silent: Months
    """Of a counterfeit under the genuine law of contradictions."""
    contradicting: Months
    """Of a counterfeit under the law of those that only a contradiction gives away."""
    unbranded: Months | float = 0.0
    """Of genuine goods without a brand."""


class Likelihoods:
    """The likelihoods of one period of a market."""

    def __init__(self, laws: Laws, brands: BrandCatalog) -> None:
        self._settings = laws.settings
        self._laws = laws
        self._brands = brands
        self._months = tuple(laws.period.months)
        self.regimes = tuple(self._settings.regime(month) for month in self._months)
        self._shares = np.array([brands.shares(month) for month in self._months])
        self._branded = np.array([offering_shares(self._settings, b)[Offering.BRANDED] for b in brands.brands])
        self._kinds = np.array([len(brand.products) for brand in brands.brands])
        self._other_brands = cache(self._find_other_brands)
        self._claim_shares = cache(self._count_claims)

    def by_month(self, value: Callable[[Regime], float]) -> Months:
        """A value of each month's regime."""
        return np.array([value(regime) for regime in self.regimes])

    def goods(self, shown: Shown) -> tuple[Months, Months]:
        """P(goods with such a mark | genuine), and the same of counterfeits."""
        brand, category = self._brands.brands[shown.item.brand], shown.item.product.category
        offered, sold = offering_shares(self._settings, brand), category in brand.products
        of_its_goods = 1 / len(brand.products) if sold else 0.0
        genuine = (offered[Offering.BRANDED] + offered[Offering.BUNDLE]) * of_its_goods
        if category == REPLICA_CATEGORY:
            genuine += offered.get(Offering.REPLICA_SHIRT, 0.0)
        shares = self._shares[:, shown.item.brand]
        return shares * genuine, shares * of_its_goods

    def branded_goods(self, brand: int) -> tuple[Months, Months]:
        """P(branded goods of a brand | genuine), and the same of counterfeits."""
        shares = self._shares[:, brand]
        return shares * self._branded[brand], shares

    def photo_tells(self, shown: Shown, evasions: frozenset[FileEvasion], *, official: bool) -> PhotoLikelihood:
        """Of the tells on the goods and of what was done to the files, were the photos the brand's own or not."""
        visible = shown.tells_if(official=official)
        possible = [e for e in FileEvasion if e is not FileEvasion.COLLAGE or shown.photo_count > 1]

        def tells(law: Mapping[PhotoTell, tuple[float, ...]]) -> float:
            if not shown.grades.keys() <= visible:
                return 0.0
            return prod(_grade_probability(law[tell], shown.grades.get(tell, 0)) for tell in visible)

        def files(law: Mapping[FileEvasion, float]) -> float:
            return prod(law[evasion] if evasion in evasions else 1 - law[evasion] for evasion in possible)

        quiet, crude, unknowing = (
            tells(self._laws.photo_tells(crude=crude, deceives=deceives))
            for crude, deceives in ((False, False), (True, True), (True, False))
        )
        unchanged = files(self._settings.genuine.file_evasions)
        return PhotoLikelihood(
            quiet=quiet * unchanged,
            crude=crude * self.by_month(lambda regime: files(regime.file_evasions)),
            unknowing=unknowing * unchanged,
        )

    def title_tells(self, content: TitleContent) -> TitleLikelihood:
        """Of the tells in the title's words, and of how it writes the brand."""
        genuine = self._settings.genuine

        def words(law: GenuineSignals | Regime) -> float:
            return prod(p if tell in content.wording.tells else 1 - p for tell, p in law.title_tells.items())

        def brand(law: GenuineSignals | Regime) -> float:
            if _is_nameless(content):
                return law.brand_treatments.get(BrandTreatment.REMOVED, 0.0)
            named = content.offering in NAMING_OFFERINGS
            return law.brand_treatments.get(content.wording.treatment, 0.0) if named else 1.0

        return TitleLikelihood(
            quiet=words(genuine) * brand(genuine),
            speaking=self.by_month(lambda regime: words(regime) * brand(regime)),
            unbranded=words(genuine),
        )

    def claim_given_photos(self, shown: Shown, content: TitleContent) -> ClaimLikelihood:
        """P(claim | what the photos of branded goods show)."""
        silent, contradicting = (self._given_photos(shown, content, law) for law in self._contradiction_laws())
        return ClaimLikelihood(genuine=silent, silent=silent, contradicting=contradicting)

    def claim(self, content: TitleContent) -> ClaimLikelihood:
        """P(claim), whatever the photos show: of branded goods, or of plain ones that may hide branded ones."""
        laws = self._contradiction_laws()
        if content.offering is Offering.TRAP:
            return self._plain_claim(laws)
        if _is_nameless(content):
            return self._nameless_claim(content.category, laws)
        likelihoods = []
        for law, counterfeit in ((laws[0], False), (laws[0], True), (laws[1], True)):
            own, alone, others = self._claim_shares(content.brand, content.category, counterfeit=counterfeit)
            same = law[Contradiction.NONE] + law[Contradiction.OTHER_MODEL]
            likelihoods.append(own * same + law[Contradiction.OTHER_BRAND] * (alone + others))
        return ClaimLikelihood(*likelihoods)

    def _plain_claim(self, laws: tuple[Mapping[Contradiction, Months], ...]) -> ClaimLikelihood:
        traps = np.full(len(self._months), self._settings.offerings.get(Offering.TRAP, 0.0))
        for offering, fits in NEEDS_BRAND.items():
            there = self._shares @ np.array([fits(brand) for brand in self._brands.brands])
            traps += np.where(there > 0, 0.0, self._settings.offerings.get(offering, 0.0))
        hidden, hidden_alone = (law[Contradiction.HIDDEN_LINK] for law in laws)
        return ClaimLikelihood(self._shares @ self._branded * hidden, hidden, hidden_alone, unbranded=traps)

    def _nameless_claim(self, category: str, laws: tuple[Mapping[Contradiction, Months], ...]) -> ClaimLikelihood:
        """Of goods without a word of their brand: it was removed, or there is none."""
        sold = np.array([category in brand.products for brand in self._brands.brands]) / self._kinds
        seen, seen_alone = (1 - law[Contradiction.HIDDEN_LINK] for law in laws)
        return ClaimLikelihood(
            genuine=self._shares @ (sold * self._branded) * seen,
            silent=self._shares @ sold * seen,
            contradicting=self._shares @ sold * seen_alone,
            unbranded=self._settings.offerings.get(Offering.UNBRANDED, 0.0) / len(PLAIN_CATEGORIES[Offering.UNBRANDED]),
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

    def _count_claims(self, brand: int, category: str, *, counterfeit: bool) -> tuple[Months, Months, Months]:
        """P(showing such goods), the same where no other brand can be claimed, P(claiming them | another brand's)."""
        shares = self._shares * (1.0 if counterfeit else self._branded) / self._kinds
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
