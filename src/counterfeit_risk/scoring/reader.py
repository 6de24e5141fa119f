"""Reads a dump's rows with what their listings show, ahead of whoever scores them.

Knows no model.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
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
_ROWS_A_TASK = 8


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
    reading = _Reading(reader, workers, deadline, stopwatch or Stopwatch())
    for part in reading.ahead(chunks(rows, _ROWS_A_TASK), tasks=max(1, ahead // _ROWS_A_TASK)):
        yield from part


@dataclass(frozen=True)
class _Reading:
    """Reads some rows a task: a thread that takes one at a time would spend more on taking than on reading."""

    reader: ContentReader
    workers: Workers
    deadline: float
    stopwatch: Stopwatch

    def ahead(self, parts: Iterable[list[NumberedRow]], *, tasks: int) -> Iterator[list[ReadRow | RejectedRow]]:
        return self.workers.map_ahead(
            self._read, parts, ahead=tasks, deadline=self.deadline, on_late=self._read_one_by_one
        )

    def _read(self, rows: list[NumberedRow]) -> list[ReadRow | RejectedRow]:
        with self.stopwatch.stage("read photos"):
            return [
                row if isinstance(row, RejectedRow) else _to_row(row_number, row, self.reader.read(row))
                for row_number, row in rows
            ]

    def _read_one_by_one(self, rows: list[NumberedRow]) -> list[ReadRow | RejectedRow]:
        """What took too long together, each with the whole deadline to itself: one that hangs costs itself alone."""
        if len(rows) > 1:
            with Workers(len(rows)) as own:  # the others may hang as well
                alone = replace(self, workers=own).ahead(([row] for row in rows), tasks=len(rows))
                return [row for part in alone for row in part]
        row_number, row = rows[0]
        assert isinstance(row, Listing)  # a rejected row has no photo to wait for
        late = f"all photos: not read within {self.deadline:g} s"
        return [_to_row(row_number, row, self.reader.read_without_photos(row, late))]


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
