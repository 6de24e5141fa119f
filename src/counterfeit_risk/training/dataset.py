"""Listings to learn from as the `datasets` library carries them, and back.

Knows no split and no model.
"""

from collections.abc import Sequence
from typing import Any

import datasets
import numpy as np

from counterfeit_risk.listings.listing import Listing, Photo
from counterfeit_risk.training.rows import LabeledRows

_PHOTO = {"bytes": datasets.Value("binary"), "path": datasets.Value("string")}
_FEATURES = datasets.Features(
    {
        "row": datasets.Value("int64"),
        "table": datasets.Value("int8"),
        "listing_id": datasets.Value("string"),
        "title": datasets.Value("string"),
        "photos": datasets.List(_PHOTO),
        "label": datasets.Value("bool"),
        "weight": datasets.Value("float32"),
    }
)
LABELLED, UNLABELLED = 0, 1
"""Values of `table`: which of the two a row comes from, and so where its photos lie."""


def to_dataset(rows: LabeledRows, unlabelled: Sequence[Listing] = ()) -> datasets.Dataset:
    """The labelled rows, then the unlabelled ones: title, photos (the Image feature's struct), label, weight."""
    listings = [*(row.listing for row in rows.listings), *unlabelled]
    more = len(unlabelled)
    columns = {
        "row": list(range(len(listings))),
        "table": [LABELLED] * len(rows.listings) + [UNLABELLED] * more,
        "listing_id": [listing.listing_id for listing in listings],
        "title": [listing.title for listing in listings],
        "photos": [[{"bytes": photo.data, "path": photo.path} for photo in listing.photos] for listing in listings],
        "label": np.append(rows.labels, np.zeros(more, bool)),
        "weight": np.append(rows.weights, np.ones(more)),
    }
    return datasets.Dataset.from_dict(columns, features=_FEATURES)


def to_listing(example: dict[str, Any]) -> Listing:
    """The listing in a row of `to_dataset`."""
    photos = tuple(Photo(photo["path"], photo["bytes"]) for photo in example["photos"])
    return Listing(example["listing_id"], example["title"], photos)
