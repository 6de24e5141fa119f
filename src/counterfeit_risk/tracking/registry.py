"""The registry of models in MLflow: registers bundles, and says which of them is the champion.

Knows no verdict: whether a model may become the champion is decided before.
"""

import importlib.metadata
import json
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import Array

from counterfeit_risk.errors import BundleError, RunError
from counterfeit_risk.tracking.runs import TrackedRun, connect, first_line

CHAMPION = "champion"
_CHAMPIONS = "champions"
"""Tag of a registered model: the versions that were its champions, the present one last."""
_SERVED_MODEL = "counterfeit_risk.scoring.served_model"
_SIGNATURE = ModelSignature(
    inputs=Schema(
        [
            ColSpec(DataType.string, "listing_id"),
            ColSpec(DataType.string, "title", required=False),
            ColSpec(Array(DataType.string), "images", required=False),
            ColSpec(DataType.double, "price", required=False),
            *(ColSpec(DataType.string, name, required=False) for name in ("currency", "brand", "category")),
        ]
    ),
    outputs=Schema(
        [
            ColSpec(DataType.string, "listing_id"),
            ColSpec(DataType.double, "risk"),
            ColSpec(DataType.string, "band"),
            ColSpec(DataType.string, "reason", required=False),
        ]
    ),
)


def register_bundle(run: TrackedRun, bundle: Path, *, name: str, input_example: Mapping[str, Any]) -> int:
    """Logs a bundle with its run as a model that MLflow can serve, and registers it as a new version.

    The first version of a model becomes its champion.

    Returns:
        The version's number.

    Raises:
        RunError: if the registry refuses it.
    """
    artifact = f"bundle-{uuid.uuid4().hex[:8]}"  # a version that is registered never changes
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        mlflow.pyfunc.save_model(
            str(model),
            loader_module=_SERVED_MODEL,
            data_path=str(bundle),
            signature=_SIGNATURE,
            input_example=[dict(input_example)],
            # the code travels along: nobody but this project says what "counterfeit-risk" is
            code_paths=[str(Path(__file__).parents[1])],
            pip_requirements=_base_requirements(),
        )
        run.log_folder(model, artifact)
    try:
        if not run.client.search_registered_models(f"name = '{name}'"):
            run.client.create_registered_model(name)
        version = run.client.create_model_version(name, source=f"runs:/{run.run_id}/{artifact}", run_id=run.run_id)
        if CHAMPION not in run.client.get_registered_model(name).aliases:
            _crown(run.client, name, [int(version.version)])
    except MlflowException as error:
        raise RunError(f"the bundle is written, but cannot be registered as {name}: {first_line(error)}") from None
    return int(version.version)


def fetch_bundle(uri: str, tracking_uri: str) -> Path:
    """Local folder of a registered bundle.

    Args:
        uri: such as `models:/counterfeit-risk@champion`.
        tracking_uri: the store that holds the registry.

    Raises:
        BundleError: if the registry holds no such model.
    """
    client = connect(tracking_uri)
    try:
        # mlflow's own download looks models:/ up in the process's registry, whatever address it is given
        run_id, _, path = _source(uri, client).removeprefix("runs:/").partition("/")
        fetched = client.download_artifacts(run_id, path)
        flavor = mlflow.models.Model.load(fetched).flavors["python_function"]
    except (MlflowException, OSError, KeyError, ValueError) as error:
        raise BundleError(f"cannot fetch {uri} from {tracking_uri}: {first_line(error)}") from None
    if flavor.get("loader_module") != _SERVED_MODEL:
        raise BundleError(f"{uri} in {tracking_uri} is not a model of this project")
    return Path(fetched) / str(flavor["data"])


def find_version(uri: str, tracking_uri: str) -> tuple[str, int]:
    """Name and version of a registered model, given as `models:/NAME/VERSION` or `models:/NAME@ALIAS`.

    Raises:
        BundleError: if there is no such model, or it is named otherwise.
    """
    name, _, alias = uri.removeprefix("models:/").partition("@")
    name, _, number = name.partition("/")
    if not uri.startswith("models:/") or not name or not (alias or number.isdecimal()):
        raise BundleError(f"{uri} names no registered model; write models:/NAME/VERSION or models:/NAME@ALIAS")
    client = connect(tracking_uri)
    try:
        found = client.get_model_version_by_alias(name, alias) if alias else client.get_model_version(name, number)
    except MlflowException as error:
        raise BundleError(f"there is no {uri} in {tracking_uri} ({first_line(error)})") from None
    return name, int(found.version)


def champion_version(name: str, tracking_uri: str) -> int:
    """The version that is the champion.

    Raises:
        BundleError: if there is no such model, or it has no champion.
    """
    champions = _champions(connect(tracking_uri), name, tracking_uri)
    if not champions:
        raise BundleError(f"{name} in {tracking_uri} has no champion")
    return champions[-1]


def promote_version(name: str, version: int, tracking_uri: str) -> None:
    """Makes a version the champion; the one before is remembered.

    Raises:
        BundleError: if there is no such model or version.
    """
    client = connect(tracking_uri)
    champions = _champions(client, name, tracking_uri)
    try:
        client.get_model_version(name, str(version))
    except MlflowException as error:
        raise BundleError(f"{name} in {tracking_uri} has no version {version} ({first_line(error)})") from None
    _crown(client, name, [*champions, version])


def roll_back(name: str, tracking_uri: str) -> tuple[int, int]:
    """Makes the champion before this one the champion again.

    Returns:
        The version that was the champion, and the one that is now.

    Raises:
        BundleError: if there is no such model, or no champion before this one.
    """
    client = connect(tracking_uri)
    champions = _champions(client, name, tracking_uri)
    if len(champions) < 2:
        raise BundleError(f"{name} in {tracking_uri} has had no champion before this one")
    _crown(client, name, champions[:-1])
    return champions[-1], champions[-2]


def _champions(client: MlflowClient, name: str, tracking_uri: str) -> list[int]:
    try:
        model = client.get_registered_model(name)
    except MlflowException as error:
        raise BundleError(f"there is no model {name} in {tracking_uri} ({first_line(error)})") from None
    remembered = [int(version) for version in json.loads(model.tags.get(_CHAMPIONS, "[]"))]
    present = model.aliases.get(CHAMPION)
    if present is None or (remembered and remembered[-1] == int(present)):
        return remembered
    return [*remembered, int(present)]  # somebody moved the alias by hand


def _crown(client: MlflowClient, name: str, champions: list[int]) -> None:
    client.set_registered_model_alias(name, CHAMPION, str(champions[-1]))
    client.set_registered_model_tag(name, _CHAMPIONS, json.dumps(champions))


def _source(uri: str, client: MlflowClient) -> str:
    """Where a registered version lies, as `runs:/RUN/PATH`."""
    name = uri.removeprefix("models:/")
    if "@" in name:
        name, _, alias = name.partition("@")
        return str(client.get_model_version_by_alias(name, alias).source)
    if uri.startswith("models:/"):
        name, _, version = name.partition("/")
        return str(client.get_model_version(name, version).source)
    return uri


def _base_requirements() -> list[str]:
    return [one for one in importlib.metadata.requires("counterfeit-risk") or [] if "extra ==" not in one]
