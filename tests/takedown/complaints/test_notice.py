import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counterfeit_risk.takedown.complaints.messages import acknowledgement, outcome_message
from counterfeit_risk.takedown.complaints.notice import (
    MOST_ITEMS,
    MOST_LINE_BYTES,
    Notice,
    NoticeFileError,
    NoticeItem,
    Notifier,
    NotifierKind,
    RefusedNotice,
    Right,
    read_notices,
)
from counterfeit_risk.takedown.complaints.validity import Assessment, NoticeOutcome

MISSING = object()

ReadBack = Callable[..., list[Notice | RefusedNotice]]


def item(number: int = 1) -> dict[str, Any]:
    return {"platform": "bazaar", "listing_id": f"l{number}", "url": f"https://bazaar.example/item/{number}"}


def notice(**changes: object) -> dict[str, Any]:
    """A complete notice; a dot in a name leads into the notifier, and MISSING takes a field away."""
    values: dict[str, Any] = {
        "notice_id": "n1",
        "notifier": {"notifier_id": "norvell", "name": "Ada", "email": "ada@norvell.example", "kind": "rights_holder"},
        "received_at": "2026-03-01T13:00:00+01:00",
        "brand": "Norvell",
        "mark_number": "018 123 456",
        "right": "trademark",
        "explanation": "The clasp and the lettering are not ours; we never made this bag.",
        "good_faith": True,
        "items": [item()],
    }
    for path, value in changes.items():
        *folders, name = path.split("__")
        target = values
        for folder in folders:
            target = target[int(folder)] if isinstance(target, list) else target[folder]
        if value is MISSING:
            del target[name]
        else:
            target[name] = value
    return values


@pytest.fixture
def read_back(tmp_path: Path) -> ReadBack:
    """Writes notices, or lines as they are, and reads them."""

    def write_and_read(*lines: dict[str, Any] | bytes) -> list[Notice | RefusedNotice]:
        path = tmp_path / "notices.jsonl"
        path.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
        return list(read_notices(path))

    return write_and_read


def refusal(read_back: ReadBack, *lines: dict[str, Any] | bytes) -> RefusedNotice:
    [refused] = read_back(*lines)
    assert isinstance(refused, RefusedNotice)
    return refused


def test_a_complete_notice_is_read_with_its_time_in_utc(read_back: ReadBack) -> None:
    assert read_back(notice()) == [
        Notice(
            notice_id="n1",
            notifier=Notifier("norvell", "Ada", "ada@norvell.example", NotifierKind.RIGHTS_HOLDER),
            received_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
            brand="Norvell",
            right=Right.TRADEMARK,
            explanation="The clasp and the lettering are not ours; we never made this bag.",
            good_faith=True,
            items=(NoticeItem("bazaar", "l1", "https://bazaar.example/item/1"),),
            mark_number="018 123 456",
        )
    ]


@pytest.mark.parametrize("value", [MISSING, None])
def test_a_mark_need_not_be_named(read_back: ReadBack, value: object) -> None:
    [read] = read_back(notice(mark_number=value))

    assert isinstance(read, Notice)
    assert read.mark_number is None


@pytest.mark.parametrize(
    "path",
    [
        *("notice_id", "received_at", "brand", "right", "explanation", "good_faith", "items", "notifier"),
        *("notifier__notifier_id", "notifier__name", "notifier__email", "notifier__kind"),
        *("items__0__platform", "items__0__listing_id", "items__0__url"),
    ],
)
def test_every_particular_is_required_by_its_name(read_back: ReadBack, path: str) -> None:
    field = path.replace("__0__", "[0].").replace("__", ".")

    assert refusal(read_back, notice(**{path: MISSING})).reasons == (f"{field}: is required",)


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("notice_id", "  ", "is blank"),
        ("notice_id", 7, "must be a valid string, not 7"),
        ("notice_id", "x" * 201, "must have at most 200 characters"),
        ("brand", "Norvell\u202ellevroN", "must be one line without control characters"),
        ("brand", "\ud800", "must be a valid string"),
        ("notifier", "Ada", "must be an object"),
        ("notifier__name", "Ada\r\nBcc: all@example.org", "must be one line"),
        ("notifier__email", "ada", "must be an e-mail address"),
        ("notifier__email", "ada@localhost", "must be an e-mail address"),
        ("notifier__email", "Ada <ada@norvell.example>", "must be an e-mail address"),
        ("notifier__email", "ada@a.example,bob@b.example", "must be an e-mail address"),
        ("notifier__kind", "friend", "must be 'rights_holder', 'agent', 'trusted_flagger', 'consumer' or 'authority'"),
        ("received_at", "2026-03-01T12:00:00", "must be a time with its offset"),
        ("received_at", 1772366400, "must be a time with its offset"),
        ("received_at", "0001-01-01T00:00:00+14:00", "must be a time with its offset"),
        ("received_at", "yesterday", "must be a time with its offset"),
        ("right", "trade secret", "must be 'trademark', 'design', 'copyright' or 'patent'"),
        ("explanation", "fake" + " " * 50, "must say why, in 20 characters or more beside white space; it has 4"),
        ("explanation", "not ours\0" * 9, "holds characters that cannot be stored"),
        ("explanation", "x" * 10_001, "must have at most 10000 characters"),
        ("good_faith", False, "must be true"),
        ("good_faith", "true", "must be true"),
        ("good_faith", 1, "must be true"),
        ("items", [], "must name 1 to 300 listings, not 0"),
        ("items", {"l1": "bazaar"}, "must be a valid tuple"),
        ("items", [item(1), item(2), item(1)], "must name each listing once; named again are 'l1' of bazaar"),
        ("items__0__listing_id", "", "is blank"),
        ("items__0__url", "bazaar.example/item/1", "must begin with http:// or https://"),
        ("items__0__url", "javascript:alert(1)", "must begin with http:// or https://"),
        ("items__0__url", "https:///item/1", "must begin with http:// or https:// and a host"),
        ("items__0__url", "https://[::1/item", "is no address"),
        ("items__0__url", "https://bazaar.example:port/item", "is no address"),
        ("items__0__url", "https://bazaar.example@other.example/1", "must not hold a user name"),
        ("items__0__url", "https://bazaar.example/item 1", "must not hold white space"),
        ("items__0__url", "https://bazaar.example/", "leads to a site and to nothing on it"),
        ("mark_number", "", "is blank"),
        ("colour", "red", "is no field that is known"),
        ("notifier__phone", "1", "is no field that is known"),
    ],
)
def test_every_broken_particular_is_named(read_back: ReadBack, path: str, value: object, problem: str) -> None:
    field = path.replace("__0__", "[0].").replace("__", ".")

    [reason] = refusal(read_back, notice(**{path: value})).reasons

    assert reason.startswith(f"{field}: ")
    assert problem in reason


@pytest.mark.parametrize("url", ["http://b.example/?id=1", "https://b.example/#/1", "https://b.example:8443/店/1"])
def test_an_address_may_lead_to_a_listing_in_any_way(read_back: ReadBack, url: str) -> None:
    [read] = read_back(notice(items__0__url=url))

    assert isinstance(read, Notice)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sets(
        st.sampled_from(
            [
                *("notice_id", "received_at", "brand", "right", "explanation", "good_faith", "notifier__name"),
                *("notifier__email", "notifier__kind", "items__0__url", "items__0__listing_id"),
            ]
        ),
        min_size=1,
    )
)
def test_all_that_is_wrong_with_a_notice_is_told_at_once(read_back: ReadBack, broken: set[str]) -> None:
    refused = refusal(read_back, notice(**dict.fromkeys(broken, 0)))

    named = {reason.partition(": ")[0] for reason in refused.reasons}
    assert named == {path.replace("__0__", "[0].").replace("__", ".") for path in broken}


def test_a_refused_notice_keeps_its_id_and_line_where_they_can_be_read(read_back: ReadBack) -> None:
    refused = refusal(read_back, b"", notice(good_faith=False))

    assert (refused.line, refused.notice_id) == (2, "n1")


def test_a_notice_names_300_listings_and_no_more(read_back: ReadBack) -> None:
    [most] = read_back(notice(items=[item(number) for number in range(MOST_ITEMS)]))
    refused = refusal(read_back, notice(items=[item(number) for number in range(MOST_ITEMS + 1)]))

    assert isinstance(most, Notice)
    assert [one.listing_id for one in most.items] == [f"l{number}" for number in range(300)]
    assert refused.reasons == ("items: must name 1 to 300 listings, not 301",)


def test_the_longest_notice_fits_into_a_line(read_back: ReadBack) -> None:
    url = "https://bazaar.example/"
    items = [
        {"platform": "p" * 200, "listing_id": f"{number:0>200}", "url": url.ljust(2048, "x")} for number in range(300)
    ]

    [read] = read_back(notice(items=items, explanation="x" * 10_000))

    assert isinstance(read, Notice)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "line: is not JSON in UTF-8"),
        (b'{"notice_id": "n1"}}', "line: is not JSON in UTF-8"),
        (b'{"notice_id": "\xff"}', "line: is not JSON in UTF-8"),
        (b"[" * 100_000, "line: is not JSON in UTF-8"),
        (b'{"notice_id": ' + b"1" * 5000 + b"}", "line: is not JSON in UTF-8"),
        (b"[]", "notice: is JSON, but not an object"),
        (b"null", "notice: is JSON, but not an object"),
        (b'"' + b"x" * MOST_LINE_BYTES + b'"', f"line: is longer than {MOST_LINE_BYTES} bytes"),
    ],
    ids=["open", "closed twice", "not UTF-8", "deep", "huge number", "list", "null", "long"],
)
def test_a_line_that_is_no_notice_costs_only_itself(read_back: ReadBack, line: bytes, reason: str) -> None:
    first, refused, last = read_back(notice(), line, notice(notice_id="n2"))

    assert isinstance(first, Notice)
    assert isinstance(last, Notice)
    assert isinstance(refused, RefusedNotice)
    assert (refused.line, refused.notice_id) == (2, None)
    assert refused.reasons[0].startswith(reason)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from(["good", "bad", "broken", "blank"]), max_size=12))
def test_a_mixed_file_gives_every_line_in_order(read_back: ReadBack, kinds: list[str]) -> None:
    def line(number: int, kind: str) -> dict[str, Any] | bytes:
        changes = {"good": {}, "bad": {"good_faith": False}}
        return (
            notice(notice_id=f"n{number}", **changes[kind])
            if kind in changes
            else {"broken": b"{", "blank": b" "}[kind]
        )

    read = read_back(*(line(number, kind) for number, kind in enumerate(kinds, start=1)))

    assert [one.notice_id if isinstance(one, Notice) else (one.line, one.notice_id) for one in read] == [
        {"good": f"n{number}", "bad": (number, f"n{number}"), "broken": (number, None)}[kind]
        for number, kind in enumerate(kinds, start=1)
        if kind != "blank"
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(read_back: ReadBack, content: bytes) -> None:
    assert all(isinstance(one, RefusedNotice) for one in read_back(content))


@pytest.mark.parametrize("earlier", [{}, {"good_faith": False}], ids=["taken", "refused"])
def test_an_id_stands_once_in_a_file(read_back: ReadBack, earlier: dict[str, object]) -> None:
    _, again = read_back(notice(**earlier), notice(brand=" "))

    assert isinstance(again, RefusedNotice)
    assert again.reasons == ("brand: is blank", "notice_id: an earlier line has this id")


def test_a_field_that_stands_twice_is_refused(read_back: ReadBack) -> None:
    line = json.dumps(notice()).replace('"brand"', '"brand": "Other", "brand"').encode()

    assert refusal(read_back, line).reasons == ("brand: stands 2 times",)


def test_the_reasons_of_a_hostile_line_stay_few_and_short(read_back: ReadBack) -> None:
    refused = refusal(read_back, {f"\n{number}" + "x" * 500: 0 for number in range(3000)})

    assert len(refused.reasons) == 1000
    assert max(map(len, refused.reasons)) < 200
    assert "notice_id: is required" in refused.reasons


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_a_notice(read_back: ReadBack) -> None:
    line = json.dumps(notice()).encode()

    [read] = read_back(b"\xef\xbb\xbf" + line + b"\r", b"\r")

    assert isinstance(read, Notice)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NoticeFileError, match=r"none\.jsonl cannot be opened: No such file"):
        list(read_notices(tmp_path / "none.jsonl"))


def test_the_acknowledgement_names_the_notice_its_time_and_the_use_of_automation(read_back: ReadBack) -> None:
    [read] = read_back(notice())
    assert isinstance(read, Notice)

    message = acknowledgement(read)

    assert message.startswith("Dear Ada,\n")
    assert "notice n1 on 01 March 2026 at 12:00 UTC" in message
    assert "It reports 1 listing for infringing a trademark of Norvell (number 018 123 456)" in message
    assert "Automated means are used" in message


def test_the_outcome_tells_each_listing_once_with_reasons_automation_and_redress(read_back: ReadBack) -> None:
    [read] = read_back(notice(items=[item(number) for number in range(3)]))
    assert isinstance(read, Notice)
    review = Assessment(0.5, NoticeOutcome.REVIEW, ("Not settled.",))

    message = outcome_message(read, [review, Assessment(0.01, NoticeOutcome.UNFOUNDED, ("Authorised.",)), review])

    parts = message.split("\n\n")
    assert parts[2].splitlines()[0] == "Review, 2 listings:"
    assert [line for line in parts[2].splitlines() if line[0] == "-"] == [
        "- l0 on bazaar, https://bazaar.example/item/0",
        "- l2 on bazaar, https://bazaar.example/item/2",
    ]
    assert "Authorised. Nothing will be done about this. It was decided by automated means alone." in parts[3]
    assert all(message.count(f"- l{number} ") == 1 for number in range(3))
    assert "Automated means are used" in message
    assert "free of charge, within 6 months" in message
    assert "0.5" not in message


@pytest.mark.parametrize("outcome", NoticeOutcome)
def test_every_outcome_has_words(read_back: ReadBack, outcome: NoticeOutcome) -> None:
    [read] = read_back(notice())
    assert isinstance(read, Notice)

    assert outcome.replace("_", " ").capitalize() in outcome_message(read, [Assessment(0.5, outcome, ("Why.",))])


def test_an_outcome_needs_an_assessment_for_each_listing(read_back: ReadBack) -> None:
    [read] = read_back(notice())
    assert isinstance(read, Notice)

    with pytest.raises(ValueError, match="shorter"):
        outcome_message(read, [])


def test_a_time_is_the_same_moment_in_any_zone(read_back: ReadBack) -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    lines = [
        notice(notice_id=f"n{hours}", received_at=(moment + timedelta(hours=hours)).strftime(f"%FT%T+{hours:02}:00"))
        for hours in range(12)
    ]

    assert {one.received_at for one in read_back(*lines) if isinstance(one, Notice)} == {moment}
