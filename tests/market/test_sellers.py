from collections import Counter

import numpy as np
import pytest

from counterfeit_risk.market.calendar import Period, draw_catalog
from counterfeit_risk.market.kinds import Guise, SellerKind
from counterfeit_risk.market.sellers import open_accounts
from counterfeit_risk.market.settings import default_market_settings

SETTINGS = default_market_settings()
YEAR = Period("labeled", "S", range(1, 13))
BRANDS = draw_catalog(np.random.default_rng(0), SETTINGS.brands, 12)


def directory(listings=6000, period=YEAR, regulars=None, seed=0):
    return open_accounts(np.random.default_rng(seed), SETTINGS, BRANDS, period, listings=listings, regulars=regulars)


@pytest.fixture(scope="module")
def sellers():
    return directory().sellers


@pytest.fixture(scope="module")
def rings(sellers):
    return [seller for seller in sellers if seller.kind is SellerKind.RING]


def test_no_two_accounts_share_an_id(sellers):
    assert len({seller.seller_id for seller in sellers}) == len(sellers)


def test_an_id_does_not_tell_an_account_s_kind(sellers):
    for kind in SellerKind:
        numbers = [int(seller.seller_id[1:]) for seller in sellers if seller.kind is kind]
        assert 0.3 < np.mean(numbers) / len(sellers) < 0.7


def test_honest_sellers_look_like_what_they_are_and_rings_pose_as_all_of_them(sellers, rings):
    assert all(seller.guise is Guise.DEALER for seller in sellers if seller.kind is SellerKind.DEALER)
    poses = Counter(seller.guise for seller in rings)
    for guise, share in SETTINGS.ring_guises.items():
        assert poses[guise] / len(rings) == pytest.approx(share, abs=0.15)


def test_rings_are_of_a_few_accounts_and_only_some_are_known_to_be_linked(rings):
    sizes = Counter(seller.ring for seller in rings)
    assert 1 <= min(sizes.values()) <= max(sizes.values()) <= 4
    several = {ring for ring, size in sizes.items() if size > 1}
    linked = {seller.ring for seller in rings if seller.seller_group}
    assert linked < several
    assert len(linked) / len(several) == pytest.approx(SETTINGS.sellers.links_known, abs=0.15)


def test_a_known_link_does_not_say_who_is_linked(sellers):
    linked = [seller for seller in sellers if seller.seller_group]
    shares = Counter(seller.kind is SellerKind.RING for seller in linked)
    assert shares[False] > shares[True] > 0
    assert {seller.seller_group[:2] for seller in linked} == {"GS"}
    assert min(Counter(seller.seller_group for seller in linked).values()) > 1


def test_rings_come_and_go_and_in_every_month_there_is_one(rings):
    assert all(len(seller.months) <= SETTINGS.sellers.ring_months for seller in rings)
    assert {month for seller in rings for month in seller.months} == set(YEAR.months)
    assert {seller.months[0] for seller in rings} > {1, 6, 11}


def test_only_accounts_that_are_there_publish(sellers):
    accounts, rng = directory(), np.random.default_rng(1)
    for month in YEAR.months:
        assert all(month in accounts.pick(rng, SellerKind.RING, month).months for _ in range(50))


def test_a_few_accounts_publish_much():
    accounts, rng = directory(), np.random.default_rng(1)
    volumes = Counter(accounts.pick(rng, SellerKind.SHOP, 3).seller_id for _ in range(5000))
    shops = sum(seller.kind is SellerKind.SHOP for seller in accounts.sellers)
    busiest_tenth = sum(count for _, count in volumes.most_common(shops // 10))
    assert 0.2 < busiest_tenth / 5000 < 0.6


@pytest.mark.parametrize("listings", [1, 100])
def test_even_a_small_market_has_rings_enough_to_split(listings):
    accounts = directory(listings)
    assert len({seller.ring for seller in accounts.sellers if seller.ring}) >= 4
    rng = np.random.default_rng(0)
    assert all(accounts.pick(rng, kind, month) for kind in SellerKind for month in YEAR.months)


def test_some_of_a_later_night_comes_from_known_sellers():
    known = directory()
    tonight = directory(1000, Period("nightly", "T", range(13, 14)), known)
    ids = {seller.seller_id for seller in known.sellers}
    assert ids.isdisjoint(seller.seller_id for seller in tonight.sellers)
    rng = np.random.default_rng(2)
    seen = [tonight.pick(rng, SellerKind.SHOP, 13).seller_id in ids for _ in range(2000)]
    assert np.mean(seen) == pytest.approx(SETTINGS.nightly.known_sellers, abs=0.04)
