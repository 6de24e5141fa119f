import pytest

from counterfeit_risk.market.brands import BRANDS
from counterfeit_risk.market.products import PRODUCTS
from counterfeit_risk.market.titles import LOOKALIKES

every_brand = pytest.mark.parametrize("brand", BRANDS, ids=lambda brand: brand.name)


def test_no_two_brands_share_a_name_or_a_mark():
    assert len({brand.name for brand in BRANDS}) == len(BRANDS) == 12
    assert len({brand.mark for brand in BRANDS}) == len(BRANDS)


@every_brand
def test_a_brand_sells_goods_that_can_be_drawn(brand):
    assert brand.products
    assert set(brand.products) <= set(PRODUCTS)


@every_brand
def test_a_mark_stands_out_from_its_badge(brand):
    brightness = [0.3 * red + 0.59 * green + 0.11 * blue for red, green, blue in (brand.primary, brand.secondary)]
    assert abs(brightness[0] - brightness[1]) > 60


@every_brand
def test_a_mirrored_mark_looks_different(brand):
    mirrored = {frozenset((round(1 - x, 6), round(y, 6)) for x, y in shape.outline) for shape in brand.mark}
    assert mirrored != {frozenset((round(x, 6), round(y, 6)) for x, y in shape.outline) for shape in brand.mark}


@every_brand
def test_a_name_has_letters_that_have_lookalikes(brand):
    assert LOOKALIKES.keys() & set(brand.name)


@every_brand
def test_the_dearest_goods_cost_more_than_the_cheapest(brand):
    assert 0 < brand.price[0] < brand.price[1]


def test_every_product_is_sold_by_some_brand():
    assert set(PRODUCTS) == {product for brand in BRANDS for product in brand.products}
