"""What a brand says is taken in once, gives people a reason to look again, and moves no listing by itself."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update
from typer.testing import CliRunner

from counterfeit_risk.cli.queue import app
from counterfeit_risk.errors import QueueError, SettingsError, UsageError, WorkError
from counterfeit_risk.listings.listing import Label
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.complaints.appeals import Appeal
from counterfeit_risk.takedown.complaints.tables import Appellant
from counterfeit_risk.takedown.database import reading, writing
from counterfeit_risk.takedown.exchange.brand_feedback import (
    BrandAnswer,
    FeedbackResult,
    read_answers,
    take_in_answers,
)
from counterfeit_risk.takedown.exchange.brand_report import COLUMNS, Period, write_brand_report
from counterfeit_risk.takedown.exchange.tables import BrandLabelRow
from counterfeit_risk.takedown.policy import DueTimes, QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue
from counterfeit_risk.takedown.states import CaseState, Lane, Move, Verdict
from counterfeit_risk.takedown.tables import CaseRow, SnapshotRow

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=30)
SETTINGS = QueueSettings(due_times=DueTimes(reopened=timedelta(hours=7)))

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]
TakeIn = Callable[..., FeedbackResult]


@pytest.fixture
def take_in(engine: Engine) -> TakeIn:
    def take(*answers: BrandAnswer, brand: str = "NORVELL", by: str = "desk") -> FeedbackResult:
        return take_in_answers(engine, SETTINGS, answers, brand, by, LATER)

    return take


def answer(case_id: int, listing: str, label: Label, note: str = "", line: int = 2) -> BrandAnswer:
    return BrandAnswer(line, case_id, f"bazaar/{listing}", label, note)


def decide(queue: TakedownQueue, verdict: Verdict, reviewer: str = "ada", spared: tuple[str, ...] = ()) -> int:
    leased = queue.next_case(reviewer, NOW)
    assert leased is not None
    queue.decide(leased.case.case_id, reviewer, verdict, "looked at it", leased.token, NOW, spared=spared)
    return leased.case.case_id


def state_of(engine: Engine, case_id: int) -> CaseState:
    with reading(engine) as session:
        return session.get_one(CaseRow, case_id).state


def brand_labels(engine: Engine) -> list[tuple[str, Label, str]]:
    with reading(engine) as session:
        rows = session.scalars(select(BrandLabelRow).order_by(BrandLabelRow.brand_label_id))
        return [(row.listing_key, row.label, row.note) for row in rows]


@pytest.mark.parametrize(
    ("verdict", "label"), [(Verdict.COUNTERFEIT, Label.GENUINE), (Verdict.GENUINE, Label.COUNTERFEIT)]
)
def test_a_contradiction_reopens_the_case_and_moves_no_listing(
    queue: TakedownQueue,
    load: Load,
    make_score: MakeScore,
    take_in: TakeIn,
    engine: Engine,
    verdict: Verdict,
    label: Label,
) -> None:
    load(make_score("a"))
    case = decide(queue, verdict)
    before = list(queue.actions())

    result = take_in(answer(case, "a", label, "we asked our workshop"))

    assert (result.taken, result.reopened, result.refused) == (1, (case,), ())
    assert list(queue.actions()) == before
    *_, told, reopened = queue.events(case)
    assert (told.move, told.actor, told.detail["label"]) == (Move.FEEDBACK, "desk", label)
    assert (reopened.move, state_of(engine, case)) == (Move.REOPENED, CaseState.OPEN)
    assert reopened.detail["reason"] == f"the brand norvell disagrees: bazaar/a is {label}"
    [waiting] = queue.top(LATER)
    assert waiting.due_at == LATER + timedelta(hours=7)
    assert list(queue.find_damage()) == []


def test_agreement_is_noted_and_the_decision_stands(
    queue: TakedownQueue, load: Load, make_score: MakeScore, take_in: TakeIn, engine: Engine
) -> None:
    load(*(make_score(name, photo_hashes=("one photo",)) for name in ("fake", "real")))
    case = decide(queue, Verdict.COUNTERFEIT, spared=("bazaar/real",))

    result = take_in(answer(case, "fake", Label.COUNTERFEIT), answer(case, "real", Label.GENUINE))

    assert (result.taken, result.reopened, state_of(engine, case)) == (2, (), CaseState.DECIDED)
    assert len(list(queue.labels())) == 2


def test_a_spared_listing_that_the_brand_calls_counterfeit_reopens_the_case(
    queue: TakedownQueue, load: Load, make_score: MakeScore, take_in: TakeIn
) -> None:
    load(*(make_score(name, photo_hashes=("one photo",)) for name in ("fake", "real")))
    case = decide(queue, Verdict.COUNTERFEIT, spared=("bazaar/real",))

    assert take_in(answer(case, "real", Label.COUNTERFEIT)).reopened == (case,)


def test_the_same_answers_sent_twice_change_nothing(
    queue: TakedownQueue, load: Load, make_score: MakeScore, take_in: TakeIn, engine: Engine
) -> None:
    load(make_score("a", 0.8), make_score("b", 0.7))
    first, second = decide(queue, Verdict.COUNTERFEIT), decide(queue, Verdict.GENUINE)
    answers = [answer(first, "a", Label.GENUINE, "ours"), answer(second, "b", Label.GENUINE)]
    take_in(*answers)
    decide(queue, Verdict.COUNTERFEIT, "bob")
    before = [list(queue.events(case)) for case in (first, second)]

    result = take_in(*answers)

    assert (result.taken, result.known, result.reopened) == (0, 2, ())
    assert [list(queue.events(case)) for case in (first, second)] == before
    assert len(brand_labels(engine)) == 2


def test_a_brand_may_change_its_mind_and_back(
    queue: TakedownQueue, load: Load, make_score: MakeScore, take_in: TakeIn, engine: Engine
) -> None:
    load(make_score("a"))
    case = queue.top(NOW)[0].case_id
    said = [Label.GENUINE, Label.COUNTERFEIT, Label.GENUINE]
    for label in said:
        assert take_in(answer(case, "a", label)).taken == 1

    assert [label for _, label, _ in brand_labels(engine)] == said


def test_an_open_and_a_leased_case_take_a_label_and_stay_as_they_are(
    queue: TakedownQueue, load: Load, make_score: MakeScore, take_in: TakeIn
) -> None:
    load(make_score("a", 0.8), make_score("b", 0.7))
    leased = queue.next_case("ada", NOW)
    assert leased is not None
    waiting = next(case for case in queue.top(NOW) if case.state is CaseState.OPEN)

    result = take_in(
        answer(leased.case.case_id, "a", Label.GENUINE), answer(waiting.case_id, "b", Label.COUNTERFEIT, line=3)
    )

    assert (result.taken, result.reopened) == (2, ())
    queue.decide(leased.case.case_id, "ada", Verdict.COUNTERFEIT, "still", leased.token, NOW)


def test_a_case_under_appeal_takes_a_label_of_what_people_decided_on(
    queue: TakedownQueue, load: Load, make_score: MakeScore, take_in: TakeIn, engine: Engine
) -> None:
    load(make_score("a"))
    case = decide(queue, Verdict.COUNTERFEIT)
    queue.appeal(case, Appeal("bazaar/a", Appellant.SELLER, "an invoice"), "desk", NOW)
    load(make_score("a", content_hash="changed", scored_at=LATER), now=LATER)

    take_in(answer(case, "a", Label.COUNTERFEIT))

    with reading(engine) as session:
        [row] = session.scalars(select(BrandLabelRow))
        assert row.snapshot.content_hash == "content of a"


def test_rows_that_fit_no_case_are_refused_and_cost_themselves_alone(
    queue: TakedownQueue, load: Load, make_score: MakeScore, take_in: TakeIn, engine: Engine
) -> None:
    load(make_score("a", 0.9))
    load(make_score("b", 0.8), brand="Aurelia")
    withdrawn = load(make_score("c", 0.7))
    load(make_score("planted", 0.6))
    queue.withdraw(withdrawn.load_id, "ada", NOW)
    with writing(engine) as session:
        session.execute(update(CaseRow).where(CaseRow.case_id == 4).values(lane=Lane.KNOWN_ANSWER))

    result = take_in(
        answer(4711, "a", Label.GENUINE, line=7),
        answer(4, "planted", Label.GENUINE, line=6),
        answer(3, "c", Label.GENUINE, line=5),
        answer(2, "b", Label.GENUINE, line=4),
        answer(1, "b", Label.GENUINE, line=3),
        answer(1, "a", Label.GENUINE, line=2),
    )

    assert [(one.line, one.reason) for one in result.refused] == [
        (3, "case 1 holds no listing 'bazaar/b'"),
        (4, "case 2 is no case of norvell"),
        (5, "case 3 was closed undecided"),
        (6, "case 4 is no case of norvell"),
        (7, "case 4711 is no case of norvell"),
    ]
    assert brand_labels(engine) == [("bazaar/a", Label.GENUINE, "")]


def test_a_case_with_a_newer_one_is_not_reopened_and_its_label_is_kept(
    queue: TakedownQueue, load: Load, make_score: MakeScore, take_in: TakeIn, engine: Engine
) -> None:
    load(make_score("a"))
    case = decide(queue, Verdict.COUNTERFEIT)
    load(make_score("a", content_hash="changed", scored_at=LATER), now=LATER)

    result = take_in(answer(case, "a", Label.GENUINE))

    assert (result.taken, result.reopened, state_of(engine, case)) == (1, (), CaseState.DECIDED)
    [remark] = result.not_reopened
    assert "succeeded by case 2" in remark.reason
    assert list(queue.find_damage()) == []


def test_an_erased_note_does_not_come_back(
    queue: TakedownQueue, load: Load, make_score: MakeScore, take_in: TakeIn, engine: Engine
) -> None:
    load(make_score("a"))
    case = queue.top(NOW)[0].case_id
    take_in(answer(case, "a", Label.GENUINE, "sold by J. Roe"))
    with writing(engine) as session:
        session.execute(update(SnapshotRow).values(erased_at=NOW))
        session.execute(update(BrandLabelRow).values(note=""))

    assert take_in(answer(case, "a", Label.GENUINE, "sold by J. Roe")).known == 1


@pytest.mark.parametrize("name", ["", "  ", "policy", "queue"])
def test_nobody_takes_answers_in_under_a_name_that_is_taken(take_in: TakeIn, name: str) -> None:
    with pytest.raises(QueueError, match="cannot be a person's name"):
        take_in(by=name)


def test_an_unknown_brand_answers_nothing(load: Load, make_score: MakeScore, take_in: TakeIn) -> None:
    load(make_score("a"))

    with pytest.raises(UsageError, match="did you mean norvell"):
        take_in(answer(1, "a", Label.GENUINE), brand="norvel")


def test_a_filled_in_report_is_read_back_as_it_was_written(
    queue: TakedownQueue, load: Load, make_score: MakeScore, engine: Engine, tmp_path: Path
) -> None:
    load(make_score("=1+1", 0.8), make_score("'-", 0.7), make_score("plain", 0.6), platform="@bazaar")
    cases = [decide(queue, Verdict.COUNTERFEIT) for _ in range(3)]
    write_brand_report(engine, "Norvell", Period(), tmp_path / "report", NOW)
    table = tmp_path / "report" / "listings.csv"
    with table.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[0] |= {"label": " Genuine ", "note": "ours"}
    rows[1] |= {"label": "counterfeit"}
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)

    answers, without_label = read_answers(table)

    assert without_label == 1
    assert [(one.case_id, one.listing_key, one.label, one.note) for one in answers] == [
        (cases[0], "%40bazaar/=1+1", Label.GENUINE, "ours"),
        (cases[1], "%40bazaar/'-", Label.COUNTERFEIT, ""),
    ]


def test_all_mistakes_of_a_file_are_told_by_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        "platform,listing_id,case,label,note\nbazaar,a,1,genuin,\nbazaar,,x,genuine,\nbazaar,a,1,genuine,\n"
    )

    with pytest.raises(SettingsError) as caught:
        read_answers(path)

    assert caught.value.problems[0] == "line 2, label: must be genuine or counterfeit, or empty, not 'genuin'"
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        *("line 2, label", "line 3, listing_id", "line 3, case")
    ]


def test_a_file_may_not_say_two_things_of_one_listing(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    lines = [{"listing_id": "a", "case": 1, "label": label} for label in ("genuine", "genuine", "counterfeit", "")]
    path.write_text("\n".join(map(json.dumps, lines)))

    with pytest.raises(SettingsError, match="line 3, label: line 1 says something else"):
        read_answers(path)


def test_the_command_takes_a_file_in_and_fails_for_what_it_refuses(
    load: Load, make_score: MakeScore, database_url: str, engine: Engine, tmp_path: Path
) -> None:
    load(make_score("a"))
    path = tmp_path / "labels.jsonl"

    def run(*lines: dict[str, object], options: tuple[str, ...] = ()) -> tuple[str, BaseException | None]:
        path.write_text("\n".join(map(json.dumps, lines)))
        command = ["feedback", str(path), "--brand", "Norvell", "--by", "desk", "--db", database_url, *options]
        result = CliRunner().invoke(app, command)
        return result.stdout, result.exception

    good: dict[str, object] = {"platform": "bazaar", "listing_id": "a", "case": 1, "label": "genuine", "note": None}
    said, error = run(good, good | {"case": 2}, good | {"label": ""})
    assert "1 labels taken in, 0 already known, 1 refused, 1 rows without a label" in said
    assert "line 2: case 2 is no case of norvell" in said
    assert isinstance(error, WorkError)

    said, error = run(good, options=("--json",))
    assert (json.loads(said)["known"], error) == (1, None)
    assert len(brand_labels(engine)) == 1

    _, error = run(good | {"label": "counterfeit"}, good | {"label": "fake"})
    assert isinstance(error, SettingsError)
    assert len(brand_labels(engine)) == 1
