"""Embeddings by tower fingerprint and content hash, computed once and kept across nights, on LMDB.

An embedding is a pure function of its content and its tower, so an entry is never stale: it is there, or it is made
anew. Processes may share a store; only pruning needs it alone. Knows no tower and no photo. Letters: N contents, D
embedding.
"""

import fcntl
import logging
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import lmdb
import numpy as np
from numpy.typing import NDArray

from counterfeit_risk.embeddings.towers import Floats
from counterfeit_risk.errors import StoreError, WorkError

logger = logging.getLogger(__name__)

_MOST_TOWERS = 1024
_MAP_BYTES = 2**40
"""Address space, not disk: the file grows with what is in it."""
_CHECKSUM_BYTES = 4
_MOST_READERS, _READING_THREADS = 1024, 16
_DATA, _LOCK = "data.mdb", "in-use.lock"
_DELETED_AT_ONCE = 100_000


@dataclass(frozen=True)
class TowerContents:
    """What a store holds of one tower."""

    fingerprint: str
    entries: int
    bytes_used: int


@dataclass(frozen=True)
class Pruned:
    """What pruning took out of a store."""

    towers: int
    entries: int
    bytes_before: int
    bytes_after: int


class EmbeddingStore:
    """A folder of embeddings; use it as a context."""

    def __init__(self, folder: Path, *, create: bool = True, alone: bool = False) -> None:
        """Opens a store.

        Args:
            folder: its place; local disk, as LMDB does not work over a network.
            create: make it where there is none.
            alone: keep every other process out, and fail where one is in.

        Raises:
            StoreError: if it cannot be opened.
        """
        if not create and not (folder / _DATA).is_file():
            raise StoreError(f"{folder} is no embedding store: it holds no {_DATA}")
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / _LOCK).open("a")
        except OSError as error:
            raise StoreError(f"cannot open the embedding store {folder}: {error}") from None
        try:
            fcntl.flock(self._lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            self._environment = self._open()
        except BlockingIOError:
            self._lock.close()
            raise StoreError(f"{folder} is in use{'' if alone else ' for pruning'}; try again later") from None
        except lmdb.Error as error:
            self._lock.close()
            raise StoreError(f"cannot open the embedding store {folder}: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._environment.close()
        self._lock.close()

    def tower(self, fingerprint: str, dim: int) -> "TowerStore":
        """The embeddings of one tower, (dim,) each."""
        with _named(self.folder):
            return TowerStore(self._environment, self._environment.open_db(fingerprint.encode()), fingerprint, dim)

    def contents(self) -> list[TowerContents]:
        """What is held, by tower."""
        with _named(self.folder), self._environment.begin() as transaction:
            found = []
            for name in self._fingerprints():
                stat = transaction.stat(self._environment.open_db(name.encode(), transaction, create=False))
                pages = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
                found.append(TowerContents(name, stat["entries"], pages * stat["psize"]))
        return found

    def prune(self, *, towers: Collection[str] | None, contents: Collection[bytes] | None) -> Pruned:
        """Takes out what is no longer needed, and gives its disk space back; the store must be open alone.

        Args:
            towers: fingerprints of those to keep; all where it is not given.
            contents: hashes of those to keep; all where it is not given.
        """
        before, entries, dropped = self.bytes_used(), 0, 0
        with _named(self.folder):
            for held in self.contents():
                database = self._environment.open_db(held.fingerprint.encode())
                if towers is not None and held.fingerprint not in towers:
                    with self._environment.begin(write=True) as transaction:
                        transaction.drop(database)
                    entries, dropped = entries + held.entries, dropped + 1
                elif contents is not None:
                    entries += self._delete_others(database, contents)
            self._compact()
        return Pruned(dropped, entries, before, self.bytes_used())

    def bytes_used(self) -> int:
        """Bytes on disk."""
        return (self.folder / _DATA).stat().st_size

    def _fingerprints(self) -> list[str]:
        with self._environment.begin() as transaction, transaction.cursor() as cursor:
            return [bytes(key).decode() for key in cursor.iternext(keys=True, values=False)]

    def _delete_others(self, database: Any, kept: Collection[bytes]) -> int:
        with self._environment.begin(db=database) as transaction, transaction.cursor() as cursor:
            others = [bytes(key) for key in cursor.iternext(keys=True, values=False) if bytes(key) not in kept]
        for start in range(0, len(others), _DELETED_AT_ONCE):
            with self._environment.begin(write=True, db=database) as transaction:
                for key in others[start : start + _DELETED_AT_ONCE]:
                    transaction.delete(key)
        return len(others)

    def _compact(self) -> None:
        """LMDB keeps the pages that it frees: a copy leaves them out, and takes the place of the file."""
        copy = self.folder / "compact"
        with suppress(FileNotFoundError):
            (copy / _DATA).unlink()
        copy.mkdir(exist_ok=True)
        self._environment.copy(str(copy), compact=True)
        self._environment.close()
        (copy / _DATA).replace(self.folder / _DATA)
        copy.rmdir()
        self._environment = self._open()

    def _open(self) -> lmdb.Environment:
        # a crash of the machine may cost the last transaction, never the store
        return lmdb.open(
            str(self.folder),
            map_size=_MAP_BYTES,
            max_dbs=_MOST_TOWERS,
            metasync=False,
            max_readers=_MOST_READERS,
            max_spare_txns=_READING_THREADS,
        )


class TowerStore:
    """Embeddings of one tower. An entry that is damaged counts as one that is not there."""

    def __init__(self, environment: lmdb.Environment, database: Any, fingerprint: str, dim: int) -> None:
        self._environment, self._database, self.dim = environment, database, dim
        self._folder, self._salt = Path(environment.path()), zlib.crc32(fingerprint.encode())

    def get(self, content_hash: bytes) -> Floats | None:
        """One embedding, or None; any thread may ask."""
        with _named(self._folder), self._environment.begin(db=self._database, buffers=True) as transaction:
            value = transaction.get(content_hash)
            return self._read(content_hash, value) if value is not None else None

    def get_many(self, hashes: Sequence[bytes]) -> tuple[Floats, NDArray[np.bool_]]:
        """(N, D) embeddings, 0 where there is none, and (N,) where there is one."""
        embeddings, found = np.zeros((len(hashes), self.dim), np.float32), np.zeros(len(hashes), bool)
        with _named(self._folder), self._environment.begin(db=self._database, buffers=True) as transaction:
            for row, content_hash in enumerate(hashes):
                value = transaction.get(content_hash)
                embedding = self._read(content_hash, value) if value is not None else None
                if embedding is not None:
                    embeddings[row], found[row] = embedding, True
        return embeddings, found

    def put(self, hashes: Sequence[bytes], embeddings: Floats) -> None:
        """Keeps (N, D) embeddings.

        Raises:
            WorkError: if the disk is full, or the store damaged.
        """
        values = [row.tobytes() for row in np.ascontiguousarray(embeddings, np.float32)]
        entries = [
            (content_hash, self._checksum(content_hash, value) + value)
            for content_hash, value in zip(hashes, values, strict=True)
        ]
        with _named(self._folder), self._environment.begin(write=True, db=self._database) as transaction:
            transaction.cursor().putmulti(entries)

    def _read(self, content_hash: bytes, value: memoryview) -> Floats | None:
        data = value[_CHECKSUM_BYTES:]
        if len(data) != 4 * self.dim or self._checksum(content_hash, data) != value[:_CHECKSUM_BYTES]:
            logger.warning("the store's embedding of %s is damaged, it will be made anew", content_hash.hex()[:12])
            return None
        return np.frombuffer(data, np.float32).copy()

    def _checksum(self, content_hash: bytes, value: bytes | memoryview) -> bytes:
        """Of the tower and the content as well, so that an embedding under a foreign key is found out."""
        return zlib.crc32(value, zlib.crc32(content_hash, self._salt)).to_bytes(_CHECKSUM_BYTES, "big")


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    """Turns LMDB's errors into ours.

    Raises:
        WorkError: if the disk is full, which LMDB may call an input/output error, or the store is damaged.
    """
    try:
        yield
    except lmdb.Error as error:
        raise WorkError(
            f"the embedding store {folder} failed: {error} (is its disk full? a damaged one may be deleted)"
        ) from None
