"""The model bundle: a folder with all that scoring needs, and a manifest that names and hashes each file.

Imports no torch; knows nothing of training beyond the summary it carries.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from counterfeit_risk.embeddings.content import ContentReader
from counterfeit_risk.embeddings.fingerprint import file_hash
from counterfeit_risk.embeddings.preprocessing import ImagePreprocessing
from counterfeit_risk.embeddings.price_model import PriceModel
from counterfeit_risk.errors import BundleError

FORMAT_VERSION: Final = 1
IMAGE_ENCODER = "image_encoder.onnx"
TEXT_ENCODER = "text_encoder.onnx"
RISK_HEAD = "risk_head.onnx"
TOKENIZER = "tokenizer.json"
PRICE_MODEL = "price_model.json"
MODEL_FILES = (IMAGE_ENCODER, TEXT_ENCODER, RISK_HEAD, TOKENIZER, PRICE_MODEL)
"""All that a risk depends on."""
INT8_TOWERS = ("image_encoder.int8.xml", "text_encoder.int8.xml")
"""OpenVINO graphs; the weights of each lie beside it, as `.bin`. Optional."""
MODEL_CARD = "MODEL_CARD.md"
MANIFEST = "manifest.json"


class PrecisionCheck(BaseModel):
    """How far towers of a lower precision are from those in fp32, over labelled listings of the test split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accepted: bool
    rows: int
    counterfeits: int
    average_precision_lost: float
    """That of fp32 less that of this one."""
    flips: int
    """Listings whose band differs."""
    largest_difference: float
    """Of two risks."""
    average_precision_may_lose: float
    flips_allowed: float
    """Share of the listings."""

    def describe(self) -> str:
        """One line."""
        return (
            f"on {self.rows:,} listings it loses {self.average_precision_lost:.4f} average precision "
            f"({self.average_precision_may_lose} allowed) and flips {self.flips} bands "
            f"({self.flips_allowed:.1%} allowed); largest difference of two risks {self.largest_difference:.4f}"
        )


class Manifest(BaseModel):
    """What a bundle is: its files and their hashes, what its towers expect, and what its risks promise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1] = FORMAT_VERSION
    model_id: str
    """Equal for two bundles exactly when they give every listing the same risk and band, at each precision."""
    run_id: str
    created_at: datetime
    files: dict[str, str]
    """sha256 by file name."""
    precisions: dict[str, PrecisionCheck]
    """By name; fp32 needs none, and one that could not be checked is not there."""
    image_preprocessing: ImagePreprocessing
    max_photos: int
    max_title_tokens: int
    calibrations: dict[str, Any]
    bands: dict[str, Any]
    training_data: dict[str, Any]
    metrics: dict[str, float]
    libraries: dict[str, str]


@dataclass(frozen=True)
class ModelBundle:
    """A bundle on disk whose files are what its manifest says."""

    folder: Path
    manifest: Manifest

    def path(self, name: str) -> Path:
        """Where a file of the bundle lies."""
        return self.folder / name

    def reader(self, image_root: Path) -> ContentReader:
        """Reads listings for this bundle, their photos from a folder."""
        spec = self.manifest
        return ContentReader(image_root, spec.image_preprocessing, spec.max_photos, price_model=self.price_model())

    def price_model(self) -> PriceModel:
        """What prices say to this model."""
        return PriceModel.from_dict(json.loads(self.path(PRICE_MODEL).read_text(encoding="utf-8")))


def open_bundle(folder: Path) -> ModelBundle:
    """Opens a bundle and checks each of its files.

    Raises:
        BundleError: if it is no bundle, of an unknown format, or a file is missing or changed.
    """
    manifest = _read_manifest(folder)
    missing = set(MODEL_FILES) - manifest.files.keys()
    if missing:
        raise BundleError(f"{folder} is not whole: its manifest names no {', '.join(sorted(missing))}")
    if manifest.model_id != model_id(manifest.files, manifest.image_preprocessing, manifest.max_photos, manifest.bands):
        raise BundleError(f"{folder / MANIFEST} was changed: it does not describe model {manifest.model_id}")
    for name, expected in manifest.files.items():
        path = folder / name
        if Path(name).name != name:
            raise BundleError(f"{folder} names a file outside itself: {name}")
        if not path.is_file():
            raise BundleError(f"{folder} is not whole: {name} is missing")
        found = file_hash(path)
        if found != expected:
            raise BundleError(f"{path} was changed: its sha256 is {found}, the manifest says {expected}")
    return ModelBundle(folder, manifest)


def weights_of(graph: str) -> str:
    """Where the weights of an OpenVINO graph lie."""
    return graph.removesuffix(".xml") + ".bin"


def hash_files(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """sha256 of files in a folder, by name."""
    return {name: file_hash(folder / name) for name in names}


def model_id(files: Mapping[str, str], preprocessing: ImagePreprocessing, max_photos: int, bands: Any) -> str:
    """Names a model by all that its risks and bands depend on; calibration is inside the files."""
    of_the_model = {*MODEL_FILES, *INT8_TOWERS, *map(weights_of, INT8_TOWERS)}
    model_files = {name: sha256 for name, sha256 in files.items() if name in of_the_model}
    parts = [model_files, preprocessing.model_dump(mode="json"), max_photos, bands]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError(f"{folder} is no bundle: it holds no {MANIFEST}") from None
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be read: {error}") from None
    version = values.get("format_version") if isinstance(values, dict) else None
    if version != FORMAT_VERSION:
        raise BundleError(f"{folder} has format version {version}; this program reads {FORMAT_VERSION}")
    try:
        return Manifest.model_validate(values)
    except ValidationError as error:
        raise BundleError(f"{path} is not a manifest: {error}") from None
