"""Which case a listing belongs to: the undecided one that holds it, or one of its brand that shows a photo of it.

Reads what a batch of listings can touch in a few queries, and keeps it up to date while the batch is applied. Cases
whose answer is known are apart: nothing joins them. Knows no score's meaning and moves no case.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfeit_risk.takedown.actions import listing_statuses
from counterfeit_risk.takedown.complaints.tables import AppealRow, NoticeItemRow
from counterfeit_risk.takedown.states import UNDECIDED, CaseState, Lane, ListingStatus
from counterfeit_risk.takedown.tables import Base, CasePhotoRow, CaseRow, MemberRow, SnapshotRow

_IS_REAL = CaseRow.lane != Lane.KNOWN_ANSWER
_IS_UNDECIDED = CaseRow.state.in_(UNDECIDED) & _IS_REAL
_IS_DECIDED = (CaseRow.state == CaseState.DECIDED) & _IS_REAL


def brand_key(brand: str | None) -> str | None:
    """A brand, however it is written."""
    return " ".join(unicodedata.normalize("NFKC", brand).casefold().split()) or None if brand else None


class Clusters:
    """The cases that a batch of listings can belong to."""

    def __init__(self, session: Session, snapshots: Sequence[SnapshotRow], photos: Sequence[Collection[str]]) -> None:
        """Reads and locks them.

        Args:
            session: the transaction.
            snapshots: the batch.
            photos: the keys of the photos of each.
        """
        self._session = session
        keys = {snapshot.listing_key for snapshot in snapshots}
        photo_keys = {key for of_one in photos for key in of_one}
        self._members: dict[int, dict[str, MemberRow]] = defaultdict(dict)
        self._snapshots: dict[int, SnapshotRow] = {}
        self._by_listing: dict[str, CaseRow] = {}
        self._by_photo: dict[tuple[str | None, str], dict[int, CaseRow]] = defaultdict(dict)
        self._photos: dict[int, set[str]] = defaultdict(set)
        self._read_undecided(keys, photo_keys)
        self._decided = self._read_decided(keys)
        self._parents = self._read_parents(photo_keys)
        statuses = listing_statuses(session, keys)
        self._hidden = {key for key, status in statuses.items() if status is not ListingStatus.VISIBLE}

    def case_of(self, listing_key: str) -> CaseRow | None:
        """The undecided case that holds a listing."""
        return self._by_listing.get(listing_key)

    def cases_showing(self, snapshot: SnapshotRow, photos: Iterable[str], *own: CaseRow) -> list[CaseRow]:
        """The undecided cases of a listing's brand that show one of its photos, with its own, the oldest first."""
        brand = brand_key(snapshot.brand)
        found = {case.case_id: case for case in own}
        found |= {number: case for key in photos for number, case in self._by_photo[brand, key].items()}
        return [found[number] for number in sorted(found)]

    def snapshots(self, case: CaseRow) -> list[SnapshotRow]:
        """The newest snapshot of each listing that a case holds and that is still offered."""
        return [self._snapshots[one.snapshot_id] for one in self._members[case.case_id].values() if one.present]

    def snapshot_of(self, case: CaseRow, listing_key: str) -> SnapshotRow:
        """The newest snapshot of one listing of a case."""
        return self._snapshots[self._members[case.case_id][listing_key].snapshot_id]

    def decided_snapshot(self, listing_key: str) -> SnapshotRow | None:
        """What people last decided on of a listing."""
        found = self._decided.get(listing_key)
        return found[1] if found else None

    def parent_of(self, snapshot: SnapshotRow, photos: Iterable[str]) -> int | None:
        """The newest decided case of a listing, or else of its photos and brand."""
        own = self._decided.get(snapshot.listing_key)
        brand = brand_key(snapshot.brand)
        return own[0] if own else max((self._parents.get((brand, key), 0) for key in photos), default=0) or None

    def may_hide(self, case: CaseRow, listing_key: str) -> bool:
        """Whether policy may hide a listing: it is visible, and no person's verdict was ever given on the case."""
        return listing_key not in self._hidden and not case.judged

    def mark_hidden(self, listing_key: str) -> None:
        """Notes that policy hides a listing."""
        self._hidden.add(listing_key)

    def add(self, case: CaseRow, snapshot: SnapshotRow, photos: Iterable[str]) -> list[Base]:
        """Puts a snapshot into a case, and returns the rows that say so."""
        self._snapshots[snapshot.snapshot_id] = snapshot
        members = self._members[case.case_id]
        member = members.get(snapshot.listing_key)
        if member is None:
            member = members[snapshot.listing_key] = MemberRow(case_id=case.case_id, listing_key=snapshot.listing_key)
        member.snapshot_id, member.present = snapshot.snapshot_id, True
        self._by_listing[snapshot.listing_key] = case
        return [snapshot, member, *self._show(case, photos)]

    def merge(self, source: CaseRow, target: CaseRow) -> list[Base]:
        """Puts what one case holds into another, and returns the rows that say so."""
        rows: list[Base] = []
        for key, member in self._members[source.case_id].items():
            copy = MemberRow(
                case_id=target.case_id, listing_key=key, snapshot_id=member.snapshot_id, present=member.present
            )
            self._members[target.case_id][key] = copy
            self._by_listing[key] = target
            rows.append(copy)
        photos = self._photos[source.case_id]
        for key in photos:
            self._by_photo[source.brand, key].pop(source.case_id, None)
        return [*rows, *self._show(target, photos)]

    def move_complaints(self, source: CaseRow, target: CaseRow) -> list[Base]:
        """Lets notices and appeals follow their listings into another case, and returns the rows that say so."""
        moved: list[NoticeItemRow | AppealRow] = []
        for table in (NoticeItemRow, AppealRow):
            moved += self._session.scalars(select(table).where(table.case_id == source.case_id))
        for row in moved:
            row.case_id = target.case_id
        return list(moved)

    def _show(self, case: CaseRow, photos: Iterable[str]) -> list[Base]:
        new = dict.fromkeys(key for key in photos if key not in self._photos[case.case_id])
        self._photos[case.case_id].update(new)
        for key in new:
            self._by_photo[case.brand, key][case.case_id] = case
        return [CasePhotoRow(photo_key=key, case_id=case.case_id) for key in new]

    def _read_undecided(self, keys: Collection[str], photo_keys: Collection[str]) -> None:
        holding = select(MemberRow.case_id).where(MemberRow.listing_key.in_(keys))
        showing = select(CasePhotoRow.case_id).where(CasePhotoRow.photo_key.in_(photo_keys))
        numbers = {*self._session.scalars(holding), *self._session.scalars(showing)}
        wanted = select(CaseRow).where(CaseRow.case_id.in_(numbers), _IS_UNDECIDED).order_by(CaseRow.case_id)
        cases = {case.case_id: case for case in self._session.scalars(wanted.with_for_update())}
        for member in self._session.scalars(select(MemberRow).where(MemberRow.case_id.in_(cases))):
            self._members[member.case_id][member.listing_key] = member
            self._by_listing[member.listing_key] = cases[member.case_id]
        of_members = [one.snapshot_id for members in self._members.values() for one in members.values()]
        snapshots = self._session.scalars(select(SnapshotRow).where(SnapshotRow.snapshot_id.in_(of_members)))
        self._snapshots |= {one.snapshot_id: one for one in snapshots}
        for photo in self._session.scalars(select(CasePhotoRow).where(CasePhotoRow.case_id.in_(cases))):
            case = cases[photo.case_id]
            self._photos[case.case_id].add(photo.photo_key)
            self._by_photo[case.brand, photo.photo_key][case.case_id] = case

    def _read_decided(self, keys: Collection[str]) -> dict[str, tuple[int, SnapshotRow]]:
        rows = self._session.execute(
            select(MemberRow.case_id, SnapshotRow)
            .join(CaseRow, CaseRow.case_id == MemberRow.case_id)
            .join(SnapshotRow, SnapshotRow.snapshot_id == MemberRow.snapshot_id)
            .where(MemberRow.listing_key.in_(keys), _IS_DECIDED)
            .order_by(MemberRow.case_id)
        )
        return {snapshot.listing_key: (case_id, snapshot) for case_id, snapshot in rows}

    def _read_parents(self, photo_keys: Collection[str]) -> dict[tuple[str | None, str], int]:
        rows = self._session.execute(
            select(CaseRow.brand, CasePhotoRow.photo_key, CaseRow.case_id)
            .join(CaseRow, CaseRow.case_id == CasePhotoRow.case_id)
            .where(CasePhotoRow.photo_key.in_(photo_keys), _IS_DECIDED)
            .order_by(CaseRow.case_id)
        )
        return {(brand, photo_key): case_id for brand, photo_key, case_id in rows}
