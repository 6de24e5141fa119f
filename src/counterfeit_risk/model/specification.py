"""What a classifier is made of, in values that JSON can hold: enough to build it again without its source.

Knows no weights.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from counterfeit_risk.embeddings.preprocessing import ImagePreprocessing


class _Specification(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ImageEncoderSpec(_Specification):
    """An image tower: `timm` (a model name and its options), `clip` or `siglip` (their vision configuration)."""

    kind: Literal["timm", "clip", "siglip"]
    architecture: dict[str, Any]
    preprocessing: ImagePreprocessing
    pretrained: bool


class TextEncoderSpec(_Specification):
    """A text tower: `transformer` (any encoder, mean-pooled), `clip`, `siglip` (their configuration) or `phrases`."""

    kind: Literal["transformer", "clip", "siglip", "phrases"]
    architecture: dict[str, Any]
    max_tokens: int
    pretrained: bool


class ClassifierSpec(_Specification):
    """Two towers and the head that fuses them."""

    image_encoder: ImageEncoderSpec
    text_encoder: TextEncoderSpec
    fusion_dim: int
    dropout: float
    shared_space: bool
    """True where both towers come from one checkpoint that was trained to bring photos and titles together."""
    max_photos: int
