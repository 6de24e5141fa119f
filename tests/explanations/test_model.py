"""A run and its bundle, which are the same model, must be explained alike."""

import numpy as np
import pytest
from numpy.typing import NDArray

from counterfeit_risk.embeddings.content import ListingContent
from counterfeit_risk.embeddings.towers import Precision
from counterfeit_risk.explanations.explain import explain
from counterfeit_risk.explanations.model import BundleModel, CheckpointModel, load_run_model, open_bundle_model


@pytest.fixture(scope="module")
def bundle_model(tiny_bundle) -> BundleModel:
    return open_bundle_model(tiny_bundle.folder, precision=Precision.FP32)


@pytest.fixture(scope="module")
def run_model(tiny_run) -> CheckpointModel:
    return load_run_model(tiny_run)


@pytest.fixture(scope="module")
def photo(bundle_model) -> NDArray[np.uint8]:
    size = bundle_model.preprocessing.image_size
    return np.random.default_rng(0).integers(256, size=(size, size, 3), dtype=np.uint8)


@pytest.mark.parametrize(("title", "photos"), [("red leather bag", 2), ("red leather bag", 0), ("", 1)])
def test_a_run_and_its_bundle_give_the_same_explanation(bundle_model, run_model, photo, title, photos) -> None:
    content = ListingContent(title, (photo,) * photos, ("hash",) * photos, (), price_evidence=1.25)
    ours, theirs = (explain(model, "L1", content) for model in (bundle_model, run_model))
    for name in ("risk", "logit", "base_logit", "photo_share", "title_share", "price_share", "interaction"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), abs=1e-4), name
    assert ours.band is theirs.band
    assert [word.weight for word in ours.words] == pytest.approx([word.weight for word in theirs.words], abs=1e-4)
    assert np.array(ours.photo_heat_maps) == pytest.approx(np.array(theirs.photo_heat_maps), abs=1e-4)


def test_the_settings_of_a_run_and_its_bundle_agree(bundle_model, run_model) -> None:
    assert bundle_model.preprocessing == run_model.preprocessing
    assert bundle_model.max_photos == run_model.max_photos
    assert bundle_model.price_model == run_model.price_model
    assert bundle_model.bands == run_model.bands
