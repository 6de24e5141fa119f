"""The risk head: a set of photo embeddings and a title embedding to three logits.

Knows no tower: its input may come from an encoder in the same process or from stored embeddings.
Letters: B batch, K photos a listing, D fusion width.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity


class RiskLogits(NamedTuple):
    """Logits of being counterfeit, (B,) each; higher is riskier, 0 means undecided before calibration."""

    fused: Tensor
    photo: Tensor
    """From the photos alone; without meaning where a listing has none."""
    title: Tensor
    """From the title alone; without meaning where a listing has none."""


class RiskHead(nn.Module):
    """Fuses photos and title, and judges each by itself.

    Photos are pooled by attention; a listing without photos, or without a title, gets a learned embedding in its place.
    Product, difference and cosine of the two make a contradiction between photo and title visible.
    """

    def __init__(self, image_dim: int, text_dim: int, *, fusion_dim: int, dropout: float) -> None:
        super().__init__()
        self.photo_projection = nn.Sequential(nn.Linear(image_dim, fusion_dim), nn.LayerNorm(fusion_dim))
        self.title_projection = nn.Sequential(nn.Linear(text_dim, fusion_dim), nn.LayerNorm(fusion_dim))
        self.photo_attention = nn.Linear(fusion_dim, 1)
        self.missing_photo = nn.Parameter(torch.zeros(fusion_dim))
        self.missing_title = nn.Parameter(torch.zeros(fusion_dim))
        self.fused_head = _head(4 * fusion_dim + 1, fusion_dim, dropout)
        self.photo_head = _head(fusion_dim, fusion_dim, dropout)
        self.title_head = _head(fusion_dim, fusion_dim, dropout)

    def forward(
        self, photo_embeddings: Tensor, photo_mask: Tensor, title_embedding: Tensor, title_mask: Tensor
    ) -> RiskLogits:
        """Judges B listings.

        Args:
            photo_embeddings: (B, K, image_dim), K of 1 or more.
            photo_mask: (B, K) bool, True where there is a photo.
            title_embedding: (B, text_dim).
            title_mask: (B,) bool, True where there is a title.
        """
        photo = self._pool(self.photo_projection(photo_embeddings), photo_mask)
        title = torch.where(title_mask.unsqueeze(-1), self.title_projection(title_embedding), self.missing_title)
        cosine = cosine_similarity(photo, title, dim=-1).unsqueeze(-1)
        fused = torch.cat([photo, title, photo * title, (photo - title).abs(), cosine], dim=-1)
        return RiskLogits(
            fused=self.fused_head(fused).squeeze(-1),
            photo=self.photo_head(photo).squeeze(-1),
            title=self.title_head(title).squeeze(-1),
        )

    def _pool(self, photos: Tensor, mask: Tensor) -> Tensor:
        """Pools (B, K, D) photos to (B, D)."""
        # a finite floor: with -inf a listing without photos would turn into NaN
        scores = self.photo_attention(photos).squeeze(-1).masked_fill(~mask, -1e4)
        weights = scores.softmax(dim=-1).unsqueeze(-1)
        pooled = (weights * photos).sum(dim=1)
        return torch.where(mask.any(dim=-1, keepdim=True), pooled, self.missing_photo)


def _head(width_in: int, width: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width_in, width), nn.GELU(), nn.Dropout(dropout), nn.Linear(width, 1))
