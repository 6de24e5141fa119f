"""Counts what the splits of a table share, for any way in which its rows were dealt.

Knows no photo: sellers, files and copies arrive as keys. Where it is known which originals each photo shows, it also
judges the search for near-duplicates.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from counterfeit_risk.listings.splits import USED_SPLITS, Split, group_listings

Keys = Sequence[Collection[str]]
"""For each listing, the keys of what it has."""


@dataclass(frozen=True)
class Traces:
    """What N listings may share."""

    sellers: Sequence[str | None]
    files: Sequence[Sequence[str]]
    """Hashes of each listing's photos."""
    copies: Sequence[Sequence[str]]
    """The same photos under names that copies of one photo share, as `shared_photo_keys` gives them."""
    seller_groups: Sequence[str | None] | None = None
    origins: Sequence[Sequence[Collection[str]]] | None = None
    """For each of these photos the originals that it shows, where that is recorded."""


@dataclass(frozen=True)
class LeakReport:
    """What rows of different splits share; rows that are left out share nothing."""

    rows: dict[str, int]
    """Listings in each split."""
    shared_sellers: int
    """Sellers with listings in more than one split."""
    shared_seller_groups: int
    shared_files: int
    """Photo files, byte for byte, in more than one split."""
    near_duplicate_pairs: int
    """Pairs of listings in different splits that show copies of one photo, as the search for near-duplicates finds."""
    copied_pairs: int | None
    """The same as recorded; None where that is not known."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class SearchCheck:
    """How well near-duplicates are found, held against the record of originals; pairs are of different files."""

    true_pairs: int
    """Pairs of files that show the same original."""
    found_pairs: int
    """Of them, those that the search joined, directly or through others."""
    false_pairs: int
    """Pairs of files that the search joined, with no original in common, not even through others."""
    all_pairs: int

    @property
    def recall(self) -> float:
        """Share of the true pairs that are found, 1 where there are none."""
        return self.found_pairs / self.true_pairs if self.true_pairs else 1.0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"recall": self.recall}


def find_leaks(traces: Traces, splits: Sequence[Any] | NDArray[Any]) -> LeakReport:
    """Counts what the splits share; `splits` are N of `Split`."""
    origins = None if traces.origins is None else [sorted(set().union(*photos)) for photos in traces.origins]
    counts = Counter(str(split) for split in splits)
    return LeakReport(
        rows={split.value: counts[split.value] for split in (*USED_SPLITS, Split.LEFT_OUT)},
        shared_sellers=_shared_keys(_as_keys(traces.sellers), splits),
        shared_seller_groups=_shared_keys(_as_keys(traces.seller_groups or [None] * len(splits)), splits),
        shared_files=_shared_keys(traces.files, splits),
        near_duplicate_pairs=_pairs_across(traces.copies, splits),
        copied_pairs=None if origins is None else _pairs_across(origins, splits),
    )


def check_search(traces: Traces) -> SearchCheck | None:
    """Holds the names of the copies against the recorded originals; None where these are not known."""
    if traces.origins is None:
        return None
    shown: dict[str, set[str]] = defaultdict(set)
    names: dict[str, str] = {}
    for files, copies, origins in zip(traces.files, traces.copies, traces.origins, strict=True):
        for file, name, originals in zip(files, copies, origins, strict=True):
            shown[file].update(originals)
            names[file] = name
    true_pairs = _joined_pairs((original, file) for file, originals in shown.items() for original in originals)
    linked = group_listings([None] * len(shown), list(shown.values()))
    chains = dict(zip(shown, linked.tolist(), strict=True))
    joined = _joined_pairs((name, file) for file, name in names.items())
    return SearchCheck(
        true_pairs=len(true_pairs),
        found_pairs=sum(names[one] == names[other] for one, other in true_pairs),
        false_pairs=sum(chains[one] != chains[other] for one, other in joined),
        all_pairs=len(shown) * (len(shown) - 1) // 2,
    )


def random_splits(splits: NDArray[Any], *, seed: int) -> NDArray[Any]:
    """The same splits dealt to the rows by chance, as is done where nobody looks for leaks."""
    return np.random.default_rng(seed).permutation(splits)


def leak_rows(report: LeakReport) -> Iterator[tuple[str, int | None]]:
    """The lines of a table: what is shared, and how often."""
    yield "sellers in several splits", report.shared_sellers
    yield "groups of linked sellers in several splits", report.shared_seller_groups
    yield "photo files in several splits", report.shared_files
    yield "pairs of listings with near-duplicate photos, across splits", report.near_duplicate_pairs
    yield "pairs of listings with photos of one recorded original, across splits", report.copied_pairs


def _as_keys(names: Sequence[str | None]) -> Keys:
    return [() if name is None else (name,) for name in names]


def _splits_of_keys(keys: Keys, splits: Iterable[Any]) -> dict[str, Counter[str]]:
    """In how many listings of each split a key stands."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row, split in zip(keys, splits, strict=True):
        if split != Split.LEFT_OUT:
            for key in set(row):
                counts[key][str(split)] += 1
    return counts


def _shared_keys(keys: Keys, splits: Iterable[Any]) -> int:
    return sum(len(counts) > 1 for counts in _splits_of_keys(keys, splits).values())


def _pairs_across(keys: Keys, splits: Iterable[Any]) -> int:
    """Pairs of listings in different splits that share a key, counted once for each key."""
    return sum(
        one * other
        for counts in _splits_of_keys(keys, splits).values()
        for one, other in combinations(counts.values(), 2)
    )


def _joined_pairs(members: Iterable[tuple[Hashable, str]]) -> set[tuple[str, str]]:
    """Pairs of files under one key."""
    files: dict[Hashable, list[str]] = defaultdict(list)
    for key, file in members:
        files[key].append(file)
    return {pair for under_key in files.values() for pair in combinations(sorted(set(under_key)), 2)}
