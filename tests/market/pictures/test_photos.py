from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from counterfeit_risk.market.brands import draw_brands
from counterfeit_risk.market.pictures.photos import render_photo
from counterfeit_risk.market.pictures.plain_goods import PLAIN_GOODS
from counterfeit_risk.market.pictures.products import PRODUCTS
from counterfeit_risk.market.pictures.scenes import VISIBLE_IN, Place, Scene, View
from counterfeit_risk.market.signals import PhotoTell

BRANDS = draw_brands(np.random.default_rng(0), 6)
SHOWN = [(view, tell) for view in View for tell in PhotoTell if tell in VISIBLE_IN[view]]
HIDDEN = [(view, tell) for view in View for tell in PhotoTell if tell not in VISIBLE_IN[view]]


def scene(seed=3, *, view=View.FRONT, place=Place.STUDIO, product="handbag", tells=None):
    return Scene(
        product=PRODUCTS[product],
        brand=BRANDS[seed % len(BRANDS)],
        view=view,
        place=place,
        colour="beige",
        tells=tells or {},
        goods_seed=seed,
        seed=seed + 100,
    )


def pixels(a_scene):
    return np.asarray(render_photo(a_scene), float)


def difference(a: Image.Image, b: Image.Image):
    """Mean difference of the levels of two photos of one size."""
    return float(np.abs(np.asarray(a, float) - np.asarray(b, float)).mean())


@pytest.mark.parametrize("view", View)
@pytest.mark.parametrize("place", Place)
def test_the_same_scene_gives_the_same_photo(view, place):
    photo, again = (render_photo(scene(view=view, place=place, tells={PhotoTell.COVERED_MARK: 2})) for _ in range(2))
    assert photo.mode == "RGB"
    assert max(photo.size) == 320
    assert photo.tobytes() == again.tobytes()


@pytest.mark.parametrize("view", View)
def test_another_seed_gives_another_shot(view):
    first = scene(view=view)
    assert render_photo(first).tobytes() != render_photo(replace(first, seed=7)).tobytes()


@pytest.mark.parametrize(("view", "tell"), SHOWN)
@pytest.mark.parametrize("product", ["sneaker", "watch"])
def test_a_tell_shows_at_every_grade_in_the_views_that_can_show_it(view, tell, product):
    clean = render_photo(scene(view=view, product=product))
    for grade in (1, 2, 3):
        told = render_photo(scene(view=view, product=product, tells={tell: grade}))
        assert told.size == clean.size
        assert (np.abs(np.asarray(told, float) - np.asarray(clean, float)).max(axis=2) > 25).sum() > 20


@pytest.mark.parametrize(("view", "tell"), HIDDEN)
def test_a_tell_changes_nothing_in_the_other_views(view, tell):
    assert render_photo(scene(view=view, tells={tell: 3})).tobytes() == render_photo(scene(view=view)).tobytes()


@pytest.mark.parametrize(("view", "tell"), SHOWN)
def test_a_graver_tell_changes_more(view, tell):
    changes = np.zeros(3)
    for seed in range(4):
        clean = render_photo(scene(seed, view=view))
        changes += [difference(clean, render_photo(scene(seed, view=view, tells={tell: g}))) for g in (1, 2, 3)]
    assert changes[0] < changes[1] < changes[2]


@pytest.mark.parametrize("place", Place)
def test_a_tell_leaves_light_and_noise_alone(place):
    tells = {PhotoTell.WRONG_PROPORTIONS: 3, PhotoTell.WRONG_COLOURS: 3, PhotoTell.BLURRED_MARK: 3}
    clean, told = (pixels(scene(place=place, tells=tells)) for tells in ({}, tells))
    same = (clean == told).all(axis=2)
    assert same[:40].all()
    assert same[-20:].all()
    assert same.mean() > 0.6


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("view", View)
def test_every_product_can_be_seen_in_every_view(product, view):
    middle = pixels(scene(view=view, product=product))[60:-60, 60:-60]
    assert middle.std() > 12


@pytest.mark.parametrize("category", PLAIN_GOODS)
@pytest.mark.parametrize("view", View)
def test_plain_goods_show_no_tell(category, view):
    plain = replace(scene(view=view, place=Place.TABLE), product=PLAIN_GOODS[category], brand=None)
    told = replace(plain, tells=dict.fromkeys(PhotoTell, 3))
    assert pixels(plain)[60:-60, 60:-60].std() > 8
    assert render_photo(told).tobytes() == render_photo(plain).tobytes()


def test_an_item_keeps_its_colours_from_shot_to_shot():
    label = scene(view=View.LABEL, place=Place.WHITE)
    colours = [pixels(replace(label, seed=seed))[-8:, -8:].mean(axis=(0, 1)) for seed in range(4)]
    other = pixels(replace(label, colour="navy"))[-8:, -8:].mean(axis=(0, 1))
    assert np.std(colours, axis=0).max() < 25 < np.abs(np.mean(colours, axis=0) - other).max()
