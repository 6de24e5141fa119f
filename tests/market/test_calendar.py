from datetime import UTC, datetime

import numpy as np
import pytest

from counterfeit_risk.market.calendar import draw_catalog, month_shares, month_start
from counterfeit_risk.market.settings import default_market_settings

SETTINGS = default_market_settings()


def test_late_brands_appear_after_the_first_month_and_shares_are_of_those_there():
    catalog = draw_catalog(np.random.default_rng(0), SETTINGS.brands, 12)
    late = [first for first in catalog.first_months if first > 1]
    assert len(late) == SETTINGS.brands.late
    assert max(late) <= 12
    for month in (1, 6, 13):
        shares = catalog.shares(month)
        assert sum(shares) == pytest.approx(1)
        assert all((share > 0) == (first <= month) for share, first in zip(shares, catalog.first_months, strict=True))


def test_brands_are_drawn_as_often_as_they_are_popular():
    catalog = draw_catalog(np.random.default_rng(0), SETTINGS.brands, 12)
    rng = np.random.default_rng(1)
    drawn = np.bincount([catalog.draw(rng, 12) for _ in range(5000)], minlength=SETTINGS.brands.count)
    assert drawn / 5000 == pytest.approx(np.array(catalog.shares(12)), abs=0.02)


def test_events_bring_more_counterfeits_than_genuine_goods():
    genuine, counterfeit = (month_shares(SETTINGS.calendar, counterfeit=label) for label in (False, True))
    assert sum(genuine) == pytest.approx(1)
    for event in SETTINGS.calendar.events:
        assert counterfeit[event.month - 1] > genuine[event.month - 1] > 1 / SETTINGS.calendar.months


def test_months_go_on_after_the_year_s_end():
    assert month_start(SETTINGS.calendar, 1) == datetime(2025, 1, 1, tzinfo=UTC)
    assert month_start(SETTINGS.calendar, 12) == datetime(2025, 12, 1, tzinfo=UTC)
    assert month_start(SETTINGS.calendar, 13) == datetime(2026, 1, 1, tzinfo=UTC)
