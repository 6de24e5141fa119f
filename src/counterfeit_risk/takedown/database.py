"""Opens the queue's database and gives out transactions: SQLite by default, PostgreSQL by URL.

Knows the tables as a whole and no row of them. A writing transaction sees every earlier one: SQLite takes its single
write lock at once (BEGIN IMMEDIATE), PostgreSQL locks the rows that are read for update. Who locks several does so
in one order, so that nobody waits for each other: the number of loads, cases by number, actions, messages.
"""

import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Select,
    column,
    create_engine,
    event,
    insert,
    inspect,
    make_url,
    select,
    table,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import InstrumentedAttribute, Session

from counterfeit_risk.errors import QueueError
from counterfeit_risk.takedown.schema import IDENTITY, METADATA, NUMBERS, REVISION, VERSION_TABLE
from counterfeit_risk.takedown.tables import Base, QueueNumber

_BUSY_SECONDS = 60
"""How long a writer waits for another before it gives up."""
_PAGE = 1000
_CREATION_LOCK = 7_248_105
"""Any number that nothing else in the database locks."""

Row = TypeVar("Row", bound=Base)

_ALLOWED = "write sqlite:///FILE, or postgresql://USER:PASSWORD@HOST/DATABASE"


def open_database(url: str, *, create: bool = False) -> Engine:
    """Connects, and checks that the queue's tables are there.

    Args:
        url: `sqlite:///FILE` or `postgresql://...`.
        create: whether a missing queue is created. Where it is not, a mistyped file name is an error and no new file.

    Raises:
        QueueError: if it cannot be opened, holds other tables, or those of another release.
    """
    address = _parse_url(url)
    if _is_missing(address) and not create:
        raise QueueError(f"there is no queue at {url}; `counterfeit-risk queue load` makes one")
    engine = _connect(address)
    try:
        if create:
            with writing(engine) as session:
                _create_missing_tables(session.connection())
        with reading(engine) as session:
            _check_revision(session.connection())
    except QueueError:
        engine.dispose()
        raise
    return engine


def migrate_database(url: str) -> tuple[str, str]:
    """Makes an older release's tables those of this one, all or none of it; what is in them is kept.

    Returns:
        The revision that they were of, and the one that they are of now.

    Raises:
        QueueError: if it cannot be opened, is no queue, or is of a newer release.
    """
    from counterfeit_risk.takedown.migration import upgrade

    address = _parse_url(url)
    if _is_missing(address):
        raise QueueError(f"there is no queue at {url}")
    engine = _connect(address)
    try:
        with writing(engine) as session:
            before = _read_revision(session.connection())
            if before > REVISION:
                raise QueueError(f"{_show(address)} is of a newer release than this one: install that")
            upgrade(session.connection())
    finally:
        engine.dispose()
    return before, REVISION


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session that sees one moment of the database."""
    if engine.dialect.name == "postgresql":  # by default each of its statements sees a moment of its own
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with _translate_errors(engine), Session(engine) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A transaction that is committed at the end, or not at all if anything is raised."""
    immediate = engine.execution_options(begin="IMMEDIATE")
    with _translate_errors(engine), Session(immediate) as session, session.begin():
        yield session


def refresh_statistics(engine: Engine) -> None:
    """Lets a server look at its tables again after much was written: until then it may read whole tables in vain."""
    if engine.dialect.name == "postgresql":
        with _translate_errors(engine), engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.exec_driver_sql("ANALYZE")


def read_pages(engine: Engine, rows: Select[Row], key: InstrumentedAttribute[int], *, after: int = 0) -> Iterator[Row]:
    """Reads any number of rows in the order of a unique key, a page at a time.

    No transaction is open while the caller works on a page.
    """
    page_size = _PAGE
    while page_size == _PAGE:
        with reading(engine) as session:
            page = session.scalars(rows.where(key > after).order_by(key).limit(_PAGE)).all()
        yield from page
        page_size = len(page)
        after = getattr(page[-1], key.key) if page else after


def take_numbers(session: Session, name: str, count: int = 1) -> int:
    """Raises a named number by `count`, and returns the first of those taken.

    Nobody else can take one until this transaction ends.
    """
    row = session.scalars(select(QueueNumber).where(QueueNumber.name == name).with_for_update()).one()
    row.value += count
    return row.value - count + 1


def _parse_url(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise QueueError(f"{url!r} is no database URL; {_ALLOWED}") from None
    if address.get_backend_name() not in {"sqlite", "postgresql"}:
        raise QueueError(f"{_show(address)} names a database that the queue does not run on; {_ALLOWED}")
    if address.drivername == "postgresql":
        return address.set(drivername="postgresql+psycopg")
    return address


def _show(address: URL) -> str:
    return address.render_as_string(hide_password=True)


def _is_missing(address: URL) -> bool:
    """Whether it is a SQLite file that is not there."""
    name = address.database
    return (
        address.get_backend_name() == "sqlite" and name not in {None, "", ":memory:"} and not Path(str(name)).exists()
    )


def _connect(address: URL) -> Engine:
    is_sqlite = address.get_backend_name() == "sqlite"
    try:
        engine = create_engine(address, connect_args={"timeout": _BUSY_SECONDS} if is_sqlite else {})
    except (ArgumentError, NoSuchModuleError):
        raise QueueError(f"{_show(address)} names an unknown driver; {_ALLOWED}") from None
    except ModuleNotFoundError as error:
        raise QueueError(f"{_show(address)} needs {error.name}; install counterfeit-risk[postgres]") from None
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own: _begin_sqlite does
    connection.execute("PRAGMA foreign_keys = ON")
    _switch_to_wal(connection)


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Turns on the write-ahead log, where SQLite itself waits for nobody: of two first connections one would fail."""
    give_up = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # the higher bits say why
            if not busy or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', 'DEFERRED')}")


def _create_missing_tables(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # CREATE TABLE waits for nobody there: two first loads at once would both find nothing
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_CREATION_LOCK})")
    tables = inspect(connection).get_table_names()
    if QueueNumber.__tablename__ in tables:
        return
    if tables:
        where = _show(connection.engine.url)
        raise QueueError(f"{where} holds other tables and no takedown queue; name a database of its own")
    from counterfeit_risk.takedown.migration import stamp

    METADATA.create_all(connection)
    stamp(connection)
    start = {IDENTITY: secrets.randbits(62), "desk": 0, **dict.fromkeys(NUMBERS, 0)}
    connection.execute(insert(QueueNumber), [{"name": name, "value": start[name]} for name in start])


def _check_revision(connection: Connection) -> None:
    revision = _read_revision(connection)
    if revision != REVISION:
        advice = "run `counterfeit-risk queue migrate`" if revision < REVISION else "install the release that wrote it"
        where = _show(connection.engine.url)
        raise QueueError(f"{where} has tables of revision {revision}, and this release reads {REVISION}: {advice}")


def _read_revision(connection: Connection) -> str:
    where = _show(connection.engine.url)
    tables = inspect(connection).get_table_names()
    if QueueNumber.__tablename__ not in tables:
        raise QueueError(f"there is no queue at {where}; `counterfeit-risk queue load` makes one")
    if VERSION_TABLE not in tables:
        raise QueueError(f"{where} is older than the first revision that can be read: load into a new database")
    return str(connection.scalar(select(column("version_num")).select_from(table(VERSION_TABLE))))


@contextmanager
def _translate_errors(engine: Engine) -> Iterator[None]:
    """Says in one message that the database itself is the problem."""
    try:
        yield
    except DBAPIError as error:
        if not isinstance(error, OperationalError) and "not a database" not in str(error.orig):
            raise
        reason = " ".join(str(error.orig).split())
        raise QueueError(f"the queue at {_show(engine.url)} cannot be used: {reason}") from error
