import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit_risk.embeddings.fingerprint import file_hash, listing_hash, photo_hash, tower_fingerprint
from counterfeit_risk.listings.titles import normalize_title

PARTS = {
    "weights_sha256": "ab",
    "preprocessing": {"size": 32, "crop": 0.9},
    "runtime": "onnxruntime",
    "precision": "fp32",
}

contents = st.tuples(st.text().map(normalize_title), st.lists(st.binary(max_size=3).map(photo_hash), max_size=3))


def test_a_file_hashes_like_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"photo" * 100_000)

    assert file_hash(tmp_path / "photo.jpg") == photo_hash(b"photo" * 100_000)
    assert photo_hash(b"") == hashlib.sha256().hexdigest()


@given(contents, contents)
def test_two_listings_share_a_hash_exactly_when_their_content_is_equal(
    one: tuple[str, list[str]], other: tuple[str, list[str]]
) -> None:
    assert (listing_hash(*one) == listing_hash(*other)) == (one == other)


def test_a_title_that_spells_a_photo_hash_is_not_that_photo() -> None:
    photo = photo_hash(b"photo")

    assert listing_hash(photo, []) != listing_hash("", [photo])


def test_the_order_of_photos_is_content() -> None:
    assert listing_hash("shoe", ["a", "b"]) != listing_hash("shoe", ["b", "a"])


@pytest.mark.parametrize(
    "change",
    [
        {"weights_sha256": "cd"},
        {"preprocessing": {"size": 64, "crop": 0.9}},
        {"runtime": "torch"},
        {"precision": "int8"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_part_of_a_tower_changes_its_fingerprint(change: dict[str, object]) -> None:
    assert tower_fingerprint(**PARTS) != tower_fingerprint(**PARTS | change)


def test_the_order_of_preprocessing_keys_is_no_part_of_a_fingerprint() -> None:
    reordered = PARTS | {"preprocessing": {"crop": 0.9, "size": 32}}

    assert tower_fingerprint(**PARTS) == tower_fingerprint(**reordered)
