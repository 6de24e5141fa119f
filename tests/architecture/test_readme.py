"""The README's tree is true: it names every module, with a caption, and nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

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
