"""Brings a queue's tables from the revision they are of to the newest, by Alembic; knows no row.

Whoever changes a table adds a revision to `migrations/versions`, its number to `schema`, and a test compares the two.
"""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def stamp(connection: Connection) -> None:
    """Notes that the tables are of the newest revision, as new ones are."""
    command.stamp(_config(connection), "head")


def upgrade(connection: Connection) -> None:
    """Makes the tables those of the newest revision, keeping what is in them; empty ones are made where none are."""
    command.upgrade(_config(connection), "head")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", "counterfeit_risk.takedown:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
