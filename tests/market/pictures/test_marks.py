from itertools import islice

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from counterfeit_risk.market.pictures.emblems import EMBLEMS
from counterfeit_risk.market.pictures.marks import MOST_MARKS, draw_marks
from counterfeit_risk.market.pictures.shapes import Placement, fill

INKS = {"primary": (20, 40, 120), "secondary": (250, 220, 120), "edge": (255, 255, 255)}
MARKS = list(draw_marks(np.random.default_rng(0)))
one_of_each_family = pytest.mark.parametrize(("badge", "emblem"), MARKS[: 2 * len(EMBLEMS)])


def drawn(shapes, side=64):
    canvas = Image.new("RGB", (side, side), (128, 128, 128))
    fill(ImageDraw.Draw(canvas), shapes, Placement((side / 2, side / 2), side * 0.85), INKS)
    return canvas


def share_changed(a, b):
    """Share of the pixels that differ."""
    return (np.asarray(a) != np.asarray(b)).any(axis=2).mean()


def test_there_are_as_many_marks_as_promised():
    assert len(MARKS) == MOST_MARKS >= 200


def test_no_two_of_sixty_marks_look_alike():
    pictures = [np.asarray(drawn((*badge, *emblem))).astype(int) for badge, emblem in MARKS[:60]]
    differences = [(abs(a - b).sum(axis=2) > 60).mean() for n, a in enumerate(pictures) for b in pictures[:n]]
    assert min(differences) > 0.03


@one_of_each_family
def test_a_mirrored_mark_looks_different(badge, emblem):
    mark = drawn((*badge, *emblem))
    assert share_changed(mark, ImageOps.mirror(mark)) > 0.04


@one_of_each_family
def test_an_emblem_stays_on_its_badge(badge, emblem):
    off_badge = np.asarray(drawn(badge)) == 128
    assert share_changed(drawn((*badge, *emblem)), drawn(badge)) > 0.06
    assert (np.asarray(drawn((*badge, *emblem)))[off_badge] == 128).all()


@one_of_each_family
def test_a_badge_has_a_white_edge(badge, emblem):
    assert badge[0].ink == "edge"
    assert "edge" not in {shape.ink for shape in emblem}


def test_the_same_seed_draws_the_same_marks():
    assert list(islice(draw_marks(np.random.default_rng(0)), 20)) == MARKS[:20]


def test_another_seed_draws_others():
    assert next(draw_marks(np.random.default_rng(1))) != MARKS[0]
