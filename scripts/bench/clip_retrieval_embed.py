"""Times clip-retrieval's inference on a CLIP checkpoint, for `scoring.py --clip-retrieval`.

`PYTHON scripts/bench/clip_retrieval_embed.py CHECKPOINT TABLE`, where PYTHON has `clip-retrieval` and `setuptools<81`,
whose pkg_resources OpenAI's CLIP imports; this package need not be there, and is not imported. CHECKPOINT is a folder
as transformers writes it; TABLE is a CSV file with columns image (an absolute path) and title. It knows no head:
clip-retrieval writes embeddings, not risks. Titles go through OpenAI's tokenizer, which pads all of them to 77 tokens.
"""

import csv
import io
import json
import os
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from all_clip import load_clip
from clip_retrieval.clip_inference.mapper import ClipMapper
from clip_retrieval.clip_inference.reader import WebdatasetReader
from clip_retrieval.clip_inference.runner import Runner
from clip_retrieval.clip_inference.writer import NumpyWriter

_BATCH = 32
_WORKERS = os.cpu_count() or 1


class _Counter:
    """The Runner's logger; its own starts a process, which has to import torch within the time that is measured."""

    def __init__(self) -> None:
        self.rows = 0

    def start(self) -> None:
        pass

    def __call__(self, stats: dict[str, float]) -> None:
        self.rows += int(stats["sample_count"])

    def end(self) -> None:
        pass


def write_shards(rows: list[dict[str, str]], folder: Path) -> list[str]:
    """Writes photos and titles as one tar file a worker: its reader of folders finds no photo beside a title."""
    paths = [folder / f"{number}.tar" for number in range(_WORKERS)]
    for number, path in enumerate(paths):
        with tarfile.open(path, "w") as shard:
            for key, row in enumerate(rows[number::_WORKERS]):
                shard.add(row["image"], f"{key}.jpg")
                title = row["title"].encode()
                member = tarfile.TarInfo(f"{key}.txt")
                member.size = len(title)
                shard.addfile(member, io.BytesIO(title))
    return [str(path) for path in paths]


def as_clip_of_its_own(checkpoint: Path, folder: Path) -> Path:
    """The checkpoint beside a vocabulary that its transformers can read: the loader wants one, and nothing uses it."""
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "preprocessor_config.json"):
        (folder / name).symlink_to(checkpoint / name)
    (folder / "vocab.json").write_text(json.dumps({"<|startoftext|>": 0, "<|endoftext|>": 1}), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    return folder


def build_runner(checkpoint: Path, shards: list[str], folder: Path, counter: _Counter) -> Runner:
    """Reader, mapper and writer as clip-retrieval's worker puts them together; the model is loaded and warm."""
    model = {
        "clip_model": f"hf_clip:{checkpoint}",
        "use_jit": False,
        "warmup_batch_size": _BATCH,
        "clip_cache_path": None,
    }
    _, preprocess, tokenizer = load_clip(**model)
    what = {"enable_image": True, "enable_text": True, "enable_metadata": False}
    return Runner(
        reader_builder=lambda part: WebdatasetReader(part, preprocess, tokenizer, shards, _BATCH, _WORKERS, **what),
        mapper_builder=lambda: ClipMapper(use_mclip=False, mclip_model="", **what, **model),
        writer_builder=lambda part: NumpyWriter(part, str(folder), **what, output_partition_count=1),
        logger_builder=lambda _: counter,
        output_partition_count=1,
    )


def main() -> None:
    """Prints {"seconds": ..., "rows": ...} as the last line."""
    with Path(sys.argv[2]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        counter = _Counter()
        checkpoint = as_clip_of_its_own(Path(sys.argv[1]).resolve(), folder / "checkpoint")
        runner = build_runner(checkpoint, write_shards(rows, folder), folder / "embeddings", counter)
        started = time.monotonic()
        runner(0)
        seconds = time.monotonic() - started
    sys.stdout.write("\n" + json.dumps({"seconds": seconds, "rows": counter.rows}) + "\n")


if __name__ == "__main__":
    main()
