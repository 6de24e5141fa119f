"""Modules and functions stay short enough to be read at one go."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "src" / "counterfeit_risk"
SOURCES = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}


def functions(source: str) -> Iterator[tuple[str, int]]:
    """Names and numbers of lines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            yield node.name, node.end_lineno - node.lineno + 1


def test_modules_have_300_lines_at_most() -> None:
    lengths = {name: len(source.splitlines()) for name, source in SOURCES.items()}

    assert len(lengths) > 50
    assert {name: length for name, length in lengths.items() if length > 300} == {}


def test_functions_have_45_lines_at_most() -> None:
    lengths = {
        f"{module}:{name}": length
        for module, source in SOURCES.items()
        if "migrations/versions" not in module  # one table after the other, written once
        for name, length in functions(source)
    }

    assert len(lengths) > 300
    assert {name: length for name, length in lengths.items() if length > 45} == {}
