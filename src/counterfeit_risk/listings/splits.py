"""Deals labelled listings to train, validation, calibration and test so that nothing leaks from one to another.

Knows no listing: sellers and photos arrive as keys, labels and groups as arrays. Needs SciPy.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from counterfeit_risk.config import SplitShares
from counterfeit_risk.errors import ListingTableError
from counterfeit_risk.listings.listing import Label

logger = logging.getLogger(__name__)


class Split(StrEnum):
    """What a labelled listing is used for."""

    TRAIN = "train"
    VALIDATION = "validation"
    """Decides when training stops."""
    CALIBRATION = "calibration"
    """Fits the calibration and the risk bands."""
    TEST = "test"


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


def split_listings(
    labels: NDArray[np.bool_], groups: NDArray[np.int64], shares: SplitShares, *, seed: int
) -> NDArray[Any]:
    """Deals whole groups to the splits, so that each split gets its share of both classes.

    Large groups are dealt first, each to the split where it lowers the chi-square distance between the shares reached
    and the shares asked for the most. (scikit-learn's StratifiedGroupKFold does the same for equal folds, but takes
    9 s for 10,000 listings, where this takes 0.2 s.)

    Args:
        labels: (N,), True for a counterfeit.
        groups: (N,); listings of one group stay together.
        shares: of the listings in each split.
        seed: decides among groups that are alike.

    Returns:
        (N,) of `Split`.

    Raises:
        ListingTableError: if one group is larger than any split should be, or a split is left without one of the
            classes.
    """
    if not labels.size:
        raise ListingTableError("there are no listings to split")
    _, members = np.unique(groups, return_inverse=True)
    sizes = np.stack([np.bincount(members, weights=~labels), np.bincount(members, weights=labels)], axis=1)
    wanted = np.array([getattr(shares, split.value) for split in Split])
    _check_largest_group(sizes.sum(axis=1).max() / labels.size, wanted.max())
    of_group = _deal_groups(sizes / np.maximum(sizes.sum(axis=0), 1), wanted, np.random.default_rng(seed))
    splits = np.array(list(Split), dtype=object)[of_group[members]]
    _check_classes(splits, labels)
    logger.info("split %d listings in %d groups", labels.size, len(sizes))
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


def _deal_groups(parts: NDArray[np.float64], wanted: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.intp]:
    """Deals G groups to S splits; `parts` is (G, 2): a group's part of each class; `wanted` is (S,), sums to 1."""
    reached = np.zeros((wanted.size, parts.shape[1]))
    chosen = np.empty(len(parts), dtype=np.intp)
    shuffled = rng.permutation(len(parts))
    for group in shuffled[np.argsort(-parts[shuffled].sum(axis=1), kind="stable")]:
        part = parts[group]
        change = (part * (part + 2 * (reached - wanted[:, None]))).sum(axis=1) / wanted
        best = chosen[group] = np.argmin(change)
        reached[best] += part
    return chosen


def _check_largest_group(share: float, largest_split: float) -> None:
    if share > largest_split:
        raise ListingTableError(
            f"one group of listings that share sellers or photos holds {share:.1%} of all listings, more than the "
            f"largest split ({largest_split:.1%}), and cannot be divided without a leak; look for a placeholder photo "
            f"or seller that many listings carry, or bring listings of more sellers"
        )


def _check_classes(splits: NDArray[Any], labels: NDArray[np.bool_]) -> None:
    missing = [
        f"{split.value} has no {label.value} listing"
        for split in Split
        for label, kind in ((Label.GENUINE, False), (Label.COUNTERFEIT, True))
        if not (labels[splits == split] == kind).any()
    ]
    if missing:
        counterfeits = int(labels.sum())
        raise ListingTableError(
            f"too little to split {labels.size - counterfeits} genuine and {counterfeits} counterfeit listings: "
            f"{', '.join(missing)}; bring more listings of more sellers, or give a small split a larger share"
        )
