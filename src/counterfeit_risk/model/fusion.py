"""The risk head: a set of photo embeddings, a title embedding and what the price says to three logits.

Knows no tower: its input may come from an encoder in the same process or from stored embeddings.
Letters: B batch, K photos a listing, D fusion width.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

EVIDENCE = ("pair", "photo", "title", "disagreement")
"""What the fused logit is weighed from; the columns of `Views.evidence`."""


class RiskLogits(NamedTuple):
    """Logits of being counterfeit, (B,) each; higher is riskier, 0 is what a listing gets that shows nothing."""

    fused: Tensor
    """From all that a listing shows: where a part is missing, the logit of the other, and the price."""
    photo: Tensor
    """From the photos alone; without meaning where a listing has none."""
    title: Tensor
    """From the title alone; without meaning where a listing has none."""


class Views(NamedTuple):
    """What the head sees in B listings, before it weighs it."""

    pair: Tensor
    """(B,) logit from photos and title together; without meaning where one is missing."""
    photo: Tensor
    """(B,) logit from the photos alone."""
    title: Tensor
    """(B,) logit from the title alone."""
    photo_in_space: Tensor
    """(B, S) unit vectors of the photos, in the space that photos and titles share."""
    title_in_space: Tensor
    """(B, S) unit vectors of the titles, in the same space."""

    @property
    def evidence(self) -> Tensor:
        """(B, 4), columns as in `EVIDENCE`; disagreement is 0 where photos and title say the same, 2 at most."""
        disagreement = 1 - (self.photo_in_space * self.title_in_space).sum(dim=-1)
        return torch.stack([self.pair, self.photo, self.title, disagreement], dim=-1)


class RiskHead(nn.Module):
    """Judges photos, title and the two together, and weighs what they say.

    Photos are pooled by attention and by their strongest features: a tell in one photo must not drown in eleven others.
    Photos and title also meet in a space of their own, where a title lies close to the photos it belongs to; product,
    difference and cosine there make a contradiction visible.
    """

    evidence_weights: Tensor
    evidence_offset: Tensor

    def __init__(
        self, image_dim: int, text_dim: int, *, fusion_dim: int, dropout: float, shared_space: bool = False
    ) -> None:
        """Builds a head with random weights.

        Args:
            image_dim: width of a photo embedding.
            text_dim: width of a title embedding.
            fusion_dim: width of all that is learned here.
            dropout: share of features left out in training.
            shared_space: True where photo and title embeddings already share a space, as those of CLIP do; it is then
                where the head starts from.
        """
        super().__init__()
        self.photo_dropout = nn.Dropout(dropout)  # one for both uses, as it is slow to draw
        self.photo_features = nn.Sequential(nn.Linear(image_dim, fusion_dim), nn.LayerNorm(fusion_dim), nn.GELU())
        self.photo_attention = nn.Linear(fusion_dim, 1)
        self.title_features = nn.LayerNorm(text_dim)
        space_dim = image_dim if shared_space else fusion_dim
        self.photo_space = _into_space(image_dim, space_dim, keep=shared_space)
        self.title_space = nn.Sequential(nn.Dropout(dropout), _into_space(text_dim, space_dim, keep=shared_space))
        self.pair_head = _head(2 * fusion_dim + text_dim + 2 * space_dim + 1, fusion_dim, dropout)
        self.photo_head = _head(2 * fusion_dim, fusion_dim, dropout)
        self.title_head = _head(text_dim, fusion_dim, dropout)
        self.register_buffer("evidence_weights", torch.tensor([1.0, 0.0, 0.0, 0.0]))
        self.register_buffer("evidence_offset", torch.tensor(0.0))

    def forward(
        self,
        photo_embeddings: Tensor,
        photo_mask: Tensor,
        title_embedding: Tensor,
        title_mask: Tensor,
        price_evidence: Tensor | None = None,
    ) -> RiskLogits:
        """Judges B listings.

        Args:
            photo_embeddings: (B, K, image_dim), K of 1 or more.
            photo_mask: (B, K) bool, True where there is a photo.
            title_embedding: (B, text_dim).
            title_mask: (B,) bool, True where there is a title.
            price_evidence: (B,) log odds, 0 where a price says nothing; all 0 where it is not given.
        """
        evidence = self.look(photo_embeddings, photo_mask, title_embedding).evidence
        price = torch.zeros_like(evidence[:, 0]) if price_evidence is None else price_evidence
        return self.weigh(evidence, price, has_photo=photo_mask.any(dim=-1), has_title=title_mask)

    def weigh(self, evidence: Tensor, price_evidence: Tensor, *, has_photo: Tensor, has_title: Tensor) -> RiskLogits:
        """The logits of (B, 4) evidence and (B,) of prices, by which of the (B,) listings have photos and a title.

        A price is log odds by itself, learned without any photo or title, and counts in full.
        """
        _, photo, title, _ = evidence.unbind(dim=-1)
        both = (evidence * self.evidence_weights).sum(dim=-1) + self.evidence_offset
        by_title = torch.where(has_title, title, torch.zeros_like(title))
        shown = torch.where(has_photo, torch.where(has_title, both, photo), by_title)
        return RiskLogits(shown + price_evidence, photo, title)

    def look(self, photo_embeddings: Tensor, photo_mask: Tensor, title_embedding: Tensor) -> Views:
        """What there is to weigh in B listings; arguments as in `forward`."""
        photo_embeddings = self.photo_dropout(photo_embeddings)
        photo = self._pool(self.photo_features(photo_embeddings), photo_mask)
        title = self.title_features(title_embedding)
        unit_photos = normalize(self.photo_space(photo_embeddings), dim=-1).masked_fill(~photo_mask.unsqueeze(-1), 0.0)
        photo_in_space = normalize(unit_photos.sum(dim=1), dim=-1)
        title_in_space = normalize(self.title_space(title_embedding), dim=-1)
        # features of unit vectors shrink with their number; the head's other inputs are of size 1
        scale = math.sqrt(title_in_space.shape[-1])
        product = photo_in_space * title_in_space * scale
        difference = (photo_in_space - title_in_space).abs() * scale
        cosine = product.sum(dim=-1, keepdim=True) / scale
        pair = torch.cat([photo, title, product, difference, cosine], dim=-1)
        return Views(
            pair=self.pair_head(pair).squeeze(-1),
            photo=self.photo_head(photo).squeeze(-1),
            title=self.title_head(title).squeeze(-1),
            photo_in_space=photo_in_space,
            title_in_space=title_in_space,
        )

    def _pool(self, photos: Tensor, mask: Tensor) -> Tensor:
        """Pools (B, K, D) photos to (B, 2 D): their attended mean, and the strongest of each feature."""
        # a finite floor: with -inf a listing without photos would turn into NaN
        scores = self.photo_attention(photos).squeeze(-1).masked_fill(~mask, -1e4)
        weights = scores.softmax(dim=-1).unsqueeze(-1)
        strongest = photos.masked_fill(~mask.unsqueeze(-1), -1e4).amax(dim=1)
        pooled = torch.cat([(weights * photos).sum(dim=1), strongest], dim=-1)
        return torch.where(mask.any(dim=-1, keepdim=True), pooled, torch.zeros_like(pooled))


def _into_space(width: int, space_dim: int, *, keep: bool) -> nn.Linear:
    projection = nn.Linear(width, space_dim, bias=False)
    if keep:
        nn.init.eye_(projection.weight)
    return projection


def _head(width_in: int, width: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Dropout(dropout), nn.Linear(width_in, width), nn.GELU(), nn.Dropout(dropout), nn.Linear(width, 1)
    )
