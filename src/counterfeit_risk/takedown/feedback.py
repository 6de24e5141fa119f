"""People's decisions as labelled listings, for the next training.

Policy's own decisions give no label, since a model would learn from itself; nor does `unsure`. Knows no file format.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePath

from sqlalchemy import Engine, Select, exists, select
from sqlalchemy.orm import aliased

from counterfeit_risk.errors import QueueError
from counterfeit_risk.listings.listing import Label, LabeledListing, Photo
from counterfeit_risk.takedown.case import Case
from counterfeit_risk.takedown.database import read_pages, reading
from counterfeit_risk.takedown.states import CaseState, Verdict
from counterfeit_risk.takedown.tables import CaseRow

_LABELS = {Verdict.COUNTERFEIT: Label.COUNTERFEIT, Verdict.GENUINE: Label.GENUINE}


def read_labels(engine: Engine, relative_to: Path | None) -> Iterator[LabeledListing]:
    """The standing verdict of each listing's newest decided case, oldest case first.

    Args:
        engine: the queue's database.
        relative_to: folder under which photo paths shall start; None leaves them as they were loaded.
    """
    for row in read_pages(engine, _newest_decided(), CaseRow.case_id):
        case = row.to_case()
        if case.verdict is None:
            continue
        listing = replace(case.listing, photos=tuple(_rebase_photos(case, relative_to)))
        yield LabeledListing(listing, _LABELS[case.verdict], label_source="review", labelled_at=case.decided_at)


def common_image_root(engine: Engine) -> Path | None:
    """The deepest folder under which the photos of all labels lie; None where no load said where they are.

    Raises:
        QueueError: if there is none.
    """
    with reading(engine) as session:
        roots = session.scalars(
            select(CaseRow.image_root)
            .where(CaseRow.state == CaseState.DECIDED, CaseRow.image_root.is_not(None))
            .distinct()
        ).all()
    return _common_folder(root for root in roots if root)


def _common_folder(roots: Iterable[str]) -> Path | None:
    folders = sorted(roots)
    if not folders:
        return None
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:
        raise QueueError(f"no folder holds the photos of all labels: {', '.join(folders)}") from None


def _newest_decided() -> Select[CaseRow]:
    newer = aliased(CaseRow)
    return select(CaseRow).where(
        CaseRow.state == CaseState.DECIDED,
        ~exists().where(
            newer.listing_id == CaseRow.listing_id,
            newer.state == CaseState.DECIDED,
            newer.case_id > CaseRow.case_id,
        ),
    )


def _rebase_photos(case: Case, relative_to: Path | None) -> Iterator[Photo]:
    for photo in case.listing.photos:
        if photo.path and relative_to and case.image_root:
            folder = os.path.relpath(case.image_root, relative_to)
            yield Photo((PurePath(folder) / photo.path).as_posix())
        else:
            yield photo
