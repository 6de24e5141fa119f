"""Runs a bundle's three graphs on onnxruntime. Imports no torch.

Knows arrays, not listings. Letters: N photos, B listings, K photos a listing, L tokens, D embedding.
"""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from counterfeit_risk.errors import BundleError
from counterfeit_risk.export.bundle import IMAGE_ENCODER, RISK_HEAD, TEXT_ENCODER

Floats = NDArray[np.float32]


class Risks(NamedTuple):
    """What the head says of B listings, (B,) each."""

    risk: Floats
    """Calibrated probability of being counterfeit."""
    photo_risk: Floats
    """The same from the photos alone; without meaning where there is none."""
    title_risk: Floats
    """The same from the title alone; without meaning where there is none."""
    logit: Floats
    """The fused head's logit, before calibration."""


class OnnxClassifier:
    """The towers and the head of a bundle."""

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        """Loads the graphs.

        Args:
            folder: holds the three graphs.
            threads: threads that one graph may use; every core where it is not given.

        Raises:
            BundleError: if onnxruntime cannot load a graph.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or os.cpu_count() or 1
        options.log_severity_level = 3
        # threads that wait by spinning starve those that decode photos, and every other process on the machine
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._image_encoder = _session(folder / IMAGE_ENCODER, options)
        self._text_encoder = _session(folder / TEXT_ENCODER, options)
        self._risk_head = _session(folder / RISK_HEAD, options)
        self.image_dim: int = self._image_encoder.get_outputs()[0].shape[1]
        self.text_dim: int = self._text_encoder.get_outputs()[0].shape[1]

    def encode_image(self, pixel_values: Floats) -> Floats:
        """Encodes (N, 3, H, W) normalised pixel values as (N, D) embeddings; N may be 0."""
        if not len(pixel_values):
            return np.zeros((0, self.image_dim), np.float32)
        embeddings: Floats = self._image_encoder.run(None, {"pixel_values": pixel_values})[0]
        return embeddings

    def encode_text(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Floats:
        """Encodes (B, L) token ids as (B, D) embeddings."""
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        embeddings: Floats = self._text_encoder.run(None, inputs)[0]
        return embeddings

    def judge(
        self,
        photo_embeddings: Floats,
        photo_mask: NDArray[np.bool_],
        title_embedding: Floats,
        title_mask: NDArray[np.bool_],
        price_evidence: Floats,
    ) -> Risks:
        """Judges B listings.

        Args:
            photo_embeddings: (B, K, D), K of 1 or more.
            photo_mask: (B, K), True where there is a photo.
            title_embedding: (B, D).
            title_mask: (B,), True where there is a title.
            price_evidence: (B,) log odds, 0 where a price says nothing.
        """
        inputs = {
            "photo_embeddings": photo_embeddings,
            "photo_mask": photo_mask,
            "title_embedding": title_embedding,
            "title_mask": title_mask,
            "price_evidence": price_evidence,
        }
        return Risks(*self._risk_head.run(list(Risks._fields), inputs))


def _session(path: Path, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime raises classes of its own that share no public base
        raise BundleError(f"onnxruntime cannot load {path}: {error}") from None
