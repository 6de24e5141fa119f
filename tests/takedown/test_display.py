import io
from collections.abc import Callable
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.display import actions_table, case_sheet, plain_text, queue_table, stats_table
from counterfeit_risk.takedown.queue import TakedownQueue
from counterfeit_risk.takedown.states import Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def render(table: Table) -> str:
    console = Console(file=io.StringIO(), width=200)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def test_the_queue_shows_what_a_case_is_about(
    queue: TakedownQueue, load: Callable[..., LoadResult], make_score: Callable[..., RiskScore]
) -> None:
    load(make_score("a", 0.61))

    shown = render(queue_table(queue.top(NOW)))

    for text in ("0.610", "review", "04 Mar 12:00", "bazaar", "title of a"):
        assert text in shown


def test_a_sellers_text_steers_neither_the_terminal_nor_the_markup(
    queue: TakedownQueue, make_score: Callable[..., RiskScore]
) -> None:
    queue.load([make_score("a")], [Listing("a", "[red]bag[/red] \x1b[2J\u202egnp.exe")], NOW)

    shown = render(queue_table(queue.top(NOW)))

    assert "[red]bag[/red] \ufffd[2J\ufffdgnp.exe" in shown
    assert "\x1b" not in shown


def test_text_of_any_language_is_shown_as_it_is() -> None:
    assert plain_text("сумка 手袋 bolso").plain == "сумка 手袋 bolso"


def test_a_case_sheet_names_what_a_decision_needs(
    queue: TakedownQueue, load: Callable[..., LoadResult], make_score: Callable[..., RiskScore]
) -> None:
    load(make_score("a", 0.61))
    leased = queue.next_case("ada", NOW)
    assert leased is not None

    shown = render(case_sheet(leased))

    for text in ("token 1", "until 2026-03-01 12:15 UTC", "0.610", "title none", "12.50 EUR", "images/a.jpg"):
        assert text in shown


def test_actions_and_counts_are_shown(
    queue: TakedownQueue, load: Callable[..., LoadResult], make_score: Callable[..., RiskScore]
) -> None:
    load(make_score("a"))
    leased = queue.next_case("ada", NOW)
    assert leased is not None
    queue.decide(leased.case.case_id, "ada", Verdict.COUNTERFEIT, "mirrored mark", leased.token, NOW)

    assert "mirrored mark" in render(actions_table(queue.actions()))
    counts = " ".join(render(stats_table(queue.stats(NOW))).split())
    assert "decided 1 counterfeit; median to a verdict 0.0 h" in counts
