"""Checks single values of records that others write, and says in words what is wrong with them.

Knows no record: which field needs which check is written where its value is.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError, with_config

_SHOWN_CHARACTERS = 60
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls, line ends, overrides of the reading direction, and what UTF-8 cannot hold."""
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\"\\]+@[^\s@<>()\[\],;:\"\\.]+(\.[^\s@<>()\[\],;:\"\\.]+)+")

refuse_unknown = with_config(ConfigDict(extra="forbid"))
"""Makes a dataclass refuse fields that it does not have."""


def describe_problems(error: ValidationError) -> list[str]:
    """What pydantic found wrong, one sentence each, that begins with the place: `items[2].url: is required`.

    Where a record as a whole is wrong, its own message has to name the field.
    """
    found = ((_place(detail["loc"]), _describe(detail)) for detail in error.errors(include_url=False))
    return [f"{place}: {problem}" if place else problem for place, problem in found]


def shorten(text: str) -> str:
    """Foreign text as a message can hold it: on one line, and cut."""
    shown = _UNPRINTABLE.sub("\ufffd", text)
    return shown if len(shown) <= _SHOWN_CHARACTERS else f"{shown[:_SHOWN_CHARACTERS]}…"


def _place(location: tuple[int | str, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{shorten(part)}" for part in location)
    return "".join(parts).removeprefix(".")


def _describe(detail: Any) -> str:
    match detail["type"]:
        case "missing":
            return "is required"
        case "unexpected_keyword_argument":
            return "is no field that is known"
        case "dataclass_type":
            return "must be an object"
        case "value_error":
            return str(detail["ctx"]["error"])
    message = detail["msg"].replace("Input should be", "must be").replace("String should", "must")
    return f"{message}, not {shorten(repr(detail['input']))}"


def _check_line(text: str) -> str:
    if not text or text.isspace():
        raise ValueError("is blank")
    if _UNPRINTABLE.search(text):
        raise ValueError("must be one line without control characters")
    return text


def _check_text(text: str) -> str:
    if _UNSTORABLE.search(text):
        raise ValueError("holds characters that cannot be stored")
    return text


def _check_email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError("must be an e-mail address such as name@example.org")
    return text


def _check_url(text: str) -> str:
    """Refuses what does not lead to one page; people open it, so nothing is hidden before an `@` either."""
    if any(character.isspace() for character in text):
        raise ValueError("must not hold white space")
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError as error:
        raise ValueError(f"is no address: {error}") from None
    if url.scheme not in {"http", "https"} or not host:
        raise ValueError("must begin with http:// or https:// and a host")
    if "@" in url.netloc:
        raise ValueError("must not hold a user name")
    if url.path in {"", "/"} and not url.query and not url.fragment:
        raise ValueError("leads to a site and to nothing on it")
    return text


def _read_time(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment and moment.tzinfo:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(
        f"must be a time with its offset from UTC, such as 2026-03-01T12:00:00Z, not {shorten(repr(value))}"
    )


Line = Annotated[str, Field(max_length=200), AfterValidator(_check_line)]
"""Text that can stand in a sentence."""
LongText = Annotated[str, Field(max_length=10_000), AfterValidator(_check_text)]
Email = Annotated[str, Field(max_length=254), AfterValidator(_check_line), AfterValidator(_check_email)]
PageUrl = Annotated[str, Field(max_length=2048), AfterValidator(_check_line), AfterValidator(_check_url)]
"""The http or https address of one page."""
UtcTime = Annotated[datetime, BeforeValidator(_read_time)]
"""From text in ISO 8601 that says its offset, into UTC."""
