"""Reads pretrained towers from local folders or by hub id, strictly: no weight may be missing.

The network is touched only for a hub id, and only when the tower is not in the local cache.
"""

from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoConfig, PreTrainedModel

from counterfeit_risk.errors import CheckpointError

_SIGLIP_TYPES = {"siglip", "siglip_vision_model", "siglip_text_model"}


def read_transformer(model_class: Any, source: str, *, unused: tuple[str, ...] = ()) -> PreTrainedModel:
    """Reads a transformers model with all of its weights.

    Args:
        model_class: a class with `from_pretrained`.
        source: local folder or hub id.
        unused: prefixes of weights that may be missing, since nothing uses them.

    Raises:
        CheckpointError: if the model cannot be had, or a weight is missing or of another shape.
    """
    try:
        # transformers only logs that it drew missing weights at random, so its report is read here
        model, report = model_class.from_pretrained(source, output_loading_info=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"cannot read the tower {source}: {_first_line(error)}") from None
    missing = sorted(key for key in report["missing_keys"] if not key.startswith(unused))
    wrong = sorted(str(key[0] if isinstance(key, tuple) else key) for key in report["mismatched_keys"])
    if missing or wrong:
        raise CheckpointError(f"the tower {source} does not fit: {describe_keys(missing=missing, wrong_shape=wrong)}")
    return model


def require_siglip(source: str) -> None:
    """Refuses a checkpoint that is no SigLIP or SigLIP 2 of fixed resolution.

    Raises:
        CheckpointError: if its configuration cannot be read, or is of another model.
    """
    try:
        model_type = AutoConfig.from_pretrained(source).model_type
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot read the tower {source}: {_first_line(error)}") from None
    if model_type not in _SIGLIP_TYPES:
        what = "a NaFlex variant of SigLIP 2" if model_type == "siglip2" else f"no SigLIP ({model_type})"
        raise CheckpointError(
            f"{source} is {what}; name a checkpoint of fixed resolution, such as google/siglip2-base-patch16-224"
        )


def timm_folder(source: str) -> Path:
    """Local folder of a timm model (`config.json` and `model.safetensors`), fetched when `source` is a hub id.

    Raises:
        CheckpointError: if it cannot be had.
    """
    folder = Path(source)
    if not folder.is_dir():
        try:
            folder = Path(snapshot_download(source, allow_patterns=["config.json", "model.safetensors"]))
        except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
            raise CheckpointError(f"cannot fetch the tower {source}: {_first_line(error)}") from None
    for name in ("config.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise CheckpointError(f"the tower {source} holds no {name}")
    return folder


def load_weights(model: nn.Module, path: Path, *, leave_out: tuple[str, ...] = ()) -> None:
    """Loads a safetensors file into a model; every weight must find its place.

    Args:
        model: receives the weights.
        path: the file.
        leave_out: prefixes of weights in the file that the model has no use for.

    Raises:
        CheckpointError: if the file is damaged, or a weight is missing, left over or of another shape.
    """
    state = {key: value for key, value in read_weights(path).items() if not key.startswith(leave_out)}
    wanted = model.state_dict()
    missing = sorted(wanted.keys() - state.keys())
    unexpected = sorted(state.keys() - wanted.keys())
    wrong = sorted(key for key in wanted.keys() & state.keys() if wanted[key].shape != state[key].shape)
    if missing or unexpected or wrong:
        keys = describe_keys(missing=missing, unexpected=unexpected, wrong_shape=wrong)
        raise CheckpointError(f"the weights in {path} do not fit: {keys}")
    model.load_state_dict(state)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Reads a safetensors file.

    Raises:
        CheckpointError: if it is damaged or not there.
    """
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"cannot read the weights in {path}: {_first_line(error)}") from None


def describe_keys(**groups: list[str]) -> str:
    """Says which weights are wrong, the first three of each group."""
    return "; ".join(
        f"{len(keys)} {group.replace('_', ' ')} ({', '.join(keys[:3])}{', …' if len(keys) > 3 else ''})"
        for group, keys in groups.items()
        if keys
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
