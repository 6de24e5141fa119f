from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from tokenizers import Tokenizer, processors

from counterfeit_risk.embeddings.preprocessing import (
    ImagePreprocessing,
    configure_tokenizer,
    to_pixel_values,
    to_pixels,
    tokenize,
)

RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)
PADDING, PADDING_ID = "[PAD]", 0


def preprocessing(**values: Any) -> ImagePreprocessing:
    half = (0.5, 0.5, 0.5)
    defaults = {"image_size": 16, "crop_share": 1.0, "interpolation": "bilinear", "mean": half, "std": half}
    return ImagePreprocessing(**defaults | values)


def plain(height: int, width: int, colour: tuple[int, int, int] = GREY) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def inner(pixels: np.ndarray) -> np.ndarray:
    """All but the outermost pixels, into which the filter mixes what lies next to the crop."""
    return pixels[1:-1, 1:-1]


def configured(tokenizer: Tokenizer, *, fixed_length: bool = False) -> Tokenizer:
    copy = Tokenizer.from_str(tokenizer.to_str())
    return Tokenizer.from_str(
        configure_tokenizer(copy, max_tokens=8, pad_id=PADDING_ID, pad_token=PADDING, fixed_length=fixed_length)
    )


@pytest.fixture(scope="module")
def tokenizer(tiny_tokenizer: Tokenizer) -> Tokenizer:
    return configured(tiny_tokenizer)


def test_a_wide_photo_keeps_its_middle() -> None:
    photo = np.concatenate([plain(20, 20, RED), plain(20, 20, GREEN), plain(20, 20, BLUE)], axis=1)

    assert (inner(to_pixels(photo, preprocessing())) == GREEN).all()


def test_a_tall_photo_keeps_its_middle() -> None:
    photo = np.concatenate([plain(20, 20, RED), plain(20, 20, GREEN), plain(20, 20, BLUE)], axis=0)

    assert (inner(to_pixels(photo, preprocessing())) == GREEN).all()


def test_a_crop_share_cuts_the_same_from_every_side() -> None:
    photo = plain(40, 40, RED)
    photo[10:30, 10:30] = GREEN

    assert (inner(to_pixels(photo, preprocessing(crop_share=0.5))) == GREEN).all()
    corners = to_pixels(photo, preprocessing(crop_share=0.6))[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == corners[0]).all()
    assert corners[0, 0] > 0


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_one_step_gives_what_towers_were_trained_on_a_resize_and_a_centre_crop(
    interpolation: Literal["bilinear", "bicubic"],
) -> None:
    photo = np.random.default_rng(0).integers(256, size=(40, 60, 3), dtype=np.uint8)

    pixels = to_pixels(photo, preprocessing(crop_share=0.8, interpolation=interpolation))

    resampling = Image.Resampling[interpolation.upper()]
    resized = Image.fromarray(photo).resize((30, 20), resampling).crop((7, 2, 23, 18))
    np.testing.assert_allclose(pixels.astype(int), np.asarray(resized, int), atol=1)


def test_left_stays_left_and_up_stays_up() -> None:
    photo = plain(30, 30)
    photo[:15, :15], photo[:15, 15:] = RED, GREEN

    pixels = to_pixels(photo, preprocessing())

    assert tuple(pixels[3, 3]) == RED
    assert tuple(pixels[3, 12]) == GREEN
    assert tuple(pixels[12, 3]) == GREY


def test_a_squashed_photo_keeps_its_edges_and_loses_its_shape() -> None:
    photo = np.concatenate([plain(20, 20, RED), plain(20, 20, GREEN), plain(20, 20, BLUE)], axis=1)

    row = to_pixels(photo, preprocessing(image_size=9, fit="squash"))[4]

    assert [tuple(pixel) for pixel in row[[0, 1, 4, 7, 8]]] == [RED, RED, GREEN, BLUE, BLUE]


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_a_squash_with_a_crop_share_is_a_resize_to_a_square_and_a_centre_crop(
    interpolation: Literal["bilinear", "bicubic"],
) -> None:
    photo = np.random.default_rng(0).integers(256, size=(40, 60, 3), dtype=np.uint8)

    pixels = to_pixels(photo, preprocessing(crop_share=0.8, fit="squash", interpolation=interpolation))

    resampling = Image.Resampling[interpolation.upper()]
    resized = Image.fromarray(photo).resize((20, 20), resampling).crop((2, 2, 18, 18))
    np.testing.assert_allclose(pixels.astype(int), np.asarray(resized, int), atol=1)


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    size=st.integers(1, 24),
    crop_share=st.floats(0.05, 1),
    interpolation=st.sampled_from(["bilinear", "bicubic"]),
    fit=st.sampled_from(["crop", "squash"]),
)
@settings(deadline=None)
def test_a_photo_of_any_shape_becomes_the_square_that_the_tower_sees(
    height: int, width: int, size: int, crop_share: float, interpolation: str, fit: str
) -> None:
    expected = preprocessing(image_size=size, crop_share=crop_share, interpolation=interpolation, fit=fit)

    pixels = to_pixels(plain(height, width), expected)

    assert pixels.shape == (size, size, 3)
    assert pixels.dtype == np.uint8
    assert (pixels == 128).all()


def test_a_photo_one_pixel_high_is_enlarged_from_its_middle() -> None:
    photo = plain(1, 300, RED)
    photo[:, 150] = GREEN

    pixels = to_pixels(photo, preprocessing(image_size=2))

    assert (pixels[0] == pixels[1]).all()
    assert (pixels[:, :, 1] > 0).any()


def test_the_smallest_side_leaves_the_crop_as_large_as_the_tower_sees() -> None:
    assert preprocessing(image_size=224, crop_share=0.875).smallest_side == 256
    assert preprocessing(image_size=224).smallest_side == 224
    assert preprocessing(image_size=224, crop_share=0.875, fit="squash").smallest_side == 256
    assert preprocessing(image_size=224, fit="squash").smallest_side == 224


def test_a_preprocessing_that_says_nothing_of_a_fit_crops() -> None:
    older = preprocessing().model_dump_json(exclude={"fit"})

    assert ImagePreprocessing.model_validate_json(older) == preprocessing(fit="crop")


@given(st.integers(0, 255), st.floats(0.01, 1), st.floats(0.01, 1))
def test_pixel_values_are_shares_of_full_brightness_less_mean_over_std(level: int, mean: float, std: float) -> None:
    pixels = np.full((2, 2, 3), level, np.uint8)

    values = to_pixel_values(pixels, preprocessing(mean=(mean,) * 3, std=(std,) * 3))

    assert values.dtype == np.float32
    np.testing.assert_allclose(values, (level / 255 - mean) / std, atol=1e-6 / std)


def test_channels_move_forward_and_keep_their_own_mean_and_std() -> None:
    pixels = np.zeros((2, 4, 4, 3), np.uint8)
    pixels[1, 2, 3] = (51, 102, 153)

    values = to_pixel_values(pixels, preprocessing(mean=(0.1, 0.2, 0.3), std=(1.0, 0.5, 0.25)))

    assert values.shape == (2, 3, 4, 4)
    np.testing.assert_allclose(values[1, :, 2, 3], [0.1, 0.4, 1.2], atol=1e-6)
    np.testing.assert_allclose(values[0, :, 0, 0], [-0.1, -0.4, -1.2], atol=1e-6)


def test_no_photos_become_no_pixel_values() -> None:
    assert to_pixel_values(np.zeros((0, 4, 4, 3), np.uint8), preprocessing()).shape == (0, 3, 4, 4)


@pytest.mark.parametrize(
    "mistake",
    [
        {"crop_share": 0},
        {"crop_share": 1.1},
        {"image_size": 0},
        {"interpolation": "nearest"},
        {"fit": "pad"},
        {"colour": "grey"},
    ],
    ids=str,
)
def test_a_preprocessing_that_makes_no_sense_is_refused(mistake: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(mistake))):
        preprocessing(**mistake)


def test_titles_are_padded_to_the_longest_of_them(tokenizer: Tokenizer) -> None:
    titles = tokenize(tokenizer, ["nike air shoe", "bag"])

    longest = int(titles.attention_mask[0].sum())
    assert titles.input_ids.shape == titles.attention_mask.shape == (2, longest)
    assert titles.input_ids.dtype == titles.attention_mask.dtype == np.int64
    assert titles.attention_mask[0].all()
    length = int(titles.attention_mask[1].sum())
    assert 0 < length < longest
    assert (titles.input_ids[1, length:] == PADDING_ID).all()
    assert not titles.attention_mask[1, length:].any()


def test_titles_of_a_fixed_length_are_padded_to_the_token_limit(tiny_tokenizer: Tokenizer) -> None:
    tokenizer = configured(tiny_tokenizer, fixed_length=True)

    for batch in (["bag"], ["nike air shoe", "bag", "q" * 50]):
        titles = tokenize(tokenizer, batch)
        length = int(titles.attention_mask[batch.index("bag")].sum())
        assert titles.input_ids.shape == titles.attention_mask.shape == (len(batch), 8)
        assert (titles.input_ids[batch.index("bag"), length:] == PADDING_ID).all()
        assert titles.cut.tolist() == [len(title) == 50 for title in batch]


def test_a_title_is_cut_at_the_token_limit_and_says_so(tokenizer: Tokenizer) -> None:
    whole, long = "qqqqqqq", "q" * 50  # a letter that no merge takes is one token, the first space another

    titles = tokenize(tokenizer, [whole, long])

    assert titles.input_ids.shape == (2, 8)
    assert titles.attention_mask.all()
    assert titles.cut.tolist() == [False, True]


def test_a_cut_title_keeps_the_tokens_that_frame_it(tiny_tokenizer: Tokenizer) -> None:
    framed = Tokenizer.from_str(tiny_tokenizer.to_str())
    framed.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )

    titles = tokenize(configured(framed), ["q" * 50])

    assert titles.input_ids[0, [0, -1]].tolist() == [1, 2]
    assert titles.input_ids.shape == (1, 8)


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=5))
@settings(deadline=None)
def test_the_ids_of_a_title_depend_on_its_batch_in_padding_only(tokenizer: Tokenizer, batch: list[str]) -> None:
    together = tokenize(tokenizer, batch)

    for row, title in enumerate(batch):
        alone = tokenize(tokenizer, [title])
        length = alone.input_ids.shape[1]
        assert together.input_ids[row, :length].tolist() == alone.input_ids[0].tolist()
        assert together.attention_mask[row].sum() == length
        assert together.cut[row] == alone.cut[0]
