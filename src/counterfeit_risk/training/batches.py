"""Listings in batches: photos, titles and labels as tensors, or embeddings computed once.

Knows no loss and no metric. Letters: N rows, B batch, K photos a listing, P photos in the batch.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from torch.utils.data import DataLoader, DistributedSampler, Sampler, Subset

from counterfeit_risk.config import TrainingSettings
from counterfeit_risk.embeddings.content import ContentReader, ListingContent
from counterfeit_risk.embeddings.preprocessing import ImagePreprocessing, to_pixel_values, tokenize
from counterfeit_risk.listings.splits import Split
from counterfeit_risk.model.classifier import CounterfeitClassifier, EmbeddedBatch, ListingBatch
from counterfeit_risk.training.rows import to_listing


class TrainingBatch(NamedTuple):
    """B labelled listings."""

    inputs: ListingBatch | EmbeddedBatch
    labels: Tensor
    """(B,) float, 1 for a counterfeit."""
    rows: Tensor
    """(B,) int64, where each stands among the rows."""


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
    """Reads rows of the labelled data set and batches them."""

    reader: ContentReader
    tokenizer: Tokenizer

    def __call__(self, examples: Sequence[dict[str, Any]]) -> TrainingBatch:
        """Batches B rows."""
        contents = [self.reader.read(to_listing(example)) for example in examples]
        return TrainingBatch(
            inputs=to_listing_batch(contents, self.tokenizer, self.reader.preprocessing),
            labels=torch.tensor([float(example["label"]) for example in examples]),
            rows=torch.tensor([example["row"] for example in examples]),
        )


@dataclass(frozen=True)
class EmbeddedRows:
    """The embeddings of N rows, and their labels; batches are picked by row."""

    embeddings: EmbeddedBatch
    labels: Tensor

    def __call__(self, rows: Sequence[int]) -> TrainingBatch:
        """Batches B rows."""
        index = torch.tensor(rows)
        inputs = EmbeddedBatch(*(tensor[index] for tensor in self.embeddings))
        return TrainingBatch(inputs, self.labels[index], index)


@torch.no_grad()
def embed_rows(
    classifier: CounterfeitClassifier, batches: Iterable[TrainingBatch], *, max_photos: int, device: torch.device
) -> EmbeddedRows:
    """Runs both towers over all rows once, in evaluation mode."""
    classifier.to(device).eval()
    embedded: list[EmbeddedBatch] = []
    labels: list[Tensor] = []
    for batch in batches:
        assert isinstance(batch.inputs, ListingBatch)
        output = classifier.encode(ListingBatch(*(tensor.to(device) for tensor in batch.inputs)))
        missing = max_photos - output.photo_mask.shape[1]
        photos = torch.nn.functional.pad(output.photo_embeddings, (0, 0, 0, missing))
        mask = torch.nn.functional.pad(output.photo_mask, (0, missing))
        padded = output._replace(photo_embeddings=photos, photo_mask=mask)
        embedded.append(EmbeddedBatch(*(tensor.cpu() for tensor in padded)))
        labels.append(batch.labels)
    columns = zip(*embedded, strict=True)
    return EmbeddedRows(EmbeddedBatch(*(torch.cat(column) for column in columns)), torch.cat(labels))


class SplitData(lightning.LightningDataModule):
    """Deals rows to the loaders of their splits.

    The order of training rows depends on the seed and the epoch alone, so that a resumed run sees what the
    uninterrupted one would have seen.
    """

    def __init__(
        self, examples: Any, collate: Collate, splits: NDArray[Any], settings: TrainingSettings, *, seed: int
    ) -> None:
        super().__init__()
        self.examples, self.collate, self.splits = examples, collate, splits
        self.settings, self.seed = settings, seed

    def train_dataloader(self) -> DataLoader[Any]:
        """Batches of the train split, in a new order each epoch."""
        rows = self._rows(Split.TRAIN)
        order: Sampler[Any] = DistributedSampler(Subset(self.examples, rows), num_replicas=1, rank=0, seed=self.seed)
        # a last batch of one listing would give batch normalisation nothing to normalise by
        return self._loader(rows, sampler=order, drop_last=len(rows) > self.settings.batch_size)

    def val_dataloader(self) -> DataLoader[Any]:
        """Batches of the validation split, in table order."""
        return self._loader(self._rows(Split.VALIDATION))

    def predict_dataloader(self) -> DataLoader[Any]:
        """Batches of the calibration and test splits, in table order."""
        return self._loader(self._rows(Split.CALIBRATION, Split.TEST))

    def _rows(self, *splits: Split) -> list[int]:
        return [int(row) for row in np.flatnonzero(np.isin(self.splits, splits))]

    def _loader(self, rows: list[int], **options: Any) -> DataLoader[Any]:
        return DataLoader(
            Subset(self.examples, rows),
            batch_size=self.settings.batch_size,
            num_workers=self.settings.workers,
            collate_fn=self.collate,
            persistent_workers=self.settings.workers > 0,
            **options,
        )
