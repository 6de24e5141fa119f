"""Cases whose answer is known: they measure reviewers, and nothing else follows from them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import Engine, func, select
from typer.testing import CliRunner

from counterfeit_risk.cli.queue import app
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Label, LabeledListing, Listing
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.database import reading
from counterfeit_risk.takedown.exchange.tables import BrandLabelRow
from counterfeit_risk.takedown.insight.sellers import read_sellers
from counterfeit_risk.takedown.known_answers import KnownAnswer, KnownAnswersLoaded, load_known_answers
from counterfeit_risk.takedown.photo_archive import PhotoArchive
from counterfeit_risk.takedown.policy import Order, QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue
from counterfeit_risk.takedown.states import ActionKind, CaseState, Lane, Verdict
from counterfeit_risk.takedown.tables import ActionRow, Base, CasePhotoRow, CaseRow, EventRow, LabelRow

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]
Ask = Callable[..., KnownAnswersLoaded]


@pytest.fixture
def ask(engine: Engine) -> Ask:
    """Loads listings by name with their answers."""

    def load(now: datetime = NOW, *, title: str = "a bag", **answers: Label) -> KnownAnswersLoaded:
        rows = [
            KnownAnswer(
                LabeledListing(Listing(name, title, brand="Norvell", platform="bazaar", seller_id="s1"), answer),
                ("photo 1",),
            )
            for name, answer in answers.items()
        ]
        return load_known_answers(engine, rows, QueueSettings(), now, Path("dump"))

    return load


def count(engine: Engine, table: type[Base]) -> int:
    with reading(engine) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def decide_all(queue: TakedownQueue, verdict: Verdict) -> list[int]:
    decided = []
    while leased := queue.next_case("ada", NOW):
        queue.decide(leased.case.case_id, "ada", verdict, "looked", leased.token, NOW)
        decided.append(leased.case.case_id)
    return decided


def test_each_listing_becomes_a_blind_case_that_nobody_waits_for(
    queue: TakedownQueue, engine: Engine, ask: Ask
) -> None:
    result = ask(a=Label.COUNTERFEIT, b=Label.GENUINE)

    assert (result.load_id, result.opened, result.already_known, result.refused) == (1, 2, 0, ())
    cases = queue.top(NOW)
    assert [(case.lane, case.is_blind, len(case.snapshots)) for case in cases] == [(Lane.KNOWN_ANSWER, True, 1)] * 2
    assert {case.due_at for case in cases} == {NOW + timedelta(days=30)}
    assert {(one.risk, one.band, one.model_id) for case in cases for one in case.snapshots} == {
        (0.0, Band.PASS, "known answer")
    }
    with reading(engine) as session:
        answers = {case.members[0].listing_key: case.known_answer for case in session.scalars(select(CaseRow))}
    assert answers == {"bazaar/a": Label.COUNTERFEIT, "bazaar/b": Label.GENUINE}


def test_loading_again_changes_nothing(queue: TakedownQueue, engine: Engine, ask: Ask) -> None:
    ask(a=Label.COUNTERFEIT, b=Label.GENUINE)
    decide_all(queue, Verdict.GENUINE)
    events = count(engine, EventRow)

    again = ask(NOW + timedelta(days=1), a=Label.COUNTERFEIT, b=Label.GENUINE)

    assert (again.load_id, again.opened, again.already_known) == (None, 0, 2)
    assert count(engine, EventRow) == events


def test_another_answer_to_the_same_listing_is_refused_until_the_first_is_withdrawn(
    queue: TakedownQueue, ask: Ask
) -> None:
    first = ask(a=Label.COUNTERFEIT)
    assert ask(a=Label.GENUINE).refused == (("a", "case 1 asks about it with another content"),)
    assert ask(a=Label.COUNTERFEIT, title="another").opened == 0

    assert first.load_id is not None
    queue.withdraw(first.load_id, "lead", NOW)
    assert ask(a=Label.GENUINE).opened == 1


def test_a_listing_that_people_know_is_no_test_of_them(
    queue: TakedownQueue, load: Load, make_score: MakeScore, ask: Ask
) -> None:
    load(make_score("a"))
    [case_id] = decide_all(queue, Verdict.COUNTERFEIT)

    assert ask(a=Label.COUNTERFEIT, b=Label.GENUINE).refused == (
        ("a", f"case {case_id} is about it: reviewers may remember it"),
    )
    assert queue.reopen(case_id, "lead", "a mistake", NOW).state is CaseState.OPEN  # nothing newer stands in its way


@pytest.mark.parametrize("verdict", [Verdict.COUNTERFEIT, Verdict.GENUINE])
def test_nothing_follows_from_a_verdict_nor_from_taking_it_back(
    queue: TakedownQueue, engine: Engine, ask: Ask, verdict: Verdict
) -> None:
    ask(a=Label.COUNTERFEIT, b=Label.GENUINE)
    first, _ = decide_all(queue, verdict)
    queue.undo(first, "ada", NOW)

    assert [list(stream()) for stream in (queue.actions, queue.labels, queue.statements, queue.messages)] == [[]] * 4
    assert {table: count(engine, table) for table in (ActionRow, LabelRow, BrandLabelRow)} == {
        ActionRow: 0,
        LabelRow: 0,
        BrandLabelRow: 0,
    }
    report = read_sellers(engine, Order())
    assert (report.groups, report.without_seller.decided) == ((), 0)
    assert list(queue.find_damage()) == []


def test_a_listing_of_the_same_photos_and_brand_does_not_join_one(
    queue: TakedownQueue, engine: Engine, load: Load, make_score: MakeScore, ask: Ask
) -> None:
    ask(a=Label.COUNTERFEIT)
    decide_all(queue, Verdict.COUNTERFEIT)
    ask(b=Label.COUNTERFEIT)

    assert load(make_score("c", photo_hashes=("photo 1",))).opened == 1
    [opened] = [case for case in queue.top(NOW) if case.lane is Lane.RISK]
    assert (len(opened.snapshots), opened.parent_case_id) == (1, None)
    with reading(engine) as session:
        assert set(session.scalars(select(CasePhotoRow.case_id))) == {opened.case_id}


def test_a_listing_that_is_loaded_later_is_decided_for_itself(
    queue: TakedownQueue, load: Load, make_score: MakeScore, ask: Ask
) -> None:
    ask(a=Label.GENUINE)
    assert load(make_score("a")).opened == 1
    decide_all(queue, Verdict.COUNTERFEIT)

    assert [action.listing_id for action in queue.actions()] == ["a"]
    assert ask(a=Label.GENUINE).already_known == 1


def test_a_whole_dump_without_it_closes_none(queue: TakedownQueue, load: Load, make_score: MakeScore, ask: Ask) -> None:
    ask(a=Label.GENUINE)
    assert load(make_score("c"), is_whole_dump=True).gone == 0


def test_a_table_of_answers_is_loaded_with_its_photos_and_what_is_refused_is_named(
    queue: TakedownQueue, database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "images").mkdir()
    Image.new("RGB", (160, 160), "navy").save(tmp_path / "images" / "a.jpg")
    (tmp_path / "images" / "broken.jpg").write_bytes(b"no photo")
    rows = [
        {"listing_id": "a", "title": "a", "label": "counterfeit", "image_paths": ["images/a.jpg", "images/gone.jpg"]},
        {"listing_id": "b", "title": "b", "label": "perhaps", "image_paths": ["images/a.jpg"]},
        {"listing_id": "c", "title": "c", "label": "genuine", "image_paths": ["images/broken.jpg"]},
        {"title": "nameless", "label": "genuine"},
    ]
    table = tmp_path / "answers.jsonl"
    table.write_text("\n".join(map(json.dumps, rows)))

    def run() -> list[str]:
        arguments = ["known-answers", str(table), "--photos", str(tmp_path / "kept"), "--db", database_url]
        result = CliRunner().invoke(app, arguments)
        assert result.exception is None
        return result.stdout.splitlines()

    first, *named = run()
    assert first == "load 1: 1 cases opened, 0 already known, 3 listings refused"
    assert [line.partition(":")[0] for line in named] == ["b", "c", "row 4"]
    assert run()[0] == "0 cases opened, 1 already known, 3 listings refused"
    [case] = queue.top(NOW)
    [key] = case.riskiest.photo_hashes
    assert PhotoArchive(tmp_path / "kept").read(key) == (tmp_path / "images" / "a.jpg").read_bytes()
    assert case.riskiest.image_root == str(tmp_path.resolve())


def test_taking_known_answers_back_shows_nothing_that_another_case_hid(
    queue: TakedownQueue, load: Load, make_score: MakeScore, ask: Ask
) -> None:
    load_id = ask(a=Label.GENUINE).load_id
    load(make_score("a", 0.95, Band.AUTOMATIC))

    assert load_id is not None
    assert queue.withdraw(load_id, "lead", NOW) == (1, 0)
    assert [action.kind for action in queue.actions()] == [ActionKind.HIDE]
