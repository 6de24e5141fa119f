"""The README is true: its tree names every module and nothing else, and its examples are read as they stand."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from counterfeit_risk.takedown.complaints.notice import Notice, read_notices
from counterfeit_risk.takedown.complaints.rights import Authorisation, Mark

ROOT = Path(__file__).parents[2]
PACKAGE = "src/counterfeit_risk/"

_LINE = re.compile(r"(?P<indent>[\s│├└─|`+-]*)(?P<name>[\w./-]+)\s*(?P<caption>.*)")


def tree_of(text: str) -> dict[str, str]:
    """Captions by path, of the modules in the fenced block that draws the package."""
    blocks = [
        block for block in re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL) if PACKAGE in block
    ]
    assert len(blocks) == 1, f"one fenced block must draw {PACKAGE}, not {len(blocks)}"
    return {path: caption for path, caption in _entries(blocks[0]) if path.startswith(PACKAGE) and path.endswith(".py")}


def _entries(block: str) -> Iterator[tuple[str, str]]:
    folders: list[tuple[int, str]] = []
    for line in block.splitlines():
        if match := _LINE.match(line):
            indent = len(match["indent"])
            while folders and folders[-1][0] >= indent:
                folders.pop()
            path = (folders[-1][1] if folders else "") + match["name"]
            if path.endswith("/"):
                folders.append((indent, path))
            yield path, match["caption"].strip(" #")


@pytest.fixture(scope="module")
def tree() -> dict[str, str]:
    return tree_of((ROOT / "README.md").read_text(encoding="utf-8"))


def test_the_tree_names_every_module_and_nothing_that_does_not_exist(tree: dict[str, str]) -> None:
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / PACKAGE).rglob("*.py")}

    assert set(tree) == {path for path in modules if not path.endswith("__init__.py")}


def test_every_module_in_the_tree_has_a_caption(tree: dict[str, str]) -> None:
    assert [path for path, caption in tree.items() if not caption] == []


def test_a_tree_is_read_as_it_is_drawn() -> None:
    text = """# Title
```
ls other
```
```text
configs/            one file a run
src/counterfeit_risk/
├── listings/       what sellers publish
│   ├── catalog.py      tables
│   └── images.py
└── config.py       settings
tests/
└── test_x.py       not of the package
```
"""

    assert tree_of(text) == {
        "src/counterfeit_risk/listings/catalog.py": "tables",
        "src/counterfeit_risk/listings/images.py": "",
        "src/counterfeit_risk/config.py": "settings",
    }


def test_its_notice_is_complete_and_the_heads_of_its_tables_have_every_column(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [notice] = re.findall(r"^```json\n(\{\"notice_id\".*?)^```", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "notices.jsonl").write_text(json.dumps(json.loads(notice)), encoding="utf-8")

    assert [type(one) for one in read_notices(tmp_path / "notices.jsonl")] == [Notice]
    for table in (Mark, Authorisation):
        columns = {field.name for field in fields(table)}
        assert columns in [set(line.split(",")) for line in text.splitlines()]
