"""Kills a scoring run at random instants and fills its disk, and checks that nothing is lost, doubled or changed.

`.venv/bin/python scripts/bench/crashes.py BUNDLE TABLE` runs `counterfeit-risk score` on its listings, repeated. A full
disk is a small file system in memory, which only root may mount; elsewhere that part is left out and said to be.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from counterfeit_risk.listings.catalog import read_listings, write_listings
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.scoring.risk_score import RiskScore, read_scores

_COMMAND = str(Path(sys.executable).with_name("counterfeit-risk"))
_SMALL, _LARGE = "6m", "600m"


def main(
    bundle: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    table: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    rows: Annotated[int, typer.Option(min=2000)] = 40_000,
    kills: Annotated[int, typer.Option(min=1)] = 50,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Kill scoring, and fill its disk."""
    listings = [row for row in read_listings(table) if isinstance(row, Listing)]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        dump = work / "dump.parquet"
        again = (replace(row, listing_id=f"{number}") for number, row in enumerate(islice(cycle(listings), rows)))
        write_listings(dump, again)
        command = [_COMMAND, "score", str(bundle), str(dump), "--image-root", str(table.parent)]
        started = time.monotonic()
        _run(command, work / "whole")
        seconds = time.monotonic() - started
        whole = _risks(work / "whole")
        typer.echo(f"uninterrupted: {len(whole):,} rows in {seconds:.0f} s")
        killed = _kill(command, work, kills, seconds, np.random.default_rng(seed))
        _compare(f"killed {killed} times", whole, _risks(work / "killed"))
        if os.geteuid() != 0:
            typer.echo("full disk: left out, as only root may mount one")
            return
        for what in ("scores", "store"):
            said = _fill(command, work, what)
            _compare(f"disk full under the {what} ({said})", whole, _risks(work / f"full-{what}" / "out"))


def _run(command: list[str], out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*command, "--out", str(out), *more], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"scoring failed: {done.stderr}")
    return done


def _kill(command: list[str], work: Path, kills: int, seconds: float, rng: np.random.Generator) -> int:
    """Starts one run over and over, with a store, until it was killed often enough; then lets it finish."""
    arguments = [*command, "--out", str(work / "killed"), "--store", str(work / "store")]
    killed = 0
    while killed < kills:
        process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(rng.uniform(0, min(seconds, 5)))
        except subprocess.TimeoutExpired:
            process.kill()
            killed += 1
        process.wait()
        if (work / "killed" / "manifest.json").exists():
            break
    _run(command, work / "killed", "--store", str(work / "store"))
    return killed


def _fill(command: list[str], work: Path, what: str) -> str:
    """Runs out of disk under the scores or under the store, then gets more of it; returns what was said."""
    folder = work / f"full-{what}"
    small = folder / what
    small.mkdir(parents=True)
    out = small / "out" if what == "scores" else folder / "out"
    more = ["--store", str(small)] if what == "store" else []
    with _file_system(small):
        full = subprocess.run([*command, "--out", str(out), *more], capture_output=True, text=True)
        subprocess.run(["mount", "-o", f"remount,size={_LARGE}", str(small)], check=True)
        _run(command, out, *more)
        if what == "scores":
            subprocess.run(["cp", "-r", str(out), str(folder / "out")], check=True)
    return f"exit status {full.returncode}: {full.stderr.strip().splitlines()[-1][:120]}"


@contextmanager
def _file_system(folder: Path) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SMALL}", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _risks(out: Path) -> dict[str, RiskScore]:
    found: dict[str, RiskScore] = {}
    for score in read_scores(out):
        if score.listing_id in found:
            typer.echo(f"DOUBLED: {score.listing_id}")
        found[score.listing_id] = score
    return found


def _compare(what: str, whole: dict[str, RiskScore], found: dict[str, RiskScore]) -> None:
    same = sum(_without_time(found[key]) == _without_time(score) for key, score in whole.items() if key in found)
    verdict = "the same" if same == len(whole) == len(found) else "DIFFERENT"
    typer.echo(f"{what}: {len(found):,} rows, {same:,} equal in all but their time: {verdict}")


def _without_time(score: RiskScore) -> RiskScore:
    return replace(score, scored_at=datetime.min.replace(tzinfo=UTC))


if __name__ == "__main__":
    typer.run(main)
