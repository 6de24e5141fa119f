import numpy as np
import pytest

from counterfeit_risk.market.pictures.backdrops import draw_backdrop
from counterfeit_risk.market.pictures.scenes import Place


def backdrop(place, seed=0):
    return draw_backdrop(place, (320, 240), np.random.default_rng(seed))


@pytest.mark.parametrize("place", Place)
def test_a_place_looks_the_same_from_the_same_draws_and_else_different(place):
    first, again, other = (backdrop(place, seed).picture for seed in (1, 1, 2))
    assert first.shape == (3, 240, 320)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_goods_lie_on_floors_and_beds_and_stand_on_shelves():
    assert all(backdrop(place, seed).from_above for place in (Place.FLOOR, Place.BED) for seed in range(5))
    assert not any(backdrop(Place.SHELF, seed).from_above for seed in range(5))


def test_studio_white_is_the_brightest_place():
    means = {place: np.mean([backdrop(place, seed).picture.mean() for seed in range(4)]) for place in Place}
    assert max(means, key=means.__getitem__) is Place.WHITE


def test_only_homes_are_cluttered():
    spread = {place: np.mean([backdrop(place, seed).picture.std() for seed in range(4)]) for place in Place}
    assert max(spread[Place.WHITE], spread[Place.STUDIO]) < min(spread[Place.TABLE], spread[Place.SHELF])
