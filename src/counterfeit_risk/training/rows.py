"""Labelled rows to learn from: read, checked for usable content, and split so that no seller and no photo leaks.

Knows no model.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from counterfeit_risk.config import DataSettings
from counterfeit_risk.embeddings.content import ContentReader, ListingContent
from counterfeit_risk.embeddings.fingerprint import file_hash
from counterfeit_risk.embeddings.price_model import PriceModel, fit_price_model
from counterfeit_risk.errors import ListingTableError
from counterfeit_risk.listings.catalog import load_column_map, read_labeled_listings
from counterfeit_risk.listings.listing import Label, LabeledListing, RejectedRow, RejectReason
from counterfeit_risk.listings.near_duplicates import shared_photo_keys
from counterfeit_risk.listings.sample_weights import sample_weights
from counterfeit_risk.listings.splits import USED_SPLITS, Split, SplitRows, split_listings


@dataclass(frozen=True)
class LabeledRows:
    """The N rows of one table that can be learned from, and those that cannot."""

    listings: tuple[LabeledListing, ...]
    row_numbers: NDArray[np.int64]
    """(N,) where each stands in the table, from 1."""
    groups: NDArray[np.int64]
    """(N,); rows that share a seller, or a photo or a copy of it, share a group."""
    splits: NDArray[Any]
    """(N,) of `Split`; what is left out is neither learned from nor judged on."""
    photo_hashes: tuple[tuple[str, ...], ...]
    """(N,) of each row's usable photos."""
    has_photo: NDArray[np.bool_]
    """(N,); False where no photo can be used."""
    has_title: NDArray[np.bool_]
    """(N,)."""
    rejected: tuple[RejectedRow, ...]
    photos_lost: int
    table_sha256: str

    @property
    def labels(self) -> NDArray[np.bool_]:
        """(N,), True for a counterfeit."""
        return np.array([row.label is Label.COUNTERFEIT for row in self.listings])

    @property
    def weights(self) -> NDArray[np.float64]:
        """(N,), how much each counts in training, given how likely it was to be labelled; 1 on average."""
        return sample_weights(self.listings)

    @cached_property
    def price_model(self) -> PriceModel:
        """What the prices of the train rows say."""
        return fit_price_model([self.listings[row] for row in np.flatnonzero(self.splits == Split.TRAIN)])

    def summary(self) -> dict[str, Any]:
        """What a run records of its data."""
        splits, labels = np.asarray(self.splits), self.labels
        return {
            "table_sha256": self.table_sha256,
            "rows": len(self.listings) + len(self.rejected),
            "rejected": dict(Counter(row.reason.value for row in self.rejected)),
            "photos_lost": self.photos_lost,
            "groups": len(np.unique(self.groups)),
            "splits": {
                split.value: {
                    "listings": int((splits == split).sum()),
                    "counterfeits": int(labels[splits == split].sum()),
                }
                for split in USED_SPLITS
            },
            "left_out": int((splits == Split.LEFT_OUT).sum()),
        }


def read_labeled_rows(settings: DataSettings, reader: ContentReader, *, seed: int) -> LabeledRows:
    """Reads the labelled table and splits it.

    A row in which neither a photo nor a title can be used is rejected, as in scoring.

    Raises:
        ListingTableError: if the table cannot be read, or holds too little to split.
    """
    listings: list[LabeledListing] = []
    contents: list[ListingContent] = []
    row_numbers: list[int] = []
    rejected: list[RejectedRow] = []
    for row_number, (row, content) in enumerate(_read_contents(settings, reader), start=1):
        if isinstance(row, RejectedRow):
            rejected.append(row)
        elif content.is_empty:
            detail = "; ".join(content.photos_lost) or "the row has no photo and no title"
            rejected.append(RejectedRow(row_number, RejectReason.NOTHING_READABLE, detail, row.listing.listing_id))
        else:
            listings.append(row)
            contents.append(content)
            row_numbers.append(row_number)
    if not listings:
        raise ListingTableError(f"{settings.listings} holds no labelled listing that can be used")
    rows = _split_rows(listings, contents)
    return LabeledRows(
        listings=tuple(listings),
        row_numbers=np.array(row_numbers, np.int64),
        groups=rows.groups,
        splits=split_listings(rows, settings.splits, seed=seed),
        photo_hashes=tuple(content.photo_hashes for content in contents),
        has_photo=np.array([bool(content.photo_hashes) for content in contents]),
        has_title=np.array([bool(content.title) for content in contents]),
        rejected=tuple(rejected),
        photos_lost=sum(len(content.photos_lost) for content in contents),
        table_sha256=file_hash(settings.listings),
    )


def image_root(settings: DataSettings) -> Path:
    """Where image paths start."""
    return settings.image_root or settings.listings.parent


def _split_rows(rows: Sequence[LabeledListing], contents: Sequence[ListingContent]) -> SplitRows:
    """What the rows may share. Photos that the model does not read leak nothing into it, and are not looked at."""
    return SplitRows(
        listing_ids=[row.listing.listing_id for row in rows],
        sellers=[row.listing.seller_id for row in rows],
        photos=shared_photo_keys(
            [content.photo_hashes for content in contents], [content.thumbnails for content in contents]
        ),
        seller_groups=[row.seller_group for row in rows],
        labels=np.array([row.label is Label.COUNTERFEIT for row in rows]),
        created_at=[row.listing.created_at for row in rows],
        brands=[row.listing.brand for row in rows],
    )


def _read_contents(
    settings: DataSettings, reader: ContentReader
) -> Iterator[tuple[LabeledListing | RejectedRow, ListingContent]]:
    nothing = ListingContent("", (), (), ())
    reader = replace(reader, keep_thumbnails=True)

    def read(row: LabeledListing | RejectedRow) -> tuple[LabeledListing | RejectedRow, ListingContent]:
        if isinstance(row, RejectedRow):
            return row, nothing
        # only hashes and thumbnails are needed here, and the pixels of a whole table would fill the memory
        return row, replace(reader.read(row.listing), pixels=())

    rows = read_labeled_listings(settings.listings, load_column_map(settings.column_map))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(read, rows)
