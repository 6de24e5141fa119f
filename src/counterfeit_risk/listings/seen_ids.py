"""Remembers which ids a table has held so far, in some 20 bytes each at its peak, so that huge tables fit.

Knows nothing of tables.
"""

import hashlib
import os
from bisect import bisect_left

import numpy as np


class SeenIds:
    """A set of ids that keeps 64 bits of each.

    Two ids are taken for one with a probability of about N² / 2⁶⁵ over N ids: 3e-8 for a million, 3e-4 for a hundred
    million. The hash is keyed with random bytes, so that no table can be written to collide.
    """

    def __init__(self) -> None:
        self._key = os.urandom(16)
        self._recent: set[int] = set()
        self._settled = np.empty(0, np.uint64).data

    def add(self, listing_id: str) -> bool:
        """Adds an id; True if it was not there before."""
        digest = hashlib.blake2b(listing_id.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key).digest()
        number = int.from_bytes(digest, "big")
        if number in self._recent or self._is_settled(number):
            return False
        self._recent.add(number)
        # a set costs about ten times as much an id as an array, so it stays a small part of it
        if len(self._recent) >= max(2**14, len(self._settled) // 16):
            self._settle()
        return True

    def _is_settled(self, number: int) -> bool:
        place = bisect_left(self._settled, number)
        return place < len(self._settled) and self._settled[place] == number

    def _settle(self) -> None:
        recent = np.fromiter(self._recent, np.uint64, count=len(self._recent))
        self._recent.clear()
        merged = np.concatenate([self._settled, recent])
        merged.sort(kind="stable")  # two runs, one of them in order: nearly a merge, and in place
        self._settled = merged.data
