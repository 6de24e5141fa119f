"""Contrastive losses: photos and titles of one listing are drawn together, those of different ones apart.

Knows no tower. Letters: B pairs, S width of the shared space.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, logsigmoid

_FIRST_SCALE = {"infonce": 1 / 0.07, "sigmoid": 10.0}
_FIRST_BIAS = -10.0
_LARGEST_SCALE = 100.0

ContrastiveKind = Literal["infonce", "sigmoid"]


class ContrastiveLoss(nn.Module):
    """Of unit vectors, with a scale of its own; `infonce` compares within the batch, `sigmoid` pair by pair.

    InfoNCE is CLIP's (Radford et al. 2021, arXiv:2103.00020, figure 3), the sigmoid loss SigLIP's (Zhai et al. 2023,
    arXiv:2303.15343, algorithm 1).
    """

    def __init__(self, kind: ContrastiveKind) -> None:
        super().__init__()
        self.kind = kind
        self.logit_scale = nn.Parameter(torch.tensor(math.log(_FIRST_SCALE[kind])))
        if kind == "sigmoid":
            self.logit_bias = nn.Parameter(torch.tensor(_FIRST_BIAS))

    def forward(self, photos: Tensor, titles: Tensor) -> Tensor:
        """Mean loss of (B, S) photos and (B, S) titles that belong together row by row; 0 for fewer than 2 pairs."""
        if len(photos) < 2:
            return (photos.sum() + titles.sum()) * 0  # still a part of the graph
        logits = self.logit_scale.exp().clamp(max=_LARGEST_SCALE) * photos @ titles.T
        if self.kind == "sigmoid":
            signs = 2 * torch.eye(len(photos), device=photos.device) - 1
            return -logsigmoid(signs * (logits + self.logit_bias)).sum() / len(photos)
        own = torch.arange(len(photos), device=photos.device)
        return (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2
