import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from counterfeit_risk.errors import SettingsError
from counterfeit_risk.sections import validated
from counterfeit_risk.takedown.statements.personal_data import find_personal_data
from counterfeit_risk.takedown.statements.rules import find_problems
from counterfeit_risk.takedown.statements.statement import (
    Restriction,
    StatementSettings,
    StatementSource,
    draft_statement,
    seller_notice,
)
from counterfeit_risk.takedown.states import ActionKind

SETTINGS = StatementSettings()
WINDOW = timedelta(days=184)
TAKEN_DOWN = Restriction(
    queue_id=7,
    decision_id=11,
    listing_key="bazaar/l1",
    platform="bazaar",
    brand="Norvell",
    category="bag",
    kind=ActionKind.TAKE_DOWN,
    automated=False,
    flagged_by_model=False,
    source=StatementSource.NOTICE,
    notifier="Norvell SpA",
    language="it",
    listed_on=date(2026, 2, 1),
    applied_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    mark="EUIPO 018123456",
    listings=1,
)
HIDDEN = replace(
    TAKEN_DOWN,
    kind=ActionKind.HIDE,
    automated=True,
    flagged_by_model=True,
    source=StatementSource.OWN_INITIATIVE,
    notifier=None,
)

SECRETS = (
    "ada@norvell.example",
    "Norvell, ring +49 170 1234567",
    "DE89 3704 0044 0532 0130 00",
    "4111 1111 1111 1111",
    "@norvell_outlet",
    "https://ada:pw@bazaar.example/x",
)
NAMES = st.none() | st.one_of(
    st.text(max_size=300),
    st.text(st.characters(), max_size=30),
    st.text("@.+0123456789 ()/\"'abtDE\u200b-", max_size=40),
    st.sampled_from([*SECRETS, "N" * 10_000, "Nor\x1b[31mvell", "Nor\u202evell", "Nor\nvell", "\ud800", " ", ""]),
)
RESTRICTIONS = st.builds(
    Restriction,
    queue_id=st.integers(1),
    decision_id=st.integers(1),
    listing_key=st.text(max_size=300),
    platform=NAMES,
    brand=NAMES,
    category=NAMES,
    kind=st.sampled_from([ActionKind.HIDE, ActionKind.TAKE_DOWN]),
    automated=st.booleans(),
    flagged_by_model=st.booleans(),
    source=st.sampled_from(StatementSource),
    notifier=NAMES,
    language=st.none() | st.text(max_size=9) | st.sampled_from(["de", "PT-br", "zh_Hans", "xx"]),
    listed_on=st.none() | st.dates(),
    applied_at=st.timedeltas(timedelta(0), timedelta(days=6500)).map(
        lambda past: datetime(2020, 1, 1, tzinfo=UTC) + past
    ),
    mark=NAMES,
    listings=st.integers(1, 10**9),
)


@given(RESTRICTIONS)
@example(replace(TAKEN_DOWN, **dict.fromkeys(("platform", "brand", "category", "notifier"), "N" * 10_000)))
@example(replace(TAKEN_DOWN, brand="123456", category="789012", platform="345678", listings=1_234_567))
@example(replace(TAKEN_DOWN, brand="x@", category=".y", platform="/@"))
def test_every_restriction_gives_a_valid_statement_without_personal_data(restriction: Restriction) -> None:
    statement = draft_statement(restriction, SETTINGS)

    assert find_problems(statement) == []
    assert find_personal_data(str(statement["decision_facts"])) == []
    assert find_personal_data(str(statement.get("source_identity"))) == []
    json.dumps(statement, ensure_ascii=False).encode()


@given(st.sampled_from(SECRETS), st.sampled_from(["platform", "brand", "category", "notifier"]), st.text(max_size=80))
def test_a_name_that_holds_personal_data_is_left_out_whole(secret: str, field: str, around: str) -> None:
    statement = draft_statement(replace(TAKEN_DOWN, **{field: f"{around} {secret} {around}"}), SETTINGS)

    assert secret not in json.dumps(statement, ensure_ascii=False)
    assert statement == draft_statement(replace(TAKEN_DOWN, **{field: None}), SETTINGS)


@given(RESTRICTIONS)
def test_what_a_listing_is_called_stays_out_of_its_puid(restriction: Restriction) -> None:
    renamed = replace(restriction, brand="Other", platform=None, listings=2, notifier=None)

    assert restriction.puid == renamed.puid
    assert draft_statement(renamed, SETTINGS)["puid"] == restriction.puid


def test_a_puid_is_the_same_for_ever_and_another_for_each_queue_decision_and_listing() -> None:
    others = [replace(TAKEN_DOWN, decision_id=1, listing_key="1/bazaar/l1"), replace(TAKEN_DOWN, decision_id=12)]
    others += [replace(TAKEN_DOWN, listing_key="bazaar/l2"), replace(TAKEN_DOWN, queue_id=8)]

    assert TAKEN_DOWN.puid == "sor-a9acdbfe-fa46-50ba-a1fb-c7c141c060dd"
    assert len({TAKEN_DOWN.puid, *(other.puid for other in others)}) == 5


def test_a_takedown_on_a_notice_is_told_as_it_was() -> None:
    statement = draft_statement(TAKEN_DOWN, SETTINGS)

    assert statement["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_REMOVED"]
    assert statement["category_specification"] == ["KEYWORD_TRADEMARK_INFRINGEMENT"]
    assert statement["source_type"] == "SOURCE_ARTICLE_16"
    assert statement["source_identity"] == "Norvell SpA"
    assert statement["automated_detection"] == "No"
    assert statement["automated_decision"] == "AUTOMATED_DECISION_NOT_AUTOMATED"
    assert statement["content_language"] == "IT"
    assert (statement["content_date"], statement["application_date"]) == ("2026-02-01", "2026-03-01")
    assert len(statement["territorial_scope"]) == 27  # type: ignore[arg-type] # a list, which `object` hides
    assert statement["decision_facts"] == (
        'The listing offers goods of the brand "Norvell" in the category "bag" on "bazaar". A notice under Article 16 '
        "reported it. A person decided, who saw the listing and found its goods to be counterfeit. It was taken down."
    )


def test_what_policy_hid_is_told_as_decided_by_automated_means_alone() -> None:
    statement = draft_statement(replace(HIDDEN, listings=12_345), SETTINGS)

    assert statement["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_DISABLED"]
    assert statement["automated_detection"] == "Yes"
    assert statement["automated_decision"] == "AUTOMATED_DECISION_FULLY"
    assert statement["source_type"] == "SOURCE_VOLUNTARY"
    assert "Automated means alone decided; a person has not confirmed it yet." in str(statement["decision_facts"])
    assert "one of 12,345 listings" in str(statement["decision_facts"])


def test_a_person_who_decides_on_what_the_model_flagged_decides_partly_by_automated_means() -> None:
    statement = draft_statement(replace(TAKEN_DOWN, flagged_by_model=True), SETTINGS)

    assert statement["automated_detection"] == "Yes"
    assert statement["automated_decision"] == "AUTOMATED_DECISION_PARTIALLY"


@pytest.mark.parametrize("source", StatementSource)
def test_a_notifier_is_named_unless_nobody_gave_notice(source: StatementSource) -> None:
    statement = draft_statement(replace(TAKEN_DOWN, source=source), SETTINGS)

    assert ("source_identity" in statement) == (source is not StatementSource.OWN_INITIATIVE)


@pytest.mark.parametrize("listed_on", [None, date(1999, 12, 31), date(2026, 3, 2)])
def test_a_day_of_listing_that_is_not_known_or_cannot_be_is_said_to_be_replaced(listed_on: date | None) -> None:
    statement = draft_statement(replace(TAKEN_DOWN, listed_on=listed_on), SETTINGS)

    assert statement["content_date"] == "2026-03-01"
    assert "When it was listed is not known" in str(statement["decision_facts"])


def test_days_are_those_of_utc() -> None:
    early = datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=5)))

    assert draft_statement(replace(TAKEN_DOWN, applied_at=early), SETTINGS)["application_date"] == "2026-03-01"


@pytest.mark.parametrize(
    ("tag", "code"), [("pt-BR", "PT"), ("ZH_hans", "ZH"), ("xx", "EN"), ("german", "EN"), (None, "EN")]
)
def test_a_language_that_is_not_known_is_the_default(tag: str | None, code: str) -> None:
    assert draft_statement(replace(TAKEN_DOWN, language=tag), SETTINGS)["content_language"] == code


def test_without_a_default_an_unknown_language_is_left_out() -> None:
    settings = StatementSettings(default_language=None)

    assert "content_language" not in draft_statement(replace(TAKEN_DOWN, language=None), settings)


def test_a_reinstatement_has_no_statement() -> None:
    with pytest.raises(ValueError, match="kind: must be hide or take_down, since reinstate restricts nothing"):
        replace(TAKEN_DOWN, kind=ActionKind.REINSTATE)


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("legal_ground", " ", "is blank"),
        ("legal_ground", "x" * 501, "has 501 characters, and 500 are allowed"),
        ("explanation", "Write to legal@bazaar.example", "seems to hold personal data: e-mail address"),
        ("policy_url", "bazaar.example/terms", "must be an http or https address"),
        ("policy_url", "https://ada@bazaar.example/terms", "seems to hold personal data"),
        ("territorial_scope", [], "is blank"),
        ("territorial_scope", ["EU"], "each must be one of 30 published values"),
        ("default_language", "en", "must be one of 184 published values"),
    ],
)
def test_settings_are_checked_as_the_fields_they_become(key: str, value: object, problem: str) -> None:
    with pytest.raises(SettingsError, match=f"{key}: .*{problem}"):
        validated(StatementSettings, {key: value}, source="queue.yaml")


def test_settings_reach_the_statement() -> None:
    settings = StatementSettings(
        legal_ground="Law", explanation="Why.", policy_url="https://bazaar.example/ip", territorial_scope=("IS", "DE")
    )

    statement = draft_statement(TAKEN_DOWN, settings)

    assert find_problems(statement) == []
    assert statement["illegal_content_legal_ground"] == "Law"
    assert statement["illegal_content_explanation"] == "Why."
    assert statement["decision_ground_reference_url"] == "https://bazaar.example/ip"
    assert statement["territorial_scope"] == ["IS", "DE"]


def test_a_seller_is_told_what_was_done_why_by_whom_and_how_to_object() -> None:
    notice = seller_notice(TAKEN_DOWN, StatementSettings(policy_url="https://bazaar.example/ip"), WINDOW)

    assert notice.startswith("Dear seller,\n\nOn 01 March 2026 your listing l1 on bazaar was taken down.")
    assert TAKEN_DOWN.puid in notice
    assert "A person decided" in notice
    assert "It was reported by Norvell SpA." in notice
    assert SETTINGS.legal_ground in notice
    assert SETTINGS.explanation in notice
    assert "The mark relied on is EUIPO 018123456." in notice
    assert "See https://bazaar.example/ip" in notice
    assert "you can complain to us, free of charge, until 01 September 2026, which is 6 months or more" in notice
    assert "out-of-court dispute settlement (Article 21), or to a court." in notice


def test_a_seller_whose_listing_policy_hid_is_told_that_no_person_decided() -> None:
    notice = seller_notice(replace(HIDDEN, mark=None), SETTINGS, WINDOW)

    assert "was hidden, which can be undone" in notice
    assert "Automated means flagged it" in notice
    assert "Automated means alone decided" in notice
    assert "mark relied on" not in notice
    assert "reported by" not in notice


@given(RESTRICTIONS)
def test_no_name_breaks_a_seller_notice_into_other_lines(restriction: Restriction) -> None:
    notice = seller_notice(restriction, SETTINGS, WINDOW)

    assert len(notice.split("\n\n")) == 5
    assert notice.count("\n") == 9
    notice.encode()
