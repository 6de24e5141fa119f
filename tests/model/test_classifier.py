import numpy as np
import pytest
import torch

from counterfeit_risk.model.checkpoint import Checkpoint
from counterfeit_risk.model.classifier import ListingBatch


def test_a_listing_is_judged_the_same_alone_and_in_a_batch(tiny_classifier: Checkpoint, batch: ListingBatch) -> None:
    classifier = tiny_classifier.classifier

    together = torch.stack(classifier.judge(batch)).numpy()

    photos_of = [[0, 1], [2], [], []]
    for row, photos in enumerate(photos_of):
        alone = ListingBatch(
            pixel_values=batch.pixel_values[photos],
            photo_index=torch.arange(max(1, len(photos)))[None],
            photo_mask=torch.full((1, max(1, len(photos))), bool(photos)),
            input_ids=batch.input_ids[row : row + 1],
            attention_mask=batch.attention_mask[row : row + 1],
            title_mask=batch.title_mask[row : row + 1],
        )
        np.testing.assert_allclose(torch.stack(classifier.judge(alone)).numpy()[:, 0], together[:, row], atol=1e-5)


@pytest.mark.parametrize("places", [1, 2, 3])
def test_a_batch_in_which_no_listing_has_a_photo_is_judged(
    tiny_classifier: Checkpoint, batch: ListingBatch, places: int
) -> None:
    without_photos = batch._replace(
        pixel_values=batch.pixel_values[:0],
        photo_index=torch.zeros(4, places, dtype=torch.int64),
        photo_mask=torch.zeros(4, places, dtype=torch.bool),
    )

    logits = tiny_classifier.classifier.judge(without_photos)

    assert torch.isfinite(torch.stack(logits)).all()
    assert torch.stack(logits).shape == (3, 4)


@pytest.mark.parametrize("places", [2, 3])
def test_places_without_a_photo_change_nothing(tiny_classifier: Checkpoint, batch: ListingBatch, places: int) -> None:
    more = (0, places - 2)
    padded = batch._replace(
        photo_index=torch.nn.functional.pad(batch.photo_index, more),
        photo_mask=torch.nn.functional.pad(batch.photo_mask, more),
    )

    one, other = tiny_classifier.classifier.judge(batch), tiny_classifier.classifier.judge(padded)

    np.testing.assert_allclose(torch.stack(one).numpy(), torch.stack(other).numpy(), atol=1e-6)


def test_each_listing_gets_its_own_photos(tiny_classifier: Checkpoint, batch: ListingBatch) -> None:
    classifier = tiny_classifier.classifier

    with torch.no_grad():
        embedded = classifier.encode(batch)
        photos = classifier.image_encoder(batch.pixel_values)

    torch.testing.assert_close(embedded.photo_embeddings[0], photos[[0, 1]])
    torch.testing.assert_close(embedded.photo_embeddings[1, 0], photos[2])


def test_judging_leaves_dropout_and_gradients_out(tiny_classifier: Checkpoint, batch: ListingBatch) -> None:
    classifier = tiny_classifier.classifier.train()

    logits = classifier.judge(batch)

    assert not logits.fused.requires_grad
    torch.testing.assert_close(logits, classifier.judge(batch), rtol=0, atol=0)


def test_in_training_the_gradient_reaches_both_towers(tiny_classifier: Checkpoint, batch: ListingBatch) -> None:
    classifier = tiny_classifier.classifier.train()

    classifier(batch).fused.sum().backward()

    for tower in (classifier.image_encoder, classifier.text_encoder):
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in tower.parameters())
