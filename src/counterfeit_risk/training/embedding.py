"""Runs frozen towers over all rows once, or finds in a store what an earlier run made; the rest then trains in seconds.

Knows no loss and no metric. Letters: N rows, K photos a listing, L tokens, D embedding.
"""

import hashlib
import logging
import os
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import nn

from counterfeit_risk.embeddings.content import ListingContent
from counterfeit_risk.embeddings.embedder import Embedder
from counterfeit_risk.embeddings.fingerprint import tower_fingerprint
from counterfeit_risk.embeddings.preprocessing import to_pixel_values, tokenize
from counterfeit_risk.embeddings.store import EmbeddingStore, TowerStore
from counterfeit_risk.embeddings.towers import Floats, Pixels, Precision, Tokens, batch_titles, encode_in_batches
from counterfeit_risk.embeddings.workers import Workers
from counterfeit_risk.model.classifier import CounterfeitClassifier, EmbeddedBatch, StoredPhotosBatch
from counterfeit_risk.training.batches import StoredRows
from counterfeit_risk.training.setup import TrainingSetup

logger = logging.getLogger(__name__)

_LISTINGS_AT_ONCE = 256
_ENCODED_AT_ONCE = 16
"""Photos or titles: the activations of more leave a processor's caches."""


@dataclass(frozen=True)
class TorchTowers:
    """The towers of a classifier, in fp32."""

    classifier: CounterfeitClassifier
    """In evaluation mode."""
    device: torch.device

    @property
    def image_dim(self) -> int:
        """As `Towers` says."""
        return int(self.classifier.image_encoder.embedding_dim)

    @property
    def text_dim(self) -> int:
        """As `Towers` says."""
        return int(self.classifier.text_encoder.embedding_dim)

    @torch.inference_mode()
    def encode_photos(self, pixels: Pixels) -> Floats:
        """As `Towers` says."""
        preprocessing = self.classifier.spec.image_encoder.preprocessing

        def encode(batch: Pixels) -> Floats:
            values = torch.from_numpy(to_pixel_values(batch, preprocessing)).to(self.device)
            embeddings: Floats = self.classifier.image_encoder(values).cpu().numpy()
            return embeddings

        return encode_in_batches(pixels, self.image_dim, encode, at_once=_ENCODED_AT_ONCE)

    @torch.inference_mode()
    def encode_titles(self, input_ids: Tokens, attention_mask: Tokens) -> Floats:
        """As `Towers` says."""
        embeddings = np.empty((len(input_ids), self.text_dim), np.float32)
        max_tokens = self.classifier.spec.text_encoder.max_tokens
        for batch in batch_titles(input_ids, attention_mask, max_tokens=max_tokens, at_once=_ENCODED_AT_ONCE):
            inputs = (torch.from_numpy(array).to(self.device) for array in (batch.input_ids, batch.attention_mask))
            embeddings[batch.rows] = self.classifier.text_encoder(*inputs).cpu().numpy()[: len(batch.rows)]
        return embeddings


def embed_rows(setup: TrainingSetup, *, store: Path | None, titles_too: bool, device: torch.device) -> StoredRows:
    """Embeds the photos of all rows, labelled and then unlabelled, and their titles where the text tower is frozen.

    Args:
        setup: towers and rows.
        store: folder of embeddings, to look into and to fill.
        titles_too: whether titles are embedded as well; if not they stay tokens, for a tower that learns.
        device: runs the towers.
    """
    started = time.monotonic()
    classifier = setup.classifier.to(device).eval()
    towers = TorchTowers(classifier, device)
    with EmbeddingStore(store) if store else nullcontext() as embeddings:
        photos, titles = _tower_stores(embeddings, setup, towers) if embeddings else (None, None)
        embedder = Embedder(towers, setup.tokenizer, photos=photos, titles=titles)
        parts = []
        for contents in _read(setup, photos):
            shown = (_widened(array, classifier.spec.max_photos) for array in embedder.embed_photos(contents))
            title_mask = np.array([bool(content.title) for content in contents])
            if titles_too:
                told: tuple[np.ndarray, ...] = (embedder.embed_titles(contents)[0],)
            else:
                tokens = tokenize(setup.tokenizer, [content.title or "-" for content in contents])
                told = tuple(_widened(a, classifier.spec.text_encoder.max_tokens) for a in tokens[:2])
            parts.append((*shown, *told, title_mask))
    columns = [torch.from_numpy(np.concatenate(column)) for column in zip(*parts, strict=True)]
    use = embedder.use
    logger.info(
        "embedded %d listings in %.1f s: %d distinct photos encoded, %d found",
        len(columns[0]),
        time.monotonic() - started,
        use.photos_encoded,
        use.photos_found,
    )
    more = len(setup.unlabelled)
    return StoredRows(
        EmbeddedBatch(*columns) if titles_too else StoredPhotosBatch(*columns),
        torch.tensor(np.append(setup.rows.labels, np.zeros(more)), dtype=torch.float32),
        torch.tensor(np.append(setup.rows.weights, np.ones(more)), dtype=torch.float32),
    )


def _tower_stores(store: EmbeddingStore, setup: TrainingSetup, towers: TorchTowers) -> tuple[TowerStore, TowerStore]:
    classifier = setup.classifier
    preprocessing = classifier.spec.image_encoder.preprocessing.model_dump(mode="json")
    image = _fingerprint(classifier.image_encoder, preprocessing)
    text = _fingerprint(classifier.text_encoder, {"tokenizer": setup.tokenizer.to_str()})
    return store.tower(image, towers.image_dim), store.tower(text, towers.text_dim)


def _fingerprint(tower: nn.Module, preprocessing: dict[str, Any]) -> str:
    weights = save({name: tensor.cpu().contiguous().clone() for name, tensor in tower.state_dict().items()})
    return tower_fingerprint(
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        preprocessing=preprocessing,
        runtime="torch",
        precision=Precision.FP32,
    )


def _read(setup: TrainingSetup, photos: TowerStore | None) -> Iterator[list[ListingContent]]:
    """The contents of all rows in batches; photos that the store knows are not decoded."""
    readers = (replace(reader, store=photos) for reader in (setup.reader, setup.unlabelled_reader))
    labelled, unlabelled = readers
    rows = [(labelled, row.listing) for row in setup.rows.listings]
    rows += [(unlabelled, listing) for listing in setup.unlabelled]
    with Workers(os.cpu_count() or 1) as workers:
        contents = workers.map_ahead(lambda row: row[0].read(row[1]), rows, ahead=_LISTINGS_AT_ONCE)
        while batch := list(islice(contents, _LISTINGS_AT_ONCE)):
            yield batch


def _widened(array: np.ndarray, width: int) -> np.ndarray:
    """(B, k, ...) to (B, width, ...), filled up with 0."""
    return np.pad(array, ((0, 0), (0, width - array.shape[1]), *((0, 0),) * (array.ndim - 2)))
