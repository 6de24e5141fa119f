from collections import Counter

import numpy as np
import pytest

from counterfeit_risk.listings.listing import Label
from counterfeit_risk.market.sellers import CONDUCT, KNOWN_SELLER_SHARE, SellerKind, SellerPool


@pytest.fixture
def pool():
    return SellerPool.open(np.random.default_rng(0), 2000)


def everyone(pool):
    return [seller for sellers in pool.accounts.values() for seller in sellers]


def test_the_shares_of_all_kinds_sum_to_one():
    assert sum(conduct.of_genuine for conduct in CONDUCT.values()) == pytest.approx(1)
    assert sum(conduct.of_counterfeit for conduct in CONDUCT.values()) == pytest.approx(1)


def test_no_two_accounts_share_an_id(pool):
    ids = [seller.seller_id for seller in everyone(pool)]
    assert len(set(ids)) == len(ids) == len(pool)


def test_only_rings_are_groups_of_a_few_accounts(pool):
    assert {seller.kind for seller in everyone(pool) if seller.group} == {SellerKind.RING}
    sizes = Counter(seller.group for seller in pool.accounts[SellerKind.RING])
    assert None not in sizes
    assert max(sizes.values()) <= 4


@pytest.mark.parametrize("listings", [0, 1, 100])
def test_even_a_small_market_has_rings_enough_to_split(listings):
    pool = SellerPool.open(np.random.default_rng(0), listings)
    assert len({seller.group for seller in pool.accounts[SellerKind.RING]}) >= 4


def test_an_id_does_not_tell_an_account_s_kind(pool):
    ranks = [np.mean([int(s.seller_id[1:]) for s in sellers]) / len(pool) for sellers in pool.accounts.values()]
    assert all(0.3 < rank < 0.7 for rank in ranks)


def test_honest_shops_sell_no_counterfeits(pool):
    rng = np.random.default_rng(0)
    kinds = Counter(pool.pick(rng, Label.COUNTERFEIT).kind for _ in range(1000))
    assert kinds[SellerKind.SHOP] == 0
    assert kinds[SellerKind.RING] / 1000 == pytest.approx(CONDUCT[SellerKind.RING].of_counterfeit, abs=0.05)


def test_a_few_accounts_publish_much(pool):
    rng = np.random.default_rng(0)
    volumes = Counter(pool.pick(rng, Label.GENUINE).seller_id for _ in range(2000)).most_common()
    busiest_tenth = sum(count for _, count in volumes[: len(pool) // 10])
    assert 0.35 < busiest_tenth / 2000 < 0.8


def test_most_of_a_later_night_comes_from_new_sellers(pool):
    rng = np.random.default_rng(1)
    tonight = SellerPool.open(rng, 500, after=pool)
    known = {seller.seller_id for seller in everyone(pool)}
    assert known.isdisjoint(seller.seller_id for seller in everyone(tonight))
    assert {s.group for s in everyone(pool)} & {s.group for s in everyone(tonight)} == {None}
    seen = [tonight.pick(rng, Label.GENUINE).seller_id in known for _ in range(2000)]
    assert np.mean(seen) == pytest.approx(KNOWN_SELLER_SHARE, abs=0.04)
