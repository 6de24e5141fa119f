import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from counterfeit_risk.config import Settings
from counterfeit_risk.embeddings import content
from counterfeit_risk.model.classifier import EmbeddedBatch, StoredPhotosBatch
from counterfeit_risk.tracking.runs import TrackedRun
from counterfeit_risk.training.batches import to_listing_batch
from counterfeit_risk.training.embedding import TorchTowers, embed_rows
from counterfeit_risk.training.setup import TrainingSetup, set_up_training

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def setup(tiny_run: TrackedRun) -> TrainingSetup:
    recorded = json.loads(tiny_run.artifact("settings.json").read_text())
    whole = set_up_training(Settings.model_validate(recorded))
    rows = [row.listing for row in whole.rows.listings]
    bare = [replace(rows[0], listing_id="no photo", photos=()), replace(rows[1], listing_id="no title", title="")]
    return replace(whole, unlabelled=(*rows[2:5], *bare))


@pytest.mark.parametrize("titles_too", [True, False])
def test_embeddings_computed_once_give_the_same_logits(setup: TrainingSetup, titles_too: bool) -> None:
    rows = embed_rows(setup, store=None, titles_too=titles_too, device=CPU)
    listings = [*(row.listing for row in setup.rows.listings), *setup.unlabelled]
    assert len(rows.labels) == len(listings)
    assert rows.labels[: len(setup.rows.listings)].numpy().astype(bool).tolist() == setup.rows.labels.tolist()
    chosen = [0, 7, len(listings) - 2, len(listings) - 1]
    stored = rows(chosen).inputs
    assert isinstance(stored, EmbeddedBatch if titles_too else StoredPhotosBatch)
    preprocessing = setup.classifier.spec.image_encoder.preprocessing
    contents = [setup.reader.read(listings[row]) for row in chosen]
    together = to_listing_batch(contents, setup.tokenizer, preprocessing)
    with torch.no_grad():
        embedded = stored if isinstance(stored, EmbeddedBatch) else setup.classifier.encode_titles(stored)
        logits = setup.classifier.head(*embedded).fused
        torch.testing.assert_close(logits, setup.classifier.judge(together).fused, atol=1e-5, rtol=0)


def test_a_second_run_finds_what_the_first_one_kept(
    setup: TrainingSetup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = embed_rows(setup, store=tmp_path, titles_too=True, device=CPU)

    def refuse(*_: object) -> None:
        raise AssertionError("nothing is left to encode")

    monkeypatch.setattr(TorchTowers, "encode_photos", refuse)
    monkeypatch.setattr(content, "decode_image", refuse)
    again = embed_rows(setup, store=tmp_path, titles_too=True, device=CPU)
    for one, other in zip(first.inputs, again.inputs, strict=True):
        assert torch.equal(one, other)


def test_other_weights_find_nothing(setup: TrainingSetup, tmp_path: Path) -> None:
    first = embed_rows(setup, store=tmp_path, titles_too=True, device=CPU)
    weight = next(setup.classifier.image_encoder.parameters())
    with torch.no_grad():
        weight += 0.1
    other = embed_rows(setup, store=tmp_path, titles_too=True, device=CPU)
    with torch.no_grad():
        weight -= 0.1
    assert not np.array_equal(first.inputs.photo_embeddings, other.inputs.photo_embeddings)
