import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from counterfeit_risk.market.pictures.copies import apply_evasions, make_collage
from counterfeit_risk.market.signals import FileEvasion

OF_ONE_PHOTO = [evasion for evasion in FileEvasion if evasion is not FileEvasion.COLLAGE]


def noise(width: int = 320, height: int = 240, seed: int = 0) -> Image.Image:
    """Large soft spots, so that small JPEGs keep most of it."""
    spots = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(spots).resize((width, height), Image.Resampling.BICUBIC)


def copy_of(photo: Image.Image, *evasions: FileEvasion, seed: int = 0) -> Image.Image:
    return apply_evasions(photo, frozenset(evasions), np.random.default_rng(seed))


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).mean())


@settings(max_examples=30, deadline=None)
@given(
    evasions=st.frozensets(st.sampled_from(list(FileEvasion))),
    width=st.integers(40, 320),
    height=st.integers(40, 320),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_longer_side_stays_as_long(evasions: frozenset[FileEvasion], width: int, height: int, seed: int) -> None:
    copy = apply_evasions(noise(width, height), evasions, np.random.default_rng(seed))

    assert max(copy.size) == max(width, height)
    assert copy.mode == "RGB"


def test_no_evasion_changes_nothing() -> None:
    assert copy_of(noise()).tobytes() == noise().tobytes()


@pytest.mark.parametrize("evasion", OF_ONE_PHOTO)
def test_the_original_stays_as_it_is(evasion: FileEvasion) -> None:
    photo = noise()
    copy_of(photo, evasion)

    assert photo.tobytes() == noise().tobytes()


@pytest.mark.parametrize("evasion", OF_ONE_PHOTO)
def test_every_evasion_makes_other_bytes_and_the_same_seed_the_same_ones(evasion: FileEvasion) -> None:
    copy = copy_of(noise(), evasion)

    assert copy.tobytes() != noise().tobytes()
    assert copy_of(noise(), evasion).tobytes() == copy.tobytes()


def test_a_mirrored_copy_mirrored_again_is_the_photo() -> None:
    twice = copy_of(copy_of(noise(), FileEvasion.MIRRORED), FileEvasion.MIRRORED)

    assert twice.tobytes() == noise().tobytes()


@pytest.mark.parametrize("seed", range(5))
def test_a_crop_takes_between_4_and_14_percent_off_each_side(seed: int) -> None:
    ramp = Image.fromarray(np.tile(np.linspace(0, 255, 320).astype(np.uint8)[:, None], (1, 3))[None].repeat(320, 0))

    across = np.asarray(copy_of(ramp, FileEvasion.CROPPED, seed=seed))[100, :, 0] / 255

    assert 0.03 < across[0] < 0.15
    assert 0.85 < across[-1] < 0.97


@pytest.mark.parametrize("seed", range(5))
def test_a_frame_has_one_colour_and_leaves_most_of_the_photo(seed: int) -> None:
    framed = np.asarray(copy_of(noise(), FileEvasion.BORDERED, seed=seed))

    edge = np.concatenate([framed[0], framed[-1], framed[:, 0], framed[:, -1]])
    assert len(np.unique(edge, axis=0)) == 1
    assert (framed == edge[0]).all(axis=2).mean() < 0.4


def test_a_watermark_leaves_most_pixels_alone() -> None:
    marked = np.asarray(copy_of(noise(), FileEvasion.WATERMARKED), int)

    changed = (marked != np.asarray(noise(), int)).any(axis=2).mean()
    assert 0.002 < changed < 0.3


def test_a_small_jpeg_looks_much_like_the_photo() -> None:
    assert 0 < difference(copy_of(noise(), FileEvasion.RECOMPRESSED), noise()) < 10


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("seed", range(3))
def test_a_collage_shows_every_photo(count: int, seed: int) -> None:
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0)][:count]

    collage = make_collage([Image.new("RGB", (320, 240), c) for c in colours], np.random.default_rng(seed))

    shown = np.asarray(collage).reshape(-1, 3)
    assert max(collage.size) == 320
    assert all((shown == colour).all(axis=1).mean() > 0.15 for colour in colours)


def test_a_collage_of_one_photo_is_refused() -> None:
    with pytest.raises(ValueError, match="2 to 4 photos, not 1"):
        make_collage([noise()], np.random.default_rng(0))
