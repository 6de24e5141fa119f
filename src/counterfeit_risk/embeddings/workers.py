"""Threads that work ahead of whoever asks, in order, in bounded memory, and under a deadline.

`concurrent.futures` would do but for the deadline: its threads cannot be given up, and a program waits for them when it
ends. Knows no listing.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from counterfeit_risk.errors import WorkError

Item = TypeVar("Item")
Result = TypeVar("Result")


_MOST_LATE = 8
"""Threads that hang at the same time before the work is given up."""


class _Task(Generic[Item, Result]):
    """One item, what became of it, and since when somebody works on it."""

    def __init__(self, function: Callable[[Item], Result], item: Item) -> None:
        self.function, self.item = function, item
        self.started: float | None = None
        self.thread: threading.Thread | None = None
        self.done = threading.Event()
        self.result: Result
        self.error: BaseException | None = None

    def run(self) -> None:
        self.started, self.thread = time.monotonic(), threading.current_thread()
        try:
            self.result = self.function(self.item)
        except BaseException as error:
            self.error = error  # raised where the result is asked for
        self.done.set()


class Workers:
    """Some threads; use them as a context."""

    def __init__(self, threads: int) -> None:
        self._tasks: queue.SimpleQueue[_Task[Any, Any] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._late: list[_Task[Any, Any]] = []
        self._patience: float | None = None
        for _ in range(threads):
            self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drops what nobody has begun, and waits for the rest: a program must not end inside a library."""
        with suppress(queue.Empty):
            while True:
                self._tasks.get_nowait()
        given_up = {task.thread for task in self._late}
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            if thread not in given_up:
                thread.join(self._patience)

    def map_ahead(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        ahead: int,
        deadline: float | None = None,
        on_late: Callable[[Item], Result] | None = None,
    ) -> Iterator[Result]:
        """Results in the order of their items, of which at most `ahead` are taken before their results are asked for.

        Args:
            function: is called in the threads.
            items: what it is called with.
            ahead: items at most.
            deadline: seconds that it may take for one item; for ever where it is not given.
            on_late: gives the result of an item that took longer; its thread is given up, and another takes its place.
        """
        self._patience = deadline
        waiting: deque[_Task[Item, Result]] = deque()
        for item in items:
            task = _Task(function, item)
            self._tasks.put(task)
            waiting.append(task)
            if len(waiting) > ahead:
                yield self._result(waiting.popleft(), deadline, on_late)
        while waiting:
            yield self._result(waiting.popleft(), deadline, on_late)

    def _result(
        self, task: _Task[Item, Result], deadline: float | None, on_late: Callable[[Item], Result] | None
    ) -> Result:
        while not task.done.wait(timeout=deadline):
            if on_late and deadline and task.started and time.monotonic() - task.started >= deadline:
                self._give_up_on(task)
                return on_late(task.item)
        if task.error:
            raise task.error
        return task.result

    def _give_up_on(self, late: _Task[Any, Any]) -> None:
        self._late = [task for task in [*self._late, late] if not task.done.is_set()]
        if len(self._late) > _MOST_LATE:
            raise WorkError(f"{len(self._late)} reads hang at the same time: is the storage there?")
        self._start()

    def _start(self) -> None:
        self._threads.append(threading.Thread(target=self._work, daemon=True))
        self._threads[-1].start()

    def _work(self) -> None:
        while task := self._tasks.get():
            task.run()
