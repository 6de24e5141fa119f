"""Checks what people write: who they are, and why they act. Knows no database, but what none can store."""

import re

from counterfeit_risk.errors import QueueError
from counterfeit_risk.takedown.policy import RESERVED_NAMES

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL takes no NUL, and neither database a lone surrogate, which is what a terminal's broken UTF-8 becomes."""


def check_name(name: str) -> str:
    """The name of somebody who acts, as it is stored.

    Raises:
        QueueError: if nobody can have it.
    """
    name = _clean(name)
    if not name or name in RESERVED_NAMES:
        raise QueueError(f"{name!r} cannot be a person's name; {' and '.join(sorted(RESERVED_NAMES))} are taken")
    return name


def check_reason(reason: str) -> str:
    """A reason, as it is stored.

    Raises:
        QueueError: if there is none.
    """
    reason = _clean(reason)
    if not reason:
        raise QueueError("a reason is required, so that a colleague can follow and an appeal can be decided")
    return reason


def _clean(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text.strip())
