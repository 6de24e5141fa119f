from dataclasses import replace

import pytest

from counterfeit_risk.market.pictures.finishes import brightness, draw_finish, mixed
from counterfeit_risk.market.pictures.products import COLOURWAYS, PRODUCTS
from counterfeit_risk.market.pictures.scenes import Place, Scene, View
from counterfeit_risk.market.signals import PhotoTell

SCENE = Scene(PRODUCTS["cap"], None, View.FRONT, Place.BED, "navy", {}, goods_seed=1, seed=2)


def test_an_item_has_one_finish_in_all_its_photos():
    other_shot = replace(SCENE, view=View.LABEL, place=Place.WHITE, seed=9, tells={PhotoTell.WRONG_STITCHING: 3})
    assert draw_finish(other_shot) == draw_finish(SCENE)


def test_two_items_of_one_colour_differ_a_little():
    first, second = (draw_finish(replace(SCENE, goods_seed=seed)).inks["body"] for seed in (1, 2))
    assert first != second
    assert max(abs(a - b) for a, b in zip(first, second, strict=True)) < 30


@pytest.mark.parametrize("colour", COLOURWAYS)
def test_trim_and_thread_stand_out_from_the_body(colour):
    for seed in range(20):
        finish = draw_finish(replace(SCENE, colour=colour, goods_seed=seed))
        body = brightness(finish.inks["body"])
        assert abs(brightness(finish.inks["trim"]) - body) > 30
        assert abs(brightness(finish.thread) - body) > 30


def test_a_mixed_colour_lies_between_its_two():
    assert mixed((0, 100, 200), (100, 100, 0), 0.25) == (25, 100, 150)
