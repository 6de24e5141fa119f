"""A run and its bundle, which are the same model, must be explained alike."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from counterfeit_risk.cli.explain import read_for
from counterfeit_risk.embeddings.content import ListingContent
from counterfeit_risk.embeddings.store import EmbeddingStore
from counterfeit_risk.embeddings.towers import Precision
from counterfeit_risk.errors import UsageError
from counterfeit_risk.explanations.encoded_listing import encode_listing
from counterfeit_risk.explanations.explain import explain
from counterfeit_risk.explanations.model import BundleModel, CheckpointModel, load_run_model, open_bundle_model
from counterfeit_risk.listings.listing import Listing, Photo


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


@pytest.fixture
def listing(tmp_path, photo) -> Listing:
    Image.fromarray(photo).save(tmp_path / "bag.png")
    return Listing("L1", "red leather bag", (Photo("bag.png"),))


def test_a_photo_that_the_store_knows_is_explained_as_it_was_scored(bundle_model, tmp_path, listing) -> None:
    plain = read_for(bundle_model, tmp_path, listing, None)
    kept = bundle_model.encode_photos(np.stack(plain.pixels)) + np.float32(0.25)  # to be told from a fresh one
    with EmbeddingStore(tmp_path / "store") as store:
        bundle_model.photos_of(store).put([bytes.fromhex(plain.photo_hashes[0])], kept)
    content = read_for(bundle_model, tmp_path, listing, tmp_path / "store")
    assert np.array_equal(encode_listing(bundle_model, content).photo_embeddings, kept)
    assert np.array_equal(content.pixels, plain.pixels)
    assert explain(bundle_model, "L1", content).photo_heat_maps


def test_a_run_is_explained_without_a_store(run_model, tmp_path, listing) -> None:
    with pytest.raises(UsageError, match="what bundles encode"):
        read_for(run_model, tmp_path, listing, tmp_path / "store")
