"""Records runs in MLflow.

Knows files and numbers, not what they mean.
"""

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import SQLAlchemyError

from counterfeit_risk.config import TrackingSettings
from counterfeit_risk.errors import RunError


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
            message = f"run {self.run_id} holds no {name}; did its training finish? ({first_line(error)})"
            raise RunError(message) from None


def find_run(tracking_uri: str, run_id: str) -> TrackedRun:
    """Finds a run.

    Raises:
        RunError: if there is none of this id.
    """
    client = connect(tracking_uri)
    try:
        client.get_run(run_id)
    except MlflowException as error:
        raise RunError(f"there is no run {run_id} in {tracking_uri} ({first_line(error)})") from None
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


def connect(tracking_uri: str) -> MlflowClient:
    """A client of a store that is there.

    Raises:
        RunError: if it is not.
    """
    try:
        client = MlflowClient(tracking_uri, registry_uri=tracking_uri)
        client.search_experiments(max_results=1)
    except (MlflowException, OSError, SQLAlchemyError) as error:
        raise RunError(f"there is no MLflow store at {tracking_uri}: {first_line(error)}") from None
    return client


def _create_run(settings: TrackingSettings, params: Mapping[str, Any]) -> TrackedRun:
    client = connect(settings.uri)
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


def first_line(error: Exception) -> str:
    """What an error says, without its details."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
