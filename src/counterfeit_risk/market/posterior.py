"""The true probability that a listing is counterfeit, given its photos, its title, or both.

The market knows its causes, so Bayes' rule gives these exactly: the likelihood of all that a listing shows, summed over
the months, over who may have presented it so, and over the ways in which a counterfeit gives itself away. The observer
sees every tell, however slight, where the photos were taken, whether the goods are called used, and the brand behind
every disguise but its removal, and no price, no seller and no time: a model of photos and title can do no better. Knows
no pixel and no word.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from counterfeit_risk.market.calendar import BrandCatalog
from counterfeit_risk.market.causes import Laws
from counterfeit_risk.market.kinds import Guise, Offering
from counterfeit_risk.market.likelihoods import ClaimLikelihood, Likelihoods, Months, TitleLikelihood
from counterfeit_risk.market.offers import Offer


@dataclass(frozen=True)
class Posterior:
    """P(counterfeit | what is seen) of one listing."""

    fused: float
    photo: float
    title: float


@dataclass(frozen=True)
class _Weighed:
    """Likelihoods of one listing, by month."""

    genuine: Months | float
    counterfeit: Months | float


@dataclass(frozen=True)
class _Presented:
    """How likely photos and title are presented as they are, and look as they do."""

    quiet: float
    """By a seller of genuine goods."""
    fine: float
    """By a ring, with copies that are too good to tell."""
    crude: Months | float
    """By a ring, with crude ones."""
    unknowing: float
    """By an honest seller of copies, crude or not."""


_NEVER_COUNTERFEIT = _Weighed(1.0, 0.0)
_CLAIMS_BRANDED = frozenset({Offering.BRANDED, Offering.TRAP, Offering.UNBRANDED})
"""Offerings of titles that may be those of branded goods, with the brand named, hidden or removed."""
_DECIMALS = 12


class Posteriors:
    """Bayes' rule for one period of a market."""

    def __init__(self, laws: Laws, brands: BrandCatalog) -> None:
        self._settings = laws.settings
        self._likelihoods = Likelihoods(laws, brands)
        self._crude = self._settings.counterfeit.crude
        by_month = self._likelihoods.by_month
        self._speaks = {
            True: by_month(lambda regime: regime.title_speaks.crude),
            False: by_month(lambda regime: regime.title_speaks.fine),
        }
        self._contradicts = by_month(lambda regime: regime.contradicts)
        self._months = [
            np.array(list(laws.month_shares(counterfeit=counterfeit).values())) for counterfeit in (False, True)
        ]

    def of(self, offer: Offer) -> Posterior:
        """The posterior of one listing."""
        title = self._likelihoods.title_tells(offer.content)
        return Posterior(
            fused=self._posterior(self._fused(offer, title)),
            photo=self._posterior(self._photo(offer)),
            title=self._posterior(self._title(offer, title)),
        )

    def _posterior(self, weighed: _Weighed) -> float:
        prevalence = self._settings.prevalence
        against = (1 - prevalence) * float((self._months[0] * weighed.genuine).sum())
        for_it = prevalence * float((self._months[1] * weighed.counterfeit).sum())
        # processors sum in different orders: listings that show the same stay equal only without the last bits
        return round(for_it / (for_it + against), _DECIMALS)

    def _photo(self, offer: Offer) -> _Weighed:
        if not offer.shown.item.marked:
            return _NEVER_COUNTERFEIT
        seen = self._presented(offer, self._guises(offer, by_photos=True))
        genuine, counterfeit = self._likelihoods.goods(offer.shown)
        told = self._crude * seen.crude + (1 - self._crude) * seen.fine + seen.unknowing
        return _Weighed(genuine * seen.quiet, counterfeit * told)

    def _title(self, offer: Offer, title: TitleLikelihood) -> _Weighed:
        if offer.content.offering not in _CLAIMS_BRANDED:
            return _NEVER_COUNTERFEIT
        claim = self._likelihoods.claim(offer.content)
        guises = self._guises(offer, by_title=True)
        unknowing = sum(weight * self._settings.unwitting_share(guise) for guise, weight in guises.items())
        seen = sum(guises.values())
        told = self._crude * self._told(title, claim, crude=True) + (1 - self._crude) * self._told(
            title, claim, crude=False
        )
        return _Weighed(
            genuine=seen * (title.quiet * claim.genuine + title.unbranded * claim.unbranded),
            counterfeit=(seen - unknowing) * told + unknowing * title.quiet * claim.silent,
        )

    def _fused(self, offer: Offer, title: TitleLikelihood) -> _Weighed:
        item = offer.shown.item
        if item.offering is not Offering.BRANDED:
            return _NEVER_COUNTERFEIT
        claim = self._likelihoods.claim_given_photos(offer.shown, offer.content)
        seen = self._presented(offer, self._guises(offer, by_photos=True, by_title=True))
        genuine, counterfeit = self._likelihoods.branded_goods(item.brand)
        crude = self._crude * seen.crude * self._told(title, claim, crude=True)
        fine = (1 - self._crude) * seen.fine * self._told(title, claim, crude=False)
        return _Weighed(
            genuine=genuine * seen.quiet * title.quiet * claim.genuine,
            counterfeit=counterfeit * (crude + fine + seen.unknowing * title.quiet * claim.silent),
        )

    def _guises(self, offer: Offer, *, by_photos: bool = False, by_title: bool = False) -> dict[Guise, float]:
        """P(guise, and what it decides of the photos and the title); who sells what is alike under each guise."""
        weights = {}
        for guise, share in self._settings.guise_shares.items():
            presentation = self._settings.guises[guise]
            place = presentation.places.get(offer.shown.item.place, 0.0) if by_photos else 1.0
            called_used = presentation.used if offer.content.used else 1 - presentation.used
            weights[guise] = share * place * (called_used if by_title else 1.0)
        return weights

    def _presented(self, offer: Offer, guises: Mapping[Guise, float]) -> _Presented:
        quiet = fine = unknowing = 0.0
        crude: Months | float = 0.0
        for official in (False, True):
            of_kind = {
                guise: weight
                for guise, weight in guises.items()
                if weight and self._settings.guises[guise].official_photos is official
            }
            if not of_kind:
                continue
            tells = self._likelihoods.photo_tells(offer.shown, offer.evasions, official=official)
            all_sellers = sum(of_kind.values())
            honest = sum(weight * self._settings.unwitting_share(guise) for guise, weight in of_kind.items())
            quiet += all_sellers * tells.quiet
            fine += (all_sellers - honest) * tells.quiet
            crude += (all_sellers - honest) * tells.crude
            unknowing += honest * (self._crude * tells.unknowing + (1 - self._crude) * tells.quiet)
        return _Presented(quiet, fine, crude, unknowing)

    def _told(self, title: TitleLikelihood, claim: ClaimLikelihood, *, crude: bool) -> Months:
        """Likelihood of the title of a ring's counterfeit, where its goods are crude or fine."""
        speaks = self._speaks[crude]
        contradicts = 0.0 if crude else self._contradicts
        claimed = contradicts * claim.contradicting + (1 - contradicts) * claim.silent
        return speaks * title.speaking * claim.silent + (1 - speaks) * title.quiet * claimed
