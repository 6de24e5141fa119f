"""One cell of a foreign table, of whatever type, becomes the value that a listing holds.

Knows no file format and no row. Every function takes what CSV, JSON or Parquet may hold; None and blank text mean that
there is no value; it raises ValueError where there is one that cannot be read.
"""

import json
import re
from datetime import UTC, date, datetime, time
from decimal import Decimal

from counterfeit_risk.listings.listing import Photo

UNREADABLE = object()
"""Stands for a cell that its file format could not decode."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL takes no NUL; neither UTF-8 nor Parquet takes a lone surrogate."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def to_text(value: object) -> str | None:
    """Reads text, empty text included; whole numbers lose their ".0", what cannot be stored becomes U+FFFD."""
    match value:
        case None:
            return None
        case str():
            return _UNSTORABLE.sub("\ufffd", value)
        case bytes():
            return _UNSTORABLE.sub("\ufffd", value.decode("utf-8", "replace"))
        case bool():
            return json.dumps(value)
        case int():
            return str(value)
        case float() | Decimal():
            return _number_to_text(value)
        case date():
            return value.isoformat()
    raise ValueError(f"{type(value).__name__} is no text")


def to_name(value: object) -> str | None:
    """Reads text that says nothing when it is blank, such as a brand or an id."""
    text = to_text(value)
    return text if text and not text.isspace() else None


def to_price(value: object) -> float | None:
    """Reads a finite number that is not negative."""
    number = _to_number(value)
    if number is not None and not 0 <= number < float("inf"):
        raise ValueError(f"{number} is no price")
    return number


def to_probability(value: object) -> float | None:
    """Reads a number in (0, 1]."""
    number = _to_number(value)
    if number is not None and not 0 < number <= 1:
        raise ValueError(f"{number} is no probability above 0")
    return number


def to_time(value: object) -> datetime | None:
    """Reads a time or date (midnight) in ISO 8601 into UTC; one without an offset counts as UTC."""
    match value:
        case datetime():
            moment = value
        case date():
            moment = datetime.combine(value, time())
        case str() | None:
            text = to_name(value)
            if text is None:
                return None
            moment = datetime.fromisoformat(text.strip())
        case _:
            raise ValueError(f"{type(value).__name__} is no time")
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{moment} is out of range in UTC") from None


def to_photo(value: object) -> Photo | None:
    """Reads a path, a file's bytes, or the {bytes, path} in which the `datasets` library keeps an image."""
    match value:
        case bytes():
            return Photo(data=value)
        case {"bytes": bytes(data), **others}:
            return Photo(to_text(others.get("path")) or None, data)
        case {"bytes": None, "path": path}:
            value = path
    text = to_text(value)
    return Photo(text) if text else None


def _number_to_text(value: float | Decimal) -> str | None:
    if value != value:  # NaN is how pandas writes a missing text
        return None
    finite = abs(value) != float("inf")
    return str(int(value)) if finite and value == int(value) else str(value)


def _to_number(value: object) -> float | None:
    match value:
        case bool():
            raise ValueError("a truth value is no number")
        case int() | float() | Decimal():
            try:
                return float(value)
            except OverflowError:
                raise ValueError("the number is too large") from None
    text = to_name(value)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text.strip()):
        raise ValueError(f"{text!r} is no number")
    return float(text)
