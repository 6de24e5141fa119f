"""The demo's page: one self-contained HTML file with pictures of what every stage made.

Stages meet here sideways, as `cli` is the place for.
"""

import json
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

from counterfeit_risk.cli.score import counts
from counterfeit_risk.evaluation import page
from counterfeit_risk.evaluation.page import Card, Html, Section
from counterfeit_risk.listings.images import UnreadableImageError, read_photo
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.scoring.output import ScoringManifest
from counterfeit_risk.takedown.case import Case
from counterfeit_risk.takedown.display import format_time
from counterfeit_risk.takedown.queue import TakedownQueue

_CASES = 24
_PHOTOS_A_CARD = 3


def write_demo_report(
    report: Path, *, queue: TakedownQueue, manifest: ScoringManifest, image_root: Path, evaluation: Path
) -> None:
    """Writes the page.

    Args:
        report: the HTML file.
        queue: holds the night's cases.
        manifest: of the night's scoring.
        image_root: where the dump's photo paths start.
        evaluation: folder of the training run's evaluation, with its figures.
    """
    now = datetime.now(UTC)
    cases = queue.top(now, limit=_CASES)
    sections = [
        Section("Waiting for a person, most urgent first", page.cards(_card(case, image_root) for case in cases)),
        Section("Decided by the demo's reviewer", _decided(queue)),
        Section("What the seller of the latest is told", _statement(queue)),
        Section("Every row of the night", page.table(("rows", "count"), counts(manifest))),
        Section("How good the model is", _evaluation(evaluation)),
    ]
    rejected = sum(manifest.rejected.values())
    introduction = (
        f"A classifier was trained on one part of a synthetic market and scored a night it had not seen: "
        f"{manifest.rows_in:,} rows in, {manifest.scored:,} scored, {rejected:,} rejected. "
        "A risk is a calibrated probability of being counterfeit; it opens a case, and people decide."
    )
    report.write_text(page.page("A night at the market", introduction, sections), encoding="utf-8")


def _card(case: Case, image_root: Path) -> Card:
    riskiest = case.riskiest
    listing = riskiest.listing
    spoke = [
        f"{name} alone {risk:.2f}"
        for name, risk in (("photos", riskiest.photo_risk), ("title", riskiest.title_risk))
        if risk is not None
    ]
    price = "" if listing.price is None else f"{listing.price:,.2f} {listing.currency or ''}".strip()
    others = len(case.snapshots) - 1
    return Card(
        heading=listing.title or "(no title)",
        risk=case.risk,
        band=case.band,
        photos=_photos(listing, image_root),
        lines=(
            ", ".join(spoke),
            " · ".join(part for part in (listing.brand, listing.platform, listing.seller_id, price) if part),
            f"case {case.case_id}, due {format_time(case.due_at)} UTC",
            *([f"and {others} more with its photos"] if others else []),
        ),
    )


def _photos(listing: Listing, image_root: Path) -> tuple[bytes, ...]:
    photos = []
    for photo in listing.photos[:_PHOTOS_A_CARD]:
        try:
            photos.append(read_photo(photo, image_root))
        except UnreadableImageError:
            continue  # the case's own page names what was lost
    return tuple(photos)


def _decided(queue: TakedownQueue) -> Html:
    labels = [(label.listing.listing_id, label.listing.title, label.label.value) for label in queue.labels()]
    actions = [
        (action.sequence, action.kind.value, action.listing_id, action.case_id, action.reason)
        for action in queue.actions()
    ]
    return page.join(
        [
            page.paragraph("Verdicts, which come back as labels:"),
            page.table(("listing", "title", "verdict"), labels),
            page.paragraph("Actions for the platform:"),
            page.table(("sequence", "action", "listing", "case", "reason"), actions),
        ]
    )


def _statement(queue: TakedownQueue) -> Html:
    latest = next(iter(deque(queue.statements(), maxlen=1)), None)
    text = latest.seller_text if latest else "Nothing was hidden or taken down."
    return page.join(page.paragraph(part) for part in text.split("\n\n"))


def _evaluation(folder: Path) -> Html:
    found = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    text = (
        f"On the test split: {found['listings']:,} listings, {found['counterfeits']:,} of them counterfeit, from "
        "sellers and with photos that training has not seen."
    )
    captions = {
        "precision_recall": "Precision and recall of the fused head and of its two halves",
        "reliability": "Observed share of counterfeits against promised risk",
        "risk_histogram": "Risks of genuine and of counterfeit listings, with the bands",
    }
    figures = [page.figure((folder / f"{name}.png").read_bytes(), text) for name, text in captions.items()]
    return page.join([page.paragraph(text), *figures])
