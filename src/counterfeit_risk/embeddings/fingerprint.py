"""Names content by what it is, and a tower by all that makes its embeddings what they are.

Two embeddings are comparable only under the same tower fingerprint. Knows no store and no tower.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def photo_hash(data: bytes) -> str:
    """Hash of a photo: sha256 over the file's bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def title_hash(title: str) -> bytes:
    """Hash of a title as the towers read it: sha256."""
    return hashlib.sha256(title.encode()).digest()


def listing_hash(title: str, photo_hashes: Iterable[str]) -> str:
    """Hash of what a listing shows: the normalised title and the usable photos in their order."""
    return hashlib.sha256("\0".join([*photo_hashes, title]).encode()).hexdigest()


def file_hash(path: Path) -> str:
    """sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tower_fingerprint(*, weights_sha256: str, preprocessing: dict[str, Any], runtime: str, precision: str) -> str:
    """Fingerprint of a tower: its weights, what is done to its input, what runs it and how precisely."""
    parts = {"weights": weights_sha256, "preprocessing": preprocessing, "runtime": runtime, "precision": precision}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
