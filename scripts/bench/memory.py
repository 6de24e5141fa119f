"""Measures how the memory of a scoring run grows with its rows.

`.venv/bin/python scripts/bench/memory.py BUNDLE TABLE` scores the table's listings, repeated, with a store that knows
their photos, and compares the peaks of a short night and of a long one.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated

import typer

from counterfeit_risk.listings.catalog import read_listings, write_listings
from counterfeit_risk.listings.listing import Listing

_COMMAND = str(Path(sys.executable).with_name("counterfeit-risk"))
_MAY_GROW_BY, _BYTES_A_ROW = 1.05, 32


def main(
    bundle: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    table: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    short: Annotated[int, typer.Option(min=1000)] = 10_000,
    long: Annotated[int, typer.Option(min=1000)] = 1_000_000,
) -> None:
    """Compare a short night's peak memory with a long one's."""
    listings = [row for row in read_listings(table) if isinstance(row, Listing)]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        command = [_COMMAND, "score", str(bundle), "--image-root", str(table.parent), "--store", str(work / "store")]
        _measure(command, listings, len(listings), work)
        peaks = {rows: _measure(command, listings, rows, work) for rows in (short, long)}
    allowed = _MAY_GROW_BY * peaks[short] + _BYTES_A_ROW * (long - short)
    verdict = "within" if peaks[long] <= allowed else "ABOVE"
    grown = (peaks[long] - peaks[short]) / (long - short)
    typer.echo(
        f"{grown:.1f} bytes for each further row; {verdict} {allowed / 2**20:,.0f} MiB, which is "
        f"{_MAY_GROW_BY - 1:.0%} and {_BYTES_A_ROW} bytes a row above the short night"
    )


def _measure(command: Sequence[str], listings: Sequence[Listing], rows: int, work: Path) -> int:
    """Peak resident memory in bytes."""
    dump, out = work / "dump.parquet", work / f"scores-{rows}"
    again = (replace(row, listing_id=f"{number}") for number, row in enumerate(islice(cycle(listings), rows)))
    write_listings(dump, again)
    started = time.monotonic()
    process = subprocess.Popen([*command, str(dump), "--out", str(out)], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"scoring {rows:,} rows failed")
    peak = used.ru_maxrss * 1024
    typer.echo(f"{rows:>9,} rows: {peak / 2**20:,.0f} MiB at most, {time.monotonic() - started:,.0f} s")
    return peak


if __name__ == "__main__":
    typer.run(main)
