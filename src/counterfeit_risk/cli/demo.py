"""`counterfeit-risk demo`: every stage in turn, from a synthetic market to a queue that people have begun to work."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import pyarrow.parquet as pq
import typer
from rich.console import Console

from counterfeit_risk.cli.progress import is_terminal, progress
from counterfeit_risk.cli.queue_load import ScoredNight, default_archive, load_night
from counterfeit_risk.cli.score import counts_table
from counterfeit_risk.config import load_settings
from counterfeit_risk.errors import UsageError
from counterfeit_risk.export.bundle import ModelBundle
from counterfeit_risk.listings.catalog import load_column_map, write_labeled_listings
from counterfeit_risk.listings.listing import Label
from counterfeit_risk.scoring.output import ScoringManifest
from counterfeit_risk.scoring.runner import Dump, score_dump
from counterfeit_risk.takedown.case import LeasedCase
from counterfeit_risk.takedown.display import actions_table, queue_table
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue, open_queue
from counterfeit_risk.takedown.states import Verdict

_MARK = ".counterfeit-risk-demo"
_DECISIONS = 8


@dataclass(frozen=True)
class DemoPaths:
    """Where the demo leaves what it makes."""

    out: Path

    @property
    def market(self) -> Path:
        """The synthetic market."""
        return self.out / "market"

    @property
    def bundle(self) -> Path:
        """The exported model."""
        return self.out / "bundle"

    @property
    def scores(self) -> Path:
        """The nightly dump's scores."""
        return self.out / "scores"

    @property
    def labels(self) -> Path:
        """What the reviewer decided, as labels."""
        return self.out / "labels.csv"

    @property
    def report(self) -> Path:
        """The page that shows it all."""
        return self.out / "report.html"

    @property
    def tracking_uri(self) -> str:
        """The MLflow store."""
        return f"sqlite:///{self.out / 'mlflow.db'}"

    @property
    def queue_url(self) -> str:
        """The takedown queue."""
        return f"sqlite:///{self.out / 'takedown.db'}"


def demo(
    out: Annotated[
        Path, typer.Option(help="Folder for all that the demo makes; an earlier demo in it is replaced.")
    ] = Path("demo-out"),
    config: Annotated[Path, typer.Option(help="Settings of the training run.")] = Path("configs/demo.yaml"),
    listings: Annotated[int, typer.Option(min=200, help="Labelled listings of the synthetic market.")] = 2000,
    nightly: Annotated[int, typer.Option(min=20, help="Listings of the nightly dump.")] = 500,
) -> None:
    """Run every stage on a synthetic market: train, export, score a night, fill the queue, decide, report."""
    started = time.monotonic()
    paths = DemoPaths(out)
    if not config.is_file():
        raise UsageError(f"there is no {config}; run the demo where the project lies, or name a file with --config")
    _open_folder(out)
    with _step("1/6 drawing a synthetic market"):
        _write_market(paths, listings, nightly)
    with _step("2/6 training, calibrating and evaluating a classifier"):
        run_id = _train(paths, config)
    with _step("3/6 exporting and registering the bundle"):
        bundle = _export(paths, run_id)
    with _step("4/6 scoring the night"):
        manifest = _score(paths, bundle)
    with open_queue(paths.queue_url, create=True) as queue:
        with _step("5/6 filling the takedown queue and deciding the first cases"):
            _work_queue(paths, queue)
        with _step("6/6 writing the report"):
            _report(paths, queue, manifest, run_id)
        _print_queue(queue, manifest)
    _print_paths(paths, run_id)
    typer.echo(f"done in {time.monotonic() - started:.0f} s")


@contextmanager
def _step(name: str) -> Iterator[None]:
    started = time.monotonic()
    typer.echo(f"{name} …", err=True)
    yield
    typer.echo(f"    {time.monotonic() - started:.0f} s", err=True)


def _open_folder(out: Path) -> None:
    if out.exists() and any(out.iterdir()):
        if not (out / _MARK).exists():
            raise UsageError(f"{out} is not empty and was not made by the demo; name another folder with --out")
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / _MARK).touch()


def _write_market(paths: DemoPaths, listings: int, nightly: int) -> None:
    from counterfeit_risk.market.drawing import MarketPlan
    from counterfeit_risk.market.market import write_market

    with progress("drawing photos") as advance:
        write_market(paths.market, MarketPlan(listings, nightly), on_progress=advance)


def _train(paths: DemoPaths, config: Path) -> str:
    from counterfeit_risk.training.train import train

    overrides = {
        "data.listings": paths.market / "labeled.parquet",
        "evaluation.true_posteriors": paths.market / "truth.parquet",
        "tracking.uri": paths.tracking_uri,
        "tracking.folder": paths.out / "runs",
    }
    settings = load_settings(config, [f"{key}={json.dumps(str(value))}" for key, value in overrides.items()])
    return train(settings, show_progress=is_terminal())


def _export(paths: DemoPaths, run_id: str) -> ModelBundle:
    from counterfeit_risk.cli.export import export_and_register

    bundle, _ = export_and_register(run_id, paths.bundle, name="counterfeit-risk", tracking_uri=paths.tracking_uri)
    return bundle


def _score(paths: DemoPaths, bundle: ModelBundle) -> ScoringManifest:
    with progress("scoring") as advance:
        return score_dump(bundle, Dump(paths.market / "nightly.parquet"), paths.scores, on_progress=advance)


def _work_queue(paths: DemoPaths, queue: TakedownQueue) -> None:
    """Loads the scores and lets a reviewer who knows the market's truth decide the first cases."""
    truth = read_true_labels(paths.market / "truth.parquet")
    table = paths.market / "nightly.parquet"
    night = ScoredNight(paths.scores, table, load_column_map(None), table.parent.resolve())
    load_night(queue, night, QueueSettings(), default_archive(paths.queue_url), datetime.now(UTC))
    for _ in range(_DECISIONS):
        leased = queue.next_case("demo-reviewer", datetime.now(UTC))
        if leased is None:
            break
        _decide_as_recorded(queue, leased, truth)
    write_labeled_listings(paths.labels, queue.labels(relative_to=table.parent.resolve()))


def _decide_as_recorded(queue: TakedownQueue, leased: LeasedCase, truth: dict[str, Label]) -> None:
    """Decides a case by what its listings are; those that are genuine among counterfeits are spared."""
    case = leased.case
    labels = {snapshot.listing_key: truth[snapshot.listing.listing_id] for snapshot in case.snapshots}
    genuine = [key for key, label in labels.items() if label is Label.GENUINE]
    verdict = Verdict.GENUINE if len(genuine) == len(labels) else Verdict.COUNTERFEIT
    queue.decide(
        case.case_id,
        "demo-reviewer",
        verdict,
        f"the market's record: {verdict}",
        leased.token,
        datetime.now(UTC),
        spared=genuine if verdict is Verdict.COUNTERFEIT else (),
    )


def read_true_labels(truth: Path) -> dict[str, Label]:
    """What a market's listings are, by id."""
    rows = pq.read_table(truth, columns=["listing_id", "label"]).to_pylist()
    return {row["listing_id"]: Label(row["label"]) for row in rows}


def _report(paths: DemoPaths, queue: TakedownQueue, manifest: ScoringManifest, run_id: str) -> None:
    from counterfeit_risk.cli.demo_report import write_demo_report
    from counterfeit_risk.tracking.runs import find_run

    evaluation = find_run(paths.tracking_uri, run_id).artifact("evaluation")
    write_demo_report(paths.report, queue=queue, manifest=manifest, image_root=paths.market, evaluation=evaluation)


def _print_queue(queue: TakedownQueue, manifest: ScoringManifest) -> None:
    console = Console()
    console.print(counts_table(manifest))
    console.print(queue_table(queue.top(datetime.now(UTC), limit=10)))
    console.print(actions_table(queue.actions()))


def _print_paths(paths: DemoPaths, run_id: str) -> None:
    made = {
        "report": paths.report,
        "bundle": paths.bundle,
        "scores": paths.scores,
        "queue": paths.out / "takedown.db",
        "labels": paths.labels,
        "MLflow": paths.out / "mlflow.db",
        "run": run_id,
    }
    for name, path in made.items():
        typer.echo(f"{name:<8}{path}")
