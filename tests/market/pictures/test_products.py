import numpy as np
import pytest
from PIL import Image, ImageDraw

from counterfeit_risk.market.pictures.plain_goods import PLAIN_GOODS
from counterfeit_risk.market.pictures.products import COLOURWAYS, PRODUCTS
from counterfeit_risk.market.pictures.shapes import Placement, box, fill, fitted

GOODS_INKS = {"body", "shade", "light", "trim", "dark"}
every_product = pytest.mark.parametrize("product", PRODUCTS.values(), ids=lambda product: product.category)
every_good = pytest.mark.parametrize(
    "product", [*PRODUCTS.values(), *PLAIN_GOODS.values()], ids=lambda product: product.category
)


def covered(shapes, side=160):
    """Which pixels shapes cover (H, W); the unit square is the middle of the canvas."""
    canvas = Image.new("1", (side, side))
    for shape in shapes:
        ImageDraw.Draw(canvas).polygon(Placement((side / 2, side / 2), side * 0.8).land_all(shape.outline), fill=1)
    return np.asarray(canvas)


def test_the_ten_kinds_of_goods_are_there():
    clothes = {"sneaker", "t-shirt", "cap", "backpack", "jacket"}
    accessories = {"handbag", "watch", "sunglasses", "perfume", "headphones"}
    assert PRODUCTS.keys() == clothes | accessories


def test_goods_are_found_by_their_category():
    assert all(category == product.category for category, product in {**PRODUCTS, **PLAIN_GOODS}.items())


@every_good
def test_goods_are_drawn_in_the_inks_of_goods(product):
    assert {shape.ink for shape in product.shapes} <= GOODS_INKS
    assert "body" in {shape.ink for shape in product.shapes}


@every_good
def test_goods_fill_most_of_the_unit_square_and_hardly_leave_it(product):
    outline = np.array([point for shape in product.shapes for point in shape.outline])
    assert outline.min() > -0.1
    assert outline.max() < 1.12
    assert np.ptp(outline, axis=0).max() > 0.85
    assert product.foot == outline[:, 1].max()


@every_good
def test_seams_run_along_the_goods(product):
    goods = covered(product.shapes)
    assert product.seams
    for seam in product.seams:
        landed = np.array(Placement((80, 80), 128).land_all(seam)).round().astype(int)
        assert goods[landed[:, 1], landed[:, 0]].mean() > 0.9


@every_product
def test_a_mark_is_large_and_nearly_all_on_the_goods(product):
    mark = covered([fitted(box("edge", 0, 0, 1, 1), product.mark_centre, product.mark_side)])
    assert 0.3 <= product.mark_side <= 0.46
    assert covered(product.shapes)[mark].mean() > 0.97


@pytest.mark.parametrize("product", PLAIN_GOODS.values(), ids=lambda product: product.category)
def test_plain_goods_have_no_mark(product):
    assert product.mark_side == 0


@every_good
def test_the_colourway_shows(product):
    def picture(body):
        inks = dict.fromkeys(GOODS_INKS, (128, 128, 128)) | {"body": body}
        canvas = Image.new("RGB", (96, 96))
        fill(ImageDraw.Draw(canvas), product.shapes, Placement((48, 48), 80), inks)
        return np.asarray(canvas)

    changed = (picture(COLOURWAYS["red"]) != picture(COLOURWAYS["navy"])).any(axis=2)
    assert changed.mean() > 0.05


def test_no_two_colourways_are_easily_mistaken():
    colours = list(COLOURWAYS.values())
    assert min(np.linalg.norm(np.subtract(a, b)) for n, a in enumerate(colours) for b in colours[:n]) > 40
