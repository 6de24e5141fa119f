"""The true probability that a listing is counterfeit, given its photos, its title, or both.

The market knows its causes, so Bayes' rule gives these exactly: the likelihood of all that a listing shows, summed over
the months and over the ways in which a counterfeit gives itself away. The observer sees every tell, however slight, and
the brand behind every disguise but its removal, and no price, no seller and no time: a model of photos and title can do
no better. Knows no pixel and no word.
"""

from dataclasses import dataclass

import numpy as np

from counterfeit_risk.market.calendar import BrandCatalog
from counterfeit_risk.market.causes import Laws
from counterfeit_risk.market.items import REPLICA_CATEGORY, offering_shares
from counterfeit_risk.market.likelihoods import ClaimLikelihood, Likelihoods, Months, TellLikelihood
from counterfeit_risk.market.offers import Offer
from counterfeit_risk.market.words.phrases import Offering


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


_NEVER_COUNTERFEIT = _Weighed(1.0, 0.0)
_DECIMALS = 12


class Posteriors:
    """Bayes' rule for one period of a market."""

    def __init__(self, laws: Laws, brands: BrandCatalog) -> None:
        self._settings = laws.settings
        self._brands = brands
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
        photo = self._likelihoods.photo_tells(offer.shown, offer.evasions)
        title = self._likelihoods.title_tells(offer.content)
        return Posterior(
            fused=self._posterior(offer, self._fused(offer, photo, title)),
            photo=self._posterior(offer, self._photo(offer, photo)),
            title=self._posterior(offer, self._title(offer, title)),
        )

    def _posterior(self, offer: Offer, weighed: _Weighed) -> float:
        genuine, counterfeit = self._settings.guise_shares[offer.causes.seller.guise]
        against = genuine * float((self._months[0] * weighed.genuine).sum())
        for_it = counterfeit * float((self._months[1] * weighed.counterfeit).sum())
        # processors sum in different orders: listings that show the same stay equal only without the last bits
        return round(for_it / (for_it + against), _DECIMALS)

    def _photo(self, offer: Offer, photo: TellLikelihood) -> _Weighed:
        item = offer.shown.item
        if not item.marked:
            return _NEVER_COUNTERFEIT
        brand, category = self._brands.brands[item.brand], item.product.category
        offered = offering_shares(self._settings, brand)
        of_its_goods = 1 / len(brand.products) if category in brand.products else 0.0
        genuine = (offered[Offering.BRANDED] + offered[Offering.BUNDLE]) * of_its_goods
        if category == REPLICA_CATEGORY:
            genuine += offered.get(Offering.REPLICA_SHIRT, 0.0)
        shares = self._brand_shares(offer)
        told = self._crude * photo.speaking + (1 - self._crude) * photo.quiet
        return _Weighed(shares * genuine * photo.quiet, shares * of_its_goods * told)

    def _title(self, offer: Offer, title: TellLikelihood) -> _Weighed:
        if offer.content.offering not in {Offering.BRANDED, Offering.TRAP, Offering.UNBRANDED}:
            return _NEVER_COUNTERFEIT
        claim = self._likelihoods.claim(
            offer.content, official=self._settings.guises[offer.causes.seller.guise].official_photos
        )
        crude, fine = (self._told(title, claim, crude=crude) for crude in (True, False))
        return _Weighed(claim.genuine * title.quiet, self._crude * crude + (1 - self._crude) * fine)

    def _fused(self, offer: Offer, photo: TellLikelihood, title: TellLikelihood) -> _Weighed:
        item = offer.shown.item
        if item.offering is not Offering.BRANDED:
            return _NEVER_COUNTERFEIT
        claim = self._likelihoods.claim_given_photos(offer.shown, offer.content)
        branded = offering_shares(self._settings, self._brands.brands[item.brand])[Offering.BRANDED]
        shares = self._brand_shares(offer)
        crude = photo.speaking * self._told(title, claim, crude=True)
        fine = photo.quiet * self._told(title, claim, crude=False)
        genuine = branded * photo.quiet * title.quiet * claim.genuine
        return _Weighed(shares * genuine, shares * (self._crude * crude + (1 - self._crude) * fine))

    def _told(self, title: TellLikelihood, claim: ClaimLikelihood, *, crude: bool) -> Months:
        """Likelihood of a counterfeit's title, where its goods are crude or fine."""
        speaks = self._speaks[crude]
        contradicts = 0.0 if crude else self._contradicts
        claimed = contradicts * claim.contradicting + (1 - contradicts) * claim.silent
        return speaks * title.speaking * claim.silent + (1 - speaks) * title.quiet * claimed

    def _brand_shares(self, offer: Offer) -> Months:
        return self._likelihoods.brand_shares(offer.shown.item.brand, official=offer.shown.official)
