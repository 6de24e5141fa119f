"""Evidence bundles for brands and authorities: written, and checked.

Commands of `counterfeit-risk queue`, which `queue` registers.
"""

from collections.abc import Callable

COMMANDS: tuple[Callable[..., None], ...] = ()
