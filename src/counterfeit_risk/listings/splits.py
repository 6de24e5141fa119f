"""Deals listings to train, validation, calibration and test so that nothing leaks from one to another.

Knows no table and no photo: sellers and photos arrive as keys, labels, times and brands as they are. Needs SciPy.
"""

import logging
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from counterfeit_risk.config import SplitSettings
from counterfeit_risk.errors import ListingTableError
from counterfeit_risk.listings.listing import Label

logger = logging.getLogger(__name__)


class Split(StrEnum):
    """What a listing is used for."""

    TRAIN = "train"
    VALIDATION = "validation"
    """Decides when training stops."""
    CALIBRATION = "calibration"
    """Fits the calibration and the risk bands."""
    TEST = "test"
    LEFT_OUT = "left_out"
    """Nothing: it would leak into its group's split, or is outside of that split's time."""


USED_SPLITS = (Split.TRAIN, Split.VALIDATION, Split.CALIBRATION, Split.TEST)

_PERIODS = np.array([0, 1, 1, 2])
"""Of each used split, when it is forward in time."""


@dataclass(frozen=True)
class SplitRows:
    """What the splits are decided by, of N listings."""

    listing_ids: Sequence[str]
    sellers: Sequence[str | None]
    """None shares nothing."""
    photos: Sequence[Collection[str]]
    """Keys of each listing's photos; equal keys are the same photo, or copies of it."""
    seller_groups: Sequence[str | None] | None = None
    """Groups of linked sellers, where known."""
    labels: NDArray[np.bool_] | None = None
    """(N,), True for a counterfeit; None where there are none."""
    created_at: Sequence[datetime | None] | None = None
    brands: Sequence[str | None] | None = None

    @cached_property
    def groups(self) -> NDArray[np.int64]:
        """(N,), as `group_listings` finds them."""
        return group_listings(self.sellers, self.photos, seller_groups=self.seller_groups)


def group_listings(
    sellers: Sequence[str | None],
    photos: Sequence[Collection[str]],
    *,
    seller_groups: Sequence[str | None] | None = None,
) -> NDArray[np.int64]:
    """Puts listings that share a seller or a photo, directly or through others, into one group.

    Args:
        sellers: (N,) seller of each listing; None shares nothing.
        photos: (N,) keys of each listing's photos; equal keys are equal photos.
        seller_groups: (N,) groups of linked sellers, where known; None shares nothing.

    Returns:
        (N,) group of each listing, numbered from 0 without gaps.
    """
    shared: dict[tuple[str, str], int] = {}
    listings: list[int] = []
    keys: list[int] = []
    linked = seller_groups or [None] * len(sellers)
    for listing, row in enumerate(zip(sellers, linked, photos, strict=True)):
        for key in _shared_keys(*row):
            listings.append(listing)
            keys.append(len(sellers) + shared.setdefault(key, len(shared)))
    nodes = len(sellers) + len(shared)
    edges = coo_array((np.ones(len(keys), dtype=np.int8), (listings, keys)), shape=(nodes, nodes))
    _, components = connected_components(edges, directed=False)
    _, groups = np.unique(components[: len(sellers)], return_inverse=True)
    return groups.astype(np.int64)


def split_listings(rows: SplitRows, settings: SplitSettings, *, seed: int) -> NDArray[Any]:
    """Deals whole groups to the splits, so that each split gets its share of both classes.

    Large groups are dealt first, each to the split where it lowers the chi-square distance between the shares reached
    and the shares asked for the most. (scikit-learn's StratifiedGroupKFold does the same for equal folds, but takes
    9 s for 10,000 listings, where this takes 0.2 s.)

    Forward in time, a group goes to the period in which most of its rows are. Where brands are left out, a group that
    is mostly of these brands goes to test. Rows that would break either rule where their group went are left out.

    Args:
        rows: N listings.
        settings: the shares, and what decides beside them.
        seed: decides among groups that are alike.

    Returns:
        (N,) of `Split`.

    Raises:
        ListingTableError: if one group is larger than allowed, a split is left without listings or without one of the
            classes, or times or brands that the settings need are not there.
    """
    if not len(rows.listing_ids):
        raise ListingTableError("there are no listings to split")
    groups = rows.groups
    _check_largest_group(rows, settings)
    held_out = _held_out_brands(rows, settings)
    periods = _periods(rows, settings)
    allowed = _allowed_splits(groups, periods, held_out)
    # what is left out wherever its group goes must not count as a share of it
    useful = (periods == _main_period(groups, periods)[groups]) & (~held_out | ~allowed[groups, 0])
    classes = np.zeros(len(groups), dtype=np.bool_) if rows.labels is None else rows.labels
    sizes = np.stack([np.bincount(groups, weights=useful & kind) for kind in (~classes, classes)], axis=1)
    wanted = np.array([getattr(settings, split.value) for split in USED_SPLITS])
    parts = sizes / np.maximum(sizes.sum(axis=0), 1)
    of_row = _deal_groups(parts, wanted, allowed, np.random.default_rng(seed))[groups]
    splits = np.array(USED_SPLITS, dtype=object)[of_row]
    in_period = (periods == _PERIODS[of_row]) if settings.forward_in_time else np.ones(len(groups), dtype=np.bool_)
    splits[~in_period | (held_out & (splits != Split.TEST))] = Split.LEFT_OUT
    _check_splits(splits, rows.labels)
    logger.info("split %d listings in %d groups", len(groups), len(sizes))
    return splits


def _shared_keys(
    seller: str | None, seller_group: str | None, photo_keys: Collection[str]
) -> Iterator[tuple[str, str]]:
    if seller is not None:
        yield ("seller", seller)
    if seller_group is not None:
        yield ("seller group", seller_group)
    for key in photo_keys:
        yield ("photo", key)


def _held_out_brands(rows: SplitRows, settings: SplitSettings) -> NDArray[np.bool_]:
    """(N,), True for a listing of a brand that only test may hold."""
    brands = np.array([(brand or "").casefold() for brand in rows.brands or [None] * len(rows.listing_ids)])
    wanted = {name.casefold(): name for name in settings.leave_out_brands}
    unknown = [name for key, name in wanted.items() if key not in set(brands.tolist())]
    if unknown:
        raise ListingTableError(f"no listing is of the brand {unknown[0]!r} that is to be left out")
    return np.isin(brands, list(wanted))


def _periods(rows: SplitRows, settings: SplitSettings) -> NDArray[np.int64]:
    """(N,): 0, 1 or 2 as a listing was published in the time of train, of validation and calibration, or of test.

    All 0 where time does not matter; -1 where it does and is not known.
    """
    if not settings.forward_in_time:
        return np.zeros(len(rows.listing_ids), np.int64)
    times = rows.created_at or [None] * len(rows.listing_ids)
    seconds = np.array(
        [np.nan if time is None else (time - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() for time in times]
    )
    known = ~np.isnan(seconds)
    if not known.any():
        raise ListingTableError("no listing has a created_at, so they cannot be split forward in time")
    cuts = np.quantile(seconds[known], [settings.train, 1 - settings.test])
    periods: NDArray[np.int64] = np.where(known, np.searchsorted(cuts, seconds, side="right"), -1).astype(np.int64)
    return periods


def _main_period(groups: NDArray[np.int64], periods: NDArray[np.int64]) -> NDArray[np.int64]:
    """(G,): the period in which most rows of a group are, the earliest of equals; 0 where no time is known."""
    counts = np.stack([np.bincount(groups, weights=periods == period) for period in range(3)], axis=1)
    main: NDArray[np.int64] = counts.argmax(axis=1).astype(np.int64)
    return main


def _allowed_splits(
    groups: NDArray[np.int64], periods: NDArray[np.int64], held_out: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(G, S): where each group may go."""
    main = _main_period(groups, periods)
    allowed = np.ones((len(main), len(USED_SPLITS)), dtype=np.bool_)
    if periods.any():
        allowed = main[:, None] == _PERIODS
    mostly_held_out = np.bincount(groups, weights=held_out) * 2 > np.bincount(groups)
    allowed[mostly_held_out] = np.array(USED_SPLITS) == Split.TEST
    return allowed


def _deal_groups(
    parts: NDArray[np.float64], wanted: NDArray[np.float64], allowed: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.intp]:
    """Deals G groups to S splits.

    `parts` is (G, 2): a group's part of each class; `wanted` is (S,), sums to 1; `allowed` is (G, S).
    """
    reached = np.zeros((wanted.size, parts.shape[1]))
    chosen = np.empty(len(parts), dtype=np.intp)
    shuffled = rng.permutation(len(parts))
    for group in shuffled[np.argsort(-parts[shuffled].sum(axis=1), kind="stable")]:
        part = parts[group]
        change = (part * (part + 2 * (reached - wanted[:, None]))).sum(axis=1) / wanted
        best = chosen[group] = np.argmin(np.where(allowed[group], change, np.inf))
        reached[best] += part
    return chosen


def _check_largest_group(rows: SplitRows, settings: SplitSettings) -> None:
    sizes = np.bincount(rows.groups)
    share = sizes.max() / len(rows.listing_ids)
    if share <= settings.largest_group:
        return
    members = np.flatnonzero(rows.groups == sizes.argmax()).tolist()
    sellers = Counter(seller for row in members if (seller := rows.sellers[row]) is not None)
    photos = Counter(key for row in members for key in set(rows.photos[row]))
    raise ListingTableError(
        f"one group of listings that share sellers or photos holds {share:.1%} of all listings ({len(members)} of "
        f"{len(rows.listing_ids)}), more than splits.largest_group allows ({settings.largest_group:.1%}): it joins "
        f"{len(sellers)} sellers and {len(photos)} photos. {_describe_links(rows, members, sellers, photos)}Look for a "
        f"placeholder photo or seller that many listings carry, bring listings of more sellers, or raise "
        f"splits.largest_group; no group is ever divided, as that would leak"
    )


def _describe_links(rows: SplitRows, members: Sequence[int], sellers: Counter[str], photos: Counter[str]) -> str:
    """The seller and the photo with most listings, in a sentence each."""
    text = ""
    if sellers:
        seller, count = sellers.most_common(1)[0]
        text += f"Seller {seller!r} alone has {count} of them. "
    if photos:
        photo, count = photos.most_common(1)[0]
        first = next(row for row in members if photo in rows.photos[row])
        text += f"One photo, first seen in listing {rows.listing_ids[first]!r}, is in {count} of them. "
    return text


def _check_splits(splits: NDArray[Any], labels: NDArray[np.bool_] | None) -> None:
    if labels is None:
        empty = [split.value for split in USED_SPLITS if not (splits == split).any()]
        if empty:
            raise ListingTableError(f"too little to split: {', '.join(empty)} would hold no listing")
        return
    missing = [
        f"{split.value} has no {label.value} listing"
        for split in USED_SPLITS
        for label, kind in ((Label.GENUINE, False), (Label.COUNTERFEIT, True))
        if not (labels[splits == split] == kind).any()
    ]
    if missing:
        counterfeits = int(labels.sum())
        raise ListingTableError(
            f"too little to split {labels.size - counterfeits} genuine and {counterfeits} counterfeit listings: "
            f"{', '.join(missing)}; bring more listings of more sellers, or give a small split a larger share"
        )
