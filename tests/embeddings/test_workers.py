import threading
import time

import pytest

from counterfeit_risk.embeddings import workers as module
from counterfeit_risk.embeddings.workers import Workers
from counterfeit_risk.errors import WorkError


def test_results_come_in_order_whoever_is_first() -> None:
    def work(number: int) -> int:
        time.sleep(0.002 * (number % 3))
        return number * number

    with Workers(3) as workers:
        assert list(workers.map_ahead(work, range(40), ahead=7)) == [number * number for number in range(40)]


def test_an_error_is_raised_where_its_result_is_asked_for() -> None:
    def work(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    with Workers(2) as workers:
        results = workers.map_ahead(work, range(9), ahead=4)
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ValueError, match="three"):
            next(results)


def test_what_hangs_meets_a_deadline_and_holds_nobody_up() -> None:
    release = threading.Event()

    def work(number: int) -> str:
        if number in {2, 5}:
            release.wait(30)
        return f"done {number}"

    started = time.monotonic()
    with Workers(2) as workers:
        found = list(workers.map_ahead(work, range(8), ahead=4, deadline=0.3, on_late=lambda number: f"late {number}"))
    release.set()
    assert found == [f"{'late' if number in {2, 5} else 'done'} {number}" for number in range(8)]
    assert time.monotonic() - started < 10


def test_waiting_in_the_queue_does_not_count_against_the_deadline() -> None:
    def work(number: int) -> int:
        time.sleep(0.1)
        return number

    with Workers(1) as workers:
        late = list(workers.map_ahead(work, range(6), ahead=6, deadline=0.35, on_late=lambda _: -1))
    assert late == list(range(6))


def test_storage_that_is_gone_ends_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_LATE", 3)
    release = threading.Event()
    with Workers(2) as workers, pytest.raises(WorkError, match="is the storage there"):
        list(workers.map_ahead(lambda _: release.wait(30), range(50), ahead=4, deadline=0.05, on_late=lambda _: False))
    release.set()


def test_threads_end_with_their_context() -> None:
    before = threading.active_count()
    with Workers(5) as workers:
        list(workers.map_ahead(str, range(5), ahead=5))
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before
