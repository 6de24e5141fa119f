from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from counterfeit_risk.embeddings.content import ContentReader, ListingContent
from counterfeit_risk.embeddings.preprocessing import ImagePreprocessing
from counterfeit_risk.listings.images import ImageLimits
from counterfeit_risk.listings.listing import Listing, Photo

HALF = (0.5, 0.5, 0.5)
PREPROCESSING = ImagePreprocessing(image_size=8, crop_share=1.0, interpolation="bilinear", mean=HALF, std=HALF)


def png(level: int, side: int = 8) -> bytes:
    stream = BytesIO()
    Image.new("RGB", (side, side), (level,) * 3).save(stream, "PNG")
    return stream.getvalue()


def listing(*photos: Photo, title: str = "red shoe", listing_id: str = "1") -> Listing:
    return Listing(listing_id, title, photos)


def levels(content: ListingContent) -> list[int]:
    """The grey level of each plain photo."""
    return [int(pixels[0, 0, 0]) for pixels in content.pixels]


@pytest.fixture
def reader(tmp_path: Path) -> ContentReader:
    for level in (10, 20, 30):
        (tmp_path / f"{level}.png").write_bytes(png(level))
    (tmp_path / "broken.png").write_bytes(png(40)[:-30])
    return ContentReader(tmp_path, PREPROCESSING, max_photos=2)


def test_photos_keep_their_order(reader: ContentReader) -> None:
    content = reader.read(listing(Photo("20.png"), Photo("10.png")))

    assert levels(content) == [20, 10]
    assert all(pixels.shape == (8, 8, 3) for pixels in content.pixels)


def test_no_more_photos_than_allowed_are_used(reader: ContentReader) -> None:
    content = reader.read(listing(Photo("10.png"), Photo("20.png"), Photo("30.png")))

    assert levels(content) == [10, 20]
    assert content.photos_lost == ()


def test_a_lost_photo_is_named_and_the_next_takes_its_place(reader: ContentReader) -> None:
    content = reader.read(listing(Photo("missing.png"), Photo("10.png"), Photo("broken.png"), Photo("20.png")))

    assert levels(content) == [10, 20]
    assert len(content.photo_hashes) == 2
    assert content.photos_lost == ("missing.png: no such file", "broken.png: truncated image")


def test_a_lost_photo_from_the_table_is_named_by_its_size(reader: ContentReader) -> None:
    content = reader.read(listing(Photo(data=b"not a photo")))

    assert content.photos_lost == ("11 bytes in the table: not an image in an allowed format",)


def test_the_limits_are_those_of_the_reader(reader: ContentReader) -> None:
    strict = replace(reader, limits=ImageLimits(max_pixels=63))

    assert strict.read(listing(Photo("10.png"))).photos_lost == ("10.png: 8x8 pixels is over the limit of 63",)


def test_the_title_is_normalised(reader: ContentReader) -> None:
    assert reader.read(listing(title="  Ｒed\u200b   shoe ")).title == "Red shoe"


@pytest.mark.parametrize("title", ["", "  ", "\u200b\x00"])
def test_a_listing_with_nothing_readable_is_empty(reader: ContentReader, title: str) -> None:
    assert reader.read(listing(Photo("missing.png"), title=title)).is_empty


def test_a_title_alone_or_a_photo_alone_is_content(reader: ContentReader) -> None:
    assert not reader.read(listing(title="shoe")).is_empty
    assert not reader.read(listing(Photo("10.png"), title="")).is_empty


def test_listings_that_no_model_can_tell_apart_share_a_content_hash(reader: ContentReader) -> None:
    one = reader.read(listing(Photo("10.png"), title="red  shoe"))
    same = reader.read(listing(Photo(data=png(10)), Photo("missing.png"), title=" red shoe", listing_id="2"))

    assert one.content_hash == same.content_hash


@pytest.mark.parametrize(
    "other",
    [
        listing(Photo("10.png"), Photo("20.png"), title="blue shoe"),
        listing(Photo("10.png"), Photo("30.png")),
        listing(Photo("20.png"), Photo("10.png")),
        listing(Photo("10.png")),
        listing(Photo("10.png"), Photo("20.png"), title=""),
    ],
    ids=["another title", "another photo", "another order", "a photo less", "no title"],
)
def test_a_change_of_content_changes_the_hash(reader: ContentReader, other: Listing) -> None:
    content = reader.read(listing(Photo("10.png"), Photo("20.png")))

    assert reader.read(other).content_hash != content.content_hash


def test_a_photo_past_the_last_used_one_is_no_content(reader: ContentReader) -> None:
    photos = (Photo("10.png"), Photo("20.png"))

    assert reader.read(listing(*photos, Photo("30.png"))).content_hash == reader.read(listing(*photos)).content_hash


def test_a_large_photo_looks_like_the_same_photo_made_small(reader: ContentReader) -> None:
    ramp = np.linspace(0, 255, 512).astype(np.uint8)
    large = Image.fromarray(np.repeat(np.repeat(ramp[None, :, None], 512, 0), 3, 2))
    stream = BytesIO()
    large.save(stream, "JPEG", quality=95)

    content = reader.read(listing(Photo(data=stream.getvalue())))

    small = np.asarray(large.resize((8, 8), Image.Resampling.BILINEAR), int)
    assert np.abs(content.pixels[0].astype(int) - small).max() <= 8


def test_thumbnails_are_kept_where_they_are_asked_for(reader: ContentReader) -> None:
    photos = listing(Photo("10.png"), Photo("missing.png"), Photo("20.png"))

    kept = replace(reader, keep_thumbnails=True).read(photos)

    assert reader.read(photos).thumbnails == ()
    assert [int(thumbnail.luma[0, 0]) for thumbnail in kept.thumbnails] == [10, 20]
    assert levels(kept) == levels(reader.read(photos))
