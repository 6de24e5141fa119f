"""Writes what a brand receives: its decided listings, as a table to answer on, and what became of its cases in figures.

Tells no risk, no reviewer and nobody who complained. Cases whose answer is known are left out, as no listing of theirs
is on sale; ones drawn at random count only while people's word on them stands, so that nobody learns what is drawn.
"""

import csv
import difflib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, Select, and_, exists, func, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from counterfeit_risk.errors import UsageError
from counterfeit_risk.evaluation.page import Section, page, paragraph, table
from counterfeit_risk.takedown.actions import listing_statuses
from counterfeit_risk.takedown.clusters import brand_key
from counterfeit_risk.takedown.complaints.particulars import shorten
from counterfeit_risk.takedown.complaints.tables import AppealOutcome, AppealRow, ItemResult, NoticeItemRow, NoticeRow
from counterfeit_risk.takedown.database import reading
from counterfeit_risk.takedown.exchange.whole_folder import whole_folder
from counterfeit_risk.takedown.states import UNDECIDED, CaseState, Lane, ListingStatus, Move, Verdict
from counterfeit_risk.takedown.tables import CaseRow, DecisionRow, EventRow, SnapshotRow

LISTINGS, SUMMARY, PAGE = "listings.csv", "summary.json", "report.html"

_CASES_AT_ONCE = 200
_KEYS_AT_ONCE = 1000
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a cell begins that a spreadsheet would run, full-width signs included."""

_IS_REAL = CaseRow.lane != Lane.KNOWN_ANSWER
_UNDER_APPEAL = exists().where(AppealRow.case_id == CaseRow.case_id, AppealRow.outcome.is_(None)).correlate(CaseRow)
_HAS_WORD = (CaseRow.state == CaseState.DECIDED) | _UNDER_APPEAL
_IS_TOLD = _IS_REAL & ((CaseRow.lane != Lane.AUDIT) | _HAS_WORD)
_SAID: ColumnElement[bool] = ~DecisionRow.automated & (DecisionRow.verdict != Verdict.UNSURE)


_OF_SNAPSHOT = ("platform", "listing_id", "seller_id", "title", "price", "currency", "category")
_OF_CASE = ("case", "verdict", "decided_at", "status", "relisted", "under_appeal")
COLUMNS = (*_OF_SNAPSHOT, *_OF_CASE, "label", "note")
"""Of the table of listings: as people decided on them, what they are now, and what the brand fills in."""
_NO_FIGURES = frozenset({"brand", "since", "until", "written_at", "notices"})

BrandListing = dict[str, Any]
"""By column. It is `relisted` where people had decided on the listing or its photos before, and `under_appeal` where
its case is being decided again because somebody disagrees."""


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` on and before `until`; None is without an end."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, time: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
        """Whether a column's time is in it."""
        bounds = [time >= self.since] if self.since else []
        return and_(true(), *bounds, *([time < self.until] if self.until else []))


@dataclass(frozen=True, slots=True)
class BrandSummary:
    """What became of a brand's cases; all of the period but `open_cases`, and shares in [0, 1]."""

    brand: str
    since: datetime | None
    until: datetime | None
    written_at: datetime
    cases_opened: int
    """Those aside that went into others, or whose night was withdrawn."""
    cases_decided: int
    listings_taken_down: int
    listings_found_genuine: int
    share_decided_within_24_hours: float | None
    """Of the decided cases, from opening to the first verdict."""
    median_hours: float | None
    notices: dict[str, int]
    """Listings that notices of the brand's goods named, by what the notice led to."""
    share_of_notices_upheld: float | None
    """Of the listings that notices named and people decided on."""
    overturned_on_appeal: int
    sellers_with_several_takedowns: int
    open_cases: int
    """When it was written."""

    def figures(self) -> list[tuple[str, str]]:
        """Each figure in words, for people."""
        found = {name: value for name, value in asdict(self).items() if name not in _NO_FIGURES}
        notices = {f"listings in notices: {name}": count for name, count in self.notices.items()}
        return [(name.replace("_", " "), _in_words(name, value)) for name, value in (found | notices).items()]


def write_brand_report(engine: Engine, brand: str, period: Period, out: Path, now: datetime) -> BrandSummary:
    """Writes the folder `out` with listings, figures and a page, all of one moment; whole, or not at all.

    Raises:
        UsageError: if the brand is not known, or `out` is there already.
        WorkError: if it cannot be written.
    """
    with reading(engine) as session:
        key = find_brand(session, brand)
        with whole_folder(out, "report") as folder:
            found: Counter[Verdict] = Counter()
            takedowns: Counter[tuple[str | None, str]] = Counter()
            with (folder / LISTINGS).open("x", encoding="utf-8-sig", newline="") as stream:  # Excel needs the mark
                writer = csv.DictWriter(stream, COLUMNS, restval="")
                writer.writeheader()
                for listing in _listings(session, key, period):
                    writer.writerow(_cells(listing))
                    found[listing["verdict"]] += 1
                    if listing["verdict"] is Verdict.COUNTERFEIT and listing["seller_id"]:
                        takedowns[listing["platform"], listing["seller_id"]] += 1
            several = sum(count > 1 for count in takedowns.values())
            summary = replace(_summarise(session, key, period, found, several, now), brand=" ".join(brand.split()))
            text = json.dumps(asdict(summary), default=datetime.isoformat, ensure_ascii=False, indent=1)
            (folder / SUMMARY).write_text(f"{text}\n", encoding="utf-8")
            (folder / PAGE).write_text(_page(summary), encoding="utf-8")
    return summary


def find_brand(session: Session, brand: str) -> str:
    """The key of a brand of which there is a case or a notice.

    Raises:
        UsageError: if there is none, with the names that are near.
    """
    cases = session.scalars(select(CaseRow.brand).where(_IS_REAL).distinct())
    notices = session.scalars(select(NoticeRow.brand).distinct())
    known = {brand_key(one) or "" for one in (*cases, *notices)} - {""}
    key = brand_key(brand) or ""
    if key in known:
        return key
    near = difflib.get_close_matches(key, sorted(known), n=5)
    advice = f"did you mean {' or '.join(map(shorten, near))}?" if near else "and none that is written nearly so"
    raise UsageError(f"there is no case and no notice of the brand {shorten(brand)!r}; {advice}")


def guard_cell(text: str) -> str:
    """Text as a cell that no spreadsheet runs: an apostrophe goes before what would be a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguard_cell(text: str) -> str:
    """What `guard_cell` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _words(key: str, period: Period) -> Select[DecisionRow, int | None, bool]:
    """What people last said of each of a brand's cases, where it stands or is under appeal, and of which case."""
    newest = select(func.max(DecisionRow.decision_id)).where(DecisionRow.case_id == CaseRow.case_id, _SAID)
    return (
        select(DecisionRow, CaseRow.parent_case_id, _UNDER_APPEAL)
        .join(CaseRow, CaseRow.case_id == DecisionRow.case_id)
        .where(CaseRow.brand == key, _IS_REAL, _HAS_WORD, period.holds(DecisionRow.decided_at))
        .where(DecisionRow.decision_id == newest.correlate(CaseRow).scalar_subquery())
    )


def _listings(session: Session, key: str, period: Period) -> Iterator[BrandListing]:
    """The listings of a brand's decided cases, by when they were decided."""
    words = _words(key, period).order_by(DecisionRow.decision_id).limit(_CASES_AT_ONCE)
    after = 0
    while found := session.execute(words.where(DecisionRow.decision_id > after)).all():
        yield from _listings_of(session, found)
        after = found[-1][0].decision_id


def _listings_of(session: Session, words: Sequence[Row[DecisionRow, int | None, bool]]) -> Iterator[BrandListing]:
    wanted = [snapshot_id for decision, _, _ in words for snapshot_id in decision.snapshot_ids]
    snapshots: dict[int, SnapshotRow] = {}
    statuses: dict[str, ListingStatus] = {}
    for start in range(0, len(wanted), _KEYS_AT_ONCE):
        some = select(SnapshotRow).where(SnapshotRow.snapshot_id.in_(wanted[start : start + _KEYS_AT_ONCE]))
        read = {snapshot.snapshot_id: snapshot for snapshot in session.scalars(some)}
        snapshots |= read
        statuses |= listing_statuses(session, {snapshot.listing_key for snapshot in read.values()})
    for decision, parent, is_under_appeal in words:
        for snapshot in (snapshots[snapshot_id] for snapshot_id in decision.snapshot_ids):
            yield {name: getattr(snapshot, name) for name in _OF_SNAPSHOT} | {
                "case": decision.case_id,
                "verdict": Verdict.GENUINE if snapshot.listing_key in decision.spared else decision.verdict,
                "decided_at": decision.decided_at.isoformat(),
                "status": statuses.get(snapshot.listing_key, ListingStatus.VISIBLE),
                "relisted": "true" if parent else "false",
                "under_appeal": "true" if is_under_appeal else "false",
            }


def _cells(listing: BrandListing) -> dict[str, object]:
    return {name: guard_cell(cell) if isinstance(cell, str) else cell for name, cell in listing.items()}


def _summarise(
    session: Session, key: str, period: Period, found: Counter[Verdict], several: int, now: datetime
) -> BrandSummary:
    hours = _hours(session, key, period)
    outcomes, results = _count_notices(session, key, period)
    of_brand = select(func.count()).select_from(CaseRow).where(CaseRow.brand == key, _IS_TOLD)
    never_was = exists().where(EventRow.case_id == CaseRow.case_id, EventRow.move.in_((Move.MERGED, Move.WITHDRAWN)))
    opened = of_brand.where(period.holds(CaseRow.opened_at), ~never_was)
    overturned = of_brand.join(AppealRow, AppealRow.case_id == CaseRow.case_id).where(
        AppealRow.outcome == AppealOutcome.OVERTURNED, period.holds(AppealRow.decided_at)
    )
    return BrandSummary(
        brand=key,
        since=period.since,
        until=period.until,
        written_at=now,
        cases_opened=session.scalar(opened) or 0,
        cases_decided=len(hours),
        listings_taken_down=found[Verdict.COUNTERFEIT],
        listings_found_genuine=found[Verdict.GENUINE],
        share_decided_within_24_hours=sum(one <= 24 for one in hours) / len(hours) if hours else None,
        median_hours=median(hours) if hours else None,
        notices=dict(sorted(outcomes.items())),
        share_of_notices_upheld=results[ItemResult.UPHELD] / results.total() if results else None,
        overturned_on_appeal=session.scalar(overturned) or 0,
        sellers_with_several_takedowns=several,
        open_cases=session.scalar(of_brand.where(CaseRow.state.in_(UNDECIDED))) or 0,
    )


def _hours(session: Session, key: str, period: Period) -> list[float]:
    """From opening to the first verdict, of each decided case."""
    decided = _words(key, period).with_only_columns(DecisionRow.case_id).subquery()
    first = (
        select(CaseRow.opened_at, func.min(DecisionRow.decided_at))
        .join(DecisionRow, DecisionRow.case_id == CaseRow.case_id)
        .where(CaseRow.case_id.in_(select(decided.c.case_id)), _SAID)
        .group_by(CaseRow.case_id, CaseRow.opened_at)
    )
    return [(said_at - opened_at).total_seconds() / 3600 for opened_at, said_at in session.execute(first)]


def _count_notices(session: Session, key: str, period: Period) -> tuple[Counter[str], Counter[ItemResult]]:
    names = [name for name in session.scalars(select(NoticeRow.brand).distinct()) if brand_key(name) == key]
    rows = session.execute(
        select(NoticeItemRow.outcome, NoticeItemRow.result, func.count())
        .join(NoticeRow, NoticeRow.notice_id == NoticeItemRow.notice_id)
        .where(NoticeRow.brand.in_(names), period.holds(NoticeRow.received_at))
        .group_by(NoticeItemRow.outcome, NoticeItemRow.result)
    )
    outcomes: Counter[str] = Counter()
    results: Counter[ItemResult] = Counter()
    for outcome, result, count in rows:
        outcomes[outcome.value] += count
        results.update({result: count} if result else {})
    return outcomes, results


def _page(summary: BrandSummary) -> str:
    since = f"from {summary.since:%Y-%m-%d}" if summary.since else "from the beginning"
    until = f"until before {summary.until:%Y-%m-%d}" if summary.until else f"until {summary.written_at:%Y-%m-%d %H:%M}"
    answer = (
        f"Each listing that people decided on stands in {LISTINGS}. Where you know better, write genuine or "
        f"counterfeit under label and why under note, and send the file back: people then look again."
    )
    figures = table(("figure", "value"), summary.figures())
    introduction = f"What people found on sale under this brand, {since} {until}, UTC."
    sections = [Section("In figures", figures), Section("Your answer", paragraph(answer))]
    return page(f"Takedown report: {summary.brand}", introduction, sections)


def _in_words(name: str, figure: float | None) -> str:
    if figure is None:
        return "none yet"
    if name.startswith("share"):
        return f"{figure:.1%}"
    return f"{figure:,}" if isinstance(figure, int) else f"{figure:,.1f}"
