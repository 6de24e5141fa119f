"""No restriction without a statement of reasons, in one transaction, and told as the case has it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.complaints.appeals import Appeal
from counterfeit_risk.takedown.complaints.notice import Notice, NoticeItem, Notifier, NotifierKind, Right
from counterfeit_risk.takedown.complaints.rights import Rights
from counterfeit_risk.takedown.complaints.tables import Appellant
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue, open_queue
from counterfeit_risk.takedown.statements.batches import StatementError
from counterfeit_risk.takedown.statements.rules import find_problems
from counterfeit_risk.takedown.statements.statement import StatementSettings
from counterfeit_risk.takedown.states import ActionKind, Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
RESTRICTING = {ActionKind.HIDE, ActionKind.TAKE_DOWN}

Load = Callable[..., LoadResult]
MakeScore = Callable[..., RiskScore]


def decide(queue: TakedownQueue, verdict: Verdict, reviewer: str = "ada", **others: object) -> int:
    leased = queue.next_case(reviewer, LATER)
    assert leased is not None
    queue.decide(leased.case.case_id, reviewer, verdict, "looked", leased.token, LATER, **others)
    return leased.case.case_id


def notify(queue: TakedownQueue, listing_id: str, kind: NotifierKind, **others: object) -> None:
    notifier = Notifier("holder-1", "Norvell SA", "ip@norvell.example", kind, **others)
    item = NoticeItem("bazaar", listing_id, f"https://bazaar.example/{listing_id}")
    why = "The clasp and the stitching are not ours, and the price is a tenth."
    notice = Notice(
        "n1", notifier, NOW, "Norvell", Right.TRADEMARK, why, good_faith=True, items=(item,), mark_number="018123456"
    )
    queue.notice_desk(Rights([], []), {}).take_in([notice], NOW)


def test_every_restriction_has_one_valid_statement_and_nothing_else_has(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(*(make_score(name, 0.95, Band.AUTOMATIC, photo_hashes=("p",)) for name in "ab"), make_score("c"))
    case_id = decide(queue, Verdict.COUNTERFEIT, spared=("bazaar/b",))
    queue.undo(case_id, "ada", LATER)
    decide(queue, Verdict.GENUINE)
    decide(queue, Verdict.COUNTERFEIT)
    queue.appeal(2, Appeal("bazaar/c", Appellant.SELLER, "an invoice"), "desk", LATER)
    decide(queue, Verdict.GENUINE, "bob")

    restricting = [action.sequence for action in queue.actions() if action.kind in RESTRICTING]
    statements = list(queue.statements())
    assert [one.sequence for one in statements] == restricting
    assert len(restricting) == 6  # hidden twice, taken down, hidden twice again when undone, and taken down
    assert [problem for one in statements for problem in find_problems(one.payload)] == []
    assert len({one.puid for one in statements}) == len(statements)


def test_policy_decides_by_automated_means_alone_and_a_person_partly(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a", 0.95, Band.AUTOMATIC))
    decide(queue, Verdict.COUNTERFEIT)

    hidden, down = queue.statements()
    assert hidden.payload["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_DISABLED"]
    assert down.payload["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_REMOVED"]
    assert [one.payload["automated_decision"] for one in (hidden, down)] == [
        "AUTOMATED_DECISION_FULLY",
        "AUTOMATED_DECISION_PARTIALLY",
    ]
    assert {one.payload["source_type"] for one in (hidden, down)} == {"SOURCE_VOLUNTARY"}


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        (NotifierKind.RIGHTS_HOLDER, "SOURCE_ARTICLE_16"),
        (NotifierKind.CONSUMER, "SOURCE_ARTICLE_16"),
        (NotifierKind.TRUSTED_FLAGGER, "SOURCE_TRUSTED_FLAGGER"),
        (NotifierKind.AUTHORITY, "SOURCE_TYPE_OTHER_NOTIFICATION"),
    ],
)
def test_a_takedown_names_the_kind_of_notice_that_led_to_it(
    queue: TakedownQueue, load: Load, make_score: MakeScore, kind: NotifierKind, source: str
) -> None:
    load(make_score("a"))
    notify(queue, "a", kind)
    decide(queue, Verdict.COUNTERFEIT)

    [statement] = queue.statements()
    was_seen_by_people = kind in {NotifierKind.CONSUMER, NotifierKind.AUTHORITY}  # the others have to show their mark
    assert statement.payload["source_type"] == (source if was_seen_by_people else "SOURCE_VOLUNTARY")


@pytest.mark.parametrize("is_organisation", [True, False])
def test_only_an_organisation_is_named(
    queue: TakedownQueue, load: Load, make_score: MakeScore, is_organisation: bool
) -> None:
    load(make_score("a"))
    notify(queue, "a", NotifierKind.AUTHORITY, is_organisation=is_organisation)
    decide(queue, Verdict.COUNTERFEIT)

    [statement] = queue.statements()
    assert statement.payload.get("source_identity") == ("Norvell SA" if is_organisation else None)
    assert ("Norvell SA" in statement.seller_text) == is_organisation
    assert "018123456" in statement.seller_text
    assert "ip@norvell.example" not in statement.seller_text


def test_the_public_record_tells_neither_seller_nor_listing_nor_title(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("Z-1977"), seller_id="anna.rossi@mail.example", brand="call +39 340 1234567")
    decide(queue, Verdict.COUNTERFEIT)

    [statement] = queue.statements()
    told = str(statement.payload)
    for secret in ("Z-1977", "anna", "340", "title of", "ada", "looked"):
        assert secret not in told
    assert statement.seller_id == "anna.rossi@mail.example"
    assert "Z-1977" in statement.seller_text


def test_two_queues_never_share_a_puid(make_score: MakeScore) -> None:
    puids = set()
    for _ in range(2):
        with open_queue("sqlite://", create=True) as queue:
            queue.load([make_score("a", 0.95, Band.AUTOMATIC)], [Listing("a", "a bag")], NOW)
            puids |= {one.puid for one in queue.statements()}
    assert len(puids) == 2


def test_nothing_is_restricted_whose_reasons_cannot_be_stated(make_score: MakeScore) -> None:
    after_the_schema = datetime(2038, 1, 2, tzinfo=UTC)
    with open_queue("sqlite://", create=True) as queue:
        queue.load([make_score("a")], [Listing("a", "a bag")], NOW)
        leased = queue.next_case("ada", after_the_schema)
        assert leased is not None
        with pytest.raises(StatementError, match="application_date"):
            queue.decide(1, "ada", Verdict.COUNTERFEIT, "looked", leased.token, after_the_schema)

        assert list(queue.actions()) == []
        assert queue.top(after_the_schema)[0].verdict is None


def test_settings_reach_statements(make_score: MakeScore) -> None:
    settings = QueueSettings(statements=StatementSettings(territorial_scope=("DE",)), appeal_window=timedelta(days=365))
    with open_queue("sqlite://", create=True, settings=settings) as queue:
        queue.load([make_score("a", 0.95, Band.AUTOMATIC)], [Listing("a", "a bag")], NOW)

        [statement] = queue.statements()
        assert statement.payload["territorial_scope"] == ["DE"]
        assert "until 01 March 2027" in statement.seller_text


def test_a_notice_that_was_turned_down_names_nobody_in_a_later_statement(
    queue: TakedownQueue, load: Load, make_score: MakeScore
) -> None:
    load(make_score("a"))
    notify(queue, "a", NotifierKind.AUTHORITY, is_organisation=True)
    decide(queue, Verdict.GENUINE)
    load(make_score("a", content_hash="edited", scored_at=LATER))
    decide(queue, Verdict.COUNTERFEIT)

    [statement] = queue.statements()
    assert statement.payload["source_type"] == "SOURCE_VOLUNTARY"
    assert "Norvell SA" not in statement.seller_text
