import colorsys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit_risk.market.pictures.colours import on_screen, seen


def test_no_light_is_black_and_full_light_is_white():
    assert on_screen(seen(0, 0, 0)) == (0, 0, 0)
    assert on_screen(seen(1, 0, 0)) == (255, 255, 255)


@given(st.floats(0, 1), st.floats(0, 360))
def test_a_colour_without_chroma_is_grey(lightness, hue):
    red, green, blue = on_screen(seen(lightness, 0, hue))
    assert max(red, green, blue) - min(red, green, blue) <= 1


@pytest.mark.parametrize(("hue", "screen_hue"), [(29, 0), (110, 60), (142, 120), (264, 240)])
def test_a_hue_is_the_one_that_people_name(hue, screen_hue):
    red, green, blue = (level / 255 for level in on_screen(seen(0.6, 0.18, hue)))
    apart = abs(colorsys.rgb_to_hsv(red, green, blue)[0] * 360 - screen_hue)
    assert min(apart, 360 - apart) < 20
