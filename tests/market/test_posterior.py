import itertools

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from counterfeit_risk.market.drawing import LABELED, NIGHTLY
from counterfeit_risk.market.settings import default_market_settings
from counterfeit_risk.market.signals import Contradiction
from counterfeit_risk.market.words.phrases import Offering

SEEN = ("fused", "photo", "title")
EDGES = (0, 0.04, 0.07, 0.1, 0.15, 0.3, 0.6, 0.9, 1.01)


def arrays(drawn, seen, table=LABELED):
    rows = [listing for listing in drawn if listing.table == table]
    labels = np.array([listing.offer.causes.counterfeit for listing in rows])
    return labels, np.array([getattr(listing.posterior, seen) for listing in rows])


@pytest.mark.parametrize("seen", SEEN)
def test_of_listings_with_one_posterior_that_share_is_counterfeit(drawn, seen):
    labels, posteriors = arrays(drawn, seen)
    for low, high in itertools.pairwise(EDGES):
        chosen = (posteriors >= low) & (posteriors < high)
        if chosen.sum() >= 40:
            expected = posteriors[chosen].mean()
            deviation = np.sqrt(expected * (1 - expected) / chosen.sum())
            assert abs(labels[chosen].mean() - expected) < 4.5 * deviation + 0.005, (low, high)


@pytest.mark.parametrize("table", [LABELED, NIGHTLY])
def test_photo_and_title_complement_each_other(drawn, table):
    ceilings = {seen: average_precision_score(*arrays(drawn, seen, table)) for seen in SEEN}
    assert 0.7 < ceilings["fused"] < 0.95
    assert max(ceilings["photo"], ceilings["title"]) <= 0.75 * ceilings["fused"]


def test_some_counterfeits_cannot_be_told_by_anybody(drawn):
    labels, posteriors = arrays(drawn, "fused")
    assert 0.10 <= (posteriors[labels] <= default_market_settings().prevalence).mean() <= 0.20


def test_some_counterfeits_show_only_as_a_contradiction(drawn):
    contradicted = [
        d for d in drawn if d.offer.giveaway.contradicts and d.offer.content.contradiction is not Contradiction.NONE
    ]
    shown = [d for d in contradicted if d.posterior.fused > 0.6 and max(d.posterior.photo, d.posterior.title) < 0.2]
    assert len(shown) > 0.5 * len(contradicted) > 50


def test_goods_without_a_mark_are_never_counterfeit(drawn):
    for listing in drawn:
        if listing.offer.shown.item.offering in {Offering.ACCESSORY, Offering.HOMONYM}:
            assert listing.posterior.photo == listing.posterior.title == listing.posterior.fused == 0


def test_a_title_without_a_brand_may_hide_one_until_the_photos_are_seen(drawn):
    unbranded = [d.posterior for d in drawn if d.offer.shown.item.offering is Offering.UNBRANDED]
    assert all(0 < posterior.title < 0.9 for posterior in unbranded)
    assert all(posterior.photo == posterior.fused == 0 for posterior in unbranded)


def test_a_gross_tell_raises_the_posterior_of_the_photos_alone(drawn):
    gross = [d for d in drawn if max(d.offer.shown.grades.values(), default=0) == 3]
    assert np.median([d.posterior.photo for d in gross]) > 0.8
    assert np.median([d.posterior.title for d in gross]) < 0.2
