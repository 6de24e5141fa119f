import csv
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def write_dump(tmp_path: Path, tiny_market: Path) -> Callable[[list[dict[str, str]]], Path]:
    """Writes a CSV dump from the first 20 rows of the tiny market's night and some rows more."""

    def write(more: list[dict[str, str]], name: str = "dump.csv") -> Path:
        (tmp_path / "images").mkdir(exist_ok=True)
        with (tiny_market / "nightly.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))[:20]
        for row in rows:
            for path in row["image_paths"].split("|"):
                (tmp_path / path).write_bytes((tiny_market / path).read_bytes())
        table = tmp_path / name
        with table.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]), restval="")
            writer.writeheader()
            writer.writerows(rows + more)
        return table

    return write


@pytest.fixture
def png_bomb() -> bytes:
    """A PNG of a few kilobytes whose header promises 40,000×40,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
