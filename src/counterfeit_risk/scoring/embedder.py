"""Turns the contents of listings into embeddings, each distinct photo once a batch.

Knows no risk. Letters: B listings, K photos a listing, D embedding.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from counterfeit_risk.embeddings.content import ListingContent
from counterfeit_risk.embeddings.preprocessing import to_pixel_values, tokenize
from counterfeit_risk.export.bundle import TOKENIZER, ModelBundle
from counterfeit_risk.export.onnx_classifier import OnnxClassifier
from counterfeit_risk.scoring.stopwatch import Stopwatch

_PHOTOS_AT_ONCE = 32


class EmbeddedListings(NamedTuple):
    """B listings as the head takes them."""

    photo_embeddings: NDArray[np.float32]
    """(B, K, D)."""
    photo_mask: NDArray[np.bool_]
    """(B, K)."""
    title_embedding: NDArray[np.float32]
    """(B, D)."""
    title_mask: NDArray[np.bool_]
    """(B,)."""
    price_evidence: NDArray[np.float32]
    """(B,)."""
    title_cut: NDArray[np.bool_]
    """(B,); True where the title was longer than the token limit."""


class Embedder:
    """Runs a bundle's towers over listings."""

    def __init__(self, bundle: ModelBundle, classifier: OnnxClassifier, stopwatch: Stopwatch) -> None:
        self._preprocessing = bundle.manifest.image_preprocessing
        self._tokenizer = Tokenizer.from_file(str(bundle.path(TOKENIZER)))
        self._classifier, self._stopwatch = classifier, stopwatch

    def embed(self, contents: Sequence[ListingContent]) -> EmbeddedListings:
        """Embeds B listings, B of 1 or more."""
        with self._stopwatch.stage("encode photos"):
            photos, photo_mask = self._embed_photos(contents)
        with self._stopwatch.stage("encode titles"):
            titles, cut = self._embed_titles(contents)
        title_mask = np.array([bool(content.title) for content in contents])
        prices = np.array([content.price_evidence for content in contents], np.float32)
        return EmbeddedListings(photos, photo_mask, titles, title_mask, prices, cut)

    def _embed_photos(self, contents: Sequence[ListingContent]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        distinct = {
            key: pixels
            for content in contents
            for key, pixels in zip(content.photo_hashes, content.pixels, strict=True)
        }
        place = {key: number for number, key in enumerate(distinct)}
        embeddings = np.concatenate(
            [
                self._classifier.encode_image(to_pixel_values(np.stack(pixels), self._preprocessing))
                for pixels in _chunks(list(distinct.values()), _PHOTOS_AT_ONCE)
            ]
            or [np.zeros((1, self._classifier.image_dim), np.float32)]
        )
        counts = np.array([len(content.photo_hashes) for content in contents])
        mask = np.arange(max(1, counts.max())) < counts[:, None]
        index = np.zeros(mask.shape, np.int64)
        index[mask] = [place[key] for content in contents for key in content.photo_hashes]
        return embeddings[index], mask

    def _embed_titles(self, contents: Sequence[ListingContent]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        embeddings = np.zeros((len(contents), self._classifier.text_dim), np.float32)
        cut = np.zeros(len(contents), bool)
        rows = [row for row, content in enumerate(contents) if content.title]
        if rows:
            titles = tokenize(self._tokenizer, [contents[row].title for row in rows])
            embeddings[rows] = self._classifier.encode_text(titles.input_ids, titles.attention_mask)
            cut[rows] = titles.cut
        return embeddings, cut


def _chunks(items: list[NDArray[np.uint8]], size: int) -> Iterator[list[NDArray[np.uint8]]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
