import numpy as np
import pytest
import torch
from torch.nn.functional import normalize, softmax

from counterfeit_risk.training.contrastive import ContrastiveLoss


def pairs(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    photos, titles = (normalize(torch.randn(count, 8, generator=random), dim=-1) for _ in range(2))
    return photos, titles


def test_infonce_is_the_loss_of_clip() -> None:
    photos, titles = pairs(6)
    loss = ContrastiveLoss("infonce")

    similar = loss.logit_scale.exp() * photos @ titles.T
    by_photo, by_title = (softmax(similar, dim=dim).diagonal().log().mean() for dim in (1, 0))
    torch.testing.assert_close(loss(photos, titles), -(by_photo + by_title) / 2)
    assert loss.logit_scale.exp().item() == pytest.approx(1 / 0.07, rel=1e-5)


def test_the_sigmoid_loss_is_that_of_siglip() -> None:
    photos, titles = pairs(5)

    found = ContrastiveLoss("sigmoid")(photos, titles).item()

    logits = 10 * (photos @ titles.T).numpy().astype(float) - 10
    signs = 2 * np.eye(5) - 1
    assert found == pytest.approx(np.log1p(np.exp(-signs * logits)).sum() / 5, rel=1e-4)


@pytest.mark.parametrize("kind", ["infonce", "sigmoid"])
def test_pairs_that_belong_together_cost_less(kind) -> None:
    photos, titles = pairs(6)
    loss = ContrastiveLoss(kind)

    assert loss(photos, photos) < loss(photos, titles)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_pairs_teach_nothing_and_break_nothing(count) -> None:
    photos, titles = (tensor.requires_grad_() for tensor in pairs(count))

    loss = ContrastiveLoss("infonce")(photos, titles)
    loss.backward()

    assert loss == 0
    assert photos.grad is not None
    assert torch.isfinite(photos.grad).all()
