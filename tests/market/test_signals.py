from math import prod

import numpy as np
import pytest

from counterfeit_risk.listings.listing import Label
from counterfeit_risk.market.signals import PHOTO_TELLS, SIGNALS, TITLE_TELLS, Tell, draw_tells


def share_without(tells):
    return prod(1 - SIGNALS[tell].given_counterfeit for tell in tells)


def test_every_tell_has_a_signal():
    assert set(SIGNALS) == set(Tell)


@pytest.mark.parametrize("tell", Tell)
def test_a_tell_is_seen_more_often_on_counterfeits_but_proves_nothing(tell):
    signal = SIGNALS[tell]
    assert 0 < signal.given_genuine < signal.given_counterfeit < 1


@pytest.mark.parametrize("tells", [PHOTO_TELLS, TITLE_TELLS], ids=["photo", "title"])
def test_neither_photo_nor_title_alone_gives_most_counterfeits_away(tells):
    assert 0.5 <= 1 - share_without(tells) <= 0.6


def test_about_fifteen_counterfeits_in_a_hundred_carry_no_tell():
    assert share_without((*PHOTO_TELLS, *TITLE_TELLS, Tell.CONTRADICTION)) == pytest.approx(0.15, abs=0.02)


@pytest.mark.parametrize("label", Label)
def test_tells_are_drawn_as_often_as_their_signal_says(label):
    rng = np.random.default_rng(0)
    drawn = sum(Tell.GRADE_WORDS in draw_tells(rng, TITLE_TELLS, label) for _ in range(4000)) / 4000
    signal = SIGNALS[Tell.GRADE_WORDS]
    expected = signal.given_counterfeit if label is Label.COUNTERFEIT else signal.given_genuine
    assert drawn == pytest.approx(expected, abs=0.025)


def test_only_tells_that_were_asked_for_are_drawn():
    rng = np.random.default_rng(0)
    drawn = {tell for _ in range(200) for tell in draw_tells(rng, PHOTO_TELLS, Label.COUNTERFEIT)}
    assert drawn == set(PHOTO_TELLS)
