import numpy as np
import pytest

from counterfeit_risk.market.pictures.textures import SURFACES, folds, texture


@pytest.mark.parametrize("name", SURFACES)
def test_a_texture_changes_brightness_a_little_and_not_on_average(name):
    light = texture(name, (320, 240), np.random.default_rng(0))
    assert light.shape == (240, 320)
    assert light.mean() == pytest.approx(1, abs=0.04)
    assert 0.002 < light.std() < 0.15


def test_windows_of_one_surface_differ():
    rng = np.random.default_rng(0)
    assert not np.array_equal(texture("wood", (320, 240), rng), texture("wood", (320, 240), rng))


def test_folds_have_a_bright_and_a_dark_side():
    light = folds((320, 240), 0.1, np.random.default_rng(0))
    assert light.shape == (240, 320)
    assert light.min() < 0.97 < 1.03 < light.max()
