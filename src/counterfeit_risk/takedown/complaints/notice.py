"""What somebody says of listings that are not theirs, and how such notices are read from a file.

A notice is complete or it is refused, with all that it lacks: its particulars are those of Article 16(2) of the Digital
Services Act. Knows no case and no listing, and not whether a notice is right. Who the notifier is, and of which kind,
it takes from the file: whoever writes the file answers for that.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from pydantic import AfterValidator, BeforeValidator, TypeAdapter, ValidationError

from counterfeit_risk.errors import UsageError
from counterfeit_risk.listings.seen_ids import SeenIds
from counterfeit_risk.takedown.complaints.particulars import (
    Email,
    Line,
    LongText,
    PageUrl,
    UtcTime,
    describe_problems,
    refuse_unknown,
    shorten,
)

MOST_ITEMS = 300
"""Listings that one notice may name."""
FEWEST_EXPLAINING = 20
"""Characters beside white space in the shortest explanation that can substantiate anything."""
MOST_LINE_BYTES = 2**21
"""Of one notice in a file; 300 addresses of the greatest length take about half of it."""

_MOST_REASONS = 1000
"""More than a notice has particulars; what is cut can only be unknown fields."""


class NoticeFileError(UsageError):
    """A file of notices that cannot be read."""


class NotifierKind(StrEnum):
    """In what capacity somebody gives notice."""

    RIGHTS_HOLDER = "rights_holder"
    AGENT = "agent"
    """Acts for a rights holder."""
    TRUSTED_FLAGGER = "trusted_flagger"
    """Has that status from a Digital Services Coordinator, Article 22."""
    CONSUMER = "consumer"
    AUTHORITY = "authority"
    """Customs, police, a court."""


class Right(StrEnum):
    """The right that a listing is said to infringe."""

    TRADEMARK = "trademark"
    DESIGN = "design"
    COPYRIGHT = "copyright"
    PATENT = "patent"


@refuse_unknown
@dataclass(frozen=True, slots=True)
class Notifier:
    """Who gives notice, and where they are told what became of it."""

    notifier_id: Line
    """The same in all their notices, so that their record can be kept."""
    name: Line
    email: Email
    kind: NotifierKind
    is_organisation: bool = False
    """True for a company or a body: sellers are told its name, and the public record names it. No person's is told."""


@refuse_unknown
@dataclass(frozen=True, slots=True)
class NoticeItem:
    """The exact place of one listing."""

    platform: Line
    listing_id: Line
    """As the platform's tables of listings have it."""
    url: PageUrl


def _check_explanation(text: str) -> str:
    length = len("".join(text.split()))
    if length < FEWEST_EXPLAINING:
        raise ValueError(f"must say why, in {FEWEST_EXPLAINING} characters or more beside white space; it has {length}")
    return text


def _check_good_faith(stated: object) -> object:
    if stated is not True:
        raise ValueError("must be true: the notifier believes in good faith that the notice is accurate and complete")
    return stated


def _check_count(items: object) -> object:
    """Comes before the items are read: pydantic's own limits count those only that are right."""
    if isinstance(items, list) and not 1 <= len(items) <= MOST_ITEMS:
        raise ValueError(f"must name 1 to {MOST_ITEMS} listings, not {len(items)}")
    return items


def _check_apart(items: tuple[NoticeItem, ...]) -> tuple[NoticeItem, ...]:
    times = Counter((item.platform, item.listing_id) for item in items)
    repeated = [f"{listing_id!r} of {platform}" for (platform, listing_id), count in times.items() if count > 1]
    if repeated:
        raise ValueError(f"must name each listing once; named again are {shorten(', '.join(repeated))}")
    return items


@refuse_unknown
@dataclass(frozen=True, slots=True)
class Notice:
    """One notice, with all the particulars that it needs."""

    notice_id: Line
    notifier: Notifier
    received_at: UtcTime
    brand: Line
    right: Right
    explanation: Annotated[LongText, AfterValidator(_check_explanation)]
    """Why the notifier takes the listings to be illegal."""
    good_faith: Annotated[bool, BeforeValidator(_check_good_faith)]
    """That the notifier states to believe in good faith that all this is accurate and complete."""
    items: Annotated[tuple[NoticeItem, ...], BeforeValidator(_check_count), AfterValidator(_check_apart)]
    """One to `MOST_ITEMS` listings, each named once."""
    mark_number: Line | None = None
    """Of the registration that is relied on."""


_NOTICE = TypeAdapter(Notice)
_LINE: TypeAdapter[str] = TypeAdapter(Line)


@dataclass(frozen=True, slots=True)
class RefusedNotice:
    """A line of a file that holds no complete notice."""

    line: int
    """Counts from 1."""
    notice_id: str | None
    """None where it cannot be read."""
    reasons: tuple[str, ...]
    """All that is wrong; each begins with the field, such as `items[2].url`, or with `line` or `notice`."""


def read_notices(path: Path) -> Iterator[Notice | RefusedNotice]:
    """Reads notices in JSON Lines and UTF-8; a line costs itself and not the others, and a blank one is no notice.

    Memory holds one line, and some 30 bytes for each id. An id that stood on an earlier line is refused, whatever
    became of that line.

    Raises:
        NoticeFileError: when the first notice is asked for, if the file cannot be opened.
    """
    seen = SeenIds()
    with _open(path) as stream:
        for number, line in enumerate(_bounded_lines(stream), start=1):
            if line is None:
                yield RefusedNotice(number, None, (f"line: is longer than {MOST_LINE_BYTES} bytes",))
            elif line.strip(b"\xef\xbb\xbf \t\r\n"):
                yield _read_line(number, line, seen)


@contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    try:
        stream = path.open("rb")
    except OSError as error:
        raise NoticeFileError(
            f"{path} cannot be opened: {error.strerror}; name a file of notices, one a line"
        ) from None
    with stream:
        yield stream


def _bounded_lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """Every line; None for one that is too long to be held."""
    while line := stream.readline(MOST_LINE_BYTES + 1):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(2**16)
        yield line if len(line) <= MOST_LINE_BYTES else None


def _read_line(number: int, line: bytes, seen: SeenIds) -> Notice | RefusedNotice:
    try:
        value, reasons = _parse(line)
    except (ValueError, RecursionError) as error:
        return RefusedNotice(number, None, (f"line: is not JSON in UTF-8: {error}",))
    if not isinstance(value, dict):
        return RefusedNotice(number, None, ("notice: is JSON, but not an object",))
    notice = None
    try:
        notice = _NOTICE.validate_python(value)
    except ValidationError as error:
        reasons += describe_problems(error)
    notice_id = _identify(value)
    if notice_id is not None and not seen.add(notice_id):
        reasons.append("notice_id: an earlier line has this id")
    if notice is None or reasons:
        return RefusedNotice(number, notice_id, tuple(reasons[:_MOST_REASONS]))
    return notice


def _parse(line: bytes) -> tuple[Any, list[str]]:
    """The value of a line, and a reason for every key that stands twice, of which JSON would keep the last."""
    reasons: list[str] = []

    def to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        times = Counter(key for key, _ in pairs)
        reasons.extend(f"{shorten(key)}: stands {count} times" for key, count in times.items() if count > 1)
        return dict(pairs)

    return json.loads(line.decode("utf-8-sig"), object_pairs_hook=to_object), reasons


def _identify(value: dict[str, Any]) -> str | None:
    try:
        return _LINE.validate_python(value.get("notice_id"))
    except ValidationError:
        return None
