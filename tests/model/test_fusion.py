import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from counterfeit_risk.model.classifier import EmbeddedBatch
from counterfeit_risk.model.fusion import RiskHead

IMAGE_DIM, TEXT_DIM = 6, 5


@pytest.fixture(scope="module")
def head() -> RiskHead:
    torch.manual_seed(0)
    head = RiskHead(IMAGE_DIM, TEXT_DIM, fusion_dim=8, dropout=0.5).eval()
    with torch.no_grad():  # zeros, as they start, would hide where they are used
        head.evidence_weights.copy_(torch.tensor([0.7, 0.2, 0.3, 1.5]))
        head.evidence_offset.fill_(-0.4)
    return head


def listings(photo_mask: list[list[int]], title_mask: list[int], *, seed: int = 0) -> EmbeddedBatch:
    random = torch.Generator().manual_seed(seed)
    mask = torch.tensor(photo_mask).bool()
    return EmbeddedBatch(
        torch.randn(*mask.shape, IMAGE_DIM, generator=random),
        mask,
        torch.randn(len(mask), TEXT_DIM, generator=random),
        torch.tensor(title_mask).bool(),
    )


@torch.no_grad()
def judge(head: RiskHead, batch: EmbeddedBatch) -> np.ndarray:
    """(3, B) logits."""
    return torch.stack(head(*batch)).numpy()


def assert_equal(one: np.ndarray, other: np.ndarray) -> None:
    np.testing.assert_allclose(one, other, atol=1e-5)


@given(st.permutations(range(4)), st.lists(st.booleans(), min_size=4, max_size=4), st.integers(0, 99))
@settings(deadline=None, max_examples=25)
def test_the_order_of_photos_does_not_matter(head: RiskHead, order: list[int], mask: list[bool], seed: int) -> None:
    batch = listings([mask], [1], seed=seed)

    shuffled = batch._replace(photo_embeddings=batch.photo_embeddings[:, order], photo_mask=batch.photo_mask[:, order])

    assert_equal(judge(head, batch), judge(head, shuffled))


def test_what_lies_under_the_photo_mask_does_not_matter(head: RiskHead) -> None:
    batch = listings([[1, 0, 1], [0, 0, 0]], [1, 1])
    other = batch.photo_embeddings.clone()
    other[~batch.photo_mask] = 1000.0

    assert_equal(judge(head, batch), judge(head, batch._replace(photo_embeddings=other)))


def test_places_without_a_photo_do_not_matter(head: RiskHead) -> None:
    batch = listings([[1, 1, 0, 0]], [1])

    narrow = batch._replace(photo_embeddings=batch.photo_embeddings[:, :2], photo_mask=batch.photo_mask[:, :2])

    assert_equal(judge(head, batch), judge(head, narrow))


def test_what_stands_for_a_missing_title_does_not_matter(head: RiskHead) -> None:
    batch = listings([[1]], [0])

    other = batch._replace(title_embedding=batch.title_embedding + 3)

    assert_equal(judge(head, batch), judge(head, other))


def test_a_photo_that_is_there_matters(head: RiskHead) -> None:
    batch = listings([[1, 1]], [1])
    other = batch.photo_embeddings.clone()
    other[0, 1] += torch.arange(IMAGE_DIM)

    fused, photo, title = (judge(head, batch) - judge(head, batch._replace(photo_embeddings=other)))[:, 0]

    assert abs(fused) > 1e-4
    assert abs(photo) > 1e-4
    assert title == 0


def test_a_title_that_is_there_matters(head: RiskHead) -> None:
    batch = listings([[1, 1]], [1])

    other = batch._replace(title_embedding=batch.title_embedding + torch.arange(TEXT_DIM))

    fused, photo, title = (judge(head, batch) - judge(head, other))[:, 0]
    assert abs(fused) > 1e-4
    assert photo == 0
    assert abs(title) > 1e-4


def test_each_listing_is_judged_by_itself(head: RiskHead) -> None:
    batch = listings([[1, 1], [1, 0], [0, 0], [0, 0]], [1, 0, 1, 0])

    together = judge(head, batch)

    for row in range(4):
        alone = EmbeddedBatch(*(tensor[row : row + 1] for tensor in batch))
        assert_equal(together[:, row], judge(head, alone)[:, 0])


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e6])
def test_no_listing_gets_a_nan_whatever_is_missing(head: RiskHead, size: float) -> None:
    batch = listings([[1, 1], [1, 0], [0, 0], [0, 0]], [1, 0, 1, 0])

    logits = judge(
        head,
        batch._replace(photo_embeddings=batch.photo_embeddings * size, title_embedding=batch.title_embedding * size),
    )

    assert logits.shape == (3, 4)
    assert np.isfinite(logits).all()


def gradients(head: RiskHead, batch: EmbeddedBatch) -> dict[str, Tensor]:
    head.zero_grad()
    head(*batch).fused.sum().backward()
    return {name: parameter.grad for name, parameter in head.named_parameters() if parameter.grad is not None}


def test_a_listing_without_a_part_is_judged_by_the_other_alone(head: RiskHead) -> None:
    fused, photo, title = judge(head, listings([[1, 1], [0, 0]], [0, 1]))

    assert fused[0] == photo[0]
    assert fused[1] == title[1]


def test_a_listing_that_shows_nothing_gets_a_logit_of_0(head: RiskHead) -> None:
    assert judge(head, listings([[0, 0]], [0]))[0, 0] == 0


def test_the_fused_logit_is_the_weighed_evidence(head: RiskHead) -> None:
    batch = listings([[1, 1], [1, 0]], [1, 1])

    with torch.no_grad():
        evidence = head.look(batch.photo_embeddings, batch.photo_mask, batch.title_embedding).evidence.numpy()

    assert_equal(evidence @ np.array([0.7, 0.2, 0.3, 1.5]) - 0.4, judge(head, batch)[0])


@torch.no_grad()
def test_a_price_counts_in_full_whatever_else_is_there(head: RiskHead) -> None:
    batch = listings([[1, 1], [1, 1], [0, 0], [0, 0]], [1, 0, 1, 0])

    priced = torch.stack(head(*batch, torch.full((4,), 2.0))).numpy()

    assert_equal(priced - judge(head, batch), np.array([[2.0], [0.0], [0.0]]) * np.ones(4))


def test_disagreement_grows_from_0_as_title_and_photos_part() -> None:
    head = RiskHead(4, 4, fusion_dim=8, dropout=0.0, shared_space=True).eval()
    photos, titles = torch.eye(4)[:3, None] * 5, torch.eye(4)[[0, 1, 1]] * torch.tensor([[3.0], [2.0], [1.0]])
    titles[1] *= -1

    with torch.no_grad():
        views = head.look(photos, torch.ones(3, 1, dtype=torch.bool), titles)

    assert_equal(views.evidence[:, 3].numpy(), np.array([0.0, 2.0, 1.0]))


def test_a_shared_space_is_kept_as_it_is() -> None:
    head = RiskHead(6, 6, fusion_dim=8, dropout=0.0, shared_space=True).eval()
    batch = listings([[1, 1]], [1])._replace(title_embedding=torch.arange(1.0, 7.0)[None])

    with torch.no_grad():
        views = head.look(batch.photo_embeddings, batch.photo_mask, batch.title_embedding)

    assert_equal(views.title_in_space[0].numpy(), np.arange(1.0, 7.0) / np.linalg.norm(np.arange(1.0, 7.0)))


def test_one_telling_photo_counts_however_many_others_there_are(head: RiskHead) -> None:
    batch = listings([[1] + [0] * 11], [1])
    plain = torch.zeros(1, 11, IMAGE_DIM)
    alone = judge(head, batch)[1]
    quiet = judge(head, batch._replace(photo_embeddings=torch.cat([torch.zeros(1, 1, IMAGE_DIM), plain], 1)))[1]
    among = batch._replace(
        photo_embeddings=torch.cat([batch.photo_embeddings[:, :1], plain], 1), photo_mask=torch.ones(1, 12).bool()
    )

    assert abs(judge(head, among)[1] - quiet) > 0.2 * abs(alone - quiet)


def test_attention_learns_from_listings_with_several_photos(head: RiskHead) -> None:
    assert gradients(head, listings([[1, 1]], [1]))["photo_attention.weight"].abs().sum() > 0
    assert gradients(head, listings([[1, 0]], [1]))["photo_attention.weight"].abs().sum() < 1e-5


def test_gradients_are_finite_where_nothing_is_there(head: RiskHead) -> None:
    for gradient in gradients(head, listings([[0, 0], [1, 1]], [0, 1])).values():
        assert torch.isfinite(gradient).all()
