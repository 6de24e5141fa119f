from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit_risk.listings.cells import UNREADABLE, to_name, to_photo, to_price, to_probability, to_text, to_time
from counterfeit_risk.listings.listing import Photo


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("Nike", "Nike"),
        ("", ""),
        (b"caf\xe9", "caf\ufffd"),
        (12, "12"),
        (12.0, "12"),
        (12.5, "12.5"),
        (1e20, "100000000000000000000"),
        (Decimal("12.00"), "12"),
        (Decimal("1.5"), "1.5"),
        (float("nan"), None),
        (float("inf"), "inf"),
        (True, "true"),
        (date(2024, 5, 1), "2024-05-01"),
    ],
)
def test_whatever_stands_for_text_becomes_text(value: object, text: str | None) -> None:
    assert to_text(value) == text


@given(st.text(st.characters()))
def test_text_can_always_be_stored(text: str) -> None:
    stored = to_text(text)

    assert stored is not None
    assert "\x00" not in stored
    assert stored.encode("utf-8").decode("utf-8") == stored
    assert len(stored) == len(text)


@pytest.mark.parametrize("value", [[], {}, {"a": 1}, UNREADABLE])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="is no text"):
        to_text(value)


@pytest.mark.parametrize("value", [None, "", " \t\u00a0", float("nan")])
def test_a_blank_name_is_none(value: object) -> None:
    assert to_name(value) is None


@pytest.mark.parametrize(
    ("value", "price"),
    [(None, None), ("", None), ("0", 0.0), (" 12.50 ", 12.5), ("1e3", 1000.0), (7, 7.0), (Decimal("9.99"), 9.99)],
)
def test_a_price_is_read(value: object, price: float | None) -> None:
    assert to_price(value) == price


@pytest.mark.parametrize(
    "value",
    ["nan", float("nan"), "inf", -1, "-0.01", "1_000", "1,299.00", "free", True, [], 10**400, "1e999", UNREADABLE],
)
def test_what_is_no_price_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        to_price(value)


@pytest.mark.parametrize("value", [0, 1.5, -0.1, "nan", "often"])
def test_what_is_no_probability_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        to_probability(value)


def test_certainty_is_a_probability() -> None:
    assert to_probability("1") == 1.0


@pytest.mark.parametrize(
    "value",
    [
        "2024-05-01T10:00:00",
        "2024-05-01T10:00:00Z",
        "2024-05-01 12:00:00+02:00",
        datetime.fromisoformat("2024-05-01T10:00:00"),
        datetime(2024, 5, 1, 7, tzinfo=timezone(timedelta(hours=-3))),
    ],
)
def test_a_time_is_read_into_utc(value: object) -> None:
    moment = to_time(value)

    assert moment == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert moment is not None
    assert moment.tzinfo is UTC


@pytest.mark.parametrize("value", [date(2024, 5, 1), "2024-05-01", "20240501"])
def test_a_date_is_its_midnight(value: object) -> None:
    assert to_time(value) == datetime(2024, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize("value", ["yesterday", "01.05.2024", 1714557600, 1.5, True, [], "0001-01-01T00:00:00+14:00"])
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        to_time(value)


@pytest.mark.parametrize(
    ("value", "photo"),
    [
        (None, None),
        ("", None),
        ("a.jpg", Photo("a.jpg")),
        (17, Photo("17")),
        (b"\xff", Photo(data=b"\xff")),
        ({"bytes": b"\xff", "path": "a.jpg"}, Photo("a.jpg", b"\xff")),
        ({"bytes": b"\xff", "path": None}, Photo(data=b"\xff")),
        ({"bytes": b"\xff"}, Photo(data=b"\xff")),
        ({"bytes": None, "path": "a.jpg"}, Photo("a.jpg")),
        ({"bytes": None, "path": None}, None),
    ],
)
def test_a_photo_is_read_as_path_bytes_or_both(value: object, photo: Photo | None) -> None:
    assert to_photo(value) == photo


@pytest.mark.parametrize(
    "value", [{"bytes": "text", "path": "a.jpg"}, {"url": "a.jpg"}, [], {"bytes": None, "path": {}}]
)
def test_what_is_no_photo_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="is no text"):
        to_photo(value)
