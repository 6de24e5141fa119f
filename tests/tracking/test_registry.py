import pytest

from counterfeit_risk.errors import BundleError
from counterfeit_risk.export.bundle import ModelBundle
from counterfeit_risk.tracking.registry import (
    CHAMPION,
    champion_version,
    find_version,
    promote_version,
    register_bundle,
    roll_back,
)
from counterfeit_risk.tracking.runs import TrackedRun

EXAMPLE = {"listing_id": "a", "title": "a bag", "images": []}


@pytest.fixture
def model(request: pytest.FixtureRequest, tiny_run: TrackedRun, tiny_bundle: ModelBundle) -> str:
    """Name of a registered model of three versions, the first of them the champion."""
    name = f"model-{abs(hash(request.node.name))}"
    for _ in range(3):
        register_bundle(tiny_run, tiny_bundle.folder, name=name, input_example=EXAMPLE)
    return name


def test_a_promoted_version_is_the_champion_until_it_is_rolled_back(model: str, tiny_run: TrackedRun) -> None:
    uri = tiny_run.tracking_uri
    promote_version(model, 3, uri)
    promote_version(model, 2, uri)

    assert champion_version(model, uri) == 2
    assert str(tiny_run.client.get_model_version_by_alias(model, CHAMPION).version) == "2"
    assert roll_back(model, uri) == (2, 3)
    assert roll_back(model, uri) == (3, 1)
    assert str(tiny_run.client.get_model_version_by_alias(model, CHAMPION).version) == "1"
    with pytest.raises(BundleError, match="no champion before this one"):
        roll_back(model, uri)


def test_an_alias_that_was_moved_by_hand_is_the_champion(model: str, tiny_run: TrackedRun) -> None:
    tiny_run.client.set_registered_model_alias(model, CHAMPION, "2")

    assert champion_version(model, tiny_run.tracking_uri) == 2
    assert roll_back(model, tiny_run.tracking_uri) == (2, 1)


def test_a_version_is_found_by_number_and_by_alias(model: str, tiny_run: TrackedRun) -> None:
    assert find_version(f"models:/{model}/2", tiny_run.tracking_uri) == (model, 2)
    assert find_version(f"models:/{model}@{CHAMPION}", tiny_run.tracking_uri) == (model, 1)


@pytest.mark.parametrize("uri", ["bundle/", "models:/", "models:/name", "models:/name/latest"])
def test_what_names_no_version_is_refused(uri: str, tiny_run: TrackedRun) -> None:
    with pytest.raises(BundleError, match="names no registered model"):
        find_version(uri, tiny_run.tracking_uri)


def test_versions_and_models_that_are_not_there_are_named(model: str, tiny_run: TrackedRun) -> None:
    with pytest.raises(BundleError, match="has no version 9"):
        promote_version(model, 9, tiny_run.tracking_uri)
    with pytest.raises(BundleError, match="there is no models:/nobody/1"):
        find_version("models:/nobody/1", tiny_run.tracking_uri)
    with pytest.raises(BundleError, match="there is no model nobody"):
        champion_version("nobody", tiny_run.tracking_uri)
