import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from counterfeit_risk.errors import QueueError
from counterfeit_risk.takedown.database import open_database, reading, take_numbers, writing
from counterfeit_risk.takedown.schema import IDENTITY, NUMBERS
from counterfeit_risk.takedown.tables import MemberRow, QueueNumber


def run_sql(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def test_a_missing_queue_is_not_created_unless_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "typo.db"

    with pytest.raises(QueueError, match="there is no queue"):
        open_database(f"sqlite:///{path}")
    assert not path.exists()


def test_a_queue_that_was_created_opens_again(database_url: str) -> None:
    open_database(database_url, create=True).dispose()

    open_database(database_url).dispose()


def test_the_queue_may_be_created_by_several_at_once(database_url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        engines = list(pool.map(lambda _: open_database(database_url, create=True), range(8)))

    with reading(engines[0]) as session:
        assert len(session.scalars(select(QueueNumber)).all()) == len({*NUMBERS, IDENTITY, "desk"})
    for engine in engines:
        engine.dispose()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE alembic_version SET version_num = '0000'", "revision 0000, .* run `counterfeit-risk queue migrate`"),
        ("UPDATE alembic_version SET version_num = '9999'", "revision 9999, .* install the release that wrote it"),
        ("DROP TABLE alembic_version", "older than the first revision"),
    ],
)
def test_a_queue_of_another_revision_is_refused_with_what_to_do(tmp_path: Path, change: str, said: str) -> None:
    path = tmp_path / "old.db"
    open_database(f"sqlite:///{path}", create=True).dispose()
    run_sql(path, change)

    with pytest.raises(QueueError, match=said):
        open_database(f"sqlite:///{path}")


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    run_sql(path, "CREATE TABLE runs (id INTEGER)")

    with pytest.raises(QueueError, match="holds other tables and no takedown queue"):
        open_database(f"sqlite:///{path}", create=True)


def test_a_file_that_is_no_database_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("shopping list " * 100)

    with pytest.raises(QueueError, match="not a database"):
        open_database(f"sqlite:///{path}")


def test_a_database_in_a_missing_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(QueueError, match="unable to open"):
        open_database(f"sqlite:///{tmp_path / 'nowhere' / 'takedown.db'}", create=True)


@pytest.mark.parametrize("url", ["takedown.db", "", "mysql://host/db", "sqlite+nothing:///x.db", "sqlite:///"])
def test_a_url_that_names_no_usable_database_is_one_clear_error(url: str) -> None:
    with pytest.raises(QueueError):
        open_database(url)


def test_an_error_does_not_show_the_password() -> None:
    with pytest.raises(QueueError) as caught:
        open_database("postgresql://reviewer:s3cret@127.0.0.1:1/queue?connect_timeout=2")

    assert "s3cret" not in str(caught.value)
    assert "reviewer" in str(caught.value)


def test_a_transaction_that_raises_changes_nothing(database_url: str) -> None:
    engine = open_database(database_url, create=True)

    def fail() -> None:
        with writing(engine) as session:
            take_numbers(session, "actions", 5)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with writing(engine) as session:
        assert take_numbers(session, "actions") == 1
    engine.dispose()


def test_who_only_reads_waits_for_no_writer(database_url: str) -> None:
    engine = open_database(database_url, create=True)

    with writing(engine) as session:
        take_numbers(session, "loads")
        reader = open_database(database_url)
        with reading(reader) as other:
            loads = other.scalar(select(QueueNumber.value).where(QueueNumber.name == "loads"))

    assert loads == 0
    reader.dispose()
    engine.dispose()


def test_numbers_are_given_out_once(database_url: str) -> None:
    engine = open_database(database_url, create=True)

    def take(_: int) -> int:
        with writing(engine) as session:
            return take_numbers(session, "actions")

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(take, range(20)))

    assert sorted(taken) == list(range(1, 21))
    engine.dispose()


def test_a_row_of_a_case_that_does_not_exist_is_refused(database_url: str) -> None:
    engine = open_database(database_url, create=True)

    with Session(engine) as session, pytest.raises(Exception, match=r"(?i)foreign key"):
        session.execute(insert(MemberRow), {"case_id": 99, "listing_key": "a", "snapshot_id": 98, "present": True})
    engine.dispose()


def test_a_reader_sees_one_moment(database_url: str) -> None:
    engine = open_database(database_url, create=True)
    loads = select(QueueNumber.value).where(QueueNumber.name == "loads")

    with reading(engine) as session:
        before = session.scalar(loads)
        with writing(engine) as other:
            take_numbers(other, "loads")
        after = session.scalar(loads)
    engine.dispose()

    assert before == after == 0
