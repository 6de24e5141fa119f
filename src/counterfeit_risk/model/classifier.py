"""The whole classifier: both towers and the head that fuses them.

Knows tensors, not listings: batches are made in `training` and, for explanations, by hand.
Letters: B batch, K photos a listing, P photos in the batch, L tokens.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from counterfeit_risk.model.fusion import RiskHead, RiskLogits
from counterfeit_risk.model.image_encoder import ImageEncoder
from counterfeit_risk.model.specification import ClassifierSpec
from counterfeit_risk.model.text_encoder import TextEncoder


class ListingBatch(NamedTuple):
    """Listings as the towers take them; photos stand in one row, so that no padding is encoded."""

    pixel_values: Tensor
    """(P, 3, H, W)."""
    photo_index: Tensor
    """(B, K) int64, which of the P photos; 0 where there is none."""
    photo_mask: Tensor
    """(B, K) bool, True where there is a photo."""
    input_ids: Tensor
    """(B, L) int64."""
    attention_mask: Tensor
    """(B, L) int64."""
    title_mask: Tensor
    """(B,) bool, True where there is a title."""


class StoredPhotosBatch(NamedTuple):
    """Listings whose photos are embedded already, and whose titles are still to be."""

    photo_embeddings: Tensor
    """(B, K, image_dim)."""
    photo_mask: Tensor
    """(B, K) bool."""
    input_ids: Tensor
    """(B, L) int64."""
    attention_mask: Tensor
    """(B, L) int64."""
    title_mask: Tensor
    """(B,) bool."""


class EmbeddedBatch(NamedTuple):
    """Listings as the head takes them, but for their prices."""

    photo_embeddings: Tensor
    """(B, K, image_dim)."""
    photo_mask: Tensor
    """(B, K) bool."""
    title_embedding: Tensor
    """(B, text_dim)."""
    title_mask: Tensor
    """(B,) bool."""


class CounterfeitClassifier(nn.Module):
    """Image tower, text tower and risk head."""

    def __init__(self, spec: ClassifierSpec, image_encoder: ImageEncoder, text_encoder: TextEncoder) -> None:
        super().__init__()
        self.spec = spec
        self.image_encoder = image_encoder
        self.text_encoder = text_encoder
        self.head = RiskHead(
            image_encoder.embedding_dim,
            text_encoder.embedding_dim,
            fusion_dim=spec.fusion_dim,
            dropout=spec.dropout,
            shared_space=spec.shared_space,
        )

    @classmethod
    def from_spec(cls, spec: ClassifierSpec) -> "CounterfeitClassifier":
        """Builds a classifier with random weights."""
        return cls(spec, ImageEncoder(spec.image_encoder), TextEncoder(spec.text_encoder))

    def encode(self, batch: ListingBatch) -> EmbeddedBatch:
        """Runs both towers."""
        return self.encode_titles(self.encode_photos(batch))

    def encode_photos(self, batch: ListingBatch) -> StoredPhotosBatch:
        """Runs the image tower."""
        if batch.pixel_values.shape[0]:
            photos = self.image_encoder(batch.pixel_values)
        else:
            photos = batch.pixel_values.new_zeros(1, self.image_encoder.embedding_dim)
        return StoredPhotosBatch(
            photo_embeddings=photos[batch.photo_index],
            photo_mask=batch.photo_mask,
            input_ids=batch.input_ids,
            attention_mask=batch.attention_mask,
            title_mask=batch.title_mask,
        )

    def encode_titles(self, batch: StoredPhotosBatch) -> EmbeddedBatch:
        """Runs the text tower."""
        return EmbeddedBatch(
            photo_embeddings=batch.photo_embeddings,
            photo_mask=batch.photo_mask,
            title_embedding=self.text_encoder(batch.input_ids, batch.attention_mask),
            title_mask=batch.title_mask,
        )

    def forward(self, batch: ListingBatch, price_evidence: Tensor | None = None) -> RiskLogits:
        """Judges the listings of a batch, and their prices where (B,) evidence is given."""
        logits: RiskLogits = self.head(*self.encode(batch), price_evidence)
        return logits

    @torch.no_grad()
    def judge(self, batch: ListingBatch, price_evidence: Tensor | None = None) -> RiskLogits:
        """Judges the listings of a batch as in scoring: no dropout, no gradient."""
        self.eval()
        return self.forward(batch, price_evidence)
