"""A model whose evidence is planted: what an explanation must find is known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from counterfeit_risk.embeddings.content import ListingContent
from counterfeit_risk.embeddings.embedder import HeadInput
from counterfeit_risk.embeddings.preprocessing import ImagePreprocessing
from counterfeit_risk.embeddings.price_model import PriceModel
from counterfeit_risk.evaluation.risk_bands import RiskBands
from counterfeit_risk.explanations.model import Judgements

SIZE = 32
BANDS = RiskBands(review_from=0.3, automatic_from=0.6, evidence={})


@dataclass(frozen=True)
class PlantedModel:
    """Its logit is linear in pixels and words: `bias`, evidence in each photo and word, and what only both show."""

    patch: NDArray[np.float64] = field(default_factory=lambda: np.zeros((SIZE, SIZE)))
    """Logits that a white pixel adds; a black one adds nothing."""
    words: dict[str, float] = field(default_factory=dict)
    """Logits that each occurrence of a word adds."""
    bias: float = -1.0
    together: float = 0.0
    max_photos: int = 4
    price_model: PriceModel = field(default_factory=PriceModel)
    bands: RiskBands = BANDS

    @property
    def preprocessing(self) -> ImagePreprocessing:
        half = (0.5, 0.5, 0.5)
        return ImagePreprocessing(
            image_size=len(self.patch), crop_share=1.0, interpolation="bilinear", mean=half, std=half
        )

    def encode_photos(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert pixels.dtype == np.uint8
        evidence = (pixels.mean(axis=-1) / 255 * self.patch).sum(axis=(1, 2))
        return evidence[:, None].astype(np.float32)

    def encode_titles(self, titles: Sequence[str]) -> NDArray[np.float32]:
        assert all(titles)
        return np.array([[sum(self.words.get(w, 0.0) for w in title.split())] for title in titles], np.float32)

    def judge(self, listings: HeadInput) -> Judgements:
        photos = np.where(listings.photo_mask, listings.photo_embeddings[..., 0], 0).sum(axis=1)
        titles = np.where(listings.title_mask, listings.title_embedding[:, 0], 0)
        both = listings.photo_mask.any(axis=1) & listings.title_mask
        logits = (self.bias + photos + titles + self.together * both + listings.price_evidence).astype(np.float64)
        return Judgements(logits, 1 / (1 + np.exp(-logits)))


@pytest.fixture(scope="session")
def planted_model() -> Callable[..., PlantedModel]:
    return PlantedModel


@pytest.fixture(scope="session")
def patch() -> NDArray[np.float64]:
    """Three logits, all from one eighth by one eighth of a photo."""
    weights = np.zeros((SIZE, SIZE))
    weights[8:12, 20:24] = 3 / 16
    return weights


@pytest.fixture(scope="session")
def content_of() -> Callable[..., ListingContent]:
    def make(title: str = "", *photos: NDArray[np.uint8]) -> ListingContent:
        return ListingContent(title, photos, tuple(f"hash {number}" for number in range(len(photos))), ())

    return make


@pytest.fixture(scope="session")
def marked(patch: NDArray[np.float64]) -> NDArray[np.uint8]:
    """A black photo, white where the patch is."""
    return np.repeat((patch > 0)[..., None] * np.uint8(255), 3, axis=-1)


@pytest.fixture(scope="session")
def noise() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(256, size=(SIZE, SIZE, 3), dtype=np.uint8)
