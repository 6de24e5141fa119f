import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from counterfeit_risk.cli.export import export_and_register, to_input_example
from counterfeit_risk.export.export import read_parity_rows
from counterfeit_risk.scoring.served_model import ServedModel
from counterfeit_risk.tracking.runs import TrackedRun

_PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def server(tiny_run: TrackedRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The port of `mlflow models serve` on the registered tiny model, and its bundle."""
    bundle, _ = export_and_register(
        tiny_run.run_id,
        tmp_path_factory.mktemp("served") / "bundle",
        name="served",
        tracking_uri=tiny_run.tracking_uri,
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    programs = Path(sys.executable).parent  # MLflow looks for its server there
    command = [sys.executable, "-W", "ignore", "-m", "mlflow", "models", "serve", "--env-manager", "local"]
    process = subprocess.Popen(
        [*command, "-m", "models:/served@champion", "--port", str(port)],
        env=os.environ | {"MLFLOW_TRACKING_URI": tiny_run.tracking_uri, "PATH": f"{programs}{os.pathsep}{os.defpath}"},
        start_new_session=True,
    )
    try:
        _wait_for(port, process)
        yield port, bundle.folder
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        try:
            _ask(port, "GET", "/ping")
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"no answer from the server in {_PATIENCE_SECONDS} s")


def _ask(port: int, method: str, path: str, body: object = None) -> bytes:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        content = response.read()
    assert response.status == 200, content
    return content


def test_the_registered_model_is_served_and_answers_with_the_bundles_risks(
    server: tuple[int, Path], tiny_run: TrackedRun
) -> None:
    port, bundle = server
    rows = [to_input_example(listing) for listing in read_parity_rows(tiny_run)[:3]]
    rows.append({"listing_id": "nothing", "title": "", "images": []})

    answers = json.loads(_ask(port, "POST", "/invocations", {"dataframe_records": rows}))["predictions"]

    assert [answer["listing_id"] for answer in answers] == [row["listing_id"] for row in rows]
    expected = ServedModel(bundle).predict(_Frame(rows))
    assert [answer["risk"] for answer in answers[:3]] == pytest.approx([one["risk"] for one in expected[:3]], abs=1e-6)
    assert answers[3]["risk"] is None
    assert answers[3]["reason"] == "no_readable_photo_or_title"


class _Frame:
    def __init__(self, rows: list[dict[str, object]]) -> None:
        self.rows = rows

    def to_dict(self, orient: str) -> list[dict[str, object]]:
        return self.rows
