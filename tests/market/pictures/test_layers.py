import numpy as np
import pytest

from counterfeit_risk.market.pictures.layers import Layer, as_image, as_picture


@pytest.fixture
def disc():
    layer = Layer((80, 60), (200, 40, 40))
    layer.pen.ellipse((40, 20, 120, 100), fill=(200, 40, 40))
    return layer.cut_out()


def test_what_lies_behind_is_seen_only_where_nothing_was_drawn(disc):
    behind = np.zeros((3, 60, 80), np.float32)
    seen = disc.lay_on(behind, np.ones((60, 80), np.float32))
    assert seen[:, 30, 40].tolist() == [200, 40, 40]
    assert not seen[:, 2, 2].any()


def test_the_edge_towards_the_light_is_brighter(disc):
    light = disc.rounded(1.0, depth=0.3)
    assert light[30, 58] > 1 > light[30, 22]
    assert disc.rounded(-1.0, depth=0.3)[30, 58] < 1


def test_a_shadow_falls_where_it_is_shifted(disc):
    shadow = disc.shadow((20, 0), softness=1, strength=0.5)
    assert shadow[30, 60] == pytest.approx(0.5, abs=0.02)
    assert shadow[30, 24] == pytest.approx(1, abs=0.02)


def test_a_picture_survives_the_way_to_an_image_and_back():
    picture = np.random.default_rng(0).integers(0, 256, (3, 6, 8)).astype(np.float32)
    assert np.array_equal(as_picture(as_image(picture)), picture)


def test_what_is_brighter_than_white_is_white():
    assert as_image(np.full((3, 2, 2), 300, np.float32)).getpixel((0, 0)) == (255, 255, 255)
