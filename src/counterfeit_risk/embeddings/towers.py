"""What encodes photos and titles, whatever runs it, and how its input is cut into batches.

Batches have fixed shapes, so an embedding depends on its content alone and not on what it was encoded beside. Knows no
runtime. Letters: N photos or titles, B batch, S pixels a side, L tokens, D embedding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Tokens = NDArray[np.int64]

AT_ONCE = 16
"""Photos or titles of a batch: the activations of more leave a processor's caches."""
_TOKEN_STEP = 8


class Precision(StrEnum):
    """How precisely a tower computes."""

    FP32 = "fp32"
    BF16 = "bf16"
    INT8 = "int8"


class Towers(Protocol):
    """Two towers that run."""

    @property
    def image_dim(self) -> int:
        """Width of a photo embedding."""

    @property
    def text_dim(self) -> int:
        """Width of a title embedding."""

    def encode_photos(self, pixels: Pixels) -> Floats:
        """Encodes (N, S, S, 3) photos as (N, D); N may be 0."""

    def encode_titles(self, input_ids: Tokens, attention_mask: Tokens) -> Floats:
        """Encodes (N, L) token ids as (N, D); N may be 0."""


@dataclass(frozen=True)
class TitleBatch:
    """Titles of about one length, filled up to the number of a batch."""

    rows: NDArray[np.int64]
    """(n,) which titles they are, n of at most B."""
    input_ids: Tokens
    """(B, L)."""
    attention_mask: Tokens
    """(B, L)."""


def encode_in_batches(pixels: Pixels, dim: int, encode: Callable[[Pixels], Floats], *, at_once: int) -> Floats:
    """Encodes (N, S, S, 3) photos some at a time; the last batch is filled up."""
    embeddings = np.empty((len(pixels), dim), np.float32)
    for start in range(0, len(pixels), at_once):
        batch = pixels[start : start + at_once]
        embeddings[start : start + at_once] = encode(filled(batch, at_once))[: len(batch)]
    return embeddings


def batch_titles(input_ids: Tokens, attention_mask: Tokens, *, max_tokens: int, at_once: int) -> list[TitleBatch]:
    """Batches (N, L) titles by their length, in steps: a short title must not pay for a long one.

    Args:
        input_ids: of titles that are cut to what the tower reads.
        attention_mask: 1 where a token stands.
        max_tokens: up to which a title may be padded.
        at_once: titles of a batch.
    """
    lengths = attention_mask.sum(axis=1)
    widths = np.maximum(lengths, np.minimum(-(-lengths // _TOKEN_STEP) * _TOKEN_STEP, max_tokens))
    batches = []
    for width in np.unique(widths):
        rows = np.flatnonzero(widths == width)
        ids, mask = (_cut(array[rows], int(width)) for array in (input_ids, attention_mask))
        for start in range(0, len(rows), at_once):
            part = slice(start, start + at_once)
            batches.append(TitleBatch(rows[part], filled(ids[part], at_once), filled(mask[part], at_once)))
    return batches


def filled(batch: NDArray[Any], size: int) -> NDArray[Any]:
    """Repeats the last row until there are `size`."""
    return np.concatenate([batch, np.repeat(batch[-1:], size - len(batch), axis=0)])


def _cut(array: Tokens, width: int) -> Tokens:
    """(N, L) to (N, width), cut or padded with 0."""
    return np.pad(array[:, :width], ((0, 0), (0, max(0, width - array.shape[1]))))
