"""Reads a dump's rows with what their listings show, ahead of whoever scores them.

Knows no model.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from counterfeit_risk.embeddings.content import ContentReader, ListingContent
from counterfeit_risk.embeddings.stopwatch import Stopwatch
from counterfeit_risk.embeddings.workers import Workers
from counterfeit_risk.listings.listing import Listing, RejectedRow, RejectReason

Item = TypeVar("Item")
NumberedRow = tuple[int, Listing | RejectedRow]

PHOTO_DEADLINE = 60.0
"""Seconds that reading one listing's photos may take: storage that hangs must not hold up a night."""


@dataclass(frozen=True)
class ReadRow:
    """A row that can be scored."""

    row_number: int
    listing: Listing
    content: ListingContent


def read_rows(
    rows: Iterable[NumberedRow],
    reader: ContentReader,
    workers: Workers,
    *,
    ahead: int,
    deadline: float = PHOTO_DEADLINE,
    stopwatch: Stopwatch | None = None,
) -> Iterator[ReadRow | RejectedRow]:
    """Reads photos and titles in threads, in order.

    Args:
        rows: of a table, with their numbers.
        reader: of their listings.
        workers: the threads.
        ahead: rows that are read before they are asked for, at most.
        deadline: seconds for a listing's photos; one that takes longer is judged by its title.
        stopwatch: counts the seconds of all threads.
    """
    timed = stopwatch or Stopwatch()

    def read(numbered: NumberedRow) -> ReadRow | RejectedRow:
        row_number, row = numbered
        if isinstance(row, RejectedRow):
            return row
        with timed.stage("read photos"):
            return _to_row(row_number, row, reader.read(row))

    def read_title(numbered: NumberedRow) -> ReadRow | RejectedRow:
        row_number, row = numbered
        assert isinstance(row, Listing)  # a rejected row has no photo to wait for
        late = f"all photos: not read within {deadline:g} s"
        return _to_row(row_number, row, reader.read_without_photos(row, late))

    return workers.map_ahead(read, rows, ahead=ahead, deadline=deadline, on_late=read_title)


def _to_row(row_number: int, listing: Listing, content: ListingContent) -> ReadRow | RejectedRow:
    if not content.is_empty:
        return ReadRow(row_number, listing, content)
    detail = "; ".join(content.photos_lost) or "the row has no photo and no title"
    return RejectedRow(row_number, RejectReason.NOTHING_READABLE, detail, listing.listing_id)


def chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items, the last one shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
