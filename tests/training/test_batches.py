from typing import Any

import numpy as np
import pytest
import torch

from counterfeit_risk.embeddings.content import ListingContent
from counterfeit_risk.embeddings.preprocessing import ImagePreprocessing
from counterfeit_risk.listings.splits import Split
from counterfeit_risk.model.checkpoint import Checkpoint
from counterfeit_risk.model.classifier import EmbeddedBatch
from counterfeit_risk.training.batches import SplitData, StoredRows, to_listing_batch


def content(title: str, photos: int, preprocessing: ImagePreprocessing, seed: int = 0) -> ListingContent:
    rng = np.random.default_rng(seed)
    size = preprocessing.image_size
    pixels = tuple(rng.integers(0, 256, (size, size, 3), dtype=np.uint8) for _ in range(photos))
    return ListingContent(title, pixels, tuple(f"{seed}-{number}" for number in range(photos)), ())


def test_photos_stand_in_one_row_and_each_listing_finds_its_own(tiny_classifier: Checkpoint) -> None:
    preprocessing = tiny_classifier.classifier.spec.image_encoder.preprocessing
    contents = [
        content("a bag", 2, preprocessing),
        content("", 0, preprocessing),
        content("a cap", 1, preprocessing, 7),
    ]
    batch = to_listing_batch(contents, tiny_classifier.tokenizer, preprocessing)
    assert batch.pixel_values.shape[0] == 3
    assert batch.photo_mask.tolist() == [[True, True], [False, False], [True, False]]
    assert batch.photo_index[batch.photo_mask].tolist() == [0, 1, 2]
    assert batch.title_mask.tolist() == [True, False, True]


def test_a_batch_without_any_photo_can_be_judged(tiny_classifier: Checkpoint) -> None:
    preprocessing = tiny_classifier.classifier.spec.image_encoder.preprocessing
    batch = to_listing_batch([content("a bag", 0, preprocessing)], tiny_classifier.tokenizer, preprocessing)
    assert torch.isfinite(tiny_classifier.classifier.judge(batch).fused).all()


@pytest.fixture
def data() -> SplitData:
    splits = np.array([Split.TRAIN] * 20 + [Split.VALIDATION] * 3 + [Split.CALIBRATION] * 2 + [Split.TEST], object)
    rows = StoredRows(
        EmbeddedBatch(torch.zeros(26, 1, 2), torch.ones(26, 1).bool(), torch.zeros(26, 2), torch.ones(26).bool()),
        torch.zeros(26),
        torch.ones(26),
    )
    return SplitData(range(26), rows, splits, batch_size=4, seed=3)


def rows_of(loader: Any) -> list[int]:
    return [int(row) for batch in loader for row in batch.rows]


def test_each_loader_deals_its_own_splits_rows_once(data: SplitData) -> None:
    assert sorted(rows_of(data.train_dataloader())) == list(range(20))
    assert rows_of(data.val_dataloader()) == [20, 21, 22]
    assert rows_of(data.predict_dataloader()) == [20, 21, 22, 23, 24, 25]


def test_training_order_depends_on_the_epoch_and_nothing_else(data: SplitData) -> None:
    def order(epoch: int) -> list[int]:
        loader = data.train_dataloader()
        loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined] # Lightning calls it by this name
        torch.rand(epoch + 1)
        return rows_of(loader)

    assert order(0) == order(0)
    assert order(0) != order(1)


def test_two_processes_share_out_the_rows_of_one(data: SplitData) -> None:
    class Process:
        world_size = 2

        def __init__(self, rank: int) -> None:
            self.global_rank = rank

    steps = []
    for rank in (0, 1):
        data.trainer = Process(rank)  # type: ignore[assignment] # as much of a trainer as is looked at
        steps.append([batch.rows.tolist() for batch in data.train_dataloader()])
    assert [len(batch) for batch in steps[0]] == [2] * 5
    assert sorted(row for batches in steps for batch in batches for row in batch) == list(range(20))
