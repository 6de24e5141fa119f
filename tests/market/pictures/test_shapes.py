import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from counterfeit_risk.market.pictures.shapes import (
    Placement,
    arch,
    band,
    bend,
    blob,
    bow,
    box,
    fill,
    fitted,
    half_oval,
    oval,
    ring,
    rounded,
    sector,
    shaded,
    turned,
)

units = st.floats(0, 1)
points = st.tuples(units, units)
CORNERS = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def area(outline):
    x, y = np.array(outline).T
    return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2


@given(st.lists(points, min_size=3, max_size=8))
def test_a_blob_stays_within_its_corners(corners):
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    outline = np.array(blob("body", *corners).outline)
    assert (outline >= low - 1e-9).all()
    assert (outline <= high + 1e-9).all()


@given(points, st.floats(-180, 180), st.floats(0.3, 3))
def test_the_middle_of_the_unit_square_lands_on_the_centre(centre, degrees, stretch):
    assert Placement(centre, 100, degrees, stretch).land((0.5, 0.5)) == pytest.approx(centre)


@given(st.floats(-180, 180), st.floats(0.3, 3), st.booleans())
def test_neither_turn_nor_stretch_nor_mirror_changes_the_area(degrees, stretch, mirrored):
    landed = Placement((0, 0), 10, degrees, stretch, mirrored).land_all(CORNERS)
    assert area(landed) == pytest.approx(100)


def test_a_stretch_is_width_over_height():
    (left, top), _, (right, bottom), _ = Placement((0, 0), 10, stretch=4.0).land_all(CORNERS)
    assert (right - left) / (bottom - top) == pytest.approx(4)


def test_a_quarter_turn_is_clockwise():
    assert Placement((0, 0), 2, degrees=90).land((1.0, 0.5)) == pytest.approx((0, 1))


def test_a_mirrored_point_lands_on_the_other_side():
    assert Placement((50, 50), 20, mirrored=True).land((1.0, 0.0)) == pytest.approx((40, 40))


def test_a_circle_has_the_same_width_and_height():
    assert np.ptp(np.array(oval("body", 0.5, 0.5, 0.8).outline), axis=0) == pytest.approx([0.8, 0.8], rel=0.02)


def test_an_upper_half_ends_at_its_flat_side():
    outline = np.array(half_oval("body", 0.5, 0.6, 0.8, 0.3).outline)
    assert outline[:, 1].max() == pytest.approx(0.6)
    assert outline[:, 1].min() == pytest.approx(0.3, abs=0.01)


def test_an_arch_is_hollow():
    canvas = Image.new("L", (100, 100))
    shape = arch("body", 0.5, 0.8, 0.6, 0.6, thickness=0.1)
    ImageDraw.Draw(canvas).polygon(Placement((50, 50), 100).land_all(shape.outline), fill=255)
    assert canvas.getpixel((50, 60)) == 0
    assert canvas.getpixel((50, 25)) == 255


def test_the_last_shape_is_on_top():
    canvas = Image.new("RGB", (10, 10))
    shapes = (box("body", 0, 0, 1, 1), box("dark", 0, 0, 1, 1))
    fill(ImageDraw.Draw(canvas), shapes, Placement((5, 5), 10), {"body": (9, 9, 9), "dark": (1, 2, 3)})
    assert canvas.getpixel((5, 5)) == (1, 2, 3)


def test_no_light_is_black_and_full_light_changes_nothing():
    assert shaded((200, 100, 50), 0) == (0, 0, 0)
    assert shaded((200, 100, 50), 1) == (200, 100, 50)


def test_a_corner_that_is_named_twice_stays_sharp():
    assert (1.0, 0.0) in blob("body", (0.0, 0.0), (1.0, 0.0), (1.0, 0.0), (1.0, 1.0)).outline
    assert (1.0, 0.0) not in blob("body", (0.0, 0.0), (1.0, 0.0), (1.0, 1.0)).outline


@given(st.lists(points, min_size=2, max_size=6))
def test_a_bent_line_keeps_its_ends(line):
    bent = bend(*line)
    assert (bent[0], bent[-1]) == (line[0], line[-1])


def test_a_straight_band_is_as_wide_as_it_says():
    assert area(band("body", ((0.0, 0.5), (0.8, 0.5)), 0.25).outline) == pytest.approx(0.2)


def test_a_band_narrows_to_its_end():
    assert area(band("body", ((0.0, 0.5), (0.8, 0.5)), 0.25, 0.0).outline) == pytest.approx(0.1)


def test_a_ring_is_hollow():
    canvas = Image.new("L", (100, 100))
    hoop = ring("body", 0.5, 0.5, 0.8, thickness=0.1)
    ImageDraw.Draw(canvas).polygon(Placement((50, 50), 100).land_all(hoop.outline), fill=255)
    assert canvas.getpixel((50, 50)) == 0
    assert canvas.getpixel((15, 50)) == canvas.getpixel((85, 50)) == 255


def test_a_quarter_disc_has_a_quarter_of_the_area():
    assert area(sector("body", (0.5, 0.5), 0.4, 0, 90).outline) == pytest.approx(np.pi * 0.16 / 4, rel=0.01)


def test_a_bow_from_left_to_right_goes_over_the_top():
    left, *_, right = bow((0.5, 0.5), 0.6, 0.4, 180, 360)
    assert left == pytest.approx((0.2, 0.5))
    assert right == pytest.approx((0.8, 0.5))
    assert min(y for _, y in bow((0.5, 0.5), 0.6, 0.4, 180, 360)) == pytest.approx(0.3)


def test_a_rounded_box_lacks_only_its_corners():
    assert area(rounded("body", 0.1, 0.2, 0.9, 0.8, 0.1).outline) == pytest.approx(0.48 - (4 - np.pi) * 0.01, rel=0.01)


@given(st.integers(-180, 180))
def test_a_turned_shape_keeps_its_ink_and_area(degrees):
    shape = turned(box("trim", 0.1, 0.2, 0.5, 0.4), degrees)
    assert shape.ink == "trim"
    assert area(shape.outline) == pytest.approx(0.08)


def test_a_turn_is_clockwise():
    assert turned(oval("body", 0.9, 0.5, 0.1), 90).outline[0] == pytest.approx((0.5, 0.95))


def test_a_fitted_shape_is_moved_and_scaled():
    outline = fitted(box("body", 0, 0, 1, 1), (0.3, 0.6), 0.2).outline
    assert np.array(outline).min(axis=0) == pytest.approx([0.2, 0.5])
    assert np.array(outline).max(axis=0) == pytest.approx([0.4, 0.7])
