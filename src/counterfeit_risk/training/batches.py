"""Listings in batches: photos, titles and labels as tensors, or embeddings computed once.

Knows no loss and no metric. Letters: N rows, B batch, K photos a listing, P photos in the batch.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from torch.utils.data import DataLoader, DistributedSampler, Sampler, Subset

from counterfeit_risk.embeddings.content import ContentReader, ListingContent
from counterfeit_risk.embeddings.preprocessing import ImagePreprocessing, to_pixel_values, tokenize
from counterfeit_risk.listings.splits import Split
from counterfeit_risk.model.classifier import EmbeddedBatch, ListingBatch, StoredPhotosBatch
from counterfeit_risk.training.dataset import to_listing


class TrainingBatch(NamedTuple):
    """B labelled listings."""

    inputs: ListingBatch | StoredPhotosBatch | EmbeddedBatch
    labels: Tensor
    """(B,) float, 1 for a counterfeit; of no meaning where the listings are not labelled."""
    weights: Tensor
    """(B,) float, how much each counts; 1 on average over the table."""
    rows: Tensor
    """(B,) int64, where each stands among the rows."""


HELD_OUT = (Split.VALIDATION, Split.CALIBRATION, Split.TEST)
"""Splits that no weight is fitted on."""
Collate = Callable[[Sequence[Any]], TrainingBatch]


def to_listing_batch(
    contents: Sequence[ListingContent], tokenizer: Tokenizer, preprocessing: ImagePreprocessing
) -> ListingBatch:
    """Batches the contents of B listings."""
    counts = [len(content.pixels) for content in contents]
    width = max(1, *counts)
    photo_mask = np.arange(width) < np.array(counts)[:, None]
    photo_index = np.zeros(photo_mask.shape, np.int64)
    photo_index[photo_mask] = np.arange(sum(counts))
    size = preprocessing.image_size
    pixels = np.array([p for content in contents for p in content.pixels], np.uint8).reshape(-1, size, size, 3)
    titles = tokenize(tokenizer, [content.title or "-" for content in contents])
    return ListingBatch(
        pixel_values=torch.from_numpy(to_pixel_values(pixels, preprocessing)),
        photo_index=torch.from_numpy(photo_index),
        photo_mask=torch.from_numpy(photo_mask),
        input_ids=torch.from_numpy(titles.input_ids),
        attention_mask=torch.from_numpy(titles.attention_mask),
        title_mask=torch.tensor([bool(content.title) for content in contents]),
    )


@dataclass(frozen=True)
class ListingCollate:
    """Reads rows of the data set and batches them."""

    readers: tuple[ContentReader, ContentReader]
    """Of the labelled table, and of the unlabelled one."""
    tokenizer: Tokenizer

    def __call__(self, examples: Sequence[dict[str, Any]]) -> TrainingBatch:
        """Batches B rows."""
        contents = [self.readers[example["table"]].read(to_listing(example)) for example in examples]
        return TrainingBatch(
            inputs=to_listing_batch(contents, self.tokenizer, self.readers[0].preprocessing),
            labels=torch.tensor([float(example["label"]) for example in examples]),
            weights=torch.tensor([example["weight"] for example in examples]),
            rows=torch.tensor([example["row"] for example in examples]),
        )


@dataclass(frozen=True)
class StoredRows:
    """N rows that have gone through a tower once; batches are picked by row."""

    inputs: StoredPhotosBatch | EmbeddedBatch
    labels: Tensor
    weights: Tensor

    def __call__(self, rows: Sequence[int]) -> TrainingBatch:
        """Batches B rows."""
        index = torch.tensor(rows)
        inputs = type(self.inputs)(*(tensor[index] for tensor in self.inputs))
        return TrainingBatch(inputs, self.labels[index], self.weights[index], index)


class SplitData(lightning.LightningDataModule):
    """Deals rows to the loaders of their splits.

    The order of training rows depends on the seed and the epoch alone, so that a resumed run sees what the
    uninterrupted one would have seen, and several processes together see what one would.
    """

    def __init__(
        self,
        examples: Any,
        collate: Collate,
        splits: NDArray[Any],
        *,
        batch_size: int,
        workers: int = 0,
        learn_from: Collection[str] = (Split.TRAIN,),
        seed: int,
    ) -> None:
        """Lays the rows out.

        Args:
            examples: N rows, or their numbers.
            collate: makes a batch of some of them.
            splits: (N,) names.
            batch_size: listings a step, over all processes.
            workers: processes that read ahead.
            learn_from: splits that the training loader deals.
            seed: of the order of rows.
        """
        super().__init__()
        self.examples, self.collate, self.splits = examples, collate, splits
        self.batch_size, self.workers, self.learn_from, self.seed = batch_size, workers, tuple(learn_from), seed

    def train_dataloader(self) -> DataLoader[Any]:
        """Batches of the splits that are learned from, in a new order each epoch."""
        rows = self._rows(*self.learn_from)
        processes, rank = (self.trainer.world_size, self.trainer.global_rank) if self.trainer else (1, 0)
        order: Sampler[Any] = DistributedSampler(
            Subset(self.examples, rows), num_replicas=processes, rank=rank, seed=self.seed
        )
        size = max(2, self.batch_size // processes)
        # a last batch of one listing would give batch normalisation nothing to normalise by
        return self._loader(rows, batch_size=size, sampler=order, drop_last=len(rows) > self.batch_size)

    def val_dataloader(self) -> DataLoader[Any]:
        """Batches of the validation split, in table order."""
        return self._loader(self._rows(Split.VALIDATION), batch_size=self.batch_size)

    def predict_dataloader(self) -> DataLoader[Any]:
        """Batches of the validation, calibration and test splits, in table order."""
        return self._loader(self._rows(*HELD_OUT), batch_size=self.batch_size)

    def _rows(self, *splits: str) -> list[int]:
        return [int(row) for row in np.flatnonzero(np.isin(self.splits, splits))]

    def _loader(self, rows: list[int], **options: Any) -> DataLoader[Any]:
        return DataLoader(
            Subset(self.examples, rows),
            num_workers=self.workers,
            collate_fn=self.collate,
            persistent_workers=self.workers > 0,
            **options,
        )
