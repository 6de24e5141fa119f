from itertools import combinations

import numpy as np
import pytest

from counterfeit_risk.market.brands import LANGUAGES, draw_brands
from counterfeit_risk.market.pictures.lettering import TYPEFACES
from counterfeit_risk.market.pictures.products import PRODUCTS
from counterfeit_risk.market.words.names import FEWEST_EDITS, HOMONYMS, SHORTEST, edits

BRANDS = draw_brands(np.random.default_rng(0), 24)
MANY = draw_brands(np.random.default_rng(1), 200)
every_brand = pytest.mark.parametrize("brand", BRANDS, ids=lambda brand: brand.name)


def lightness(colour):
    return np.dot((0.3, 0.59, 0.11), colour)


def test_as_many_brands_as_asked_for_are_drawn():
    assert (len(BRANDS), len(MANY)) == (24, 200)
    assert len(draw_brands(np.random.default_rng(0), 2)) == 2


def test_more_brands_than_marks_are_an_error():
    with pytest.raises(ValueError, match="not 1000; ask for fewer"):
        draw_brands(np.random.default_rng(0), 1000)


def test_the_same_seed_draws_the_same_brands():
    assert draw_brands(np.random.default_rng(0), 24) == BRANDS


def test_no_two_names_are_easily_mistaken():
    assert all(edits(a.name, b.name) >= FEWEST_EDITS for a, b in combinations(MANY, 2))
    assert all(len(brand.name) >= SHORTEST and brand.name.isascii() and brand.name.isalpha() for brand in MANY)


def test_no_two_brands_share_a_mark_or_colours():
    assert len({brand.mark for brand in MANY}) == len(MANY)
    assert len({(brand.primary, brand.secondary) for brand in MANY}) == len(MANY)


def test_primary_colours_differ_clearly():
    gaps = [np.linalg.norm(np.subtract(a.primary, b.primary)) for a, b in combinations(BRANDS, 2)]
    assert min(gaps) > 18


@every_brand
def test_a_mark_stands_out_from_its_badge_and_a_wordmark_from_white(brand):
    assert lightness(brand.secondary) - lightness(brand.primary) > 60
    assert lightness(brand.primary) < 175


@every_brand
def test_a_brand_sells_two_kinds_of_goods_or_more_that_can_be_drawn(brand):
    assert len(brand.products) >= 2
    assert {*brand.products} <= PRODUCTS.keys()


@every_brand
def test_the_dearest_goods_cost_twice_the_cheapest(brand):
    assert 20 <= brand.price[0] <= brand.price[1] / 2


@every_brand
def test_a_brand_is_sold_in_every_language(brand):
    assert tuple(brand.languages) == LANGUAGES
    assert sum(brand.languages.values()) == pytest.approx(1)
    assert min(brand.languages.values()) > 0


@every_brand
def test_a_brand_has_a_typeface_and_two_to_four_lines(brand):
    assert brand.typeface in TYPEFACES
    assert 2 <= len({*brand.lines}) == len(brand.lines) <= 4


def test_an_eighth_of_the_names_are_ordinary_words():
    assert sum(brand.homonym for brand in BRANDS) == 3
    assert all((brand.name in HOMONYMS) == brand.homonym for brand in MANY)


@pytest.mark.parametrize("seed", range(5))
def test_every_product_is_sold_by_three_brands_or_more(seed):
    brands = draw_brands(np.random.default_rng(seed), 24)
    sold = [category for brand in brands for category in brand.products]
    assert min(sold.count(category) for category in PRODUCTS) >= 3
