"""People's decisions, and what brands say, as labelled listings, for the next training.

A person's decision goes before a brand's word, whichever is newer. Policy's own decisions give no label, since a model
would learn from itself; nor does `unsure`, nor a case that closed undecided, nor a listing that was erased since: there
is nothing left to learn from. Knows no file format.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePath

from sqlalchemy import Engine, Select, exists, or_, select
from sqlalchemy.orm import aliased, contains_eager

from counterfeit_risk.errors import QueueError
from counterfeit_risk.listings.listing import LabeledListing, Listing, Photo
from counterfeit_risk.takedown.case import Snapshot
from counterfeit_risk.takedown.database import read_pages, reading
from counterfeit_risk.takedown.exchange.tables import BrandLabelRow
from counterfeit_risk.takedown.tables import LabelRow, SnapshotRow

RIGHTS_HOLDER = "rights_holder"
"""Where a label is from that a brand gave."""


def read_labels(engine: Engine, relative_to: Path | None) -> Iterator[LabeledListing]:
    """The standing label of each listing: people's, the oldest first, then brands' where no person's stands.

    A brand saw every listing that it was asked about, so its labels count with a probability of 1.

    Args:
        engine: the queue's database.
        relative_to: folder under which photo paths shall start; None leaves them as they were loaded.
    """
    for row in read_pages(engine, _standing(), LabelRow.label_id):
        yield LabeledListing(
            _rebase_listing(row.snapshot.to_snapshot(), relative_to),
            row.label,
            label_source=row.source,
            labelled_at=row.known_at,
            inclusion_probability=row.inclusion_probability,
        )
    for word in read_pages(engine, _words_of_brands(), BrandLabelRow.brand_label_id):
        yield LabeledListing(
            _rebase_listing(word.snapshot.to_snapshot(), relative_to),
            word.label,
            label_source=RIGHTS_HOLDER,
            labelled_at=word.known_at,
            inclusion_probability=1.0,
        )


def common_image_root(engine: Engine) -> Path | None:
    """The deepest folder under which the photos of all labels lie; None where no load said where they are.

    Raises:
        QueueError: if there is none.
    """
    is_labelled = or_(
        SnapshotRow.snapshot_id.in_(select(LabelRow.snapshot_id)),
        SnapshotRow.snapshot_id.in_(select(BrandLabelRow.snapshot_id)),
    )
    roots = select(SnapshotRow.image_root).where(SnapshotRow.image_root.is_not(None), SnapshotRow.erased_at.is_(None))
    with reading(engine) as session:
        found = session.scalars(roots.where(is_labelled).distinct()).all()
    return _common_folder(root for root in found if root)


def _common_folder(roots: Iterable[str]) -> Path | None:
    folders = sorted(roots)
    if not folders:
        return None
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:
        raise QueueError(f"no folder holds the photos of all labels: {', '.join(folders)}") from None


def _standing() -> Select[LabelRow]:
    newer = aliased(LabelRow)
    succeeded = exists().where(
        newer.listing_key == LabelRow.listing_key, newer.withdrawn_at.is_(None), newer.label_id > LabelRow.label_id
    )
    standing = select(LabelRow).join(LabelRow.snapshot).where(LabelRow.withdrawn_at.is_(None), ~succeeded)
    return standing.where(SnapshotRow.erased_at.is_(None)).options(contains_eager(LabelRow.snapshot))


def _words_of_brands() -> Select[BrandLabelRow]:
    """The newest of each listing on which no person's label stands."""
    newer = aliased(BrandLabelRow)
    succeeded = exists().where(
        newer.listing_key == BrandLabelRow.listing_key, newer.brand_label_id > BrandLabelRow.brand_label_id
    )
    judged = exists().where(LabelRow.listing_key == BrandLabelRow.listing_key, LabelRow.withdrawn_at.is_(None))
    standing = select(BrandLabelRow).join(BrandLabelRow.snapshot).where(~succeeded, ~judged)
    return standing.where(SnapshotRow.erased_at.is_(None)).options(contains_eager(BrandLabelRow.snapshot))


def _rebase_listing(snapshot: Snapshot, relative_to: Path | None) -> Listing:
    return replace(snapshot.listing, photos=tuple(_rebase_photos(snapshot, relative_to)))


def _rebase_photos(snapshot: Snapshot, relative_to: Path | None) -> Iterator[Photo]:
    for photo in snapshot.listing.photos:
        if photo.path and relative_to and snapshot.image_root:
            folder = os.path.relpath(snapshot.image_root, relative_to)
            yield Photo((PurePath(folder) / photo.path).as_posix())
        else:
            yield photo
