"""How reviewers work: how much, how fast, what did not stand, and how often they know a known answer.

Reads only. Knows nothing of how hard each one's cases were: who gets the doubtful ones is overturned more often. An
answer that a reviewer left to others says nothing of what they would have said.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from counterfeit_risk.listings.listing import Label
from counterfeit_risk.takedown.complaints.tables import AppealOutcome, AppealRow
from counterfeit_risk.takedown.complaints.validity import wilson_bounds
from counterfeit_risk.takedown.database import reading
from counterfeit_risk.takedown.states import Lane, Move, Verdict
from counterfeit_risk.takedown.tables import CaseRow, DecisionRow, EventRow

_CONFIDENCE = 0.95
_COUNTED = (Move.DECIDED, Move.SKIPPED, Move.RETURNED, Move.ESCALATED, Move.UNDONE)


@dataclass(frozen=True, slots=True)
class Share:
    """A share that was seen, and the 95 % interval of what it is in the long run; [0, 1] where nothing was seen."""

    count: int
    size: int

    @property
    def value(self) -> float | None:
        """None where nothing was seen."""
        return self.count / self.size if self.size else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's (1927), Journal of the American Statistical Association 22; both ends in [0, 1]."""
        return wilson_interval(self.count, self.size, _CONFIDENCE)


@dataclass(frozen=True, slots=True)
class ReviewerRecord:
    """What one reviewer did."""

    reviewer: str
    decided: int
    """Verdicts of counterfeit or genuine; one that was taken back counts, and so does the one after it."""
    median_minutes: float | None
    """From taking a case to its verdict; None before any."""
    skipped: int
    unsure: int
    escalated: int
    undone: int
    """Taken back by themselves at once."""
    overturned: int
    """Decisions of which an appeal changed something."""
    sensitivity: Share
    """Found counterfeit, of the known counterfeits that they decided."""
    specificity: Share
    """Found genuine, of the known genuine listings that they decided."""

    @property
    def known_answers(self) -> int:
        """Cases with a known answer that they decided."""
        return self.sensitivity.size + self.specificity.size


def read_reviewers(engine: Engine) -> list[ReviewerRecord]:
    """Reads the record of everybody who ever did something to a case that they held, by name."""
    with reading(engine) as session:
        moves, minutes = _follow_moves(session)
        overturned = _count_overturned(session)
        known = Counter(_known_answers(session))
    return [
        ReviewerRecord(
            reviewer=name,
            decided=moves[name, Move.DECIDED],
            median_minutes=median(minutes[name]) if minutes[name] else None,
            skipped=moves[name, Move.SKIPPED],
            unsure=moves[name, Move.RETURNED],
            escalated=moves[name, Move.ESCALATED],
            undone=moves[name, Move.UNDONE],
            overturned=overturned[name],
            sensitivity=_share(known, name, Label.COUNTERFEIT),
            specificity=_share(known, name, Label.GENUINE),
        )
        for name in sorted({name for name, _ in moves})
    ]


def wilson_interval(count: int, size: int, confidence: float) -> tuple[float, float]:
    """A two-sided interval for a share of which `count` of `size` were seen; [0, 1] where `size` is 0."""
    if not size:
        return 0.0, 1.0
    share = count / size
    low, high = wilson_bounds(count, size, (1 + confidence) / 2)
    return min(max(0.0, low), share), max(min(1.0, high), share)  # at 0 and 1 but for rounding equal to the share


def _follow_moves(session: Session) -> tuple[Counter[tuple[str, Move]], dict[str, list[float]]]:
    """By reviewer and move how often; by reviewer the minutes from each lease to the verdict that ended it."""
    told = select(EventRow.case_id, EventRow.move, EventRow.actor, EventRow.at)
    history = told.where(EventRow.move.in_((Move.LEASED, *_COUNTED))).order_by(EventRow.case_id, EventRow.number)
    moves: Counter[tuple[str, Move]] = Counter()
    minutes: dict[str, list[float]] = defaultdict(list)
    lease = None
    for event in session.execute(history.execution_options(yield_per=1000)):
        if event.move is Move.LEASED:
            lease = event
            continue
        moves[event.actor, event.move] += 1
        if event.move is Move.DECIDED and lease and (lease.case_id, lease.actor) == (event.case_id, event.actor):
            minutes[event.actor].append((event.at - lease.at).total_seconds() / 60)
    return moves, minutes


def _count_overturned(session: Session) -> Counter[str]:
    decided = select(DecisionRow.decision_id, DecisionRow.decided_by)
    overturned = decided.join(AppealRow, AppealRow.decision_id == DecisionRow.decision_id)
    rows = session.execute(overturned.where(AppealRow.outcome == AppealOutcome.OVERTURNED).distinct())
    return Counter(name for _, name in rows)


def _known_answers(session: Session) -> Iterator[tuple[str, Label, bool]]:
    """Reviewer, answer, and whether they found it; what a reviewer said last of a case counts, if it stands."""
    said = (
        select(DecisionRow.case_id, DecisionRow.decided_by, DecisionRow.verdict, CaseRow.known_answer)
        .join(CaseRow, CaseRow.case_id == DecisionRow.case_id)
        .where(CaseRow.lane == Lane.KNOWN_ANSWER, ~DecisionRow.automated)
        .order_by(DecisionRow.decision_id)
    )
    last = {(row.case_id, row.decided_by): row for row in session.execute(said)}
    for row in last.values():
        if row.verdict is not Verdict.UNSURE:  # nor is what was taken back
            yield row.decided_by, row.known_answer, row.verdict.value == row.known_answer.value


def _share(known: Counter[tuple[str, Label, bool]], reviewer: str, answer: Label) -> Share:
    found = known[reviewer, answer, True]
    return Share(found, found + known[reviewer, answer, False])
