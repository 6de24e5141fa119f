"""Who sells fakes again and again, and with whom."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from counterfeit_risk.cli.queue import app
from counterfeit_risk.errors import SettingsError
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.complaints.appeals import Appeal
from counterfeit_risk.takedown.complaints.tables import Appellant
from counterfeit_risk.takedown.insight.sellers import Seller, SellerLink, SellerReport, read_links, read_sellers
from counterfeit_risk.takedown.policy import Order
from counterfeit_risk.takedown.queue import TakedownQueue
from counterfeit_risk.takedown.states import Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDER = Order(severity={"medicine": 10.0})

MakeScore = Callable[..., RiskScore]
Load = Callable[..., LoadResult]
Find = Callable[..., int]


@pytest.fixture
def find(queue: TakedownQueue, load: Load, make_score: MakeScore) -> Find:
    """Loads one listing and has people decide on whatever waits; returns the number of the case."""

    def find_listing(
        listing_id: str,
        verdict: Verdict = Verdict.COUNTERFEIT,
        *,
        now: datetime = NOW,
        photo: str = "",
        spared: tuple[str, ...] = (),
        reviewer: str = "ada",
        **others: object,
    ) -> int:
        score = make_score(listing_id, scored_at=now, photo_hashes=(photo or listing_id,))
        load(score, now=now, **others)
        return decide_next(queue, verdict, now=now, spared=spared, reviewer=reviewer)

    return find_listing


def decide_next(
    queue: TakedownQueue,
    verdict: Verdict,
    *,
    now: datetime = NOW,
    spared: tuple[str, ...] = (),
    reviewer: str = "ada",
) -> int:
    leased = queue.next_case(reviewer, now)
    assert leased is not None
    queue.decide(leased.case.case_id, reviewer, verdict, "looked", leased.token, now, spared=spared)
    return leased.case.case_id


def groups(report: SellerReport) -> list[list[str]]:
    return [[seller.seller_id for seller, _ in group.sellers] for group in report.groups]


def test_number_share_and_gravity_are_of_what_people_decided(engine: Engine, find: Find) -> None:
    find("a", category="medicine")
    find("b", brand="Other", now=NOW + timedelta(days=1))
    find("c", Verdict.GENUINE)

    [group] = read_sellers(engine, ORDER).groups

    total = group.total
    assert (total.found_counterfeit, total.decided, total.share) == (2, 3, pytest.approx(2 / 3))
    assert (total.severity, total.brands) == (11.0, 2)
    assert (total.first_at, total.last_at) == (NOW, NOW + timedelta(days=1))
    assert group.sellers == ((Seller("bazaar", "s1"), total),)


def test_who_goes_on_after_the_first_takedown_is_told_apart_from_who_was_found_at_once(
    engine: Engine, queue: TakedownQueue, load: Load, make_score: MakeScore, find: Find
) -> None:
    load(*(make_score(name, photo_hashes=("p",)) for name in "ab"), seller_id="at once")
    decide_next(queue, Verdict.COUNTERFEIT)
    find("c", seller_id="goes on")
    find("d", seller_id="goes on", now=NOW + timedelta(days=3))

    went_on = {group.sellers[0][0].seller_id: group.total.went_on for group in read_sellers(engine, ORDER).groups}

    assert went_on == {"at once": 0, "goes on": 1}


def test_a_fake_that_comes_back_is_a_relisting_and_what_follows_on_a_genuine_listing_is_none(
    engine: Engine, find: Find
) -> None:
    find("a", seller_id="s1", photo="p")
    find("b", seller_id="s1", photo="p", now=NOW + timedelta(days=2))
    find("c", Verdict.GENUINE, seller_id="s2", photo="q")
    find("d", seller_id="s2", photo="q", now=NOW + timedelta(days=2))

    relistings = {group.sellers[0][0].seller_id: group.total.relistings for group in read_sellers(engine, ORDER).groups}

    assert relistings == {"s1": 1, "s2": 0}


def test_an_overturned_decision_counts_as_overturned_and_no_longer_as_found(
    engine: Engine, queue: TakedownQueue, find: Find
) -> None:
    case_id = find("a")
    find("b")
    queue.appeal(case_id, Appeal("bazaar/a", Appellant.SELLER, "an invoice"), "desk", NOW)
    decide_next(queue, Verdict.GENUINE, reviewer="bob")

    [group] = read_sellers(engine, ORDER).groups

    assert (group.total.found_counterfeit, group.total.decided, group.total.overturned) == (1, 2, 1)


def test_an_appeal_that_is_upheld_makes_no_takedown_later_than_it_was(
    engine: Engine, queue: TakedownQueue, find: Find
) -> None:
    case_id = find("a")
    queue.appeal(case_id, Appeal("bazaar/a", Appellant.SELLER, "an invoice"), "desk", NOW)
    decide_next(queue, Verdict.COUNTERFEIT, reviewer="bob", now=NOW + timedelta(days=1))

    [group] = read_sellers(engine, ORDER).groups

    assert (group.total.first_at, group.total.went_on) == (NOW, 0)


def test_a_seller_of_whom_nothing_stands_is_not_shown(engine: Engine, queue: TakedownQueue, find: Find) -> None:
    find("c", Verdict.GENUINE, seller_id="honest")
    case_id = find("a")
    queue.reopen(case_id, "lead", "a mistake", NOW)

    assert read_sellers(engine, ORDER).groups == ()


def test_sellers_of_one_case_and_of_its_parent_belong_together(
    engine: Engine, queue: TakedownQueue, load: Load, make_score: MakeScore, find: Find
) -> None:
    load(make_score("a", photo_hashes=("p",)), seller_id="s1")
    find("b", photo="p", seller_id="s2")
    find("c", photo="p", seller_id="s3", now=NOW + timedelta(days=2))
    find("d", photo="other", seller_id="s4")

    report = read_sellers(engine, ORDER)

    assert groups(report) == [["s1", "s2", "s3"], ["s4"]]
    assert report.groups[0].total.found_counterfeit == 3
    assert report.groups[0].total.went_on == 1  # the group's, though each of them was found once


def test_who_was_spared_in_a_case_is_not_linked_by_it(
    engine: Engine, load: Load, make_score: MakeScore, find: Find
) -> None:
    load(make_score("a", photo_hashes=("p",)), seller_id="honest")
    find("b", photo="p", seller_id="s2", spared=("bazaar/a",))

    assert groups(read_sellers(engine, ORDER)) == [["s2"]]


def test_what_the_platform_knows_links_sellers_and_leaves_other_platforms_alone(engine: Engine, find: Find) -> None:
    find("a", seller_id="s1")
    find("b", seller_id="s2")
    find("c", Verdict.GENUINE, seller_id="s3")
    find("e", seller_id="s2", platform="souk")
    links = [SellerLink(seller, "account 7", "bazaar") for seller in ("s1", "s2", "s3", "never seen")]

    report = read_sellers(engine, ORDER, links=links)

    assert groups(report) == [["s1", "s2", "s3"], ["s2"]]
    assert (report.groups[0].total.found_counterfeit, report.groups[0].total.decided) == (2, 3)


def test_one_brand_alone_is_counted_however_it_is_written(engine: Engine, find: Find) -> None:
    find("a", brand="Norvell")
    find("b", brand="Other")
    find("c", brand="Other", seller_id="s2")

    [group] = read_sellers(engine, ORDER, brand=" NORVELL").groups

    assert group.total.found_counterfeit == 1


def test_totals_are_those_of_all_sellers_and_of_what_no_seller_is_known(engine: Engine, find: Find) -> None:
    for number in range(4):
        find(f"l{number}", seller_id=f"s{number % 2}")
    find("x", seller_id=None)
    find("y", Verdict.GENUINE, seller_id=None)

    report = read_sellers(engine, ORDER)

    assert sum(group.total.found_counterfeit for group in report.groups) == 4
    assert (report.without_seller.found_counterfeit, report.without_seller.decided) == (1, 2)


def test_a_file_of_links_is_read_or_all_its_mistakes_are_told(tmp_path: Path) -> None:
    good, bad = tmp_path / "links.csv", tmp_path / "bad.csv"
    good.write_text("platform,seller_id,seller_group\nbazaar,s1,g\n,s2,g\n")
    bad.write_text("platform,seller_id,seller_group\nbazaar,,g\nbazaar,s1,\n")

    assert read_links(good) == [SellerLink("s1", "g", "bazaar"), SellerLink("s2", "g")]
    with pytest.raises(SettingsError, match="line 2, seller_id: is required") as error:
        read_links(bad)
    assert len(error.value.problems) == 2


def test_people_and_programs_are_shown_groups_and_their_sellers(
    database_url: str, load: Load, make_score: MakeScore, find: Find
) -> None:
    load(make_score("a", photo_hashes=("p",)), seller_id="[bold]s1")
    find("b", photo="p", seller_id="s2")
    find("c", seller_id=None)

    def run(*options: str) -> str:
        result = CliRunner().invoke(app, ["sellers", "--db", database_url, *options], env={"COLUMNS": "200"})
        assert result.exception is None
        return result.stdout

    shown = run()
    assert "2 linked sellers" in shown
    assert "[bold]s1 on bazaar" in shown
    assert "1 of 1 groups; listings without a seller id: 1 decided, 1 of them found counterfeit" in shown
    group, unknown = map(json.loads, run("--json").splitlines())
    assert (group["found_counterfeit"], group["share"]) == (2, 1.0)
    assert [(one["seller_id"], one["found_counterfeit"]) for one in group["sellers"]] == [("[bold]s1", 1), ("s2", 1)]
    assert unknown == {"listings_without_seller_id": 1, "found_counterfeit": 1}
