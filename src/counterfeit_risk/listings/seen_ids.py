"""Remembers which ids a table has held so far, in some 15 bytes each at its peak, so that huge tables fit.

Knows nothing of tables.
"""

import hashlib
import os
from bisect import bisect_left

import numpy as np

_SHELVES = 64
_SHIFT = 58
"""Bits of a number below those that name its shelf."""


class SeenIds:
    """A set of ids that keeps 64 bits of each.

    Two ids are taken for one with a probability of about N² / 2⁶⁵ over N ids: 3e-8 for a million, 3e-4 for a hundred
    million. The hash is keyed with random bytes, so that no table can be written to collide.
    """

    def __init__(self) -> None:
        self._key = os.urandom(16)
        self._recent: set[int] = set()
        self._shelves = [np.empty(0, np.uint64).data for _ in range(_SHELVES)]
        self._settled = 0

    def add(self, listing_id: str) -> bool:
        """Adds an id; True if it was not there before."""
        digest = hashlib.blake2b(listing_id.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key).digest()
        number = int.from_bytes(digest, "big")
        if number in self._recent or self._is_settled(number):
            return False
        self._recent.add(number)
        # a set costs about ten times as much an id as an array, so it stays a small part of it
        if len(self._recent) >= max(2**14, self._settled // 32):
            self._settle()
        return True

    def _is_settled(self, number: int) -> bool:
        shelf = self._shelves[number >> _SHIFT]
        place = bisect_left(shelf, number)
        return place < len(shelf) and shelf[place] == number

    def _settle(self) -> None:
        """Puts the recent ones on their shelves, one after the other, so that only a shelf is ever copied."""
        recent = np.fromiter(self._recent, np.uint64, count=len(self._recent))
        self._recent.clear()
        self._settled += len(recent)
        recent.sort()
        starts = np.searchsorted(recent, np.arange(1, _SHELVES, dtype=np.uint64) << np.uint64(_SHIFT))
        for number, new in enumerate(np.split(recent, starts)):
            merged = np.concatenate([self._shelves[number], new])
            merged.sort()
            self._shelves[number] = merged.data
