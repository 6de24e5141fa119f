"""The errors that this package raises on purpose; bad *data* is no error but a rejected row.

CounterfeitRiskError
├── UsageError                 what was asked for cannot be done as asked (exit status 2)
│   ├── SettingsError          one or more mistakes in a settings file or its overrides
│   ├── ListingTableError      a table that cannot be read as listings
│   ├── CheckpointError        weights or a tower that do not fit, or are not there
│   ├── BundleError            a bundle that is damaged, foreign or of an unknown format
│   ├── RunError               a training run that is not there, or is not complete
│   ├── StoreError             an embedding store that cannot be used
│   └── QueueError             a request to the takedown queue that it refuses
│       ├── UnknownCaseError   no case has this id
│       ├── LeaseError         the case is not, or no longer, leased to this reviewer
│       └── TransitionError    the case's state does not allow this
└── WorkError                  the work was done and its result must not be used (exit status 1)
    ├── GateError              the gates do not let a model become the champion
    ├── ParityError            the exported graphs disagree with the trained model
    ├── ReconciliationError    rows in and rows out differ
    └── TooManyRejectedError   more rows were rejected than allowed
"""

from collections.abc import Sequence


class CounterfeitRiskError(Exception):
    """Every error that this package raises on purpose."""

    exit_status = 1


class UsageError(CounterfeitRiskError):
    """What was asked for cannot be done as asked."""

    exit_status = 2


class SettingsError(UsageError):
    """One or more mistakes in a settings file or its overrides, one line each."""

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join([f"{source}: {_count(len(problems), 'mistake')}", *(f"  {p}" for p in problems)]))


class ListingTableError(UsageError):
    """A table that cannot be read as listings."""


class CheckpointError(UsageError):
    """Weights or a tower that do not fit, or are not there."""


class BundleError(UsageError):
    """A bundle that is damaged, foreign or of an unknown format."""


class StoreError(UsageError):
    """An embedding store that cannot be used."""


class RunError(UsageError):
    """A training run that is not there, or is not complete."""


class QueueError(UsageError):
    """A request to the takedown queue that it refuses."""


class UnknownCaseError(QueueError):
    """No case has this id."""

    def __init__(self, case_id: int) -> None:
        self.case_id = case_id
        super().__init__(f"there is no case {case_id}")


class LeaseError(QueueError):
    """The case is not, or no longer, leased to this reviewer."""

    def __init__(self, case_id: int, reason: str) -> None:
        self.case_id = case_id
        super().__init__(f"case {case_id}: {reason}")


class TransitionError(QueueError):
    """The case's state does not allow this."""

    def __init__(self, case_id: int, state: str, wanted: str) -> None:
        self.case_id = case_id
        super().__init__(f"case {case_id} is {state}, so it cannot be {wanted}")


class WorkError(CounterfeitRiskError):
    """The work was done and its result must not be used."""


class GateError(WorkError):
    """The gates do not let a model become the champion."""


class ParityError(WorkError):
    """The exported graphs disagree with the trained model."""


class ReconciliationError(WorkError):
    """Rows in and rows out differ."""

    def __init__(self, rows_in: int, rows_out: int) -> None:
        self.rows_in, self.rows_out = rows_in, rows_out
        super().__init__(f"{rows_in} rows were read but {rows_out} were written; the scores must not be used")


class TooManyRejectedError(WorkError):
    """More rows were rejected than allowed."""

    def __init__(self, rejected: int, rows: int, allowed_share: float) -> None:
        self.rejected, self.rows = rejected, rows
        super().__init__(
            f"{rejected} of {rows} rows were rejected ({rejected / rows:.1%}), more than --max-rejected "
            f"{allowed_share:.1%} allows; everything was written, see the reasons in rejected/"
        )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
