from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from counterfeit_risk.listings.file_traits import FILE_TRAITS, PhotoTraits, file_traits, photo_traits
from counterfeit_risk.listings.images import ImageLimits, UnreadableImageError
from counterfeit_risk.listings.listing import Listing, Photo


def encode(size: tuple[int, int] = (40, 30), kind: str = "JPEG", *, quality: int = 75) -> bytes:
    file = BytesIO()
    Image.new("RGB", size, "teal").save(file, kind, quality=quality)
    return file.getvalue()


@pytest.mark.parametrize("quality", [5, 30, 50, 75, 86, 95, 100])
def test_the_quality_a_jpeg_was_saved_with_is_found(quality: int) -> None:
    assert photo_traits(encode(quality=quality)).jpeg_quality == quality


def test_a_photo_is_measured_from_outside() -> None:
    data = encode((64, 48), "PNG")
    assert photo_traits(data) == PhotoTraits(64, 48, len(data), jpeg_quality=None)


def test_what_is_no_photo_is_refused() -> None:
    for data in (b"", b"no image", encode()[:30]):
        with pytest.raises(UnreadableImageError):
            photo_traits(data)


def test_the_limits_of_photos_are_kept() -> None:
    with pytest.raises(UnreadableImageError, match="over the limit"):
        photo_traits(encode((40, 30)), ImageLimits(max_pixels=1000))
    with pytest.raises(UnreadableImageError, match="format"):
        photo_traits(encode(kind="BMP"))


def test_a_listing_is_described_by_the_mean_of_its_photos() -> None:
    listing = Listing("1", "a red bag", tuple(Photo(f"{name}.jpg") for name in "abc"))
    photos = [PhotoTraits(100, 50, 1000, 80), PhotoTraits(200, 150, 3000, 60), PhotoTraits(300, 100, 2000, None)]
    found = dict(zip(FILE_TRAITS, file_traits(listing, photos).tolist(), strict=True))
    assert found == {
        "mean_width": 200.0,
        "mean_height": 100.0,
        "mean_file_bytes": 2000.0,
        "mean_jpeg_quality": 70.0,
        "lowest_jpeg_quality": 60.0,
        "photo_count": 3.0,
        "title_length": 9.0,
    }


def test_a_listing_without_a_readable_photo_has_no_file_traits() -> None:
    found = file_traits(Listing("1", "bag", (Photo("gone.jpg"),)), [])
    assert np.isnan(found[:5]).all()
    assert found[5:].tolist() == [1.0, 3.0]
