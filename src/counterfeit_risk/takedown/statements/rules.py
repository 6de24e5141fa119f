"""What the EU Transparency Database asks of a statement of reasons, as data, and a check of one statement against it.

Knows neither the case nor the platform: not whether a statement is true, or whether its puid was used before. It is
stricter than the database's own validator where the documentation is, or where the validator would drop a value without
a word: a field that does not go with the others is refused, `territorial_scope` is required, no restriction ends before
it applies, an address is http or https, and an EAN-13 has its check digit.
"""

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from counterfeit_risk.takedown.complaints.particulars import shorten
from counterfeit_risk.takedown.statements import values
from counterfeit_risk.takedown.statements.personal_data import find_personal_data

FIRST_CONTENT_DAY = date(2000, 1, 1)
_FIRST_APPLICATION_DAY = date(2020, 1, 1)
_LAST_DAY = date(2038, 1, 1)
_MOST_NAMED = 8
"""Values that a message lists; of longer lists it names the nearest one."""

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PUID = re.compile("[a-zA-Z0-9_-]+")
_EAN_13 = re.compile("[0-9]{13}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

Check = Callable[[object], str | None]
"""What is wrong with a value, in words that follow the field's name; None where nothing is."""


def find_problems(payload: Mapping[str, object]) -> list[str]:
    """What the database would refuse in a statement; empty where it is valid.

    A field that is None, blank or empty counts as not given, as it does there.

    Args:
        payload: a statement, as JSON reads it.

    Returns:
        One message for each field that is wrong, which begins with the field's name: `puid: is required`. They come in
        the order of `FIELDS`, and unknown fields last.
    """
    given = {name: value for name, value in payload.items() if not _is_blank(value)}
    problems = dict(_find_missing(given))
    problems |= {name: problem for name in FIELDS if name in given and (problem := FIELDS[name](given[name]))}
    problems |= _find_misplaced(given, problems)
    problems |= _find_early_ends(given, problems)
    unknown = [f"{shorten(str(name))}: is no field that is known" for name in payload if name not in FIELDS]
    return [f"{name}: {problems[name]}" for name in FIELDS if name in problems] + unknown


def check_field(name: str, value: object) -> str | None:
    """What is wrong with the value of one field, whatever the others are; None where nothing is."""
    return "is blank" if _is_blank(value) else FIELDS[name](value)


def _is_blank(value: object) -> bool:
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())


def _find_missing(given: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    if not any(name in given for name in RESTRICTIONS):
        first, *others = RESTRICTIONS
        yield first, f"is required, unless there is a {_either(others)}"
    for name in REQUIRED:
        if name not in given:
            yield name, "is required"


def _find_misplaced(given: Mapping[str, object], problems: Mapping[str, str]) -> dict[str, str]:
    """What lacks beside another field's value, and what does not go with it; says nothing where that one is wrong."""
    found = {}
    for name, condition in CONDITIONS.items():
        if condition.field in problems or name in problems:
            continue
        there = given.get(condition.field)
        holds = any(one in condition.values for one in (there if isinstance(there, list) else [there]))
        if holds and condition.required and name not in given:
            found[name] = f"is required where {condition}"
        elif not holds and name in given:
            found[name] = f"must be left out unless {condition}"
    return found


def _find_early_ends(given: Mapping[str, object], problems: Mapping[str, str]) -> dict[str, str]:
    start = given.get("application_date")
    if "application_date" in problems:
        return {}
    return {
        name: f"must not lie before application_date, {start}; it is {given[name]}"
        for name in END_DATES
        if name in given and name not in problems and str(given[name]) < str(start)
    }


@dataclass(frozen=True, slots=True)
class Condition:
    """Where a field belongs: only beside one of these values of another field."""

    field: str
    values: tuple[str, ...]
    required: bool = True
    """False where it may be left out there as well."""

    def __str__(self) -> str:
        return f"{self.field} is {_either(self.values)}"


def _one_of(allowed: Collection[str]) -> Check:
    def check(value: object) -> str | None:
        if isinstance(value, str) and value in allowed:
            return None
        return f"must be {_describe(allowed, value)}, not {shorten(repr(value))}"

    return check


def _some_of(allowed: Collection[str]) -> Check:
    check_one = _one_of(allowed)

    def check(value: object) -> str | None:
        if not isinstance(value, list):
            return f"must be a list, not {shorten(repr(value))}"
        return next((f"each {problem}" for problem in map(check_one, value) if problem), None)

    return check


def _text(most: int) -> Check:
    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return f"must be text, not {shorten(repr(value))}"
        if len(value) > most:
            return f"has {len(value):,} characters, and {most:,} are allowed"
        return "holds characters that cannot be stored" if _UNSTORABLE.search(value) else None

    return check


def _public_text(most: int) -> Check:
    """Text in which no personal data may stand, Article 24(5) of the Digital Services Act."""
    check_text = _text(most)

    def check(value: object) -> str | None:
        if problem := check_text(value):
            return problem
        return next((f"seems to hold personal data: {kind}" for kind in find_personal_data(str(value))), None)

    return check


def _day_from(first: date) -> Check:
    def check(value: object) -> str | None:
        try:
            day = date.fromisoformat(value) if isinstance(value, str) and _DAY.fullmatch(value) else None
        except ValueError:
            day = None
        if day is None:
            return f"must be a day such as 2026-03-01, not {shorten(repr(value))}"
        return None if first <= day <= _LAST_DAY else f"must lie between {first} and {_LAST_DAY}; it is {day}"

    return check


def _check_puid(value: object) -> str | None:
    if problem := _text(500)(value):
        return problem
    return None if _PUID.fullmatch(str(value)) else "must hold nothing but letters of a to z, digits, - and _"


def _check_url(value: object) -> str | None:
    if problem := _text(500)(value):
        return problem
    try:
        url = urlsplit(str(value))
        valid = url.scheme in {"http", "https"} and bool(url.hostname) and not re.search(r"\s", str(value))
    except ValueError:
        valid = False
    return None if valid else f"must be an http or https address, not {shorten(repr(value))}"


def _check_content_id(value: object) -> str | None:
    if not isinstance(value, dict) or list(value) != ["EAN-13"]:
        return f"must be an object with the one key EAN-13, not {shorten(repr(value))}"
    number = value["EAN-13"]
    if not isinstance(number, str) or not _EAN_13.fullmatch(number):
        return f"must have 13 digits as text for EAN-13, not {shorten(repr(number))}"
    weighted = sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(number))
    return f"has a wrong check digit in {number}" if weighted % 10 else None


def _describe(allowed: Collection[str], value: object) -> str:
    if len(allowed) <= _MOST_NAMED:
        return _either(tuple(allowed))
    near = difflib.get_close_matches(value[:200], allowed, n=1) if isinstance(value, str) else []
    return f"one of {len(allowed)} published values" + "".join(f" (did you mean {one}?)" for one in near)


def _either(words: Collection[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


FIELDS: Mapping[str, Check] = {
    "decision_visibility": _some_of(values.DECISION_VISIBILITIES),
    "decision_visibility_other": _text(500),
    "decision_monetary": _one_of(values.DECISION_MONETARIES),
    "decision_monetary_other": _text(500),
    "decision_provision": _one_of(values.DECISION_PROVISIONS),
    "decision_account": _one_of(values.DECISION_ACCOUNTS),
    "account_type": _one_of(values.ACCOUNT_TYPES),
    "decision_ground": _one_of(values.DECISION_GROUNDS),
    "decision_ground_reference_url": _check_url,
    "illegal_content_legal_ground": _text(500),
    "illegal_content_explanation": _text(2000),
    "incompatible_content_ground": _text(500),
    "incompatible_content_explanation": _text(2000),
    "incompatible_content_illegal": _one_of(values.YES_NO),
    "content_type": _some_of(values.CONTENT_TYPES),
    "content_type_other": _text(500),
    "category": _one_of(values.CATEGORIES),
    "category_addition": _some_of(values.CATEGORIES),
    "category_specification": _some_of(values.KEYWORDS),
    "category_specification_other": _text(500),
    "content_id": _check_content_id,
    "territorial_scope": _some_of(values.EEA_COUNTRIES),
    "content_language": _one_of(values.LANGUAGES),
    "content_date": _day_from(FIRST_CONTENT_DAY),
    "application_date": _day_from(_FIRST_APPLICATION_DAY),
    "end_date_visibility_restriction": _day_from(_FIRST_APPLICATION_DAY),
    "end_date_monetary_restriction": _day_from(_FIRST_APPLICATION_DAY),
    "end_date_service_restriction": _day_from(_FIRST_APPLICATION_DAY),
    "end_date_account_restriction": _day_from(_FIRST_APPLICATION_DAY),
    "decision_facts": _public_text(5000),
    "source_type": _one_of(values.SOURCE_TYPES),
    "source_identity": _public_text(500),
    "automated_detection": _one_of(values.YES_NO),
    "automated_decision": _one_of(values.AUTOMATED_DECISIONS),
    "puid": _check_puid,
}
"""Every field there is, and what its value must be by itself. Lengths count characters."""

RESTRICTIONS = ("decision_visibility", "decision_monetary", "decision_provision", "decision_account")
"""What was done; a statement has one of these at least."""

REQUIRED = (
    *("decision_ground", "content_type", "category", "territorial_scope", "content_date", "application_date"),
    *("decision_facts", "source_type", "automated_detection", "automated_decision", "puid"),
)

END_DATES = tuple(name for name in FIELDS if name.startswith("end_date_"))
"""When a restriction ends; it has no end where they are left out."""

_ILLEGAL, _INCOMPATIBLE = (Condition("decision_ground", (ground,)) for ground in values.DECISION_GROUNDS)

CONDITIONS: Mapping[str, Condition] = {
    "decision_visibility_other": Condition("decision_visibility", ("DECISION_VISIBILITY_OTHER",)),
    "decision_monetary_other": Condition("decision_monetary", ("DECISION_MONETARY_OTHER",)),
    "illegal_content_legal_ground": _ILLEGAL,
    "illegal_content_explanation": _ILLEGAL,
    "incompatible_content_ground": _INCOMPATIBLE,
    "incompatible_content_explanation": _INCOMPATIBLE,
    "incompatible_content_illegal": Condition(_INCOMPATIBLE.field, _INCOMPATIBLE.values, required=False),
    "content_type_other": Condition("content_type", ("CONTENT_TYPE_OTHER",)),
    "category_specification_other": Condition("category_specification", ("KEYWORD_OTHER",), required=False),
    "source_identity": Condition(
        "source_type", tuple(one for one in values.SOURCE_TYPES if one != "SOURCE_VOLUNTARY"), required=False
    ),
}
