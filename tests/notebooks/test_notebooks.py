import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_CODE_CELLS = 10


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for cell in code_cells(notebook) for output in cell.outputs]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    return nbformat.read(request.param, as_version=4)


def test_there_are_notebooks_to_test() -> None:
    assert NOTEBOOKS


def test_a_notebook_runs_to_its_end_and_shows_a_figure(
    notebook: nbformat.NotebookNode, tiny_demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERFEIT_RISK_DEMO", str(tiny_demo))
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(FOLDER)}}).execute()
    assert any("image/png" in output.get("data", {}) for output in outputs(notebook))


def test_a_notebook_calls_the_package_and_defines_nothing(notebook: nbformat.NotebookNode) -> None:
    cells = code_cells(notebook)
    assert len(cells) <= MOST_CODE_CELLS
    definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    nodes = [node for cell in cells for node in ast.walk(ast.parse(cell.source))]
    assert not [node.name for node in nodes if isinstance(node, definitions)]


def test_a_notebook_is_committed_with_its_figures_and_without_an_error(notebook: nbformat.NotebookNode) -> None:
    found = outputs(notebook)
    assert any("image/png" in output.get("data", {}) for output in found)
    assert not [output for output in found if output.output_type == "error" or output.get("name") == "stderr"]
