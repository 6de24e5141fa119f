"""Backups, and the end of personal data.

Commands of `counterfeit-risk queue`, which `queue` registers.
"""

from collections.abc import Callable

COMMANDS: tuple[Callable[..., None], ...] = ()
