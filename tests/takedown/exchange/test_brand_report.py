"""What a brand receives: all of its decided listings and nothing that is not its own to know."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update
from typer.testing import CliRunner

from counterfeit_risk.cli.queue import app
from counterfeit_risk.errors import QueueError, UsageError
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.complaints.appeals import Appeal
from counterfeit_risk.takedown.complaints.notice import Notice, NoticeItem, Notifier, NotifierKind, Right
from counterfeit_risk.takedown.complaints.rights import Rights
from counterfeit_risk.takedown.complaints.tables import Appellant
from counterfeit_risk.takedown.database import writing
from counterfeit_risk.takedown.exchange.brand_report import (
    COLUMNS,
    BrandSummary,
    Period,
    guard_cell,
    unguard_cell,
    write_brand_report,
)
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue, open_queue
from counterfeit_risk.takedown.states import CaseState, Lane, Verdict
from counterfeit_risk.takedown.tables import CaseRow, DecisionRow, SnapshotRow

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=30)
EVER = Period()

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]
Write = Callable[..., BrandSummary]


@pytest.fixture
def write(engine: Engine, tmp_path: Path) -> Write:
    """Writes a report into the folder `report`."""

    def write_report(brand: str = "Norvell", period: Period = EVER) -> BrandSummary:
        return write_brand_report(engine, brand, period, tmp_path / "report", LATER)

    return write_report


def decide(
    queue: TakedownQueue, verdict: Verdict, now: datetime = NOW, reviewer: str = "ada", spared: tuple[str, ...] = ()
) -> int:
    leased = queue.next_case(reviewer, now)
    assert leased is not None
    queue.decide(leased.case.case_id, reviewer, verdict, "looked at it", leased.token, now, spared=spared)
    return leased.case.case_id


def read_rows(tmp_path: Path) -> list[dict[str, str]]:
    with (tmp_path / "report" / "listings.csv").open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_each_decided_listing_of_the_brand_is_a_row(
    queue: TakedownQueue, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("fake", 0.8))
    case = decide(queue, Verdict.COUNTERFEIT)
    load(make_score("waiting", 0.7))
    load(make_score("other", 0.9), brand="Aurelia")
    decide(queue, Verdict.COUNTERFEIT)

    summary = write("  NORVELL ")

    [row] = read_rows(tmp_path)
    assert tuple(row) == COLUMNS
    assert tuple(row.values()) == (
        *("bazaar", "fake", "s1", "title of fake", "12.5", "EUR", "bags", str(case)),
        *("counterfeit", NOW.isoformat(), "down", "false", "false", "", ""),
    )
    assert (summary.cases_opened, summary.cases_decided, summary.open_cases) == (2, 1, 1)


def test_a_spared_listing_is_genuine_and_visible(
    queue: TakedownQueue, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(*(make_score(name, photo_hashes=("one photo",)) for name in ("fake", "real")))
    decide(queue, Verdict.COUNTERFEIT, spared=("bazaar/real",))

    summary = write()

    rows = {row["listing_id"]: (row["verdict"], row["status"]) for row in read_rows(tmp_path)}
    assert rows == {"fake": ("counterfeit", "down"), "real": ("genuine", "visible")}
    assert (summary.listings_taken_down, summary.listings_found_genuine, summary.cases_decided) == (1, 1, 1)


def test_the_period_takes_its_first_moment_and_not_its_last(
    queue: TakedownQueue, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    times = [NOW - timedelta(seconds=1), NOW, LATER - timedelta(seconds=1), LATER]
    load(*(make_score(f"{number}", 0.9 - number / 10) for number in range(len(times))), now=times[0])
    for time in times:
        decide(queue, Verdict.GENUINE, time)

    summary = write(period=Period(NOW, LATER))

    assert [row["listing_id"] for row in read_rows(tmp_path)] == ["1", "2"]
    assert (summary.cases_opened, summary.cases_decided) == (0, 2)


def test_a_case_under_appeal_stands_as_it_was_decided_and_says_so(
    queue: TakedownQueue, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a"))
    queue.appeal(decide(queue, Verdict.COUNTERFEIT), Appeal("bazaar/a", Appellant.SELLER, "an invoice"), "desk", NOW)
    decide(queue, Verdict.UNSURE, reviewer="eve")

    summary = write()

    [row] = read_rows(tmp_path)
    assert (row["verdict"], row["status"], row["under_appeal"]) == ("counterfeit", "down", "true")
    assert (summary.cases_decided, summary.open_cases, summary.overturned_on_appeal) == (1, 1, 0)


def test_an_overturned_decision_is_told_as_what_it_is_now(
    queue: TakedownQueue, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a"))
    queue.appeal(decide(queue, Verdict.COUNTERFEIT), Appeal("bazaar/a", Appellant.SELLER, "an invoice"), "desk", NOW)
    decide(queue, Verdict.GENUINE, LATER, "bob")

    summary = write()

    [row] = read_rows(tmp_path)
    assert (row["verdict"], row["status"], row["under_appeal"]) == ("genuine", "visible", "false")
    assert (summary.listings_taken_down, summary.overturned_on_appeal) == (0, 1)
    assert summary.median_hours == 0  # to the first verdict


def test_a_reopened_case_is_no_decided_one(
    queue: TakedownQueue, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a"))
    queue.reopen(decide(queue, Verdict.COUNTERFEIT), "bob", "a mistake", NOW)

    assert (write().cases_decided, read_rows(tmp_path)) == (0, [])


def test_a_relisting_and_its_seller_are_counted(
    queue: TakedownQueue, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a", photo_hashes=("one photo",)))
    decide(queue, Verdict.COUNTERFEIT)
    load(make_score("b", photo_hashes=("one photo",)), now=LATER)
    decide(queue, Verdict.COUNTERFEIT, LATER)

    summary = write()

    assert [row["relisted"] for row in read_rows(tmp_path)] == ["false", "true"]
    assert summary.sellers_with_several_takedowns == 1


def test_more_cases_than_are_read_at_once_are_all_there(
    queue: TakedownQueue, load: Load, make_score: MakeScore, write: Write, engine: Engine, tmp_path: Path
) -> None:
    load(*(make_score(f"{number:03}") for number in range(450)))
    decided = {"token": None, "verdict": Verdict.GENUINE, "reason": "", "decided_by": "ada", "automated": False}
    with writing(engine) as session:
        for case in session.scalars(select(CaseRow)):
            case.state, case.verdict, case.decided_at = CaseState.DECIDED, Verdict.GENUINE, NOW
            ids = [member.snapshot_id for member in case.members]
            session.add(DecisionRow(case_id=case.case_id, decided_at=NOW, snapshot_ids=ids, spared=[], **decided))

    summary = write()

    assert sorted(row["listing_id"] for row in read_rows(tmp_path)) == [f"{number:03}" for number in range(450)]
    assert summary.cases_decided == summary.listings_found_genuine == 450


def test_cases_with_a_known_answer_are_nowhere(
    queue: TakedownQueue, load: Load, make_score: MakeScore, write: Write, engine: Engine, tmp_path: Path
) -> None:
    load(make_score("real", 0.9), make_score("planted", 0.8), make_score("planted too", 0.7))
    with writing(engine) as session:
        session.execute(update(CaseRow).where(CaseRow.case_id > 1).values(lane=Lane.KNOWN_ANSWER))
        session.execute(update(CaseRow).where(CaseRow.case_id == 3).values(brand="aurelia"))
    for _ in range(2):
        decide(queue, Verdict.COUNTERFEIT)

    summary = write()

    assert [row["listing_id"] for row in read_rows(tmp_path)] == ["real"]
    assert (summary.cases_opened, summary.cases_decided, summary.open_cases) == (1, 1, 0)
    with pytest.raises(UsageError, match="no case and no notice"):
        write("aurelia")


def test_random_cases_count_only_once_decided(
    queue: TakedownQueue, make_score: MakeScore, write: Write, database_url: str, tmp_path: Path
) -> None:
    scores = [
        make_score("flagged", 0.6),
        make_score("drawn", 0.01, Band.PASS),
        make_score("drawn too", 0.02, Band.PASS),
    ]
    listings = [Listing(score.listing_id, "a bag", brand="Norvell", platform="bazaar") for score in scores]
    with open_queue(database_url, settings=QueueSettings(audit_probability=1)) as drawing:
        assert drawing.load(scores, listings, NOW).audited == 2
    while (leased := queue.next_case("ada", NOW)) and leased.case.riskiest.listing.listing_id == "flagged":
        queue.decide(leased.case.case_id, "ada", Verdict.GENUINE, "looked", leased.token, NOW)
    assert leased
    queue.decide(leased.case.case_id, "ada", Verdict.GENUINE, "looked", leased.token, NOW)

    summary = write()

    told = {row["listing_id"] for row in read_rows(tmp_path)}
    assert len(told & {"drawn", "drawn too"}) == 1
    assert summary.cases_opened == len(told | {"flagged"})
    assert summary.open_cases == len({"flagged"} - told)


def test_cases_that_went_into_others_or_were_withdrawn_were_not_opened(
    queue: TakedownQueue, load: Load, make_score: MakeScore, write: Write
) -> None:
    load(make_score("a", photo_hashes=("one",)), make_score("b", photo_hashes=("two",)))
    assert load(make_score("c", photo_hashes=("one", "two"))).merged == 1
    withdrawn = load(make_score("d"))
    queue.withdraw(withdrawn.load_id, "ada", NOW)

    summary = write()

    assert (summary.cases_opened, summary.open_cases) == (1, 1)


def test_notices_are_counted_by_what_they_led_to_and_name_nobody(
    queue: TakedownQueue, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("fake", 0.8), make_score("real", 0.7))
    notifier = Notifier("consumer-1", "Jane Roe", "jane@roe.example", NotifierKind.CONSUMER)
    items = tuple(NoticeItem("bazaar", one, f"https://bazaar.example/{one}") for one in ("fake", "real"))
    notice = Notice("n1", notifier, NOW, "NORVELL", Right.TRADEMARK, "It fell apart.", good_faith=True, items=items)
    queue.notice_desk(Rights([], []), {}).take_in([notice], NOW)
    while leased := queue.next_case("ada", NOW):
        verdict = Verdict.COUNTERFEIT if leased.case.riskiest.listing.listing_id == "fake" else Verdict.GENUINE
        queue.decide(leased.case.case_id, "ada", verdict, "looked", leased.token, NOW)

    summary = write()

    assert sum(summary.notices.values()) == 2
    assert summary.share_of_notices_upheld == 0.5
    written = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "report").iterdir())
    for secret in ("Jane", "roe.example", "fell apart", "ada", "looked", "0.8"):
        assert secret not in written


def test_the_share_decided_within_a_day_and_the_median_go_by_the_opening(
    queue: TakedownQueue, load: Load, make_score: MakeScore, write: Write
) -> None:
    load(make_score("a", 0.9), make_score("b", 0.8))
    decide(queue, Verdict.GENUINE, NOW + timedelta(hours=2))
    decide(queue, Verdict.GENUINE, NOW + timedelta(hours=28))

    summary = write()

    assert (summary.share_decided_within_24_hours, summary.median_hours) == (0.5, 15)


def test_the_figures_are_written_as_data_and_as_a_page(
    queue: TakedownQueue, load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a"), brand="<b>Norvell")
    summary = write("<b>Norvell", Period(since=NOW))

    data = json.loads((tmp_path / "report" / "summary.json").read_text(encoding="utf-8"))
    written = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert data["cases_opened"] == summary.cases_opened == 1
    assert (data["since"], data["until"], data["median_hours"]) == (NOW.isoformat(), None, None)
    assert "&lt;b&gt;Norvell" in written
    assert "<b>" not in written
    for name, value in summary.figures():
        assert f"<td>{name}</td><td>{value}</td>" in written


def test_an_unknown_brand_names_near_ones_and_writes_nothing(
    load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a"))

    with pytest.raises(UsageError, match="'Norvel'; did you mean norvell"):
        write("Norvel")
    with pytest.raises(UsageError, match="none that is written nearly so"):
        write("\x00")
    assert not (tmp_path / "report").exists()


def test_a_folder_that_is_there_is_left_as_it_is(
    load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a"))
    (tmp_path / "report").mkdir()

    with pytest.raises(UsageError, match="is there already"):
        write()
    assert list((tmp_path / "report").iterdir()) == []


def test_a_report_that_fails_leaves_no_folder(
    queue: TakedownQueue, load: Load, make_score: MakeScore, write: Write, engine: Engine, tmp_path: Path
) -> None:
    load(make_score("a"))
    decide(queue, Verdict.GENUINE)
    with writing(engine) as session:  # a decision on a snapshot that is nowhere
        session.execute(update(DecisionRow).values(snapshot_ids=[4711]))

    with pytest.raises(KeyError):
        write()
    assert not [path for path in tmp_path.iterdir() if "report" in path.name]


def test_no_cell_is_a_formula(
    queue: TakedownQueue, load: Load, make_score: MakeScore, write: Write, engine: Engine, tmp_path: Path
) -> None:
    load(make_score("=1+1"), seller_id="@seller", category="-cat")
    decide(queue, Verdict.GENUINE)
    with writing(engine) as session:
        session.execute(update(SnapshotRow).values(title="\t=cmd|' /C calc'!A0"))

    write()

    [row] = read_rows(tmp_path)
    assert (row["listing_id"], row["seller_id"], row["category"]) == ("'=1+1", "'@seller", "'-cat")
    assert row["title"].startswith("'\t=")


@given(st.text() | st.text("'=+-@\t\rx", max_size=5))
def test_a_guarded_cell_is_harmless_and_can_be_restored(text: str) -> None:
    guarded = guard_cell(text)

    assert not guarded.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"))
    assert unguard_cell(guarded) == text


def test_the_command_says_and_prints_what_it_wrote(
    load: Load, make_score: MakeScore, database_url: str, tmp_path: Path
) -> None:
    load(make_score("a"))

    def run(*arguments: object) -> str:
        command = ["report", "--brand", "Norvell", "--db", database_url, *map(str, arguments)]
        result = CliRunner().invoke(app, command, env={"COLUMNS": "200"})
        if result.exception:
            raise result.exception
        return result.stdout

    said = run("--out", tmp_path / "one")
    told = json.loads(run("--out", tmp_path / "two", "--since", "2026-03-01", "--until", "2026-03-01", "--json"))

    assert "cases opened" in said
    assert (told["cases_opened"], told["open_cases"]) == (1, 1)
    assert (told["since"], told["until"]) == ("2026-03-01T00:00:00+00:00", "2026-03-02T00:00:00+00:00")
    with pytest.raises(UsageError, match="comes after"):
        run("--out", tmp_path / "three", "--since", "2026-03-02", "--until", "2026-03-01")
    assert run("--out", tmp_path / "four", "--since", "0001-01-01", "--until", "9999-12-31")


def test_no_database_is_made_for_a_report(tmp_path: Path) -> None:
    command = ["report", "--brand", "Norvell", "--out", str(tmp_path / "out"), "--db", f"sqlite:///{tmp_path / 'x.db'}"]

    assert isinstance(CliRunner().invoke(app, command).exception, QueueError)
    assert list(tmp_path.iterdir()) == []


def test_the_table_has_its_columns_even_where_nothing_was_decided(
    load: Load, make_score: MakeScore, write: Write, tmp_path: Path
) -> None:
    load(make_score("a"))
    write()

    assert (tmp_path / "report" / "listings.csv").read_text(encoding="utf-8-sig").strip() == ",".join(COLUMNS)
