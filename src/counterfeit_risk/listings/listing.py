"""The values that every stage speaks of: a listing, a labelled listing, a rejected row.

Knows no file format, no image decoder and no model.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Label(StrEnum):
    """What a listing turned out to be."""

    GENUINE = "genuine"
    COUNTERFEIT = "counterfeit"


class RejectReason(StrEnum):
    """Why a row left without a score."""

    MALFORMED_ROW = "malformed_row"
    MISSING_ID = "missing_id"
    DUPLICATE_ID = "duplicate_id"
    UNKNOWN_LABEL = "unknown_label"
    NOTHING_READABLE = "no_readable_photo_or_title"
    RISK_NOT_A_NUMBER = "risk_not_a_number"


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo of a listing: a path under the image root, or the file's bytes; never neither."""

    path: str | None = None
    data: bytes | None = None

    def __str__(self) -> str:
        return self.path or f"{len(self.data or b'')} bytes in the table"


@dataclass(frozen=True, slots=True)
class Listing:
    """One offer as its seller published it; `price` is finite and not negative, `created_at` is in UTC."""

    listing_id: str
    title: str
    photos: tuple[Photo, ...] = ()
    brand: str | None = None
    platform: str | None = None
    seller_id: str | None = None
    category: str | None = None
    price: float | None = None
    currency: str | None = None
    language: str | None = None
    created_at: datetime | None = None
    unreadable_fields: tuple[str, ...] = ()
    """Optional columns whose value could not be read (a NaN price, a date that is none) and counts as absent."""


@dataclass(frozen=True, slots=True)
class LabeledListing:
    """A listing with what it turned out to be, who said so and when."""

    listing: Listing
    label: Label
    label_source: str | None = None
    labelled_at: datetime | None = None
    inclusion_probability: float | None = None
    """Probability with which this listing was picked for labelling, in (0, 1]; None where it is not known."""
    seller_group: str | None = None
    """Sellers known to be linked share one group."""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that leaves without a score. `row_number` counts the table's data rows from 1."""

    row_number: int
    reason: RejectReason
    detail: str
    listing_id: str | None = None
