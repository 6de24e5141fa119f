"""Adds up the seconds that each stage of scoring takes, in all threads together, for the manifest.

Knows no stage by name.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Stopwatch:
    """Seconds by stage; stages that overlap are each counted in full."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._adding = Lock()
        self._seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts the time inside the block towards a stage."""
        started = time.monotonic()
        try:
            yield
        finally:
            with self._adding:
                self._seconds[name] += time.monotonic() - started

    def seconds(self) -> dict[str, float]:
        """Seconds of each stage, and `total` since the stopwatch was made."""
        stages = {name: round(seconds, 3) for name, seconds in self._seconds.items()}
        return stages | {"total": round(time.monotonic() - self._started, 3)}
