"""Revisions lead to the tables that this release reads, and keep what is in them."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from counterfeit_risk.errors import QueueError
from counterfeit_risk.takedown.database import migrate_database, open_database, writing
from counterfeit_risk.takedown.migration import upgrade
from counterfeit_risk.takedown.schema import METADATA, REVISION

MIGRATIONS = "counterfeit_risk.takedown:migrations"


def test_the_newest_revision_is_the_one_that_this_release_reads() -> None:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    config.set_main_option("path_separator", "os")

    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index:UserWarning")
def test_revisions_lead_to_the_tables_that_the_code_knows(database_url: str) -> None:
    engine = create_engine(database_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        upgrade(connection)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA)
        # SQLite cannot tell what a descending index is made of: it is looked for by name below
        assert [one for one in found if getattr(one[1], "name", None) != "cases_by_harm"] == []
        made = {index["name"] for index in inspect(connection).get_indexes("cases")}
        assert made >= {index.name for index in METADATA.tables["cases"].indexes}
    engine.dispose()


def test_a_queue_of_this_release_stays_as_it_is(database_url: str) -> None:
    open_database(database_url, create=True).dispose()

    assert migrate_database(database_url) == (REVISION, REVISION)
    open_database(database_url).dispose()


def test_what_is_no_queue_is_not_migrated(tmp_path: Path) -> None:
    with pytest.raises(QueueError, match="there is no queue"):
        migrate_database(f"sqlite:///{tmp_path / 'typo.db'}")
    assert list(tmp_path.iterdir()) == []


def test_a_queue_of_a_newer_release_is_left_alone(database_url: str) -> None:
    engine = open_database(database_url, create=True)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()

    with pytest.raises(QueueError, match="newer release"):
        migrate_database(database_url)


def test_a_revision_that_fails_half_way_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(
        "from alembic import context\n"
        "context.configure(connection=context.config.attributes['connection'])\n"
        "context.run_migrations()\n"
    )
    (folder / "versions" / "0002.py").write_text(
        "from alembic import op\nrevision, down_revision = '0002', None\n"
        "def upgrade():\n    op.execute('CREATE TABLE half (id INTEGER)')\n    raise OSError('disk full')\n"
    )
    engine = open_database(f"sqlite:///{tmp_path / 'takedown.db'}", create=True)
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    with writing(engine) as session:
        config.attributes["connection"] = session.connection()
        with pytest.raises(OSError, match="disk full"):
            command.upgrade(config, "head")
        session.rollback()

    assert "half" not in inspect(engine).get_table_names()
    engine.dispose()
