import numpy as np
from PIL import Image

from counterfeit_risk.market.pictures.contact_sheet import contact_sheet

RED = Image.new("RGB", (320, 240), (255, 0, 0))


def red_pixels(sheet):
    return int((np.asarray(sheet) == (255, 0, 0)).all(axis=2).sum())


def test_every_photo_is_shown_whole():
    sheet = contact_sheet([("first", [RED] * 3), ("second", [RED])], columns=3, cell=80)
    assert red_pixels(sheet) == 4 * 80 * 60


def test_a_long_row_goes_on_in_the_next_line():
    short, long = (contact_sheet([("row", [RED] * count)], columns=3, cell=80) for count in (3, 4))
    assert long.width == short.width
    assert long.height > short.height + 80
    assert red_pixels(long) == 4 * 80 * 60


def test_a_caption_is_written_even_over_no_photos():
    empty, captioned = (contact_sheet([(caption, [])], columns=2, cell=80) for caption in ("", "worn"))
    assert empty.size == captioned.size
    assert empty.tobytes() != captioned.tobytes()
