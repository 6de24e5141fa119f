"""Reads a dump's rows with what their listings show, ahead of whoever scores them.

Knows no model.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from counterfeit_risk.embeddings.content import ContentReader, ListingContent
from counterfeit_risk.listings.listing import Listing, RejectedRow, RejectReason

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class ReadRow:
    """A row that can be scored."""

    row_number: int
    listing: Listing
    content: ListingContent


def read_rows(
    rows: Iterable[tuple[int, Listing | RejectedRow]], reader: ContentReader, pool: Executor, *, ahead: int
) -> Iterator[ReadRow | RejectedRow]:
    """Reads photos and titles in a pool, in order, at most `ahead` rows before they are asked for."""

    def read(numbered: tuple[int, Listing | RejectedRow]) -> ReadRow | RejectedRow:
        row_number, row = numbered
        if isinstance(row, RejectedRow):
            return row
        content = reader.read(row)
        if content.is_empty:
            detail = "; ".join(content.photos_lost) or "the row has no photo and no title"
            return RejectedRow(row_number, RejectReason.NOTHING_READABLE, detail, row.listing_id)
        return ReadRow(row_number, row, content)

    return _map_ahead(read, rows, pool, ahead)


def _map_ahead(
    function: Callable[[Item], Result], items: Iterable[Item], pool: Executor, ahead: int
) -> Iterator[Result]:
    """Like `Executor.map`, in bounded memory: it takes `ahead` items at most before their results are asked for."""
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items, the last one shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
