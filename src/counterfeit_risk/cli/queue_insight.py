"""What the queue tells of sellers, of reviewers and of what the model misses.

Commands of `counterfeit-risk queue`, which `queue` registers.
"""

from collections.abc import Callable

COMMANDS: tuple[Callable[..., None], ...] = ()
