"""Records runs in MLflow and registers their bundles. The only module that imports mlflow.

Knows files and numbers, not what they mean.
"""

import importlib.metadata
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import Array
from sqlalchemy.exc import SQLAlchemyError

from counterfeit_risk.config import TrackingSettings
from counterfeit_risk.errors import BundleError, RunError

CHAMPION = "champion"
_SERVED_MODEL = "counterfeit_risk.scoring.served_model"
_SIGNATURE = ModelSignature(
    inputs=Schema(
        [
            ColSpec(DataType.string, "listing_id"),
            ColSpec(DataType.string, "title", required=False),
            ColSpec(Array(DataType.string), "images", required=False),
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


@dataclass(frozen=True)
class TrackedRun:
    """One MLflow run."""

    run_id: str
    client: MlflowClient

    @property
    def tracking_uri(self) -> str:
        """The store that holds the run."""
        return str(self.client.tracking_uri)

    def log_metrics(self, metrics: Mapping[str, float]) -> None:
        """Records final numbers."""
        timestamp = int(time.time() * 1000)
        self.client.log_batch(self.run_id, [Metric(name, value, timestamp, 0) for name, value in metrics.items()])

    def log_folder(self, folder: Path, name: str) -> None:
        """Copies a folder's content into the run's artifacts under `name`."""
        self.client.log_artifacts(self.run_id, str(folder), name)

    def log_file(self, path: Path) -> None:
        """Copies a file into the run's artifacts."""
        self.client.log_artifact(self.run_id, str(path))

    def log_json(self, value: Any, name: str) -> None:
        """Writes a JSON artifact."""
        self.client.log_dict(self.run_id, value, name)

    def artifact(self, name: str) -> Path:
        """Local path of an artifact, file or folder.

        Raises:
            RunError: if the run has none of this name.
        """
        try:
            return Path(self.client.download_artifacts(self.run_id, name))
        except (MlflowException, OSError) as error:
            message = f"run {self.run_id} holds no {name}; did its training finish? ({_first_line(error)})"
            raise RunError(message) from None


def find_run(tracking_uri: str, run_id: str) -> TrackedRun:
    """Finds a run.

    Raises:
        RunError: if there is none of this id.
    """
    client = _connect(tracking_uri)
    try:
        client.get_run(run_id)
    except MlflowException as error:
        raise RunError(f"there is no run {run_id} in {tracking_uri} ({_first_line(error)})") from None
    return TrackedRun(run_id, client)


@contextmanager
def open_run(
    settings: TrackingSettings, *, params: Mapping[str, Any], resume: str | None = None
) -> Iterator[TrackedRun]:
    """Opens a run, or one to resume, and closes it as what it became: FINISHED, FAILED or KILLED.

    Raises:
        RunError: if the run to resume is not there, or was started with other settings.
    """
    if resume:
        run = find_run(settings.uri, resume)
        if run.client.get_run(resume).info.status == "FINISHED":
            raise RunError(f"run {resume} is finished; there is nothing to resume")
        _check_same_params(run, params)
        run.client.update_run(resume, status="RUNNING")
    else:
        run = _create_run(settings, params)
    try:
        yield run
    except (KeyboardInterrupt, SystemExit):  # Lightning turns the first into the second
        run.client.set_terminated(run.run_id, "KILLED")
        raise
    except BaseException:
        run.client.set_terminated(run.run_id, "FAILED")
        raise
    run.client.set_terminated(run.run_id, "FINISHED")


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
            code_paths=[str(Path(__file__).parent)],
            pip_requirements=_base_requirements(),
        )
        run.log_folder(model, artifact)
    try:
        if not run.client.search_registered_models(f"name = '{name}'"):
            run.client.create_registered_model(name)
        version = run.client.create_model_version(name, source=f"runs:/{run.run_id}/{artifact}", run_id=run.run_id)
        if CHAMPION not in run.client.get_registered_model(name).aliases:
            run.client.set_registered_model_alias(name, CHAMPION, version.version)
    except MlflowException as error:
        raise RunError(f"the bundle is written, but cannot be registered as {name}: {_first_line(error)}") from None
    return int(version.version)


def fetch_bundle(uri: str, tracking_uri: str) -> Path:
    """Local folder of a registered bundle.

    Args:
        uri: such as `models:/counterfeit-risk@champion`.
        tracking_uri: the store that holds the registry.

    Raises:
        BundleError: if the registry holds no such model.
    """
    client = _connect(tracking_uri)
    try:
        # mlflow's own download looks models:/ up in the process's registry, whatever address it is given
        run_id, _, path = _source(uri, client).removeprefix("runs:/").partition("/")
        fetched = client.download_artifacts(run_id, path)
        flavor = mlflow.models.Model.load(fetched).flavors["python_function"]
    except (MlflowException, OSError, KeyError, ValueError) as error:
        raise BundleError(f"cannot fetch {uri} from {tracking_uri}: {_first_line(error)}") from None
    if flavor.get("loader_module") != _SERVED_MODEL:
        raise BundleError(f"{uri} in {tracking_uri} is not a model of this project")
    return Path(fetched) / str(flavor["data"])


def _connect(tracking_uri: str) -> MlflowClient:
    try:
        client = MlflowClient(tracking_uri, registry_uri=tracking_uri)
        client.search_experiments(max_results=1)
    except (MlflowException, OSError, SQLAlchemyError) as error:
        raise RunError(f"there is no MLflow store at {tracking_uri}: {_first_line(error)}") from None
    return client


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


def _create_run(settings: TrackingSettings, params: Mapping[str, Any]) -> TrackedRun:
    client = _connect(settings.uri)
    experiment = client.get_experiment_by_name(settings.experiment)
    if experiment is None:
        location = (settings.folder / "artifacts").resolve().as_uri()
        experiment_id = client.create_experiment(settings.experiment, artifact_location=location)
    else:
        experiment_id = experiment.experiment_id
    commit = _git_commit()
    run = client.create_run(experiment_id, tags={"mlflow.source.git.commit": commit} if commit else {})
    client.log_batch(run.info.run_id, params=[Param(name, _text(value)) for name, value in params.items()])
    return TrackedRun(run.info.run_id, client)


def _check_same_params(run: TrackedRun, params: Mapping[str, Any]) -> None:
    recorded = run.client.get_run(run.run_id).data.params
    names = sorted(recorded.keys() | params.keys())
    changed = [
        f"{name} was {recorded.get(name, 'not set')}, is {_text(params[name]) if name in params else 'not set'}"
        for name in names
        if name not in params or recorded.get(name) != _text(params[name])
    ]
    if changed:
        raise RunError(f"run {run.run_id} was started with other settings: {'; '.join(changed)}")


def _base_requirements() -> list[str]:
    return [one for one in importlib.metadata.requires("counterfeit-risk") or [] if "extra ==" not in one]


def _git_commit() -> str | None:
    """Commit of this code, marked when files differ from it; None outside git."""
    command = ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    folder = Path(__file__).parent
    try:
        described = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    except (OSError, subprocess.CalledProcessError):
        return None
    return described.stdout.strip()


def _text(value: Any) -> str:
    return str(value)[:6000]


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
