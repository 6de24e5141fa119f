from dataclasses import replace

import numpy as np
import pytest

from counterfeit_risk.market.pictures.camera import draw_camera, expose
from counterfeit_risk.market.pictures.scenes import Place

HOMES = [place for place in Place if place not in {Place.WHITE, Place.STUDIO}]


@pytest.fixture
def camera():
    drawn = draw_camera(Place.TABLE, np.random.default_rng(0))
    return replace(drawn, size=(80, 60), glare=0.0, window=False, blur=0.0)


def taken(camera, level=120, seed=0):
    picture = np.full((3, 60, 80), level, np.float32)
    return np.asarray(expose(picture, camera, np.random.default_rng(seed)), float)


def test_the_longer_side_has_320_pixels_and_shapes_vary():
    sizes = {draw_camera(Place.BED, np.random.default_rng(seed)).size for seed in range(40)}
    assert all(max(size) == 320 for size in sizes)
    assert len(sizes) > 4


@pytest.mark.parametrize("place", HOMES)
def test_a_home_camera_is_noisier_than_a_studio_camera(place):
    def noise(where):
        return np.mean([draw_camera(where, np.random.default_rng(seed)).noise for seed in range(30)])

    assert noise(place) > 1.5 * noise(Place.WHITE)


def test_noise_is_as_strong_as_the_camera_says(camera):
    loud, quiet = (taken(replace(camera, noise=noise)) for noise in (8.0, 0.0))
    assert (loud - quiet).std() == pytest.approx(8, rel=0.1)


def test_a_warm_cast_makes_red_brighter_than_blue(camera):
    red, _, blue = taken(replace(camera, cast=(1.1, 1.0, 0.9))).mean(axis=(0, 1))
    assert red > 1.15 * blue


def test_a_vignette_darkens_the_corners(camera):
    photo = taken(replace(camera, vignette=0.3, slope=0.0, noise=0.0))
    assert photo[0, 0].mean() < 0.8 * photo[30, 40].mean()


def test_a_glare_and_a_window_brighten_a_part(camera):
    plain = taken(camera)
    for lit in (replace(camera, glare=0.5), replace(camera, window=True)):
        assert (taken(lit) - plain).max() > 15
