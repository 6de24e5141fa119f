import numpy as np
import pytest
from PIL import Image, ImageChops

from counterfeit_risk.market.backdrops import Place
from counterfeit_risk.market.brands import BRANDS
from counterfeit_risk.market.photos import PHOTO_SIDE, Scene, View, render_photo
from counterfeit_risk.market.products import PLAIN_GOODS, PRODUCTS
from counterfeit_risk.market.signals import PHOTO_TELLS, Tell

NO_TELLS: frozenset[Tell] = frozenset()


def scene(tells=NO_TELLS, *, product="handbag", brand=BRANDS[0], view=View.WHOLE, place=Place.STUDIO, seed=7):
    return Scene((PRODUCTS | PLAIN_GOODS)[product], brand, frozenset(tells), view, place, seed)


def photo_of(a_scene, camera=0):
    return render_photo(a_scene, np.random.default_rng(camera))


def changed_share(a: Image.Image, b: Image.Image):
    """Share of pixels that clearly differ, in [0, 1]."""
    return float((np.asarray(ImageChops.difference(a, b)).max(axis=2) > 40).mean())


def likeness(a: Image.Image, b: Image.Image):
    """Correlation of their pixels: 1 where they differ in exposure only."""
    return float(np.corrcoef(np.asarray(a).ravel(), np.asarray(b).ravel())[0, 1])


@pytest.mark.parametrize("product", [*PRODUCTS, *PLAIN_GOODS])
@pytest.mark.parametrize("place", Place)
def test_every_product_fills_a_good_part_of_its_photo(product, place):
    brand = BRANDS[0] if product in PRODUCTS else None
    photo = photo_of(scene(product=product, brand=brand, place=place))
    assert photo.size == (PHOTO_SIDE, PHOTO_SIDE)
    assert photo.mode == "RGB"
    middle = np.asarray(photo.crop((50, 50, 174, 174)), float)
    assert middle.std() > 15


def test_the_same_scene_and_camera_give_the_same_photo():
    assert photo_of(scene()).tobytes() == photo_of(scene()).tobytes()


@pytest.mark.parametrize("place", Place)
def test_another_camera_takes_another_photo_that_still_shows_the_same_scene(place):
    first, second = (photo_of(scene(place=place), camera) for camera in (1, 2))
    assert first.tobytes() != second.tobytes()
    assert likeness(first, second) > likeness(first, photo_of(scene(place=place, seed=8), camera=1))


@pytest.mark.parametrize("tell", PHOTO_TELLS)
@pytest.mark.parametrize("brand", BRANDS, ids=lambda brand: brand.name)
def test_a_tell_changes_the_mark_from_near(tell, brand):
    honest, told = (photo_of(scene(tells, brand=brand, view=View.MARK)) for tells in (NO_TELLS, {tell}))
    assert changed_share(honest, told) > 0.02


@pytest.mark.parametrize("tell", PHOTO_TELLS)
@pytest.mark.parametrize("product", PRODUCTS)
def test_a_tell_changes_the_mark_and_little_else_of_the_goods(tell, product):
    share = changed_share(photo_of(scene(product=product)), photo_of(scene({tell}, product=product)))
    assert 0.005 < share < 0.2


def test_all_tells_can_be_shown_at_once():
    assert changed_share(photo_of(scene()), photo_of(scene(PHOTO_TELLS))) > 0.02


def test_a_brand_s_own_colours_are_in_its_mark():
    colours = np.asarray(photo_of(scene(view=View.MARK)), float).reshape(-1, 3)
    assert (np.abs(colours - BRANDS[0].primary).max(axis=1) < 15).mean() > 0.05


def test_goods_without_a_mark_are_shown_whole_instead_of_near():
    whole, near = (photo_of(scene(product="strap", brand=None, view=view)) for view in View)
    assert whole.tobytes() == near.tobytes()


def test_a_home_is_darker_than_a_studio():
    studio, home = (np.asarray(photo_of(scene(place=place)), float).mean() for place in (Place.STUDIO, Place.HOME))
    assert home < studio
