"""Shows one brand's genuine listings above its counterfeits, so that anybody can see what gives them away.

Knows no more than a market's truth and its photos.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from counterfeit_risk.listings.listing import LabeledListing
from counterfeit_risk.market.pictures.contact_sheet import contact_sheet

_ROWS = 4
_PHOTOS = 5
_GRADES = ("slight", "plain", "gross")


def write_showcase(path: Path, listings: Sequence[LabeledListing], truth: Iterable[dict[str, Any]]) -> str | None:
    """Writes a contact sheet of the brand with the most counterfeits that photos give away.

    Args:
        path: of the JPEG file; photos lie beside it.
        listings: of the market.
        truth: about them, and maybe about others.

    Returns:
        The brand's name; None where no photo gives a counterfeit away, and nothing was written.
    """
    known = {row["listing_id"]: row for row in truth}
    rows = [(listing, known[listing.listing.listing_id]) for listing in listings]
    shown = Counter(row["shown_brand"] for _, row in rows if row["photo_tells"] and row["label"] == "counterfeit")
    if not shown:
        return None
    brand = str(shown.most_common(1)[0][0])
    sheet = [
        (_caption(row), [Image.open(path.parent / str(photo)) for photo in listing.listing.photos[:_PHOTOS]])
        for label in ("genuine", "counterfeit")
        for listing, row in _choose(rows, brand, label)
    ]
    contact_sheet(sheet, columns=_PHOTOS).save(path, "JPEG", quality=88)
    return brand


def _choose(
    rows: Iterable[tuple[LabeledListing, dict[str, Any]]], brand: str, label: str
) -> list[tuple[LabeledListing, dict[str, Any]]]:
    """Different goods of one brand; counterfeits among them are such as their photos give away."""
    chosen = {
        row["photo_origins"][0][0]: (listing, row)
        for listing, row in rows
        if row["shown_brand"] == brand
        and row["label"] == label
        and bool(row["photo_tells"]) is (label == "counterfeit")
    }
    return sorted(chosen.values(), key=lambda pair: -len(pair[0].listing.photos))[:_ROWS]


def _caption(row: dict[str, Any]) -> str:
    tells = [f"{tell['tell'].replace('_', ' ')} ({_GRADES[tell['grade'] - 1]})" for tell in row["photo_tells"]]
    about = f"{row['label']}, from a {row['seller_kind']}"
    return f"{about}: {', '.join([*tells, *row['file_evasions']])}" if tells else about
