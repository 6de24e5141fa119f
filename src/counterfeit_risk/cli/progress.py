"""Shows how far long work has come: a bar on a terminal, a log line now and then elsewhere."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 10.0


def is_terminal() -> bool:
    """True where a bar can be drawn."""
    return sys.stderr.isatty()


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Yields a function that is told how many more steps are done; `total` is None where it is not known."""
    if is_terminal():
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(description, total=total)
            yield lambda steps: bar.advance(task, steps)
    else:
        yield _LogLines(description, total)


class _LogLines:
    def __init__(self, description: str, total: int | None) -> None:
        self._description, self._total = description, total
        self._done, self._last = 0, time.monotonic()

    def __call__(self, steps: int) -> None:
        self._done += steps
        if time.monotonic() - self._last >= _SECONDS_BETWEEN_LINES or self._done == self._total:
            of = f" of {self._total}" if self._total else ""
            logger.info("%s: %d%s", self._description, self._done, of)
            self._last = time.monotonic()
