"""Takes in what a brand says of its listings: a label to learn from, and a reason for people to look again.

Nothing is taken down or reinstated by a brand's word alone. Knows no risk; how such a file is read line by line,
`rights_file` knows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from counterfeit_risk.errors import SettingsError, TransitionError
from counterfeit_risk.listings.listing import Label
from counterfeit_risk.takedown.audit import Journal
from counterfeit_risk.takedown.case import listing_key
from counterfeit_risk.takedown.complaints.particulars import LongText, shorten
from counterfeit_risk.takedown.complaints.rights_file import read_records
from counterfeit_risk.takedown.consequences import verdict_on
from counterfeit_risk.takedown.database import reading, writing
from counterfeit_risk.takedown.exchange.brand_report import find_brand, unguard_cell
from counterfeit_risk.takedown.exchange.tables import BrandLabelRow
from counterfeit_risk.takedown.free_text import check_name
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.reviewing import reopen_case
from counterfeit_risk.takedown.states import CaseState, Lane, Move, Verdict
from counterfeit_risk.takedown.tables import CaseRow, DecisionRow, MemberRow, SnapshotRow

_LARGEST_CASE = 2**63 - 1
_NAMED_LISTINGS = 5


def _read_label(value: object) -> Label | None:
    text = "" if value is None else value.strip().casefold() if isinstance(value, str) else repr(value)
    if not text:
        return None
    if text in set(Label):
        return Label(text)
    raise ValueError(f"must be genuine or counterfeit, or empty, not {shorten(repr(value))}")


@dataclass(frozen=True, slots=True)
class _Line:
    """One row as brands send it; of the report's other columns nothing is taken."""

    listing_id: LongText
    case: Annotated[int, Field(ge=1, le=_LARGEST_CASE)]
    label: Annotated[Label | None, BeforeValidator(_read_label)] = None
    note: LongText | None = None
    platform: LongText | None = None
    seller_id: Any = None
    title: Any = None
    price: Any = None
    currency: Any = None
    category: Any = None
    verdict: Any = None
    decided_at: Any = None
    status: Any = None
    relisted: Any = None
    under_appeal: Any = None


@dataclass(frozen=True, slots=True)
class BrandAnswer:
    """What a brand takes one listing of one case for."""

    line: int
    case_id: int
    listing_key: str
    label: Label
    note: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Why a row was refused, or what did not follow from it."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class FeedbackResult:
    """What became of a brand's answers."""

    taken: int
    known: int
    """Answers that say what the brand last said of the listing."""
    reopened: tuple[int, ...]
    """Cases that people decide again."""
    refused: tuple[Remark, ...]
    not_reopened: tuple[Remark, ...]
    """Answers that were taken in, and contradict people, whose case cannot be decided again."""


def read_answers(path: Path) -> tuple[list[BrandAnswer], int]:
    """Reads the labels that a brand sends back, and counts the rows that it left empty.

    Args:
        path: a report's table of listings, filled in, or JSON Lines with platform, listing_id, case, label and note.

    Raises:
        SettingsError: with the mistakes, by line and column, if there is any.
    """
    lines = read_records(path, _Line)
    restore = unguard_cell if path.suffix.lower() == ".csv" else str
    answers = []
    for number, line in lines.items():
        if line.label:
            key = listing_key(restore(line.platform or ""), restore(line.listing_id))
            answers.append(BrandAnswer(number, line.case, key, line.label, (line.note or "").strip()))
    problems = list(_find_contradictions(answers))
    if problems:
        raise SettingsError(str(path), problems)
    return answers, len(lines) - len(answers)


def take_in_answers(
    engine: Engine, settings: QueueSettings, answers: Iterable[BrandAnswer], brand: str, by: str, now: datetime
) -> FeedbackResult:
    """Records what a brand says, a transaction a case, and gives people a case again where the brand contradicts them.

    What was said before is not recorded again: the same answers sent twice change nothing.

    Args:
        engine: the queue's database.
        settings: how the queue is run; of it, when a reopened case is due.
        answers: each for one listing of one case.
        brand: who answers, however written.
        by: who takes it in.
        now: the moment.

    Raises:
        UsageError: if the brand is not known, or nobody can have this name.
    """
    by = check_name(by)
    with reading(engine) as session:
        key = find_brand(session, brand)
    results = []
    for case_id, of_case in groupby(sorted(answers, key=attrgetter("case_id", "line")), attrgetter("case_id")):
        with writing(engine) as session:
            desk = _Desk(session, key, Journal(session, by, now), now + settings.due_times.reopened)
            results.append(desk.take_in(case_id, list(of_case)))
    return FeedbackResult(
        taken=sum(one.taken for one in results),
        known=sum(one.known for one in results),
        reopened=tuple(number for one in results for number in one.reopened),
        refused=_in_order(remark for one in results for remark in one.refused),
        not_reopened=_in_order(remark for one in results for remark in one.not_reopened),
    )


@dataclass(frozen=True, slots=True)
class _Desk:
    """Takes one brand's answers in, in one transaction."""

    session: Session
    brand: str
    """Its key."""
    journal: Journal
    due_at: datetime
    """Of a case that is reopened."""

    def take_in(self, case_id: int, answers: Sequence[BrandAnswer]) -> FeedbackResult:
        """Records what the brand says of one case's listings."""
        wanted = select(CaseRow).where(
            CaseRow.case_id == case_id, CaseRow.brand == self.brand, CaseRow.lane != Lane.KNOWN_ANSWER
        )
        case = self.session.scalars(wanted.with_for_update()).one_or_none()
        if case is None or case.state is CaseState.CLOSED:
            is_what = "was closed undecided" if case else f"is no case of {self.brand}"
            refused = tuple(Remark(answer.line, f"case {case_id} {is_what}") for answer in answers)
            return FeedbackResult(0, 0, (), refused, ())
        members = {member.listing_key: member for member in case.members}
        held = [answer for answer in answers if answer.listing_key in members]
        refused = tuple(
            Remark(answer.line, f"case {case_id} holds no listing {shorten(repr(answer.listing_key))}")
            for answer in answers
            if answer.listing_key not in members
        )
        decision = self._last_word(case_id)
        new = [answer for answer in held if self._is_new(answer)]
        for answer in new:
            self._record(case, answer, members[answer.listing_key], decision)
        reopened, not_reopened = self._reopen(case, new, decision)
        return FeedbackResult(len(new), len(held) - len(new), reopened, refused, not_reopened)

    def _last_word(self, case_id: int) -> DecisionRow | None:
        said = select(DecisionRow).where(
            DecisionRow.case_id == case_id, ~DecisionRow.automated, DecisionRow.verdict != Verdict.UNSURE
        )
        return self.session.scalars(said.order_by(DecisionRow.decision_id.desc()).limit(1)).one_or_none()

    def _is_new(self, answer: BrandAnswer) -> bool:
        before = select(BrandLabelRow).where(
            BrandLabelRow.case_id == answer.case_id,
            BrandLabelRow.listing_key == answer.listing_key,
            BrandLabelRow.brand == self.brand,
        )
        last = self.session.scalars(before.order_by(BrandLabelRow.brand_label_id.desc()).limit(1)).one_or_none()
        if last and last.snapshot.erased_at:  # its note went too, and does not come back
            return last.label is not answer.label
        return last is None or (last.label, last.note) != (answer.label, answer.note)

    def _record(self, case: CaseRow, answer: BrandAnswer, member: MemberRow, decision: DecisionRow | None) -> None:
        row = BrandLabelRow(
            case_id=case.case_id,
            listing_key=answer.listing_key,
            snapshot_id=self._find_told(decision, answer.listing_key) or member.snapshot_id,
            brand=self.brand,
            label=answer.label,
            note=answer.note,
            known_at=self.journal.now,
        )
        self.session.add(row)
        self.session.flush()
        detail = {"brand": self.brand, "listing": answer.listing_key, "label": answer.label}
        self.journal.move(case, Move.FEEDBACK, detail, [row])

    def _find_told(self, decision: DecisionRow | None, key: str) -> int | None:
        """The snapshot that people decided on, of which the brand was told; None where there is none."""
        if decision is None:
            return None
        of_listing = self.session.scalars(select(SnapshotRow.snapshot_id).where(SnapshotRow.listing_key == key))
        return max(set(of_listing) & set(decision.snapshot_ids), default=None)

    def _reopen(
        self, case: CaseRow, answers: Sequence[BrandAnswer], decision: DecisionRow | None
    ) -> tuple[tuple[int, ...], tuple[Remark, ...]]:
        """Gives people a decided case again if they found something else; what they said stands until then."""
        if decision is None or case.state is not CaseState.DECIDED:
            return (), ()
        found = [(answer, verdict_on(self.session, decision, answer.listing_key)) for answer in answers]
        against = [answer for answer, verdict in found if verdict and str(verdict) != str(answer.label)]
        if not against:
            return (), ()
        try:
            reopen_case(self.session, case.case_id, self.due_at, self.journal, self._reason(against))
        except TransitionError as error:  # a newer case of the listing is what counts
            return (), tuple(Remark(answer.line, str(error)) for answer in against)
        return (case.case_id,), ()

    def _reason(self, against: Sequence[BrandAnswer]) -> str:
        named = [f"{answer.listing_key} is {answer.label}" for answer in against[:_NAMED_LISTINGS]]
        more = len(against) - len(named)
        return f"the brand {self.brand} disagrees: {', '.join(named)}{f', and {more} more' if more else ''}"


def _find_contradictions(answers: Iterable[BrandAnswer]) -> Iterator[str]:
    first: dict[tuple[int, str], BrandAnswer] = {}
    for answer in answers:
        earlier = first.setdefault((answer.case_id, answer.listing_key), answer)
        if (earlier.label, earlier.note) != (answer.label, answer.note):
            yield f"line {answer.line}, label: line {earlier.line} says something else of the same listing and case"


def _in_order(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    return tuple(sorted(remarks, key=attrgetter("line")))
