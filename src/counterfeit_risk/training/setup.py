"""Sets up a training: towers and rows from the settings, and the untrained classifier that joins them.

Knows no optimiser and no run.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from tokenizers import Tokenizer

from counterfeit_risk.config import ModelSettings, Settings
from counterfeit_risk.embeddings.content import ContentReader
from counterfeit_risk.listings.listing import Listing
from counterfeit_risk.listings.splits import Split
from counterfeit_risk.listings.titles import read_title
from counterfeit_risk.model.classifier import CounterfeitClassifier
from counterfeit_risk.model.image_encoder import load_image_encoder
from counterfeit_risk.model.specification import ClassifierSpec
from counterfeit_risk.model.text_encoder import load_text_encoder
from counterfeit_risk.training.rows import LabeledRows, image_root, read_labeled_rows
from counterfeit_risk.training.unlabelled import read_unlabelled


@dataclass(frozen=True)
class TrainingSetup:
    """All that a fit needs."""

    classifier: CounterfeitClassifier
    tokenizer: Tokenizer
    reader: ContentReader
    """Of the labelled table."""
    rows: LabeledRows
    unlabelled_reader: ContentReader
    unlabelled: tuple[Listing, ...] = ()


def set_up_training(settings: Settings) -> TrainingSetup:
    """Loads the towers, reads and splits the rows, and builds the classifier.

    Raises:
        CheckpointError: if a tower cannot be loaded.
        ListingTableError: if the rows cannot be read or split.
    """
    image_encoder = load_image_encoder(settings.model)
    reader = ContentReader(image_root(settings.data), image_encoder.spec.preprocessing, settings.data.max_photos)
    rows = read_labeled_rows(settings.data, reader, seed=settings.seed)
    alignment = settings.training.alignment
    root = alignment.image_root or (alignment.listings.parent if alignment.listings else reader.image_root)
    unlabelled_reader = replace(reader, image_root=root)
    unlabelled = read_unlabelled(alignment, unlabelled_reader, rows)
    text_encoder, tokenizer_json = load_text_encoder(settings.model, _training_titles(rows, unlabelled))
    spec = ClassifierSpec(
        image_encoder=image_encoder.spec,
        text_encoder=text_encoder.spec,
        fusion_dim=settings.model.fusion_dim,
        dropout=settings.model.dropout,
        shared_space=_share_a_space(settings.model),
        max_photos=settings.data.max_photos,
    )
    classifier = CounterfeitClassifier(spec, image_encoder, text_encoder)
    return TrainingSetup(classifier, Tokenizer.from_str(tokenizer_json), reader, rows, unlabelled_reader, unlabelled)


def _training_titles(rows: LabeledRows, unlabelled: Iterable[Listing]) -> list[str]:
    """What a tokenizer may learn from."""
    train = [rows.listings[row].listing for row in np.flatnonzero(rows.splits == Split.TRAIN)]
    return [read_title(listing.title) for listing in [*train, *unlabelled]]


def _share_a_space(settings: ModelSettings) -> bool:
    kind = settings.image_encoder.partition(":")[0]
    return kind in {"clip", "siglip"} and settings.image_encoder == settings.text_encoder
