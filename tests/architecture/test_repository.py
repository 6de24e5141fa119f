"""What the repository holds would work, and read the same, on any machine."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_MACHINE_PATH = re.compile(rb"(?<![\w.])/(?:work|root|home|Users|tmp|mnt|opt)/[\w.]|[A-Z]:\\+Users\\")


@pytest.fixture(scope="module")
def requirements() -> list[str]:
    """The lock's requirements, each with its hashes."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return re.split(r"\n(?=[a-z0-9])", re.sub(r"(?m)^\s*#.*\n?", "", text).strip(), flags=re.IGNORECASE)


def test_every_locked_requirement_has_a_version_and_a_hash(requirements: list[str]) -> None:
    loose = [
        requirement.splitlines()[0]
        for requirement in requirements
        if not re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+", requirement) or "--hash=sha256:" not in requirement
    ]

    assert requirements
    assert loose == []


def test_the_lock_names_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    assert re.findall(r".*(?:://|index-url|find-links| @ |trusted-host).*", text) == []


def test_every_dependency_is_locked(requirements: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    locked = {_name(requirement) for requirement in requirements}

    assert {_name(requirement) for requirement in wanted} - {_name(project["name"])} <= locked


def test_no_file_names_a_path_of_the_machine_it_was_made_on() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    found = {
        str(path.relative_to(ROOT)): match[0].decode()
        for path in files
        if path.is_file() and (match := _MACHINE_PATH.search(path.read_bytes()))
    }

    assert len(files) > 50
    assert found == {}


@pytest.mark.parametrize("folder", ["work", "root", "home", "Users", "tmp"])
def test_a_machine_path_would_be_found(folder: str) -> None:
    path = "/".join(["", folder, "me"])

    assert _MACHINE_PATH.search(f'out = "{path}"'.encode())
    assert not _MACHINE_PATH.search(f"takedown{path}".encode())


def _name(requirement: str) -> str:
    match = re.match(r"[\w.-]+", requirement)
    assert match
    return re.sub(r"[-_.]+", "-", match[0]).lower()
