"""What a brand receives, and what it sends back.

Commands of `counterfeit-risk queue`, which `queue` registers.
"""

from collections.abc import Callable

COMMANDS: tuple[Callable[..., None], ...] = ()
