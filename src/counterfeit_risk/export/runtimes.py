"""Runs a bundle's towers: on onnxruntime anywhere, on OpenVINO where it is installed, in bf16 or int8 as well.

What runs a tower, and how precisely, is part of its fingerprint. Imports no torch. Letters: N photos or titles, S
pixels a side, L tokens, D embedding.
"""

import os
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import onnxruntime

from counterfeit_risk.embeddings.fingerprint import tower_fingerprint
from counterfeit_risk.embeddings.towers import (
    Floats,
    Pixels,
    Precision,
    Tokens,
    Towers,
    batch_titles,
    encode_in_batches,
    filled,
)
from counterfeit_risk.errors import BundleError, UsageError
from counterfeit_risk.export.bundle import IMAGE_ENCODER, INT8_TOWERS, TEXT_ENCODER, TOKENIZER, ModelBundle, weights_of

if TYPE_CHECKING:
    import openvino


_AT_ONCE = 4
"""Photos or titles of a batch. With a batch of its own for every core, more gain next to nothing, and would stand half
empty on a night of which little is new."""
Runtime = Literal["onnxruntime", "openvino"]


class TowerFingerprints(NamedTuple):
    """What tells the embeddings of two towers from all others."""

    image: str
    text: str


@dataclass(frozen=True)
class RunningTowers:
    """A bundle's towers, ready to encode."""

    towers: Towers
    runtime: Runtime
    precision: Precision
    fingerprints: TowerFingerprints


class OnnxTowers:
    """Towers on onnxruntime, in fp32."""

    def __init__(self, folder: Path, *, max_tokens: int, threads: int | None = None) -> None:
        """Loads the graphs.

        Args:
            folder: holds them.
            max_tokens: tokens of the longest title.
            threads: threads that one graph may use; every core where it is not given.

        Raises:
            BundleError: if onnxruntime cannot load a graph.
        """
        self._image, self._text = (open_session(folder / name, threads) for name in (IMAGE_ENCODER, TEXT_ENCODER))
        self._max_tokens = max_tokens
        self.image_dim: int = self._image.get_outputs()[0].shape[1]
        self.text_dim: int = self._text.get_outputs()[0].shape[1]

    def encode_photos(self, pixels: Pixels) -> Floats:
        """As `Towers` says."""

        def encode(batch: Pixels) -> Floats:
            embeddings: Floats = self._image.run(None, {"pixels": batch})[0]
            return embeddings

        return encode_in_batches(pixels, self.image_dim, encode, at_once=_AT_ONCE)

    def encode_titles(self, input_ids: Tokens, attention_mask: Tokens) -> Floats:
        """As `Towers` says."""
        embeddings = np.empty((len(input_ids), self.text_dim), np.float32)
        for batch in batch_titles(input_ids, attention_mask, max_tokens=self._max_tokens, at_once=_AT_ONCE):
            inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
            embeddings[batch.rows] = self._text.run(None, inputs)[0][: len(batch.rows)]
        return embeddings


class OpenVinoTowers:
    """Towers on OpenVINO, several batches at a time."""

    def __init__(
        self, image: Path, text: Path, *, precision: Precision, max_tokens: int, threads: int | None = None
    ) -> None:
        """Loads and compiles the graphs.

        Args:
            image: graph of the image tower, as ONNX or as OpenVINO's own format.
            text: the same of the text tower.
            precision: what they compute in; int8 graphs are int8 by themselves, and fp32 between.
            max_tokens: tokens of the longest title.
            threads: processor cores to use; all where it is not given.

        Raises:
            BundleError: if OpenVINO cannot load a graph.
        """
        import openvino

        threads = threads or os.cpu_count() or 1
        core = openvino.Core()
        options = {
            # bf16 would be the default on a processor that has it; between int8 it gains nothing
            "INFERENCE_PRECISION_HINT": "bf16" if precision is Precision.BF16 else "f32",
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": threads,  # one core a batch: cores that share a batch wait for each other
            "ENABLE_CPU_PINNING": False,  # those that decode photos need a place as well
        }
        try:
            image_model, text_model = (core.read_model(path) for path in (image, text))
            self._size = image_model.inputs[0].partial_shape[1].get_length()
            image_model.reshape([_AT_ONCE, self._size, self._size, 3])
            compiled = [core.compile_model(model, "CPU", options) for model in (image_model, text_model)]
        except RuntimeError as error:
            raise BundleError(f"OpenVINO cannot load {image.parent}: {error}") from None
        self._image, self._text = (openvino.AsyncInferQueue(model, 2 * threads) for model in compiled)
        self._max_tokens = max_tokens
        self.image_dim, self.text_dim = (model.outputs[0].partial_shape[1].get_length() for model in compiled)

    def encode_photos(self, pixels: Pixels) -> Floats:
        """As `Towers` says."""
        embeddings = np.empty((len(pixels), self.image_dim), np.float32)

        def keep(request: "openvino.InferRequest", start: int) -> None:
            part = embeddings[start : start + _AT_ONCE]
            part[:] = request.get_output_tensor().data[: len(part)]

        self._image.set_callback(keep)
        for start in range(0, len(pixels), _AT_ONCE):
            self._image.start_async([filled(pixels[start : start + _AT_ONCE], _AT_ONCE)], start)
        self._image.wait_all()
        return embeddings

    def encode_titles(self, input_ids: Tokens, attention_mask: Tokens) -> Floats:
        """As `Towers` says."""
        embeddings = np.empty((len(input_ids), self.text_dim), np.float32)

        def keep(request: "openvino.InferRequest", rows: Any) -> None:
            embeddings[rows] = request.get_output_tensor().data[: len(rows)]

        self._text.set_callback(keep)
        for batch in batch_titles(input_ids, attention_mask, max_tokens=self._max_tokens, at_once=_AT_ONCE):
            inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
            self._text.start_async(inputs, batch.rows)
        self._text.wait_all()
        return embeddings


def open_towers(
    bundle: ModelBundle, precision: Precision | None = None, *, threads: int | None = None
) -> RunningTowers:
    """Opens the fastest towers of a bundle that this machine can run.

    Args:
        bundle: holds them.
        precision: what to compute in; where it is not given, the fastest that export found to be good enough.
        threads: processor cores to use; all where it is not given.

    Raises:
        BundleError: if a graph cannot be loaded.
        UsageError: if the precision cannot be had here, or was found not to be good enough.
    """
    max_tokens = bundle.manifest.max_title_tokens
    if not has_openvino():
        if precision not in {None, Precision.FP32}:
            raise UsageError(
                f"{precision} needs OpenVINO, which is not installed: pip install counterfeit-risk[openvino]"
            )
        towers: Towers = OnnxTowers(bundle.folder, max_tokens=max_tokens, threads=threads)
        return _running(bundle, towers, "onnxruntime", Precision.FP32)
    if precision is None:
        precision = next(one for one in (Precision.INT8, Precision.BF16, Precision.FP32) if not _refusal(bundle, one))
    elif refusal := _refusal(bundle, precision):
        raise UsageError(f"{bundle.folder} cannot score in {precision}: {refusal}")
    image, text = (bundle.path(name) for name in _graphs(precision))
    towers = OpenVinoTowers(image, text, precision=precision, max_tokens=max_tokens, threads=threads)
    return _running(bundle, towers, "openvino", precision)


def has_openvino() -> bool:
    """True where OpenVINO is installed."""
    return find_spec("openvino") is not None


@cache
def has_bf16() -> bool:
    """True where OpenVINO finds instructions for bf16 in the processor."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def open_session(path: Path, threads: int | None = None) -> onnxruntime.InferenceSession:
    """Opens a graph with onnxruntime.

    Raises:
        BundleError: if it cannot be loaded.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or os.cpu_count() or 1
    options.log_severity_level = 3
    # threads that wait by spinning starve those that decode photos, and every other process on the machine
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime raises classes of its own that share no public base
        raise BundleError(f"onnxruntime cannot load {path}: {error}") from None


def _refusal(bundle: ModelBundle, precision: Precision) -> str | None:
    """Why these towers must not compute in a precision; None where they may."""
    if precision is Precision.FP32:
        return None
    if precision is Precision.BF16 and not has_bf16():
        return "this processor has no instructions for bf16"
    checked = bundle.manifest.precisions.get(precision)
    if checked is None:
        return "export could not compare it with fp32 on labelled rows"
    return None if checked.accepted else f"export refused it: {checked.describe()}"


def all_fingerprints(bundle: ModelBundle) -> set[str]:
    """Those of a bundle's towers, whatever may run them."""
    ways: list[tuple[Runtime, Precision]] = [("onnxruntime", Precision.FP32)]
    ways += [("openvino", one) for one in Precision if _graphs(one)[0] in bundle.manifest.files]
    return {found for runtime, precision in ways for found in fingerprints(bundle, runtime, precision)}


def fingerprints(bundle: ModelBundle, runtime: Runtime, precision: Precision) -> TowerFingerprints:
    """Those of a bundle's towers, run in one way."""
    files = bundle.manifest.files
    inputs = bundle.manifest.image_preprocessing.model_dump(mode="json"), {"tokenizer": files[TOKENIZER]}
    image, text = (
        tower_fingerprint(
            weights_sha256=files.get(weights_of(name), "") + files.get(name, ""),
            preprocessing=preprocessing,
            runtime=runtime,
            precision=precision,
        )
        for name, preprocessing in zip(_graphs(precision), inputs, strict=True)
    )
    return TowerFingerprints(image, text)


def _graphs(precision: Precision) -> tuple[str, str]:
    """File names of the image and the text tower."""
    return INT8_TOWERS if precision is Precision.INT8 else (IMAGE_ENCODER, TEXT_ENCODER)


def _running(bundle: ModelBundle, towers: Towers, runtime: Runtime, precision: Precision) -> RunningTowers:
    return RunningTowers(towers, runtime, precision, fingerprints(bundle, runtime, precision))
