"""Copies a whole queue into an empty database, and makes one anew from its audit log.

Either way between SQLite and PostgreSQL; restoring is copying back. Knows no row, and no photo: those lie in a folder.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, delete, exists, func, insert, literal, make_url, select
from sqlalchemy.exc import ArgumentError, IntegrityError
from sqlalchemy.orm import Session

from counterfeit_risk.errors import QueueError, WorkError
from counterfeit_risk.takedown.database import open_database, reading, refresh_statistics, writing
from counterfeit_risk.takedown.queue_reader import QueueReader
from counterfeit_risk.takedown.replay import find_damage, rebuild
from counterfeit_risk.takedown.schema import ALL, METADATA
from counterfeit_risk.takedown.tables import CaseRow, EventRow, QueueNumber

_BATCH = 5_000
"""Rows that are read and written at once."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What a copied or rebuilt queue holds."""

    rows: dict[str, int]
    """By table."""
    cases: int
    last_sha256: str
    """That the history of the newest case ends with, as `queue verify` prints it; empty before any."""
    problems: tuple[str, ...] = ()
    """In which a rebuilt queue is not as its events say."""


def copy_queue(engine: Engine, to: str) -> Copy:
    """Copies a queue, as it stands at one moment, into an empty database: all of it or nothing.

    Raises:
        QueueError: if the other database cannot be opened, or is not empty.
        WorkError: if rows contradict each other, or not all have arrived.
    """
    with _open_empty(to) as target:
        with reading(engine) as source, writing(target) as copy:
            _check_empty(copy, to)
            copy.execute(delete(QueueNumber))  # those that a new queue starts with
            for table in (METADATA.tables[one.__tablename__] for one in ALL):
                with source.execute(select(table).execution_options(yield_per=_BATCH)) as rows:
                    for batch in rows.mappings().partitions():
                        copy.execute(insert(table), [dict(row) for row in batch])
            advance_sequences(copy)
            there, here = _count_rows(source), _count_rows(copy)
            if there != here:
                raise WorkError(f"{there} rows were to be copied, and {here} arrived; nothing is kept")
        refresh_statistics(target)
        return Copy(here, *QueueReader(target).last_event())


def rebuild_queue(engine: Engine, to: str) -> Copy:
    """Makes a queue anew in an empty database from another's events, and checks it; one with problems stays to look at.

    Raises:
        QueueError: if the other database cannot be opened, or is not empty.
        WorkError: if the events contradict each other.
    """
    with _open_empty(to) as target:
        with reading(target) as session:
            _check_empty(session, to)
        rebuild(engine, target)
        with writing(target) as session:
            advance_sequences(session)
            rows = _count_rows(session)
        refresh_statistics(target)
        untold = select(CaseRow.case_id).where(~exists().where(EventRow.case_id == CaseRow.case_id))
        with reading(engine) as session:
            lost = [f"case {case_id}: no event tells of it" for case_id in session.scalars(untold)]
        return Copy(rows, *QueueReader(target).last_event(), problems=(*lost, *find_damage(target)))


def advance_sequences(session: Session) -> None:
    """Lets ids that the database gives out continue after those that were copied; SQLite does so by itself."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for table in METADATA.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            last = session.scalar(select(func.max(column)))
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            session.execute(select(func.setval(sequence, last or 1, last is not None)))


@contextmanager
def _open_empty(to: str) -> Iterator[Engine]:
    """Opens another queue, made if there is none; a file that this made is gone again if anything fails."""
    made = _missing_file(to)
    try:
        target = open_database(to, create=True)
        try:
            yield target
        except IntegrityError as error:
            reason = " ".join(str(error.orig).split())
            raise WorkError(f"the rows contradict each other, and nothing of them is kept: {reason}") from error
        finally:
            target.dispose()
    except BaseException:
        if made:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{made}{suffix}").unlink(missing_ok=True)
        raise


def _missing_file(url: str) -> Path | None:
    """The SQLite file that a URL names, if it is not there yet."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        return None  # whoever opens it says what is wrong
    if address.get_backend_name() != "sqlite" or not address.database or address.database == ":memory:":
        return None
    path = Path(address.database)
    return None if path.exists() else path


def _check_empty(session: Session, to: str) -> None:
    for table in ALL:
        full = session.scalar(select(literal(1)).select_from(table).limit(1))
        if table is not QueueNumber and full:
            where = make_url(to).render_as_string(hide_password=True)
            raise QueueError(f"{where} holds {table.__tablename__} already; name an empty database")


def _count_rows(session: Session) -> dict[str, int]:
    return {table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0 for table in ALL}
