"""People's decisions as labelled listings, for the next training.

Policy's own decisions give no label, since a model would learn from itself; nor does `unsure`, nor a case that closed
undecided. Knows no file format.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePath

from sqlalchemy import Engine, Select, exists, select
from sqlalchemy.orm import aliased, joinedload

from counterfeit_risk.errors import QueueError
from counterfeit_risk.listings.listing import LabeledListing, Photo
from counterfeit_risk.takedown.case import Snapshot
from counterfeit_risk.takedown.database import read_pages, reading
from counterfeit_risk.takedown.tables import LabelRow, SnapshotRow


def read_labels(engine: Engine, relative_to: Path | None) -> Iterator[LabeledListing]:
    """The standing label of each listing, the oldest first.

    Args:
        engine: the queue's database.
        relative_to: folder under which photo paths shall start; None leaves them as they were loaded.
    """
    for row in read_pages(engine, _standing(), LabelRow.label_id):
        snapshot = row.snapshot.to_snapshot()
        yield LabeledListing(
            replace(snapshot.listing, photos=tuple(_rebase_photos(snapshot, relative_to))),
            row.label,
            label_source=row.source,
            labelled_at=row.known_at,
            inclusion_probability=row.inclusion_probability,
        )


def common_image_root(engine: Engine) -> Path | None:
    """The deepest folder under which the photos of all labels lie; None where no load said where they are.

    Raises:
        QueueError: if there is none.
    """
    roots = select(SnapshotRow.image_root).join(LabelRow, LabelRow.snapshot_id == SnapshotRow.snapshot_id)
    with reading(engine) as session:
        found = session.scalars(roots.where(SnapshotRow.image_root.is_not(None)).distinct()).all()
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
    standing = select(LabelRow).where(LabelRow.withdrawn_at.is_(None), ~succeeded)
    return standing.options(joinedload(LabelRow.snapshot))


def _rebase_photos(snapshot: Snapshot, relative_to: Path | None) -> Iterator[Photo]:
    for photo in snapshot.listing.photos:
        if photo.path and relative_to and snapshot.image_root:
            folder = os.path.relpath(snapshot.image_root, relative_to)
            yield Photo((PurePath(folder) / photo.path).as_posix())
        else:
            yield photo
