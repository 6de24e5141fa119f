"""Reads labelled listings of a run's own table again, for what export has to measure on real rows.

Knows no tower.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import ValidationError

from counterfeit_risk.config import DataSettings
from counterfeit_risk.embeddings.content import ContentReader, ListingContent
from counterfeit_risk.embeddings.fingerprint import file_hash
from counterfeit_risk.listings.catalog import load_column_map, read_labeled_listings
from counterfeit_risk.listings.listing import Label, LabeledListing
from counterfeit_risk.listings.splits import Split
from counterfeit_risk.tracking.runs import TrackedRun


@dataclass(frozen=True)
class LabelledContents:
    """N listings and what they turned out to be."""

    contents: tuple[ListingContent, ...]
    labels: NDArray[np.bool_]
    """(N,), True for a counterfeit."""

    @property
    def is_telling(self) -> bool:
        """True where there are photos, titles, and listings of both classes."""
        shown = any(content.pixels for content in self.contents) and any(content.title for content in self.contents)
        return shown and 0 < self.labels.sum() < self.labels.size


def read_labelled_contents(
    run: TrackedRun, split: Split, reader: ContentReader, *, most: int, seed: int
) -> LabelledContents | None:
    """Reads some listings of a split, drawn by chance; None where the run's data are gone or have changed.

    Args:
        run: names its table, and which row stands in which split.
        split: whose rows to read.
        reader: of the listings; photos are read where the run's lay.
        most: listings at most.
        seed: of the draw.
    """
    recorded = json.loads(run.artifact("settings.json").read_text(encoding="utf-8"))["data"]
    expected = json.loads(run.artifact("data.json").read_text(encoding="utf-8"))["table_sha256"]
    try:
        settings = DataSettings.model_validate(recorded)
    except ValidationError:  # a file or folder that it names is gone
        return None
    if file_hash(settings.listings) != expected:
        return None
    reader = replace(reader, image_root=settings.image_root or settings.listings.parent)
    table = pq.read_table(run.artifact("splits.parquet"))
    numbers = np.asarray(table["row_number"])[np.asarray(table["split"].to_pylist()) == split]
    chosen = np.sort(np.random.default_rng(seed).permutation(numbers)[:most])
    read = [(row, reader.read(row.listing)) for row in _rows(settings, chosen)]
    usable = [(row, content) for row, content in read if not content.is_empty]
    labels = np.array([row.label is Label.COUNTERFEIT for row, _ in usable], dtype=bool)
    return LabelledContents(tuple(content for _, content in usable), labels)


def _rows(settings: DataSettings, numbers: NDArray[np.int64]) -> Iterator[LabeledListing]:
    """The labelled listings in rows of the table, counted from 1."""
    wanted = set(numbers.tolist())
    rows = enumerate(read_labeled_listings(settings.listings, load_column_map(settings.column_map)), start=1)
    for number, row in islice(rows, max(wanted, default=0)):
        if number in wanted and isinstance(row, LabeledListing):
            yield row
