"""Classifiers on disk: `model.json`, `model.safetensors`, `tokenizer.json`. Strict, and never pickle.

Knows nothing of training; a checkpoint needs neither the hub nor the folder that its towers came from.
"""

from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError
from safetensors.torch import save_model
from tokenizers import Tokenizer

from counterfeit_risk.errors import CheckpointError
from counterfeit_risk.model.classifier import CounterfeitClassifier
from counterfeit_risk.model.pretrained import load_weights
from counterfeit_risk.model.specification import ClassifierSpec


class Checkpoint(NamedTuple):
    """A classifier and the tokenizer that belongs to it."""

    classifier: CounterfeitClassifier
    tokenizer: Tokenizer


def save_checkpoint(folder: Path, classifier: CounterfeitClassifier, tokenizer: Tokenizer) -> None:
    """Writes a classifier into a folder, which is created."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(classifier.spec.model_dump_json(indent=2), encoding="utf-8")
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    save_model(classifier, str(folder / "model.safetensors"))


def load_checkpoint(folder: Path) -> Checkpoint:
    """Reads a classifier in evaluation mode.

    Raises:
        CheckpointError: if a file is missing or damaged, or a weight does not fit.
    """
    for name in ("model.json", "model.safetensors", "tokenizer.json"):
        if not (folder / name).is_file():
            raise CheckpointError(f"{folder} is not a checkpoint: it holds no {name}")
    classifier = _build_classifier(folder / "model.json")
    load_weights(classifier, folder / "model.safetensors")
    return Checkpoint(classifier.eval(), _read_tokenizer(folder / "tokenizer.json"))


def _build_classifier(path: Path) -> CounterfeitClassifier:
    try:
        return CounterfeitClassifier.from_spec(ClassifierSpec.model_validate_json(path.read_bytes()))
    except ValidationError as error:
        raise CheckpointError(f"{path} does not describe a classifier: {error}") from None
    except (KeyError, TypeError, ValueError) as error:
        # another version of transformers may not know a tower's architecture
        raise CheckpointError(f"the classifier in {path} cannot be built: {error}") from None


def _read_tokenizer(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:
        # tokenizers raises no class of its own
        raise CheckpointError(f"cannot read the tokenizer in {path}: {error}") from None
