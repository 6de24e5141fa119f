"""What a classifier said of labelled listings, as aligned arrays.

Knows no model and no listing table: whoever has both lays them out here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

HEADS = ("fused", "photo", "title")
"""The columns of `Predictions.logits`: photos and title together, photos alone, title alone."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Logits and labels of N listings."""

    listing_ids: tuple[str, ...]
    labels: np.ndarray
    """(N,) bool, True where the listing is counterfeit."""
    logits: np.ndarray
    """(N, 3) float64, a column a head; NaN in the photo column without photos, in the title column without a title."""
    groups: np.ndarray
    """(N,) int64, listings that must not count as independent: of one seller, or of one photo group."""
    slices: dict[str, np.ndarray]
    """By slice name ("brand", "platform"), the (N,) values; "" where it is not known."""

    def __post_init__(self) -> None:
        rows = len(self.listing_ids)
        _require_shape("labels", self.labels, (rows,))
        _require_shape("logits", self.logits, (rows, len(HEADS)))
        _require_shape("groups", self.groups, (rows,))
        for name, values in self.slices.items():
            _require_shape(f"slices[{name!r}]", values, (rows,))
        if self.labels.dtype != np.bool_:
            raise ValueError(f"labels must be bool, not {self.labels.dtype}")
        broken = np.flatnonzero(np.isnan(self.logits[:, 0]))
        if broken.size:
            raise ValueError(f"{broken.size} fused logits are NaN, first that of {self.listing_ids[broken[0]]!r}")

    @property
    def complete(self) -> np.ndarray:
        """(N,) bool, True where a listing has both photos and a title."""
        present: np.ndarray = ~np.isnan(self.logits).any(axis=1)
        return present

    def judgeable_slices(self, smallest: int) -> Iterator[tuple[str, str, np.ndarray]]:
        """Name, value and (N,) bool rows of each slice with enough listings and both classes; "" is no slice."""
        for name, values in self.slices.items():
            for value in sorted(set(values.tolist()) - {""}):
                rows = values == value
                labels = self.labels[rows]
                if labels.size >= smallest and labels.any() and not labels.all():
                    yield name, value, rows

    def select(self, rows: np.ndarray) -> Self:
        """Keeps some rows: a (N,) bool mask, or row numbers in the wanted order."""
        numbers = np.arange(len(self.listing_ids))[rows]
        return type(self)(
            listing_ids=tuple(self.listing_ids[number] for number in numbers),
            labels=self.labels[numbers],
            logits=self.logits[numbers],
            groups=self.groups[numbers],
            slices={name: values[numbers] for name, values in self.slices.items()},
        )


def _require_shape(name: str, values: np.ndarray, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise ValueError(f"{name} has shape {values.shape}, but the listing ids ask for {shape}")
