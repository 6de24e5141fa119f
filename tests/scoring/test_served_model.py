import base64
from pathlib import Path
from typing import Any

import pytest

from counterfeit_risk.export.bundle import ModelBundle
from counterfeit_risk.listings.catalog import read_listings
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.scoring.risk_score import read_scores
from counterfeit_risk.scoring.runner import Dump, score_dump
from counterfeit_risk.scoring.served_model import ServedModel


class Frame:
    """As much of a data frame as a served model looks at."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = list(rows)

    def to_dict(self, orient: str) -> list[dict[str, Any]]:
        assert orient == "records"
        return self.rows


def test_a_served_risk_is_the_scored_one(tiny_bundle: ModelBundle, tiny_market: Path, tmp_path: Path) -> None:
    table = tiny_market / "nightly.parquet"
    score_dump(tiny_bundle, Dump(table), tmp_path / "out")
    scored = {score.listing_id: score.risk for score in read_scores(tmp_path / "out")}
    listings = [row for row in read_listings(table) if isinstance(row, Listing)][:5]
    rows = [
        {
            "listing_id": listing.listing_id,
            "title": listing.title,
            "images": [
                base64.b64encode((tiny_market / str(photo.path)).read_bytes()).decode() for photo in listing.photos
            ],
            "price": listing.price if listing.price is not None else float("nan"),
            **{name: getattr(listing, name) for name in ("currency", "brand", "category")},
        }
        for listing in listings
    ]
    answers = ServedModel(tiny_bundle.folder).predict(Frame(*rows))
    assert [answer["risk"] for answer in answers] == pytest.approx(
        [scored[one.listing_id] for one in listings], abs=1e-6
    )


def test_a_listing_with_nothing_usable_is_answered_with_its_reason(tiny_bundle: ModelBundle) -> None:
    rows = [{"listing_id": "a", "title": None, "images": ["not base64!"]}, {"listing_id": "b", "title": "a bag"}]
    refused, answered = ServedModel(tiny_bundle.folder).predict(Frame(*rows))
    assert (refused["listing_id"], refused["risk"], refused["reason"]) == ("a", None, "no_readable_photo_or_title")
    assert answered["listing_id"] == "b"
    assert 0 <= answered["risk"] <= 1
