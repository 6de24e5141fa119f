"""Synthetic listings in plenty, without photos, and a quick model of their titles.

Knows no calibration and no band.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import logit
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression

from counterfeit_risk.market.calendar import Period, draw_catalog
from counterfeit_risk.market.causes import Laws
from counterfeit_risk.market.drawing import LABELED
from counterfeit_risk.market.items import Stock
from counterfeit_risk.market.offers import Offer, OfferDraw
from counterfeit_risk.market.posterior import Posteriors
from counterfeit_risk.market.sellers import open_accounts
from counterfeit_risk.market.settings import load_market_settings

_LETTERS = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 4), n_features=2**18)
_LEAST = 1e-6


@dataclass(frozen=True, eq=False)
class Titles:
    """N listings as their titles show them."""

    texts: list[str]
    labels: np.ndarray
    """(N,) bool, True where counterfeit."""
    groups: np.ndarray
    """(N,) accounts, those that the platform knows to be linked as one."""
    hands: np.ndarray
    """(N,) accounts, those of one ring as one."""
    posterior_logits: np.ndarray
    """(N,) log odds of the true posterior given photos and title; NaN where they were not asked for."""


class Market:
    """One catalogue of brands, on which any number of sellers can be drawn."""

    def __init__(self, seed: int) -> None:
        settings = load_market_settings()
        self._catalog = draw_catalog(np.random.default_rng(seed), settings.brands, settings.calendar.months)

    def draw(self, listings: int, *, prevalence: float, seed: int, with_posteriors: bool = False) -> Titles:
        """Listings of new sellers."""
        settings = load_market_settings(prevalence=prevalence)
        period = Period(LABELED, "S", range(1, settings.calendar.months + 1))
        laws = Laws(settings, period)
        posteriors = Posteriors(laws, self._catalog) if with_posteriors else None
        texts, rows = [], []
        for offer in self._offers(laws, period, listings, np.random.default_rng([seed, 1])):
            seller = offer.causes.seller
            group = seller.seller_group or seller.seller_id
            posterior = posteriors.of(offer).fused if posteriors else np.nan
            texts.append(offer.listing.listing.title)
            rows.append((offer.causes.counterfeit, group, seller.ring or group, posterior))
        labels, groups, hands, posterior_risks = (np.array(values) for values in zip(*rows, strict=True))
        return Titles(texts, labels, groups, hands, logit(np.clip(posterior_risks, _LEAST, 1 - _LEAST)))

    def _offers(self, laws: Laws, period: Period, listings: int, rng: np.random.Generator) -> Iterator[Offer]:
        sellers = open_accounts(rng, laws.settings, self._catalog, period, listings=listings)
        stock = Stock(laws.settings, self._catalog)
        return OfferDraw(laws, self._catalog, stock).draw(rng, sellers, range(listings))


class TitleModel:
    """Logistic regression on the letters of a title."""

    def __init__(self, titles: Titles) -> None:
        """Fits the model."""
        self._regression = LogisticRegression(C=2.0, solver="liblinear")
        self._regression.fit(_LETTERS.transform(titles.texts), titles.labels)

    def logits(self, titles: Titles) -> np.ndarray:
        """(N,) log odds, at the prevalence that it was fitted on."""
        logits: np.ndarray = self._regression.decision_function(_LETTERS.transform(titles.texts))
        return logits
