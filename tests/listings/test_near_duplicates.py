from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from counterfeit_risk.listings.alignment import agreement
from counterfeit_risk.listings.near_duplicates import (
    LEAST_AGREEMENT,
    find_near_duplicates,
    group_photos,
    shared_photo_keys,
)
from counterfeit_risk.listings.thumbnails import Thumbnail, make_thumbnail, stack
from counterfeit_risk.market.brands import draw_brands
from counterfeit_risk.market.pictures.copies import apply_evasions, make_collage
from counterfeit_risk.market.pictures.photos import render_photo
from counterfeit_risk.market.pictures.products import PRODUCTS
from counterfeit_risk.market.pictures.scenes import Place, Scene, View
from counterfeit_risk.market.signals import FileEvasion, PhotoTell

PHOTOS = 12


def picture(seed: int) -> Image.Image:
    """A pale table with things of many shapes and colours in the middle of it, a little out of focus."""
    rng = np.random.default_rng(seed)
    level = int(rng.integers(200, 250))
    image = Image.new("RGB", (320, 240), (level, level, level - int(rng.integers(12))))
    draw = ImageDraw.Draw(image)
    for _ in range(14):
        x, y, width, height = rng.uniform(60, 190), rng.uniform(45, 130), *rng.uniform(20, 70, 2)
        colour = tuple(int(level) for level in rng.integers(0, 255, 3))
        shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape((x, y, x + width, y + height), fill=colour)
    return image.filter(ImageFilter.GaussianBlur(2.5))


def saved(image: Image.Image) -> Thumbnail:
    stream = BytesIO()
    image.save(stream, "JPEG", quality=80)
    return make_thumbnail(np.asarray(Image.open(stream).convert("RGB")))


def changed(seed: int, *evasions: FileEvasion) -> Image.Image:
    return apply_evasions(picture(seed), frozenset(evasions), np.random.default_rng(seed))


@pytest.fixture(scope="module")
def originals() -> list[Thumbnail]:
    return [saved(picture(seed)) for seed in range(PHOTOS)]


def found(originals: list[Thumbnail], copies: list[Image.Image]) -> set[tuple[int, int]]:
    """Pairs of an original and a copy, by their places in the two lists."""
    pairs = find_near_duplicates([*originals, *map(saved, copies)])
    return {(int(one), int(other) - PHOTOS) for one, other in pairs}


SAME = {(row, row) for row in range(PHOTOS)}


def test_different_photos_are_not_joined(originals: list[Thumbnail]) -> None:
    assert find_near_duplicates(originals).shape == (0, 2)


@pytest.mark.parametrize("evasion", [evasion for evasion in FileEvasion if evasion is not FileEvasion.COLLAGE])
def test_a_changed_copy_is_found_and_nothing_else(originals: list[Thumbnail], evasion: FileEvasion) -> None:
    pairs = found(originals, [changed(seed, evasion) for seed in range(PHOTOS)])

    assert pairs <= SAME
    assert len(pairs) >= 10


def test_a_copy_changed_in_many_ways_is_found(originals: list[Thumbnail]) -> None:
    ways = (FileEvasion.MIRRORED, FileEvasion.CROPPED, FileEvasion.WATERMARKED, FileEvasion.RECOMPRESSED)

    pairs = found(originals, [changed(seed, *ways) for seed in range(PHOTOS)])

    assert pairs <= SAME
    assert len(pairs) >= 8


@pytest.mark.parametrize(("count", "least"), [(2, 2), (3, 1), (4, 3)])
def test_the_photos_of_a_collage_are_found(originals: list[Thumbnail], count: int, least: int) -> None:
    collage = make_collage([picture(seed) for seed in range(count)], np.random.default_rng(count))

    pairs = found(originals, [collage])

    assert pairs <= {(seed, 0) for seed in range(count)}
    assert len(pairs) >= least  # the smallest of three are a hundred pixels wide


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_copy_is_found(originals: list[Thumbnail], quarters: int) -> None:
    turned = [picture(seed).rotate(90 * quarters, expand=True) for seed in range(PHOTOS)]

    assert found(originals, turned) == SAME


def test_two_crops_are_joined_without_their_original() -> None:
    crops = [
        apply_evasions(picture(seed), frozenset({FileEvasion.CROPPED}), np.random.default_rng(draw))
        for draw in (1, 2)
        for seed in range(PHOTOS)
    ]

    groups = group_photos([saved(crop) for crop in crops])

    assert groups[:PHOTOS].tolist() == groups[PHOTOS:].tolist()
    assert len(set(groups.tolist())) == PHOTOS


def test_copies_are_joined_in_turn() -> None:
    framed = changed(3, FileEvasion.BORDERED)
    both = make_collage([framed, picture(4)], np.random.default_rng(0))

    groups = group_photos([saved(picture(3)), saved(both), saved(picture(4)), saved(picture(5))])

    assert groups.tolist() == [0, 0, 0, 1]


def test_flat_photos_are_not_joined() -> None:
    blank = [saved(Image.new("RGB", (320, 240), (level, level, level))) for level in (250, 251, 252)]

    assert find_near_duplicates(blank).shape == (0, 2)


def test_small_goods_of_another_pattern_before_the_same_wall_are_not_joined() -> None:
    def shirt(stripe: int) -> Image.Image:
        image = picture(0)
        draw = ImageDraw.Draw(image)
        draw.rectangle((80, 40, 240, 220), fill=(230, 230, 226))
        for y in range(44, 216, 2 * stripe):
            draw.rectangle((84, y, 236, y + stripe), fill=(40, 60, 120))
        return image

    assert find_near_duplicates([saved(shirt(6)), saved(shirt(11))]).shape == (0, 2)


def test_a_repainted_photo_is_another_one() -> None:
    red, green, blue = picture(0).split()

    assert find_near_duplicates([saved(picture(0)), saved(Image.merge("RGB", (blue, red, green)))]).shape == (0, 2)


def test_the_order_of_the_photos_changes_no_pair(originals: list[Thumbnail]) -> None:
    photos = [*originals, *(saved(changed(seed, FileEvasion.CROPPED)) for seed in range(PHOTOS))]

    backwards = len(photos) - 1 - find_near_duplicates(photos[::-1])

    assert {tuple(sorted(pair)) for pair in backwards.tolist()} == set(
        map(tuple, find_near_duplicates(photos).tolist())
    )


def test_embeddings_bring_candidates_that_still_have_to_agree(originals: list[Thumbnail]) -> None:
    alike = np.full((PHOTOS, 4), 0.5, np.float32)

    assert find_near_duplicates(originals, embeddings=alike).shape == (0, 2)


def test_no_photos_have_no_pairs() -> None:
    assert find_near_duplicates([]).shape == (0, 2)
    assert group_photos([]).shape == (0,)


def test_copies_share_the_name_of_the_first(originals: list[Thumbnail]) -> None:
    copy = saved(changed(0, FileEvasion.MIRRORED))

    names = shared_photo_keys([["a", "b"], [], ["a"], ["c"]], [originals[:2], [], originals[:1], [copy]])

    assert names == [("a", "b"), (), ("a",), ("a",)]


def test_progress_counts_every_photo(originals: list[Thumbnail]) -> None:
    steps: list[int] = []
    find_near_duplicates(originals, on_progress=steps.append)

    assert sum(steps) == PHOTOS


@pytest.mark.parametrize(("product", "goods_seed"), [("sunglasses", 6), ("sneaker", 0), ("jacket", 8)])
def test_a_sticker_on_one_copy_does_not_hide_that_it_is_one(product: str, goods_seed: int) -> None:
    brand = draw_brands(np.random.default_rng(0), 3)[0]
    seeds = {"goods_seed": goods_seed, "seed": goods_seed + 1}
    plain = Scene(PRODUCTS[product], brand, View.FRONT, Place.WHITE, "brown", {}, **seeds)
    covered = replace(plain, tells={PhotoTell.COVERED_MARK: 3})

    whole, copy = (stack([saved(render_photo(scene))]) for scene in (plain, covered))
    assert agreement(whole, copy, np.array([[0, 0, 1, 1]], np.float32))[0] >= LEAST_AGREEMENT
