from counterfeit_risk.market.pictures.scenes import VISIBLE_IN, View
from counterfeit_risk.market.signals import PhotoTell


def test_each_tell_is_visible_in_some_view():
    assert frozenset[PhotoTell]().union(*VISIBLE_IN.values()) == frozenset(PhotoTell)


def test_each_view_shows_some_tell():
    assert set(VISIBLE_IN) == set(View)
    assert all(VISIBLE_IN.values())
