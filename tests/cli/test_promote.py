import json
import shutil
from pathlib import Path

import pytest
from tests.evaluation.test_gates import GOOD

from counterfeit_risk.cli.promote import promote
from counterfeit_risk.errors import GateError, UsageError
from counterfeit_risk.evaluation.head_to_head import Verdict
from counterfeit_risk.evaluation.head_to_head_report import write_comparison
from counterfeit_risk.export.bundle import MANIFEST, ModelBundle, model_id, open_bundle
from counterfeit_risk.tracking.registry import champion_version, register_bundle
from counterfeit_risk.tracking.runs import TrackedRun

GATES = Path(__file__).parents[2] / "configs" / "gates.yaml"
NAME = "promoted"
EXAMPLE = {"listing_id": "a", "title": "a bag", "images": []}


@pytest.fixture(scope="module")
def challenger(tiny_bundle: ModelBundle, tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    """The same graphs under another review band: another model."""
    folder = tmp_path_factory.mktemp("challenger") / "bundle"
    shutil.copytree(tiny_bundle.folder, folder)
    manifest = tiny_bundle.manifest
    bands = manifest.bands | {"review_from": manifest.bands["review_from"] / 2}
    changed = manifest.model_copy(
        update={
            "bands": bands,
            "model_id": model_id(manifest.files, manifest.image_preprocessing, manifest.max_photos, bands),
        }
    )
    (folder / MANIFEST).write_text(changed.model_dump_json())
    return open_bundle(folder)


@pytest.fixture(scope="module")
def registry(tiny_run: TrackedRun, tiny_bundle: ModelBundle, challenger: ModelBundle) -> str:
    """The store in which version 1 is the champion and version 2 the challenger."""
    for bundle in (tiny_bundle, challenger):
        register_bundle(tiny_run, bundle.folder, name=NAME, input_example=EXAMPLE)
    return tiny_run.tracking_uri


@pytest.fixture
def comparison(tiny_bundle: ModelBundle, challenger: ModelBundle, tmp_path: Path) -> Path:
    """In the challenger's favour."""
    found = GOOD.to_dict() | {"model_id": challenger.manifest.model_id, "other_id": tiny_bundle.manifest.model_id}
    write_comparison(type(GOOD).from_dict(found), tmp_path)
    return tmp_path / "comparison.json"


def change(comparison: Path, **values: object) -> None:
    comparison.write_text(json.dumps(json.loads(comparison.read_text()) | values))


def test_a_better_model_becomes_the_champion_and_a_rollback_undoes_it(registry: str, comparison: Path) -> None:
    promote(f"models:/{NAME}/2", comparison, GATES, tracking_uri=registry)
    assert champion_version(NAME, registry) == 2
    with pytest.raises(UsageError, match="version 2 is the champion already"):
        promote(f"models:/{NAME}/2", comparison, GATES, tracking_uri=registry)
    promote(name=NAME, tracking_uri=registry, rollback=True)
    assert champion_version(NAME, registry) == 1


def test_a_model_that_is_not_shown_to_be_better_stays_what_it_is(registry: str, comparison: Path) -> None:
    change(comparison, verdict=Verdict.UNDECIDED.value, counterfeits=3)
    with pytest.raises(GateError, match=r"stays what it is: the verdict is undecided.*; the comparison saw 3"):
        promote(f"models:/{NAME}/2", comparison, GATES, tracking_uri=registry)
    assert champion_version(NAME, registry) == 1


@pytest.mark.parametrize("side", ["model_id", "other_id"])
def test_a_comparison_of_other_models_is_refused(registry: str, comparison: Path, side: str) -> None:
    change(comparison, **{side: "somebody"})
    with pytest.raises(UsageError, match="evaluate them against each other again"):
        promote(f"models:/{NAME}/2", comparison, GATES, tracking_uri=registry)


def test_a_model_and_a_rollback_do_not_go_together(registry: str, comparison: Path) -> None:
    with pytest.raises(UsageError, match="--rollback takes no MODEL"):
        promote(f"models:/{NAME}/2", tracking_uri=registry, rollback=True)
    with pytest.raises(UsageError, match="name a MODEL and its --comparison"):
        promote(tracking_uri=registry)
