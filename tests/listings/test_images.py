import os
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from counterfeit_risk.listings.images import ImageLimits, UnreadableImageError, decode_image, read_photo
from counterfeit_risk.listings.listing import Photo

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
QUARTERS = np.array([[RED, GREEN], [BLUE, WHITE]], dtype=np.uint8)
"""Red at the top left, green at the top right, blue below, white last: no turn or flip looks the same."""


def encode(image: Image.Image, image_format: str, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, image_format, **options)
    return stream.getvalue()


def quarters(side: int) -> Image.Image:
    return Image.fromarray(QUARTERS.repeat(side // 2, axis=0).repeat(side // 2, axis=1))


def corners(pixels: np.ndarray) -> np.ndarray:
    """The colour in the middle of each quarter, (2, 2, 3)."""
    height, width = pixels.shape[:2]
    return pixels[np.ix_([height // 4, 3 * height // 4], [width // 4, 3 * width // 4])]


def png(width: int, height: int, pixel_data: bytes) -> bytes:
    """A greyscale PNG of one byte a pixel, whatever its header claims."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel_data) + chunk(b"IEND", b"")


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(UnreadableImageError) as caught:
        action()
    assert str(caught.value) == caught.value.reason
    return caught.value.reason


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An image root with one photo in a folder, and a secret beside it."""
    root = tmp_path / "photos"
    (root / "bags").mkdir(parents=True)
    (root / "bags" / "one.jpg").write_bytes(b"one")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    return root


@pytest.mark.parametrize("path", ["bags/one.jpg", "./bags//one.jpg", "bags/../bags/one.jpg"])
def test_a_path_under_the_root_is_read(root: Path, path: str) -> None:
    assert read_photo(Photo(path), root) == b"one"


@pytest.mark.parametrize("path", ["../secret.jpg", "bags/../../secret.jpg", "../missing.jpg", "/etc/hostname"])
def test_a_path_out_of_the_root_is_refused_whether_it_exists_or_not(root: Path, path: str) -> None:
    assert refusal(lambda: read_photo(Photo(path), root)) == "path leaves the image root"


def test_an_absolute_path_is_refused_even_under_the_root(root: Path) -> None:
    assert refusal(lambda: read_photo(Photo(str(root / "bags/one.jpg")), root)) == "path leaves the image root"


def test_a_symlink_out_of_the_root_is_refused_as_file_and_as_folder(root: Path) -> None:
    (root / "file.jpg").symlink_to(root.parent / "secret.jpg")
    (root / "folder").symlink_to(root.parent)

    assert refusal(lambda: read_photo(Photo("file.jpg"), root)) == "path leaves the image root"
    assert refusal(lambda: read_photo(Photo("folder/secret.jpg"), root)) == "path leaves the image root"


def test_a_symlink_inside_the_root_is_followed(root: Path) -> None:
    (root / "again.jpg").symlink_to("bags/one.jpg")

    assert read_photo(Photo("again.jpg"), root) == b"one"


def test_the_root_itself_may_be_a_symlink(root: Path) -> None:
    (root.parent / "link").symlink_to(root)

    assert read_photo(Photo("bags/one.jpg"), root.parent / "link") == b"one"


@pytest.mark.parametrize("path", ["missing.jpg", "bags/one.jpg/two.jpg"])
def test_a_file_that_is_not_there_is_named_so(root: Path, path: str) -> None:
    assert refusal(lambda: read_photo(Photo(path), root)) == "no such file"


@pytest.mark.parametrize("path", ["", ".", "bags"])
def test_a_folder_is_no_photo(root: Path, path: str) -> None:
    assert refusal(lambda: read_photo(Photo(path), root)) == "not a regular file"


def test_a_fifo_is_refused_and_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "pipe.jpg")

    assert refusal(lambda: read_photo(Photo("pipe.jpg"), root)) == "not a regular file"


@pytest.mark.parametrize("path", ["a\x00b.jpg", "\ud800.jpg", "x" * 5000])
def test_a_name_that_no_file_can_have_is_refused(root: Path, path: str) -> None:
    assert refusal(lambda: read_photo(Photo(path), root)) == "file cannot be opened"


def test_a_loop_of_symlinks_is_refused(root: Path) -> None:
    (root / "a.jpg").symlink_to("b.jpg")
    (root / "b.jpg").symlink_to("a.jpg")

    assert refusal(lambda: read_photo(Photo("a.jpg"), root)) == "file cannot be opened"


def test_a_large_file_is_refused_before_it_is_read(root: Path) -> None:
    with (root / "sparse.jpg").open("wb") as file:
        file.truncate(2**40)

    reason = refusal(lambda: read_photo(Photo("sparse.jpg"), root))

    assert reason == "file of 1048576 MB is over the limit of 20 MB"


def test_bytes_in_the_table_are_taken_up_to_the_same_limit(root: Path) -> None:
    limits = ImageLimits(max_bytes=2**20)

    assert read_photo(Photo("../ignored.jpg", data=b"one"), root, limits) == b"one"
    reason = refusal(lambda: read_photo(Photo(data=bytes(2**20 + 1)), root, limits))
    assert reason == "file of 2 MB is over the limit of 1 MB"


@pytest.mark.parametrize("image_format", ["PNG", "GIF", "JPEG", "WEBP"])
def test_every_allowed_format_keeps_its_colours(image_format: str) -> None:
    options: dict[str, Any] = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}.get(
        image_format, {}
    )

    pixels = decode_image(encode(quarters(32), image_format, **options), smallest_side=32)

    assert pixels.shape == (32, 32, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.writeable
    np.testing.assert_allclose(corners(pixels), QUARTERS, atol=3)


@pytest.mark.parametrize("image_format", ["BMP", "TIFF", "PPM", "ICO"])
def test_other_formats_are_refused(image_format: str) -> None:
    data = encode(quarters(32), image_format)

    assert refusal(lambda: decode_image(data, smallest_side=32)) == "not an image in an allowed format"


@pytest.mark.parametrize("data", [b"", b"just text named .jpg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    assert refusal(lambda: decode_image(data, smallest_side=32)) == "not an image in an allowed format"


def test_a_format_can_be_disallowed() -> None:
    limits = ImageLimits(formats=("JPEG",))

    assert (
        refusal(lambda: decode_image(encode(quarters(32), "PNG"), smallest_side=32, limits=limits))
        == "not an image in an allowed format"
    )


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, [[RED, GREEN], [BLUE, WHITE]]),
        (2, [[GREEN, RED], [WHITE, BLUE]]),
        (3, [[WHITE, BLUE], [GREEN, RED]]),
        (4, [[BLUE, WHITE], [RED, GREEN]]),
        (5, [[RED, BLUE], [GREEN, WHITE]]),
        (6, [[BLUE, RED], [WHITE, GREEN]]),
        (7, [[WHITE, GREEN], [BLUE, RED]]),
        (8, [[GREEN, WHITE], [RED, BLUE]]),
    ],
)
@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_exif_orientation_is_applied(
    orientation: int, upright: list[list[tuple[int, int, int]]], image_format: str
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation

    pixels = decode_image(encode(quarters(64).resize((64, 32)), image_format, exif=exif), smallest_side=32)

    assert pixels.shape == ((64, 32, 3) if orientation >= 5 else (32, 64, 3))
    np.testing.assert_allclose(corners(pixels), upright, atol=12)


@pytest.mark.parametrize(
    "exif", [b"Exif\x00\x00garbage", b"Exif\x00\x00II*\x00\xff\xff\xff\xff", b"Exif\x00\x00MM\x00*"]
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, which elsewhere in the tests is an error
def test_a_photo_with_broken_exif_is_still_a_photo(exif: bytes) -> None:
    pixels = decode_image(encode(quarters(32), "JPEG", exif=exif), smallest_side=32)

    np.testing.assert_allclose(corners(pixels), QUARTERS, atol=12)


def test_greyscale_of_16_bits_is_scaled_and_not_clipped() -> None:
    values = np.array([[0, 2**8, 2**15, 2**16 - 1]], dtype=np.uint16)

    pixels = decode_image(encode(Image.fromarray(values), "PNG"), smallest_side=1)

    assert pixels[0].tolist() == [[0, 0, 0], [1, 1, 1], [128, 128, 128], [255, 255, 255]]


def test_greyscale_of_1_and_8_bits_becomes_rgb() -> None:
    grey = Image.fromarray(np.array([[0, 100, 255]], dtype=np.uint8))

    assert decode_image(encode(grey, "PNG"), smallest_side=1)[0].tolist() == [[0] * 3, [100] * 3, [255] * 3]
    bilevel = decode_image(encode(grey.convert("1", dither=Image.Dither.NONE), "PNG"), smallest_side=1)
    assert bilevel[0].tolist() == [[0] * 3, [0] * 3, [255] * 3]


def test_cmyk_jpeg_keeps_its_colours() -> None:
    data = encode(quarters(32).convert("CMYK"), "JPEG", quality=95, subsampling=0)
    assert Image.open(BytesIO(data)).mode == "CMYK"

    np.testing.assert_allclose(corners(decode_image(data, smallest_side=32)), QUARTERS, atol=6)


def test_transparent_parts_lie_over_white() -> None:
    image = Image.new("RGBA", (3, 1))
    image.putdata([(*RED, 255), (*RED, 0), (0, 0, 0, 51)])

    assert decode_image(encode(image, "PNG"), smallest_side=1)[0].tolist() == [list(RED), list(WHITE), [204, 204, 204]]


def test_greyscale_with_alpha_lies_over_white() -> None:
    image = Image.new("LA", (2, 1))
    image.putdata([(10, 255), (10, 0)])

    assert decode_image(encode(image, "PNG"), smallest_side=1)[0].tolist() == [[10] * 3, [255] * 3]


@pytest.mark.parametrize("transparency", [1, bytes([255, 0, 255])])
@pytest.mark.parametrize("image_format", ["PNG", "GIF"])
def test_a_palette_with_transparency_lies_over_white(image_format: str, transparency: int | bytes) -> None:
    if image_format == "GIF" and isinstance(transparency, bytes):
        transparency = 1
    image = Image.new("P", (3, 1))
    image.putpalette([*RED, *GREEN, *BLUE])
    image.putdata([0, 1, 2])

    data = encode(image, image_format, transparency=transparency)

    assert decode_image(data, smallest_side=1)[0].tolist() == [list(RED), list(WHITE), list(BLUE)]


def test_an_animation_shows_its_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN, BLUE)]

    for image_format in ("GIF", "PNG"):
        data = encode(frames[0], image_format, save_all=True, append_images=frames[1:])
        assert (decode_image(data, smallest_side=8) == RED).all()


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF"])
@pytest.mark.parametrize(("width", "height"), [(1600, 1200), (500, 999), (129, 64), (63, 1000)])
def test_a_large_photo_comes_back_smaller_but_not_below_the_size_asked_for(
    image_format: str, width: int, height: int
) -> None:
    pixels = decode_image(encode(quarters(64).resize((width, height)), image_format), smallest_side=64)

    shorter, asked = min(pixels.shape[:2]), min(64, width, height)
    assert asked <= shorter < 4 * asked
    assert pixels.shape[1] / pixels.shape[0] == pytest.approx(width / height, rel=0.05)
    np.testing.assert_allclose(corners(pixels), QUARTERS, atol=25)


def test_transparency_does_not_bleed_when_a_photo_is_reduced() -> None:
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image.paste((*RED, 255), (0, 0, 63, 64))

    pixels = decode_image(encode(image, "PNG"), smallest_side=8)

    assert pixels.shape == (16, 16, 3)
    assert pixels[0, -1].tolist() == [255, 64, 64]


@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (1, 1)])
@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_extreme_shapes_are_decoded(size: tuple[int, int], image_format: str) -> None:
    pixels = decode_image(encode(Image.new("RGB", size, WHITE), image_format), smallest_side=224)

    assert pixels.shape == (size[1], size[0], 3)
    assert (pixels == 255).all()


def test_a_bomb_is_refused_by_its_header() -> None:
    side = 40_000
    bomb = png(side, side, zlib.compress(bytes(side * 1000)))

    reason = refusal(lambda: decode_image(bomb, smallest_side=224))

    assert reason == "40000x40000 pixels is over the limit of 50,000,000"


def test_a_bomb_that_its_decoder_finds_first_is_refused() -> None:
    gif = b"GIF89a" + struct.pack("<HHBBB", 40_000, 40_000, 0, 0, 0)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 50_000, 50_000, 0) + b"\x02\x01\x00\x00;"

    assert "pixels" in refusal(lambda: decode_image(gif + frame, smallest_side=224))


def test_the_limit_of_pixels_is_the_last_size_allowed() -> None:
    data = encode(Image.new("L", (10, 10)), "PNG")

    assert decode_image(data, smallest_side=1, limits=ImageLimits(max_pixels=100)).size > 0
    reason = refusal(lambda: decode_image(data, smallest_side=1, limits=ImageLimits(max_pixels=99)))
    assert reason == "10x10 pixels is over the limit of 99"


def test_a_size_over_pillows_own_limit_is_ours_to_allow() -> None:
    data = png(100_000, 2_000, zlib.compress(bytes(100)))

    limits = ImageLimits(max_pixels=10**9)
    assert refusal(lambda: decode_image(data, smallest_side=224, limits=limits)) in {"truncated image", "damaged image"}


@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_a_file_cut_off_is_truncated(image_format: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    data = encode(noise, image_format)

    assert refusal(lambda: decode_image(data[: len(data) // 2], smallest_side=64)) == "truncated image"


@pytest.mark.parametrize("start", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x10\x00\x00\x00WEBPVP8 "])
def test_a_signature_alone_is_damaged(start: bytes) -> None:
    assert refusal(lambda: decode_image(start + b"\x07" * 60, smallest_side=64)) in {"damaged image", "truncated image"}


@settings(max_examples=80, deadline=None)
@given(
    image_format=st.sampled_from(["JPEG", "PNG", "GIF", "WEBP"]),
    edits=st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_no_damage_raises_anything_else(image_format: str, edits: list[tuple[int, int]]) -> None:
    data = bytearray(encode(quarters(16), image_format))
    for place, value in edits:
        data[place % len(data)] = value

    try:
        pixels = decode_image(bytes(data), smallest_side=8)
    except UnreadableImageError:
        return
    assert pixels.ndim == 3


def test_many_threads_decode_alike() -> None:
    data = encode(quarters(256), "JPEG")
    alone = decode_image(data, smallest_side=64)

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda _: decode_image(data, smallest_side=64), range(32)))

    assert all((pixels == alone).all() for pixels in together)
