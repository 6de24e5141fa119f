from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.dialects import sqlite

from counterfeit_risk.takedown.tables import UtcDateTime

DIALECT = sqlite.dialect()


def test_a_time_is_stored_in_utc() -> None:
    noon_in_tokyo = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=9)))

    stored = UtcDateTime().process_bind_param(noon_in_tokyo, DIALECT)

    assert stored == noon_in_tokyo
    assert stored.tzinfo is UTC


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        UtcDateTime().process_bind_param(datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None), DIALECT)


def test_a_time_read_without_a_zone_is_utc() -> None:
    naive = datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None)

    assert UtcDateTime().process_result_value(naive, DIALECT) == datetime(2026, 3, 1, tzinfo=UTC)
