"""Turns a decoded photo into pixel values and titles into token ids: one code path for training and scoring.

Knows no tower; what a tower expects stands in an `ImagePreprocessing` and in its `tokenizer.json`.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field
from tokenizers import Tokenizer

_RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


class ImagePreprocessing(BaseModel):
    """What an image tower expects of a photo."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image_size: int = Field(ge=1)
    """Pixels a side of what the tower sees."""
    crop_share: float = Field(gt=0, le=1)
    """Side of the centre that is kept, as a share of the photo's shorter side, or of each where it is squashed."""
    fit: Literal["crop", "squash"] = "crop"
    """`crop` keeps a square of the photo; `squash` keeps its shape and scales that to a square."""
    interpolation: Literal["bilinear", "bicubic"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @property
    def smallest_side(self) -> int:
        """Pixels that a photo's shorter side needs so that nothing is enlarged."""
        return round(self.image_size / self.crop_share)


class TokenizedTitles(NamedTuple):
    """Titles as token ids, padded to the longest of them or, where the tokenizer says so, to a fixed length."""

    input_ids: NDArray[np.int64]
    """(B, L)."""
    attention_mask: NDArray[np.int64]
    """(B, L); 1 where a token stands, 0 where it is padding."""
    cut: NDArray[np.bool_]
    """(B,); True where a title was longer than the token limit."""


def to_pixels(photo: NDArray[np.uint8], preprocessing: ImagePreprocessing) -> NDArray[np.uint8]:
    """Crops and scales a photo of shape (H, W, 3) to (S, S, 3), where S is `image_size`."""
    height, width, _ = photo.shape
    shape = (width, height) if preprocessing.fit == "squash" else (min(width, height),) * 2
    across, down = (side * preprocessing.crop_share for side in shape)
    box = ((width - across) / 2, (height - down) / 2, (width + across) / 2, (height + down) / 2)
    size = (preprocessing.image_size, preprocessing.image_size)
    resampling = _RESAMPLING[preprocessing.interpolation]
    return np.asarray(Image.fromarray(photo).resize(size, resampling, box=box))


def to_pixel_values(pixels: NDArray[np.uint8], preprocessing: ImagePreprocessing) -> NDArray[np.float32]:
    """Normalises the colours of (..., S, S, 3) pixels and moves channels forward: (..., 3, S, S)."""
    mean = np.asarray(preprocessing.mean, np.float32) * 255
    scale = 1 / (np.asarray(preprocessing.std, np.float32) * 255)
    return np.ascontiguousarray(np.moveaxis((pixels - mean) * scale, -1, -3), dtype=np.float32)


def configure_tokenizer(
    tokenizer: Tokenizer, *, max_tokens: int, pad_id: int, pad_token: str, fixed_length: bool = False
) -> str:
    """Writes the token limit and the padding into the tokenizer itself, and returns its JSON.

    Args:
        tokenizer: is changed.
        max_tokens: tokens kept of a title.
        pad_id: id of the padding token.
        pad_token: the padding token.
        fixed_length: pads every title to `max_tokens`, not to the longest beside it.
    """
    tokenizer.enable_truncation(max_length=max_tokens)
    tokenizer.enable_padding(pad_id=pad_id, pad_token=pad_token, length=max_tokens if fixed_length else None)
    return str(tokenizer.to_str())


def tokenize(tokenizer: Tokenizer, titles: Sequence[str]) -> TokenizedTitles:
    """Tokenises B normalised titles, B of 1 or more, with a tokenizer from `configure_tokenizer`."""
    encodings = tokenizer.encode_batch(list(titles))
    return TokenizedTitles(
        input_ids=np.array([encoding.ids for encoding in encodings], np.int64),
        attention_mask=np.array([encoding.attention_mask for encoding in encodings], np.int64),
        cut=np.array([bool(encoding.overflowing) for encoding in encodings]),
    )
