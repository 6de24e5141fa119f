"""Which rooms may know which, and what a scoring image must do without."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from counterfeit_risk.export.bundle import ModelBundle

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "counterfeit_risk"
INITS = sorted(PACKAGE.rglob("__init__.py"))
ROOMS_WITHOUT_TORCH = ("listings", "embeddings", "evaluation", "scoring", "takedown")
HEAVY = ("torch", "torchvision", "lightning", "transformers", "timm", "datasets", "mlflow", "captum", "onnx")

_REPORT = f"""
import json, sys
print("heavy:", json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""


def heavy_after(code: str, *arguments: str) -> list[str]:
    """The heavy libraries that a fresh interpreter holds after running some code."""
    command = [sys.executable, "-c", code + _REPORT, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout.rpartition("heavy:")[2])
    return found


def run_command(*arguments: str) -> list[str]:
    """The heavy libraries that a `counterfeit-risk` command leaves loaded; the command must succeed."""
    code = """
import sys
from counterfeit_risk.cli.main import main
sys.argv[0] = "counterfeit-risk"
try:
    main()
except SystemExit as end:
    if end.code:
        raise
"""
    return heavy_after(code, *arguments)


def modules_of(room: str) -> list[str]:
    return [f"counterfeit_risk.{room}.{path.stem}" for path in (PACKAGE / room).glob("*.py") if path.stem[0] != "_"]


def test_the_import_contracts_are_kept() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run([lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", INITS, ids=lambda path: path.parent.name)
def test_a_package_init_holds_a_docstring_and_nothing_else(path: Path) -> None:
    module = ast.parse(path.read_text(encoding="utf-8"))

    assert ast.get_docstring(module)
    assert len(module.body) == 1


@pytest.mark.parametrize("room", ROOMS_WITHOUT_TORCH)
def test_a_room_that_a_scoring_image_needs_loads_no_training_library(room: str) -> None:
    modules = modules_of(room)
    assert modules

    assert heavy_after("\n".join(f"import {module}" for module in modules)) == []


def test_the_command_line_loads_no_training_library() -> None:
    assert run_command("--help") == []


def test_scoring_a_dump_loads_no_training_library(tiny_bundle: ModelBundle, tiny_market: Path, tmp_path: Path) -> None:
    nightly = tiny_market / "nightly.parquet"

    assert run_command("score", str(tiny_bundle.folder), str(nightly), "--out", str(tmp_path / "scores")) == []

    assert (tmp_path / "scores" / "manifest.json").is_file()


def test_what_is_loaded_would_be_seen() -> None:
    assert heavy_after("import datasets") == ["datasets"]
