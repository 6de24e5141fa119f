"""The model as MLflow serves it: `tracking` registers this module by name, and MLflow calls `_load_pyfunc`.

Knows neither MLflow nor pandas: it takes anything with `to_dict("records")` and returns plain values.
"""

import base64
import binascii
import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from counterfeit_risk.embeddings.workers import Workers
from counterfeit_risk.export.bundle import open_bundle
from counterfeit_risk.listings.listing import Listing, Photo, RejectedRow
from counterfeit_risk.scoring.reader import ReadRow, read_rows
from counterfeit_risk.scoring.scorer import Scorer

_COMPARED_WITHIN = ("currency", "brand", "category")


class Records(Protocol):
    """A data frame, as far as this module looks."""

    def to_dict(self, orient: str) -> list[dict[str, Any]]:
        """One mapping a row."""


class ServedModel:
    """Answers listings with their risks."""

    def __init__(self, folder: Path) -> None:
        bundle = open_bundle(folder)
        self._scorer = Scorer(bundle)
        # photos come as bytes, so no path is ever read: the root only has to exist
        self._reader = self._scorer.reader(folder)

    def predict(self, model_input: Records, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:  # noqa: ARG002 (MLflow passes it)
        """Scores listings: `listing_id`, `title`, `images` (base64), `price` and what it is compared within.

        One answer a row, in order.
        """
        listings = [(number, _to_listing(row)) for number, row in enumerate(model_input.to_dict("records"), start=1)]
        with Workers(os.cpu_count() or 1) as workers:
            read = list(read_rows(listings, self._reader, workers, ahead=16))
        readable = [row for row in read if isinstance(row, ReadRow)]
        scored = iter(self._scorer.score(readable, datetime.now(UTC)))
        answers = [row if isinstance(row, RejectedRow) else next(scored) for row in read]
        return [_to_answer(row) for row in answers]


def _load_pyfunc(data_path: str) -> ServedModel:
    return ServedModel(Path(data_path))


def _to_listing(row: Mapping[str, Any]) -> Listing:
    title, images = row.get("title"), row.get("images")
    photos = tuple(Photo(data=_decode(image)) for image in images) if images is not None else ()
    return Listing(
        str(row["listing_id"]),
        title if isinstance(title, str) else "",
        photos,
        price=_price(row.get("price")),
        **{name: row[name] for name in _COMPARED_WITHIN if isinstance(row.get(name), str)},
    )


def _price(value: Any) -> float | None:
    """A data frame holds NaN where a row has no price."""
    return float(value) if isinstance(value, float | int) and math.isfinite(value) and value >= 0 else None


def _decode(image: str) -> bytes:
    try:
        return base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError, TypeError):
        return b""  # named as an unreadable photo further on


def _to_answer(row: Any) -> dict[str, Any]:
    if isinstance(row, RejectedRow):
        return {"listing_id": row.listing_id, "risk": None, "band": None, "reason": row.reason.value}
    return {"listing_id": row.listing_id, "risk": row.risk, "band": row.band.value, "reason": None}
