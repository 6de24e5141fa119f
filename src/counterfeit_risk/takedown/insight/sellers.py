"""Sellers whose listings people found counterfeit, by what Article 23 DSA weighs: number, share, gravity, intention.

Reads only, and suspends nobody: a person warns first. Knows no reason why sellers belong together but the photos that
they share, which can also be a brand's own, and what the platform tells of payments, devices and addresses. What a
seller knew is not known either: that they went on after a first takedown is all that there is to see.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, aliased

from counterfeit_risk.listings.listing import Label
from counterfeit_risk.takedown.clusters import brand_key
from counterfeit_risk.takedown.complaints.particulars import Line, refuse_unknown
from counterfeit_risk.takedown.complaints.rights_file import read_records
from counterfeit_risk.takedown.complaints.tables import AppealOutcome, AppealRow, Appellant
from counterfeit_risk.takedown.database import reading
from counterfeit_risk.takedown.policy import Order
from counterfeit_risk.takedown.states import Lane, Verdict
from counterfeit_risk.takedown.tables import CaseRow, DecisionRow, LabelRow, MemberRow, SnapshotRow


@dataclass(frozen=True, slots=True)
class Seller:
    """Names a seller among those of all platforms."""

    platform: str | None
    seller_id: str


@refuse_unknown
@dataclass(frozen=True, slots=True)
class SellerLink:
    """One seller of a group that the platform knows to belong together."""

    seller_id: Line
    seller_group: Line
    """Such as the hash of a payment account, a device or an address."""
    platform: Line | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What people found of some listings; of each its standing label counts."""

    found_counterfeit: int
    decided: int
    severity: float
    """Summed over the listings found counterfeit; 1 for each where the settings say nothing of its category."""
    brands: int
    """Whose goods were copied."""
    went_on: int
    """Listings found counterfeit in a case that was first decided after the first takedown."""
    relistings: int
    """Cases found counterfeit that follow on one found counterfeit, of the same listing or the same photos."""
    overturned: int
    """Listings found counterfeit at first, and genuine on the seller's appeal."""
    first_at: datetime | None
    last_at: datetime | None
    """When the first and the last was found counterfeit."""

    @property
    def share(self) -> float:
        """Of all that people decided; 0 where that is nothing."""
        return self.found_counterfeit / max(1, self.decided)


@dataclass(frozen=True, slots=True)
class SellerGroup:
    """Sellers that belong together, or one seller alone; the one with most listings found counterfeit first."""

    total: Tally
    sellers: tuple[tuple[Seller, Tally], ...]


@dataclass(frozen=True, slots=True)
class SellerReport:
    """All groups with a listing found counterfeit, the one with most first, and what no seller is known of."""

    groups: tuple[SellerGroup, ...]
    without_seller: Tally


@dataclass(frozen=True, slots=True)
class _Finding:
    """A label that was not withdrawn; `parent_case_id` is None unless that case was found counterfeit."""

    seller: Seller | None
    listing_key: str
    is_counterfeit: bool
    found_at: datetime
    case_id: int
    parent_case_id: int | None
    brand: str | None
    severity: float


def read_links(path: Path) -> list[SellerLink]:
    """Reads which sellers belong together: CSV or JSON Lines with `platform`, `seller_id` and `seller_group`.

    Raises:
        SettingsError: with every mistake in the file.
    """
    return list(read_records(path, SellerLink).values())


def read_sellers(
    engine: Engine, order: Order, *, links: Iterable[SellerLink] = (), brand: str | None = None
) -> SellerReport:
    """Counts what people found of each seller and of each group of sellers that belong together.

    Sellers belong together whose listings were found counterfeit in one case, or in a case and its parent, as those
    show copies of the same photos under one brand; and whom `links` puts into one group.

    Args:
        engine: the queue's database.
        order: holds the severity by category.
        links: what the platform knows.
        brand: counts listings of this brand alone, however it is written; who belongs together, all listings tell.
    """
    with reading(engine) as session:
        findings = _read_findings(session, order)
        overturned = _count_overturned(session, brand)
    by_seller: dict[Seller | None, list[_Finding]] = defaultdict(list)
    for one in findings:
        if brand is None or one.brand == brand_key(brand):
            by_seller[one.seller].append(one)
    unknown = _tally(by_seller.pop(None, []), overturned[None])
    known = {seller: found for seller, found in by_seller.items() if seller}
    groups = [_sum_up(sellers, known, overturned) for sellers in _gather(known, _link(findings, links))]
    guilty = (group for group in groups if group.total.found_counterfeit)
    return SellerReport(tuple(sorted(guilty, key=lambda group: _rank(group.sellers[0][0], group.total))), unknown)


def _read_findings(session: Session, order: Order) -> list[_Finding]:
    parent = aliased(CaseRow)
    first = (
        select(DecisionRow.case_id, func.min(DecisionRow.decided_at).label("at"))
        .where(~DecisionRow.automated, DecisionRow.verdict == Verdict.COUNTERFEIT)
        .group_by(DecisionRow.case_id)
        .subquery()
    )
    rows = (
        select(
            *(SnapshotRow.platform, SnapshotRow.seller_id, SnapshotRow.brand, SnapshotRow.category),
            *(LabelRow.listing_key, LabelRow.label, LabelRow.known_at, first.c.at, CaseRow.case_id),
            parent.case_id.label("parent_case_id"),
        )
        .join(SnapshotRow, SnapshotRow.snapshot_id == LabelRow.snapshot_id)
        .join(DecisionRow, DecisionRow.decision_id == LabelRow.decision_id)
        .join(CaseRow, CaseRow.case_id == DecisionRow.case_id)
        .outerjoin(parent, (parent.case_id == CaseRow.parent_case_id) & (parent.verdict == Verdict.COUNTERFEIT))
        .outerjoin(first, first.c.case_id == CaseRow.case_id)
        .where(LabelRow.withdrawn_at.is_(None), CaseRow.lane != Lane.KNOWN_ANSWER)
        .order_by(LabelRow.label_id)
    )
    return [
        _Finding(
            _name(row.platform, row.seller_id),
            row.listing_key,
            row.label is Label.COUNTERFEIT,
            row.at or row.known_at,  # an appeal that is upheld makes no takedown later than it was
            row.case_id,
            row.parent_case_id,
            brand_key(row.brand),
            order.severity.get(row.category or "", 1.0),
        )
        for row in session.execute(rows)
    ]


def _count_overturned(session: Session, brand: str | None) -> Counter[Seller | None]:
    rows = (
        select(SnapshotRow.platform, SnapshotRow.seller_id, SnapshotRow.brand)
        .join(MemberRow, MemberRow.snapshot_id == SnapshotRow.snapshot_id)
        .join(CaseRow, CaseRow.case_id == MemberRow.case_id)
        .join(AppealRow, (AppealRow.case_id == MemberRow.case_id) & (AppealRow.listing_key == MemberRow.listing_key))
        .where(AppealRow.by == Appellant.SELLER, AppealRow.outcome == AppealOutcome.OVERTURNED)
        .where(CaseRow.lane != Lane.KNOWN_ANSWER)
    )
    return Counter(
        _name(row.platform, row.seller_id)
        for row in session.execute(rows)
        if brand is None or brand_key(row.brand) == brand_key(brand)
    )


def _name(platform: str | None, seller_id: str | None) -> Seller | None:
    return Seller(platform, seller_id) if seller_id else None


def _tally(findings: Sequence[_Finding], overturned: int) -> Tally:
    """Sums findings up, which come in the order in which they were made."""
    standing = {one.listing_key: one for one in findings}
    fakes = [one for one in standing.values() if one.is_counterfeit]
    times = [one.found_at for one in findings if one.is_counterfeit]
    first_at = min(times, default=None)
    return Tally(
        found_counterfeit=len(fakes),
        decided=len(standing),
        severity=sum(one.severity for one in fakes),
        brands=len({one.brand for one in fakes if one.brand}),
        went_on=sum(1 for one in fakes if first_at and one.found_at > first_at),
        relistings=len({one.case_id for one in fakes if one.parent_case_id}),
        overturned=overturned,
        first_at=first_at,
        last_at=max(times, default=None),
    )


def _sum_up(
    sellers: Iterable[Seller], findings: Mapping[Seller, list[_Finding]], overturned: Mapping[Seller | None, int]
) -> SellerGroup:
    each = [(seller, _tally(findings[seller], overturned.get(seller, 0))) for seller in sellers]
    each.sort(key=lambda one: _rank(*one))
    every = [one for seller, _ in each for one in findings[seller]]
    return SellerGroup(_tally(every, sum(tally.overturned for _, tally in each)), tuple(each))


def _rank(seller: Seller, tally: Tally) -> tuple[float, float, str, str]:
    return -tally.found_counterfeit, -tally.severity, seller.platform or "", seller.seller_id


@dataclass(slots=True)
class _Links:
    """A union-find of sellers, and of the cases and groups through which they belong together."""

    _above: dict[Hashable, Hashable] = field(default_factory=dict)

    def find(self, one: Hashable) -> Hashable:
        """What stands for all that belong together with this one."""
        while (above := self._above.get(one, one)) != one:
            self._above[one] = self._above.get(above, above)
            one = above
        return one

    def join(self, one: Hashable, other: Hashable) -> None:
        self._above[self.find(one)] = self.find(other)


def _link(findings: Iterable[_Finding], links: Iterable[SellerLink]) -> _Links:
    fakes = [one for one in findings if one.is_counterfeit]
    cases = {one.case_id for one in fakes}
    joined = _Links()
    for one in fakes:
        if one.seller:
            joined.join(one.seller, one.case_id)
        if one.parent_case_id in cases:
            joined.join(one.case_id, one.parent_case_id)
    for link in links:
        joined.join(Seller(link.platform, link.seller_id), link.seller_group)
    return joined


def _gather(sellers: Iterable[Seller], links: _Links) -> Iterator[list[Seller]]:
    groups: dict[Hashable, list[Seller]] = defaultdict(list)
    for seller in sellers:
        groups[links.find(seller)].append(seller)
    yield from groups.values()
