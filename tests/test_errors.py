import inspect
import re

import pytest

from counterfeit_risk import errors
from counterfeit_risk.errors import (
    CounterfeitRiskError,
    LeaseError,
    ReconciliationError,
    SettingsError,
    TooManyRejectedError,
    TransitionError,
    UnknownCaseError,
    UsageError,
    WorkError,
)

FAMILY = {
    name: value
    for name, value in inspect.getmembers(errors, inspect.isclass)
    if issubclass(value, CounterfeitRiskError)
}


def test_the_tree_in_the_docstring_is_the_family() -> None:
    drawn: dict[str, str | None] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"([│├└─ ]*)(\w+Error)\b", line):
            depth = len(match[1]) // 4
            path[depth:] = [match[2]]
            drawn[match[2]] = path[depth - 1] if depth else None

    assert drawn == {
        name: None if error is CounterfeitRiskError else error.__base__.__name__ for name, error in FAMILY.items()
    }


@pytest.mark.parametrize("error", FAMILY.values(), ids=FAMILY)
def test_a_misuse_ends_with_2_and_failed_work_with_1(error: type[CounterfeitRiskError]) -> None:
    assert error.exit_status == (2 if issubclass(error, UsageError) else 1)
    assert error is CounterfeitRiskError or issubclass(error, UsageError) or issubclass(error, WorkError)


def test_settings_list_their_mistakes_a_line_each() -> None:
    assert str(SettingsError("a.yaml", ["one"])) == "a.yaml: 1 mistake\n  one"
    assert str(SettingsError("a.yaml", ["one", "two"])) == "a.yaml: 2 mistakes\n  one\n  two"


def test_errors_of_a_case_carry_its_number() -> None:
    for error in (UnknownCaseError(7), LeaseError(7, "is not leased"), TransitionError(7, "closed", "decided")):
        assert error.case_id == 7
        assert "case 7" in str(error)


def test_counts_that_do_not_reconcile_are_both_named() -> None:
    error = ReconciliationError(10, 9)

    assert (error.rows_in, error.rows_out) == (10, 9)
    assert "10 rows were read but 9 were written" in str(error)


def test_too_many_rejected_says_how_many_and_how_many_were_allowed() -> None:
    message = str(TooManyRejectedError(3, 40, 0.05))

    assert "3 of 40 rows were rejected (7.5%)" in message
    assert "--max-rejected 5.0%" in message
