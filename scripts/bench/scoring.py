"""Measures a night's scoring beside what a plain torch loop, other tools and the machine itself can do.

`.venv/bin/python scripts/bench/scoring.py TABLE` prints two tables and draws a figure. Towers have the size of CLIP
ViT-B/32 and random weights; AutoGluon and clip-retrieval, each from an environment of its own, get the same ones.
Everything is measured in turn, round after round, so that a machine that slows down slows all of it.
"""

import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import openvino
import torch
import typer
from matplotlib.figure import Figure
from openvino import opset13 as ops
from other_tools import AUTOGLUON, CLIP_RETRIEVAL, TOOLS, other_jobs
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from vit_bundle import MAX_PHOTOS, vit_checkpoint, write_bundle

from counterfeit_risk.embeddings.content import ContentReader
from counterfeit_risk.embeddings.preprocessing import tokenize
from counterfeit_risk.embeddings.towers import Precision
from counterfeit_risk.embeddings.workers import Workers
from counterfeit_risk.export.bundle import ModelBundle
from counterfeit_risk.export.runtimes import open_towers
from counterfeit_risk.listings.catalog import read_listings, write_listings
from counterfeit_risk.listings.listing import Listing, Photo
from counterfeit_risk.model.checkpoint import Checkpoint
from counterfeit_risk.model.classifier import ListingBatch
from counterfeit_risk.scoring.rescoring import rescore
from counterfeit_risk.scoring.runner import Dump, score_dump

_CHANGED_ONE_IN = 50
_MATRIX, _PRODUCTS = 2048, 8
_LOOP = "torch loop, fp32"
_BATCH = 32

Job = Callable[[], float]
"""Runs once and returns what it did in a second."""


def main(
    table: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Listings whose photos lie beside it.")],
    listings: Annotated[int, typer.Option(min=32, help="Of the table, for everything that encodes.")] = 480,
    night: Annotated[int, typer.Option(min=1000, help="Rows of a night; the listings repeat.")] = 50_000,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    autogluon: Annotated[Path | None, typer.Option(help="A Python that has autogluon.multimodal.")] = None,
    clip_retrieval: Annotated[Path | None, typer.Option(help="A Python that has clip-retrieval.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Where to draw the first table.")] = None,
) -> None:
    """Measure scoring."""
    logging.disable(logging.WARNING)
    torch.set_num_threads(os.cpu_count() or 1)
    rows = [row for row in islice(read_listings(table), listings) if isinstance(row, Listing)]
    with tempfile.TemporaryDirectory() as name:
        work, root = Path(name), table.parent.resolve()
        checkpoint = vit_checkpoint([row.title for row in rows])
        bundle = write_bundle(checkpoint, work / "bundle", rows, root)
        typer.echo(f"{len(rows)} listings of {table.name}, {rounds} rounds, {os.cpu_count()} cores\n")
        jobs = _jobs(checkpoint, bundle, rows, root, work)
        jobs |= other_jobs({AUTOGLUON: autogluon, CLIP_RETRIEVAL: clip_retrieval}, checkpoint, rows, root, work)
        speeds: dict[str, list[float]] = {name: [] for name in jobs}
        for _ in range(rounds):
            for name, job in jobs.items():
                speeds[name].append(job())
        _print_speeds(speeds)
        if figure:
            _draw(speeds).savefig(figure, dpi=150)
        _print_night(bundle, rows, root, work, night, speeds)


def _jobs(
    checkpoint: Checkpoint, bundle: ModelBundle, rows: Sequence[Listing], root: Path, work: Path
) -> dict[str, Job]:
    reader = bundle.reader(root)
    contents = [reader.read(row) for row in rows]
    pixels = np.stack([one for content in contents for one in content.pixels])
    tokens = tokenize(checkpoint.tokenizer, [content.title for content in contents])
    dump = work / "dump.parquet"
    write_listings(dump, rows)

    def encode(precision: Precision) -> Job:
        towers = open_towers(bundle, precision).towers

        def run() -> None:
            towers.encode_photos(pixels)
            towers.encode_titles(tokens.input_ids, tokens.attention_mask)

        return partial(_speed, run, len(rows))

    def score(precision: Precision) -> Job:
        def run() -> float:
            with tempfile.TemporaryDirectory(dir=work) as out:
                manifest = score_dump(bundle, Dump(dump, image_root=root), Path(out), precision=precision)
            return len(rows) / manifest.stage_seconds["total"]

        return run

    def decode() -> None:
        with Workers(os.cpu_count() or 1) as workers:
            for _ in workers.map_ahead(reader.read, rows, ahead=256):
                pass

    jobs: dict[str, Job] = {_LOOP: partial(_speed, partial(_torch_loop, checkpoint, rows, root), len(rows))}
    jobs |= {f"score --precision {precision}": score(precision) for precision in Precision}
    jobs |= {f"encode only, {precision}": encode(precision) for precision in Precision}
    return jobs | {"read and decode only": partial(_speed, decode, len(rows))} | _matrix_products()


class _Photos(Dataset[Any]):
    """What a competent user would write: Pillow, one listing an item."""

    def __init__(self, reader: ContentReader, rows: Sequence[Listing]) -> None:
        self.reader, self.rows = reader, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: int) -> tuple[list[torch.Tensor], str]:
        size = self.reader.preprocessing.image_size
        photos = []
        for photo in self.rows[row].photos[:MAX_PHOTOS]:
            with Image.open(self.reader.image_root / str(photo.path)) as image:
                square = image.convert("RGB").resize((size, size), Image.Resampling.BICUBIC)
            photos.append(torch.from_numpy(np.asarray(square).copy()).permute(2, 0, 1) / 127.5 - 1)
        return photos, self.rows[row].title


def _torch_loop(checkpoint: Checkpoint, rows: Sequence[Listing], root: Path) -> None:
    classifier, tokenizer = checkpoint
    reader = ContentReader(root, classifier.spec.image_encoder.preprocessing, MAX_PHOTOS)

    def collate(items: list[tuple[list[torch.Tensor], str]]) -> ListingBatch:
        counts = torch.tensor([len(photos) for photos, _ in items])
        mask = torch.arange(int(counts.max())) < counts[:, None]
        index = torch.zeros(mask.shape, dtype=torch.int64)
        index[mask] = torch.arange(int(counts.sum()))
        ids, attention, _ = map(torch.from_numpy, tokenize(tokenizer, [title for _, title in items]))
        pixels = torch.stack([photo for photos, _ in items for photo in photos])
        return ListingBatch(pixels, index, mask, ids, attention, torch.ones(len(items), dtype=torch.bool))

    loader: DataLoader[Any] = DataLoader(
        _Photos(reader, rows), batch_size=_BATCH, num_workers=os.cpu_count() or 1, collate_fn=collate
    )
    for batch in loader:
        classifier.judge(batch)


def _matrix_products() -> dict[str, Job]:
    """Products of square matrices on OpenVINO, which is the most that towers could reach: billions of operations."""
    numbers = np.random.default_rng(0).normal(size=(_MATRIX, _MATRIX)).astype(np.float32)
    core = openvino.Core()
    jobs: dict[str, Job] = {}
    for precision, hint in ((Precision.FP32, "f32"), (Precision.BF16, "bf16")):
        value = ops.parameter([_MATRIX, _MATRIX], np.float32)
        product = value
        for _ in range(_PRODUCTS):
            product = ops.matmul(product, ops.constant(numbers / _MATRIX), transpose_a=False, transpose_b=False)
        compiled = core.compile_model(openvino.Model([product], [value]), "CPU", {"INFERENCE_PRECISION_HINT": hint})
        operations = 2e-9 * _PRODUCTS * _MATRIX**3
        jobs[f"matrix products, {precision} (GFLOP/s)"] = partial(_speed, partial(compiled, [numbers]), operations)
    return jobs


def _speed(run: Callable[[], Any], amount: float) -> float:
    started = time.monotonic()
    run()
    return amount / (time.monotonic() - started)


def _print_speeds(speeds: dict[str, list[float]]) -> None:
    row = "{:36}{:>12}{:>26}{:>24}"
    typer.echo(row.format("", "a second", "times the torch loop", "share of encode only"))
    for name, found in speeds.items():
        ratios = [one / loop for one, loop in zip(found, speeds[_LOOP], strict=True)]
        times = "" if "GFLOP" in name else _median_and_range(ratios)
        limit = speeds.get(name.replace("score --precision", "encode only,"), [])
        shares = [one / most for one, most in zip(found, limit, strict=False)] if name.startswith("score") else []
        share = f"{statistics.median(shares):.0%} [{min(shares):.0%}, {max(shares):.0%}]" if shares else ""
        typer.echo(row.format(name, f"{statistics.median(found):,.1f}", times, share))
    typer.echo()
    for tool in TOOLS:
        if tool not in speeds:
            typer.echo(f"{tool} was not measured: no option names a Python that has it")
            continue
        for name in [name for name in speeds if name.startswith("score")]:
            ratios = [one / other for one, other in zip(speeds[name], speeds[tool], strict=True)]
            typer.echo(f"{name} is {_median_and_range(ratios)} times as fast as {tool}")
    typer.echo()


def _median_and_range(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"


def _print_night(
    bundle: ModelBundle, rows: Sequence[Listing], root: Path, work: Path, count: int, speeds: dict[str, list[float]]
) -> None:
    """What a night costs whose photos are known: all of them, or all but one in 50; and another head over it."""
    store, images = work / "store", work / "images"
    images.symlink_to(root / "images", target_is_directory=True)
    again = [replace(row, listing_id=f"{number}") for number, row in enumerate(islice(cycle(rows), count))]
    known, changed = work / "known.parquet", work / "changed.parquet"
    write_listings(known, again)
    write_listings(changed, _change_some(again, root, work))
    precision = Precision.INT8
    score_dump(bundle, Dump(work / "dump.parquet", image_root=root), work / "first", precision=precision, store=store)
    all_new = statistics.median(speeds[f"score --precision {precision}"])
    typer.echo(f"a night of {count:,} rows in {precision}; all new: {all_new:,.0f} listings a second")
    for name, table in (("nothing has changed", known), ("one in 50 has changed", changed)):
        out = work / table.stem
        manifest = score_dump(bundle, Dump(table, image_root=work), out, precision=precision, store=store)
        speed = count / manifest.stage_seconds["total"]
        typer.echo(f"  {name}: {speed:,.0f} a second, {speed / all_new:.1f} times as cheap; {manifest.stage_seconds}")
    manifest = rescore(bundle, work / "known", work / "rescored", store=store)
    speed = count / manifest.stage_seconds["total"]
    typer.echo(f"  another head over recorded hashes: {speed:,.0f} a second; {manifest.stage_seconds}")


def _change_some(rows: Sequence[Listing], root: Path, work: Path) -> list[Listing]:
    """Every 50th listing with a photo and a title that nobody has seen."""
    folder = work / "new"
    folder.mkdir()
    changed = list(rows)
    for number in range(0, len(rows), _CHANGED_ONE_IN):
        with Image.open(root / str(rows[number].photos[0].path)) as image:
            photo = image.convert("RGB")
        photo.putpixel((number % photo.width, 0), (number % 256, number // 256 % 256, 7))
        photo.save(folder / f"{number}.jpg", quality=95)
        changed[number] = replace(
            rows[number], title=f"{rows[number].title} {number}", photos=(Photo(f"new/{number}.jpg"),)
        )
    return changed


def _draw(speeds: dict[str, list[float]]) -> Figure:
    names = [name for name in speeds if name.startswith((_LOOP, "score", "encode"))]
    figure = Figure(figsize=(8, 0.45 * len(names) + 1), layout="constrained")
    axes = figure.subplots()
    medians = [statistics.median(speeds[name]) for name in names]
    colors = ["#2166ac" if name.startswith("score") else "#b0b0b0" for name in names]
    bars = axes.barh(names, medians, color=colors)
    axes.bar_label(bars, fmt="%.0f", padding=3)
    axes.invert_yaxis()
    axes.set_xlabel("listings a second, median of the rounds")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    typer.run(main)
