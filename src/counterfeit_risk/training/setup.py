"""Sets up a training: towers and rows from the settings, and the untrained classifier that joins them.

Knows no optimiser and no run.
"""

from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from counterfeit_risk.config import Settings
from counterfeit_risk.embeddings.content import ContentReader
from counterfeit_risk.listings.splits import Split
from counterfeit_risk.listings.titles import read_title
from counterfeit_risk.model.classifier import CounterfeitClassifier
from counterfeit_risk.model.image_encoder import load_image_encoder
from counterfeit_risk.model.specification import ClassifierSpec
from counterfeit_risk.model.text_encoder import load_text_encoder
from counterfeit_risk.training.rows import LabeledRows, image_root, read_labeled_rows


@dataclass(frozen=True)
class TrainingSetup:
    """All that a fit needs."""

    classifier: CounterfeitClassifier
    tokenizer: Tokenizer
    reader: ContentReader
    rows: LabeledRows


def set_up_training(settings: Settings) -> TrainingSetup:
    """Loads the towers, reads and splits the rows, and builds the classifier.

    Raises:
        CheckpointError: if a tower cannot be loaded.
        ListingTableError: if the rows cannot be read or split.
    """
    image_encoder = load_image_encoder(settings.model)
    reader = ContentReader(image_root(settings.data), image_encoder.spec.preprocessing, settings.data.max_photos)
    rows = read_labeled_rows(settings.data, reader, seed=settings.seed)
    # a tokenizer may learn from training titles only
    titles = [read_title(rows.listings[row].listing.title) for row in np.flatnonzero(rows.splits == Split.TRAIN)]
    text_encoder, tokenizer_json = load_text_encoder(settings.model, titles)
    spec = ClassifierSpec(
        image_encoder=image_encoder.spec,
        text_encoder=text_encoder.spec,
        fusion_dim=settings.model.fusion_dim,
        dropout=settings.model.dropout,
        max_photos=settings.data.max_photos,
    )
    classifier = CounterfeitClassifier(spec, image_encoder, text_encoder)
    return TrainingSetup(classifier, Tokenizer.from_str(tokenizer_json), reader, rows)
