import csv
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from counterfeit_risk.listings.catalog import read_listings, write_listings


@pytest.fixture
def write_dump(tmp_path: Path, tiny_market: Path) -> Callable[[list[dict[str, str]]], Path]:
    """Writes a CSV dump from the first 20 rows of the tiny market's night and some rows more."""

    def write(more: list[dict[str, str]], name: str = "dump.csv") -> Path:
        whole = tmp_path / "whole.csv"
        write_listings(whole, read_listings(tiny_market / "nightly.parquet"))
        with whole.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))[:20]
        shutil.copytree(tiny_market / "images", tmp_path / "images", dirs_exist_ok=True)
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
