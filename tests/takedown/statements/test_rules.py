from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit_risk.takedown.statements import values
from counterfeit_risk.takedown.statements.rules import (
    CONDITIONS,
    END_DATES,
    FIELDS,
    REQUIRED,
    RESTRICTIONS,
    check_field,
    find_personal_data,
    find_problems,
)

MISSING = object()


def payload(**changes: object) -> dict[str, Any]:
    """The smallest valid statement; MISSING takes a field away."""
    fields: dict[str, Any] = {
        "decision_visibility": ["DECISION_VISIBILITY_CONTENT_REMOVED"],
        "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
        "illegal_content_legal_ground": "Trade mark law",
        "illegal_content_explanation": "The goods are not the owner's.",
        "content_type": ["CONTENT_TYPE_PRODUCT"],
        "category": "STATEMENT_CATEGORY_INTELLECTUAL_PROPERTY_INFRINGEMENTS",
        "territorial_scope": ["DE", "NO"],
        "content_date": "2026-02-01",
        "application_date": "2026-03-01",
        "decision_facts": "A person saw the listing.",
        "source_type": "SOURCE_ARTICLE_16",
        "automated_detection": "No",
        "automated_decision": "AUTOMATED_DECISION_NOT_AUTOMATED",
        "puid": "sor-1",
    }
    return {name: value for name, value in (fields | changes).items() if value is not MISSING}


INCOMPATIBLE = {
    "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
    "illegal_content_legal_ground": MISSING,
    "illegal_content_explanation": MISSING,
    "incompatible_content_ground": "Terms, 4.2",
    "incompatible_content_explanation": "They forbid counterfeits.",
}


def test_the_smallest_statement_is_valid() -> None:
    assert find_problems(payload()) == []


@pytest.mark.parametrize(
    "changes",
    [
        INCOMPATIBLE,
        INCOMPATIBLE | {"incompatible_content_illegal": "Yes"},
        {"decision_visibility": ["DECISION_VISIBILITY_OTHER"], "decision_visibility_other": "Moved to the last page"},
        {"decision_visibility": MISSING, "decision_account": "DECISION_ACCOUNT_SUSPENDED"},
        {"decision_monetary": "DECISION_MONETARY_OTHER", "decision_monetary_other": "Half is held back"},
        {"decision_provision": "DECISION_PROVISION_TOTAL_SUSPENSION", "account_type": "ACCOUNT_TYPE_BUSINESS"},
        {"content_type": ["CONTENT_TYPE_IMAGE", "CONTENT_TYPE_OTHER"], "content_type_other": "Listing"},
        {"category_specification": ["KEYWORD_OTHER"], "category_specification_other": "Counterfeit"},
        {"category_specification": ["KEYWORD_OTHER"]},
        {"category_addition": ["STATEMENT_CATEGORY_SCAMS_AND_FRAUD"], "content_language": "DE"},
        {"content_id": {"EAN-13": "4006381333931"}},
        {"decision_ground_reference_url": "https://bazaar.example/terms"},
        {"source_identity": "Norvell SpA", "source_type": "SOURCE_TRUSTED_FLAGGER"},
        {"end_date_account_restriction": "2026-03-01", "end_date_visibility_restriction": ""},
        {"content_date": "2000-01-01", "application_date": "2020-01-01"},
        {"content_date": "2038-01-01", "application_date": "2038-01-01"},
        {"decision_facts": "é" * 5000, "puid": "p" * 500},
        {"illegal_content_legal_ground": "x" * 500, "illegal_content_explanation": "x" * 2000},
    ],
)
def test_what_the_rules_allow_is_valid(changes: dict[str, object]) -> None:
    assert find_problems(payload(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"decision_visibility": MISSING}, "decision_visibility", "is required, unless there is a decision_monetary"),
        ({"decision_visibility": "DECISION_VISIBILITY_OTHER"}, "decision_visibility", "must be a list"),
        ({"decision_visibility": ["REMOVED"]}, "decision_visibility", "each must be DECISION_VISIBILITY_CONTENT_REM"),
        ({"decision_visibility": ["DECISION_VISIBILITY_OTHER"]}, "decision_visibility_other", "is required where"),
        ({"decision_visibility_other": "Moved"}, "decision_visibility_other", "must be left out unless"),
        ({"decision_monetary": "DECISION_MONETARY_OTHER"}, "decision_monetary_other", "is required where"),
        ({"decision_monetary": ["DECISION_MONETARY_OTHER"]}, "decision_monetary", "must be DECISION_MONETARY_SUSP"),
        ({"decision_provision": "SUSPENDED"}, "decision_provision", "must be DECISION_PROVISION_PARTIAL_SUSP"),
        ({"decision_account": "SUSPENDED"}, "decision_account", "must be DECISION_ACCOUNT_SUSPENDED or"),
        ({"account_type": "Business"}, "account_type", "must be ACCOUNT_TYPE_BUSINESS or"),
        ({"decision_ground": "DECISION_GROUND_FAKE"}, "decision_ground", "must be DECISION_GROUND_ILLEGAL_CONTENT or"),
        ({"decision_ground_reference_url": "our terms"}, "decision_ground_reference_url", "must be an http or https"),
        ({"decision_ground_reference_url": f"https://a.example/{'x' * 500}"}, "decision_ground_reference_url", "has 5"),
        ({"illegal_content_legal_ground": MISSING}, "illegal_content_legal_ground", "is required where decision_gr"),
        ({"illegal_content_legal_ground": "x" * 501}, "illegal_content_legal_ground", "has 501 characters, and 500"),
        ({"illegal_content_explanation": " "}, "illegal_content_explanation", "is required where decision_ground"),
        ({"illegal_content_explanation": "x" * 2001}, "illegal_content_explanation", "has 2,001 characters, and 2,00"),
        ({"incompatible_content_ground": "Terms, 4.2"}, "incompatible_content_ground", "must be left out unless"),
        ({"incompatible_content_illegal": "Yes"}, "incompatible_content_illegal", "must be left out unless"),
        (INCOMPATIBLE | {"incompatible_content_illegal": "yes"}, "incompatible_content_illegal", "must be Yes or No"),
        (INCOMPATIBLE | {"incompatible_content_explanation": ""}, "incompatible_content_explanation", "is required"),
        ({"content_type": []}, "content_type", "is required"),
        ({"content_type": ["CONTENT_TYPE_LISTING"]}, "content_type", "each must be CONTENT_TYPE_APP"),
        ({"content_type": ["CONTENT_TYPE_OTHER"]}, "content_type_other", "is required where content_type is"),
        ({"category": "STATEMENT_CATEGORY_VIOLENCES"}, "category", "(did you mean STATEMENT_CATEGORY_VIOLENCE?)"),
        ({"category_addition": "STATEMENT_CATEGORY_VIOLENCE"}, "category_addition", "must be a list"),
        ({"category_specification": ["KEYWORD_COUNTERFEIT"]}, "category_specification", "one of 69 published values"),
        ({"category_specification_other": "Fake"}, "category_specification_other", "must be left out unless"),
        ({"content_id": {"EAN-13": "4006381333932"}}, "content_id", "has a wrong check digit"),
        ({"content_id": {"EAN-13": 4006381333931}}, "content_id", "must have 13 digits as text"),
        ({"content_id": {"EAN-8": "96385074"}}, "content_id", "must be an object with the one key EAN-13"),
        ({"territorial_scope": MISSING}, "territorial_scope", "is required"),
        ({"territorial_scope": ["DE", "EL"]}, "territorial_scope", "each must be one of 30 published values"),
        ({"territorial_scope": ["CH"]}, "territorial_scope", "not 'CH'"),
        ({"content_language": "de"}, "content_language", "must be one of 184 published values"),
        ({"content_language": "ZZ"}, "content_language", "not 'ZZ'"),
        ({"content_date": "1999-12-31"}, "content_date", "must lie between 2000-01-01 and 2038-01-01"),
        ({"content_date": "2026-02-30"}, "content_date", "must be a day such as"),
        ({"content_date": "20260201"}, "content_date", "must be a day such as"),
        ({"application_date": "2026-3-1"}, "application_date", "must be a day such as"),
        ({"application_date": "2019-12-31"}, "application_date", "must lie between 2020-01-01 and 2038-01-01"),
        ({"application_date": "2026-03-01T00:00:00Z"}, "application_date", "must be a day such as"),
        *(({name: "2026-02-28"}, name, "must not lie before application_date, 2026-03-01") for name in END_DATES),
        ({"end_date_account_restriction": "2038-01-02"}, "end_date_account_restriction", "must lie between"),
        ({"decision_facts": "x" * 6203}, "decision_facts", "has 6,203 characters, and 5,000 are allowed"),
        ({"decision_facts": {"text": "x"}}, "decision_facts", "must be text"),
        ({"decision_facts": "\ud800"}, "decision_facts", "holds characters that cannot be stored"),
        ({"source_type": "SOURCE_MODEL"}, "source_type", "must be SOURCE_ARTICLE_16"),
        ({"source_type": "SOURCE_VOLUNTARY", "source_identity": "Norvell"}, "source_identity", "must be left out unl"),
        ({"source_identity": "N" * 501}, "source_identity", "has 501 characters"),
        ({"automated_detection": True}, "automated_detection", "must be Yes or No, not True"),
        ({"automated_decision": "No"}, "automated_decision", "must be AUTOMATED_DECISION_FULLY"),
        ({"puid": "sor/1"}, "puid", "must hold nothing but"),
        ({"puid": "sor-1\n"}, "puid", "must hold nothing but"),
        ({"puid": "p" * 501}, "puid", "has 501 characters"),
        ({"seller": None}, "seller", "is no field that is known"),
        ({"colour\n": "red"}, "colour\N{REPLACEMENT CHARACTER}", "is no field that is known"),
    ],
)
def test_a_broken_statement_is_refused_for_the_right_field_alone(
    changes: dict[str, object], field: str, problem: str
) -> None:
    [message] = find_problems(payload(**changes))

    assert message.startswith(f"{field}: ")
    assert problem in message


@pytest.mark.parametrize("blank", [MISSING, None, "", " ", [], {}])
@pytest.mark.parametrize("name", REQUIRED)
def test_every_required_field_is_asked_for(name: str, blank: object) -> None:
    assert find_problems(payload(**{name: blank})) == [f"{name}: is required"]


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_fields() -> None:
    named = [message.partition(":")[0] for message in find_problems({"zebra": 1})]

    required = {*REQUIRED, RESTRICTIONS[0]}
    assert named == [*(name for name in FIELDS if name in required), "zebra"]


@given(
    st.dictionaries(
        st.sampled_from([*FIELDS, "other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=9),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
        ),
    )
)
def test_nothing_that_json_can_hold_breaks_the_check_and_no_field_is_named_twice(changes: dict[str, object]) -> None:
    named = [message.partition(":")[0] for message in find_problems(payload() | changes)]

    assert len(named) == len(set(named))
    assert set(named) <= {*FIELDS, "other"}


def test_the_tables_speak_of_known_fields_and_values() -> None:
    assert {*REQUIRED, *RESTRICTIONS, *END_DATES, *CONDITIONS} <= set(FIELDS)
    assert {condition.field for condition in CONDITIONS.values()} <= set(FIELDS)
    for condition in CONDITIONS.values():
        listed = list(condition.values)
        assert check_field(condition.field, listed) is None or all(
            check_field(condition.field, one) is None for one in listed
        )


def test_the_published_lists_have_their_published_lengths() -> None:
    lists = (values.CATEGORIES, values.KEYWORDS, values.EU_COUNTRIES, values.EEA_COUNTRIES, values.LANGUAGES)

    assert [len(set(one)) for one in lists] == [16, 69, 27, 30, 184]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Ask ada@norvell.example", "e-mail address"),
        ("ada＠norvell.example", "e-mail address"),
        ("a\u200bda\u200b@\u200bnorvell", "e-mail address"),
        ("ada (at) norvell.example", "e-mail address"),
        ("ada [AT] norvell", "e-mail address"),
        ("+49 30 901820", "telephone number"),
        ("0170/1234567", "telephone number"),
        ("call (020) 7946-0018 now", "telephone number"),
        ("12 34 56 78", "telephone number"),
        ("٠١٢٣٤٥٦٧٨", "telephone number"),
        ("DE89370400440532013000", "IBAN"),
        ("no93 8601 1117 947", "IBAN"),
        ("4111 1111 1111 1111", "card number"),
        ("3782-822463-10005", "card number"),
        ("follow @norvell_outlet", "handle"),
        ("https://ada:secret@bazaar.example", "address of a user"),
        ("bazaar.example/user/ada", "address of a user"),
        ("https://bazaar.example/~ada", "address of a user"),
    ],
)
def test_personal_data_is_found(text: str, kind: str) -> None:
    assert kind in find_personal_data(text)


@pytest.mark.parametrize(
    "text", ["", "Norvell", "4711", "bags & wallets", "No. 5 @ home", "诺维尔", "t-shirt 2026", "bazaar.example/uk"]
)
def test_a_plain_name_is_no_personal_data(text: str) -> None:
    assert find_personal_data(text) == []


def test_a_number_of_sixteen_digits_is_a_card_only_with_its_check_digit() -> None:
    assert find_personal_data("4111111111111112") == []
    assert find_personal_data("4111111111111111") == ["card number"]


@pytest.mark.parametrize("field", ["decision_facts", "source_identity"])
def test_personal_data_is_never_published_whoever_wrote_the_payload(field: str) -> None:
    changes = {"source_type": "SOURCE_ARTICLE_16", field: "write to ada@example.org"}
    assert find_problems(payload(**changes)) == [f"{field}: seems to hold personal data: e-mail address"]
