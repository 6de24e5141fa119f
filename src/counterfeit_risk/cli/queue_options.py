"""What the commands of the queue share: options, the clock, settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from counterfeit_risk.sections import validated
from counterfeit_risk.strict_yaml import read_yaml
from counterfeit_risk.takedown.database import open_database
from counterfeit_risk.takedown.policy import QueueSettings

DEFAULT_DB = "sqlite:///takedown.db"

LARGEST = 2**63 - 1
"""Largest whole number that a database holds."""

DbOption = Annotated[
    str,
    typer.Option("--db", envvar="COUNTERFEIT_RISK_DB", help="sqlite:///FILE, or postgresql://USER:PASSWORD@HOST/NAME."),
]
PhotosOption = Annotated[
    Path | None,
    typer.Option(
        envvar="COUNTERFEIT_RISK_PHOTOS",
        help="Folder for the photos that people are asked about; beside a SQLite file by default.",
        show_default=False,
    ),
]
SettingsOption = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="YAML: due times, order of work, quotas.", show_default=False),
]
TokenOption = Annotated[int, typer.Option(min=1, max=LARGEST, help="As `next` gave it.", show_default=False)]
CaseArgument = Annotated[
    int, typer.Argument(metavar="CASE", min=1, max=LARGEST, help="Number of the case.", show_default=False)
]


def utc_now() -> datetime:
    """The moment."""
    return datetime.now(UTC)


def read_settings(path: Path | None) -> QueueSettings:
    """How the queue is run.

    Raises:
        SettingsError: with every mistake in the file.
    """
    return validated(QueueSettings, read_yaml(path), source=str(path)) if path else QueueSettings()


@contextmanager
def opened(db: str) -> Iterator[Engine]:
    """The queue's database, closed at the end."""
    engine = open_database(db)
    try:
        yield engine
    finally:
        engine.dispose()
