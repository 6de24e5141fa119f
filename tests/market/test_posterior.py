import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from counterfeit_risk.market.drawing import LABELED, NIGHTLY, MarketPlan, draw_market
from counterfeit_risk.market.kinds import Offering
from counterfeit_risk.market.settings import MarketSettings, default_market_settings, load_market_settings
from counterfeit_risk.market.signals import BrandTreatment, Contradiction

SEEN = ("fused", "photo", "title")
EDGES = (0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.3, 0.6, 0.9)
FEWEST = 50
VISIBLE = {
    "fused": {
        "place": lambda offer: offer.shown.item.place,
        "used": lambda offer: offer.content.used,
        "category": lambda offer: offer.content.category,
        "claim": lambda offer: offer.content.contradiction,
        "brand": lambda offer: offer.content.wording.treatment,
        "tells": lambda offer: (len(offer.shown.grades), bool(offer.content.wording.tells)),
        "goods": lambda offer: offer.shown.item.offering,
    },
    "photo": {
        "place": lambda offer: offer.shown.item.place,
        "category": lambda offer: offer.shown.item.product.category,
        "tells": lambda offer: sorted(offer.shown.grades),
        "files": lambda offer: sorted(offer.evasions),
        "photos": lambda offer: offer.shown.photo_count,
    },
    "title": {
        "used": lambda offer: offer.content.used,
        "category": lambda offer: offer.content.category,
        "tells": lambda offer: sorted(offer.content.wording.tells),
        "brand": lambda offer: (
            BrandTreatment.REMOVED if offer.content.offering is Offering.UNBRANDED else offer.content.wording.treatment
        ),
    },
}
"""By what is judged from, what an observer of it sees."""


def uncommon_market():
    """What is rare by default is common here, so that each of its terms counts."""
    values = default_market_settings().model_dump(mode="json")
    values["prevalence"] = 0.3
    values["offerings"] = {
        "branded": 0.35,
        "replica_shirt": 0.1,
        "bundle": 0.25,
        "trap": 0.1,
        "homonym": 0.05,
        "unbranded": 0.15,
    }
    values["genuine"]["contradictions"] = {"none": 0.7, "other_brand": 0.1, "other_model": 0.1, "hidden_link": 0.1}
    values["genuine"]["brand_treatments"] |= {"plain": 0.684, "removed": 0.3}
    values["counterfeits_from"] = {"ring": 0.8, "reseller": 0.15, "liquidator": 0.05}
    return MarketSettings.model_validate(values)


@pytest.fixture(scope="module", params=["usual", "half of it counterfeit", "uncommon"])
def large_market(request):
    prevalence = 0.5 if request.param.startswith("half") else None
    settings = uncommon_market() if request.param == "uncommon" else load_market_settings(prevalence=prevalence)
    return list(draw_market(MarketPlan(listings=20_000, nightly=0, seed=7, settings=settings)))


def arrays(drawn, seen, table=LABELED):
    rows = [listing for listing in drawn if listing.table == table]
    labels = np.array([listing.offer.causes.counterfeit for listing in rows])
    return labels, np.array([getattr(listing.posterior, seen) for listing in rows])


def deviation(labels, posteriors, items):
    """Of the counterfeits from their expected number, in standard deviations; goods shown again are no new draw."""
    surplus = np.bincount(items, labels - posteriors)
    variance = max((surplus**2).sum(), (posteriors * (1 - posteriors)).sum())
    return surplus.sum() / np.sqrt(max(variance, 1e-9))


def items(drawn):
    return np.unique([listing.offer.shown.item.name for listing in drawn], return_inverse=True)[1]


@pytest.mark.parametrize("seen", SEEN)
def test_of_listings_that_look_alike_the_posterior_is_counterfeit(large_market, seen):
    (labels, posteriors), goods = arrays(large_market, seen), items(large_market)
    cells = {"posterior": np.digitize(posteriors, EDGES)}
    for name, of in VISIBLE[seen].items():
        cells[name] = np.unique([str(of(listing.offer)) for listing in large_market], return_inverse=True)[1]
    for name, cell in cells.items():
        for value in np.unique(cell):
            chosen = cell == value
            if chosen.sum() < FEWEST:
                continue
            assert abs(deviation(labels[chosen], posteriors[chosen], goods[chosen])) < 4.5, (name, value)


@pytest.mark.parametrize("law", ["genuine", "regimes"])
@pytest.mark.parametrize("treatment", ["removed", "invisible"])
def test_what_a_law_never_does_tells_the_other(law, treatment):
    values = default_market_settings().model_dump(mode="json")
    for section in [values["genuine"]] if law == "genuine" else values["counterfeit"]["regimes"]:
        section["brand_treatments"]["plain"] += section["brand_treatments"].pop(treatment)
    settings = MarketSettings.model_validate(values)
    drawn = list(draw_market(MarketPlan(listings=4000, nightly=0, seed=3, settings=settings)))
    for seen in SEEN:
        assert abs(deviation(*arrays(drawn, seen), items(drawn))) < 4.5


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
