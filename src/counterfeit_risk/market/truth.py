"""What only the market knows about its listings, as a table: to judge with afterwards, never to learn from.

Knows no photo's pixels.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from counterfeit_risk.market.drawing import DrawnListing

_SCHEMA = pa.schema(
    [
        ("listing_id", pa.string()),
        ("table", pa.string()),
        ("label", pa.string()),
        ("fused_posterior", pa.float64()),
        ("photo_posterior", pa.float64()),
        ("title_posterior", pa.float64()),
        ("evades", pa.bool_()),
        ("month", pa.int16()),
        ("seller_kind", pa.string()),
        ("guise", pa.string()),
        ("ring", pa.string()),
        ("source", pa.string()),
        ("crude", pa.bool_()),
        ("title_speaks", pa.bool_()),
        ("contradiction", pa.string()),
        ("photo_tells", pa.list_(pa.struct([("tell", pa.string()), ("grade", pa.int8())]))),
        ("file_evasions", pa.list_(pa.string())),
        ("brand_treatment", pa.string()),
        ("title_tells", pa.list_(pa.string())),
        ("shown_brand", pa.string()),
        ("photo_origins", pa.list_(pa.list_(pa.string()))),
    ]
)


def truth_row(drawn: DrawnListing) -> dict[str, Any]:
    """The truth about one listing."""
    offer, posterior = drawn.offer, drawn.posterior
    causes, content = offer.causes, offer.content
    return {
        "listing_id": offer.listing.listing.listing_id,
        "table": drawn.table,
        "label": offer.listing.label.value,
        "fused_posterior": posterior.fused,
        "photo_posterior": posterior.photo,
        "title_posterior": posterior.title,
        "evades": offer.evades,
        "month": causes.month,
        "seller_kind": causes.seller.kind.value,
        "guise": causes.seller.guise.value,
        "ring": causes.seller.ring,
        "source": causes.source.value,
        "crude": offer.giveaway.crude,
        "title_speaks": offer.giveaway.title_speaks,
        "contradiction": content.contradiction.value,
        "photo_tells": [{"tell": tell.value, "grade": grade} for tell, grade in offer.shown.grades.items()],
        "file_evasions": sorted(offer.evasions),
        "brand_treatment": content.wording.treatment.value,
        "title_tells": sorted(content.wording.tells),
        "shown_brand": drawn.shown_brand.name if offer.shown.item.marked else None,
        "photo_origins": [list(photo.origins) for photo in offer.photos],
    }


def write_truth(path: Path, rows: list[dict[str, Any]]) -> None:
    """Writes the truth about both tables as Parquet."""
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), path)
