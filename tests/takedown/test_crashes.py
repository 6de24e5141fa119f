"""A process that works the queue is killed between two of its statements; the benchmark does so hundreds of times."""

import pytest
from queue_crashes import summarise, survive, work


@pytest.mark.parametrize("share", [0.02, 0.3, 0.55, 0.8, 0.95, 1.0])
def test_a_kill_leaves_nothing_lost_doubled_or_half_done(
    database_url: str, tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    untouched = f"sqlite:///{tmp_path_factory.mktemp('untouched') / 'takedown.db'}"
    statements = min(work(untouched), 300)  # PostgreSQL takes some fewer
    assert survive(database_url, max(1, int(share * statements))) == summarise(untouched)
