import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import lmdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfeit_risk.embeddings.store import EmbeddingStore
from counterfeit_risk.errors import StoreError, WorkError

DIM = 6
A, B = "a" * 64, "b" * 64


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddingStore]:
    with EmbeddingStore(tmp_path / "store") as store:
        yield store


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def embeddings(count: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)


def test_what_was_put_is_got_bit_for_bit(store: EmbeddingStore) -> None:
    put = embeddings(5)
    tower = store.tower(A, DIM)
    tower.put([key(number) for number in range(5)], put)
    got, found = tower.get_many([key(3), key(9), key(0)])
    assert found.tolist() == [True, False, True]
    assert np.array_equal(got[[0, 2]], put[[3, 0]])
    assert not got[1].any()
    one = tower.get(key(4))
    assert one is not None
    assert np.array_equal(one, put[4])
    assert tower.get(key(9)) is None


def test_it_is_there_the_next_night(tmp_path: Path) -> None:
    with EmbeddingStore(tmp_path / "s") as store:
        store.tower(A, DIM).put([key(1)], embeddings(1))
    with EmbeddingStore(tmp_path / "s") as store:
        assert store.tower(A, DIM).get_many([key(1)])[1].all()


def test_towers_do_not_see_each_other(store: EmbeddingStore) -> None:
    store.tower(A, DIM).put([key(1)], embeddings(1))
    assert store.tower(B, DIM).get(key(1)) is None


@pytest.mark.parametrize("damage", ["flip", "cut", "foreign key", "foreign tower", "other width"])
def test_a_damaged_or_foreign_entry_is_not_there(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "s"
    with EmbeddingStore(folder) as store:
        store.tower(A, DIM).put([key(1), key(2)], embeddings(2))
    with lmdb.open(str(folder), max_dbs=8) as environment:
        own, other = (environment.open_db(name.encode()) for name in (A, B))
        with environment.begin(write=True) as transaction:
            value = transaction.get(key(1), db=own)
            changed = {"flip": value[:9] + bytes([value[9] ^ 1]) + value[10:], "cut": value[:-4]}.get(damage, value)
            target = key(2) if damage == "foreign key" else key(1)
            transaction.put(target, changed, db=other if damage == "foreign tower" else own)
    with EmbeddingStore(folder) as store:
        tower = store.tower(B if damage == "foreign tower" else A, DIM + (damage == "other width"))
        asked = key(2) if damage == "foreign key" else key(1)
        assert tower.get(asked) is None
        assert not tower.get_many([asked])[1].any()
        tower.put([asked], np.ones((1, tower.dim), np.float32))
        assert tower.get_many([asked])[1].all()


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreError, match="cannot open"):
        EmbeddingStore(tmp_path)
    with pytest.raises(StoreError, match="no embedding store"):
        EmbeddingStore(tmp_path / "elsewhere", create=False)


def test_any_thread_may_ask_while_one_puts(store: EmbeddingStore) -> None:
    tower, put = store.tower(A, DIM), embeddings(400)
    wrong: list[int] = []

    def ask() -> None:
        for number in range(400):
            got = tower.get(key(number))
            if got is not None and not np.array_equal(got, put[number]):
                wrong.append(number)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for start in range(0, 400, 20):
        tower.put([key(number) for number in range(start, start + 20)], put[start : start + 20])
    for thread in threads:
        thread.join()
    assert not wrong
    assert tower.get_many([key(number) for number in range(400)])[1].all()


PUT = """
import sys
from pathlib import Path
import numpy as np
from counterfeit_risk.embeddings.store import EmbeddingStore

folder, first = sys.argv[1:]
with EmbeddingStore(Path(folder)) as store:
    for number in range(int(first), int(first) + 50):
        embedding = np.random.default_rng(number).normal(size=(1, 6)).astype(np.float32)
        store.tower("a" * 64, 6).put([number.to_bytes(32, "big")], embedding)
"""


def test_processes_share_a_store(tmp_path: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", PUT, str(tmp_path / "s"), first]) for first in ("0", "50")]
    assert [process.wait(60) for process in processes] == [0, 0]
    with EmbeddingStore(tmp_path / "s") as store:
        got, found = store.tower(A, DIM).get_many([key(number) for number in range(100)])
    assert found.all()
    assert np.array_equal(got, np.concatenate([embeddings(1, seed=number) for number in range(100)]))


def test_contents_are_counted_by_tower(store: EmbeddingStore) -> None:
    store.tower(A, DIM).put([key(1), key(2)], embeddings(2))
    store.tower(B, DIM).put([key(1)], embeddings(1))
    assert {one.fingerprint: one.entries for one in store.contents()} == {A: 2, B: 1}


@given(
    kept_towers=st.none() | st.sets(st.sampled_from([A, B])),
    kept=st.none() | st.sets(st.integers(0, 9)),
)
@settings(deadline=None, max_examples=20)
def test_pruning_keeps_what_is_named_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, kept_towers: set[str] | None, kept: set[int] | None
) -> None:
    folder, numbers = tmp_path_factory.mktemp("prune"), range(10)
    with EmbeddingStore(folder) as store:
        for tower in (A, B):
            store.tower(tower, DIM).put([key(number) for number in numbers], embeddings(10))
    with EmbeddingStore(folder, alone=True) as store:
        contents = None if kept is None else {key(number) for number in kept}
        pruned = store.prune(towers=kept_towers, contents=contents)
        left = 0
        for tower in (A, B):
            found = store.tower(tower, DIM).get_many([key(number) for number in numbers])[1]
            expected = [
                (kept_towers is None or tower in kept_towers) and (kept is None or number in kept) for number in numbers
            ]
            assert found.tolist() == expected
            left += sum(expected)
    assert pruned.entries == 20 - left


def test_pruning_gives_disk_space_back(tmp_path: Path) -> None:
    with EmbeddingStore(tmp_path) as store:
        store.tower(A, 512).put([key(number) for number in range(2000)], np.ones((2000, 512), np.float32))
        store.tower(B, DIM).put([key(1)], embeddings(1))
    with EmbeddingStore(tmp_path, alone=True) as store:
        pruned = store.prune(towers={B}, contents=None)
        assert (pruned.towers, pruned.entries) == (1, 2000)
        assert pruned.bytes_after < pruned.bytes_before / 10
        assert store.tower(B, DIM).get_many([key(1)])[1].all()


def test_nobody_prunes_a_store_that_is_in_use(store: EmbeddingStore) -> None:
    with pytest.raises(StoreError, match="in use"):
        EmbeddingStore(store.folder, alone=True)


def test_a_full_store_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterfeit_risk.embeddings.store._MAP_BYTES", 2**16)
    with EmbeddingStore(tmp_path) as store, pytest.raises(WorkError, match=r"FULL.*disk full"):
        store.tower(A, 512).put([key(number) for number in range(100)], np.ones((100, 512), np.float32))
