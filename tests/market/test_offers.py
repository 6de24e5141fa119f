from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from counterfeit_risk.listings.listing import Label
from counterfeit_risk.market.offers import Period, draw_offers
from counterfeit_risk.market.products import PLAIN_GOODS
from counterfeit_risk.market.sellers import PREVALENCE, SellerPool

PERIOD = Period(datetime(2025, 1, 6, tzinfo=UTC), timedelta(days=10))


def draw(count, seed=0):
    rng = np.random.default_rng(seed)
    return list(draw_offers(rng, SellerPool.open(rng, count), range(count), PERIOD))


@pytest.fixture(scope="module")
def offers():
    return draw(2000)


def of(label, offers):
    return [offer for offer in offers if offer.listing.label is label]


def test_the_same_seed_draws_the_same_offers():
    assert draw(50) == draw(50)
    assert draw(50) != draw(50, seed=1)


def test_counterfeits_are_as_frequent_as_the_prevalence_says(offers):
    assert len(of(Label.COUNTERFEIT, offers)) / len(offers) == pytest.approx(PREVALENCE, abs=0.02)


def test_ids_are_distinct_and_in_the_order_of_publication(offers):
    listings = [offer.listing.listing for offer in offers]
    assert len({listing.listing_id for listing in listings}) == len(listings)
    assert listings == sorted(listings, key=lambda listing: (listing.created_at, listing.listing_id))


def test_everything_is_published_within_the_period_and_labelled_later(offers):
    for offer in offers:
        published = offer.listing.listing.created_at
        assert PERIOD.start <= published < PERIOD.start + PERIOD.length
        assert offer.listing.labelled_at > published


def test_each_photo_has_a_scene_and_a_path_of_its_own(offers):
    assert all(1 <= len(offer.scenes) == len(offer.listing.listing.photos) <= 4 for offer in offers)
    paths = [photo.path for offer in offers for photo in offer.listing.listing.photos]
    assert len(set(paths)) == len(paths)


def test_only_the_accounts_of_one_ring_show_the_same_scenes(offers):
    sources = defaultdict(set)
    for offer in offers:
        sources[offer.scenes].add(offer.listing.seller_group or offer.listing.listing.seller_id)
    assert all(len(source) == 1 for source in sources.values())
    shown = Counter(offer.scenes for offer in offers if offer.listing.seller_group)
    assert sum(shown.values()) > 1.2 * len(shown)


def test_relisted_goods_are_shown_by_more_than_one_account(offers):
    accounts = defaultdict(set)
    for offer in offers:
        accounts[offer.scenes].add(offer.listing.listing.seller_id)
    assert max(len(ids) for ids in accounts.values()) > 1


def test_rings_hide_among_genuine_listings_of_their_own(offers):
    labels = Counter(offer.listing.label for offer in offers if offer.listing.seller_group)
    assert labels[Label.COUNTERFEIT] > labels[Label.GENUINE] > 0


def test_counterfeits_always_claim_a_brand_and_some_genuine_goods_do_not(offers):
    assert all(offer.listing.listing.brand for offer in of(Label.COUNTERFEIT, offers))
    plain = [offer for offer in offers if offer.listing.listing.category in PLAIN_GOODS]
    assert plain
    assert all(offer.listing.listing.brand is None and offer.scenes[0].brand is None for offer in plain)


def test_some_counterfeits_show_another_mark_than_their_title_claims(offers):
    contradicted = [
        offer for offer in of(Label.COUNTERFEIT, offers) if offer.scenes[0].brand.name != offer.listing.listing.brand
    ]
    assert 0.02 < len(contradicted) / len(of(Label.COUNTERFEIT, offers)) < 0.12


def test_prices_are_whole_cents_above_zero(offers):
    prices = [offer.listing.listing.price for offer in offers]
    assert min(prices) > 0
    assert all(price == round(price, 2) and type(price) is float for price in prices)


def test_counterfeits_are_cheaper_but_many_ask_a_near_genuine_price(offers):
    asked = [offer.listing.listing.price for offer in of(Label.COUNTERFEIT, offers)]
    genuine = [o.listing.listing.price for o in of(Label.GENUINE, offers) if o.listing.listing.brand]
    assert np.median(asked) < np.median(genuine)
    assert np.mean(np.array(asked) > np.median(genuine)) > 0.15
