import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from counterfeit_risk.embeddings import content
from counterfeit_risk.embeddings.content import ContentReader
from counterfeit_risk.embeddings.preprocessing import ImagePreprocessing
from counterfeit_risk.embeddings.workers import Workers
from counterfeit_risk.listings.images import UnreadableImageError
from counterfeit_risk.listings.listing import Listing, Photo, RejectedRow, RejectReason
from counterfeit_risk.scoring.reader import ReadRow, chunks, read_rows

PREPROCESSING = ImagePreprocessing(image_size=8, crop_share=1, interpolation="bilinear", mean=(0,) * 3, std=(1,) * 3)


def reader(folder: Path) -> ContentReader:
    return ContentReader(folder, PREPROCESSING, max_photos=2)


def test_rows_come_in_order_and_none_is_lost(tmp_path: Path) -> None:
    rejected = RejectedRow(3, RejectReason.MISSING_ID, "no id")
    rows = [(1, Listing("a", "bag")), (2, Listing("b", "")), (3, rejected), (4, Listing("d", "cap"))]
    with Workers(3) as pool:
        read = list(read_rows(rows, reader(tmp_path), pool, ahead=2))
    assert [type(row) for row in read] == [ReadRow, RejectedRow, RejectedRow, ReadRow]
    assert [row.row_number for row in read] == [1, 2, 3, 4]
    assert isinstance(read[1], RejectedRow)
    assert (read[1].reason, read[1].listing_id) == (RejectReason.NOTHING_READABLE, "b")
    assert read[2] is rejected


def test_reading_stays_a_bounded_number_of_rows_ahead(tmp_path: Path) -> None:
    taken = 0

    def rows() -> Iterator[tuple[int, Listing]]:
        nonlocal taken
        for number in range(1, 1001):
            taken += 1
            yield number, Listing(str(number), "bag")

    with Workers(2) as pool:
        read = read_rows(rows(), reader(tmp_path), pool, ahead=5)
        next(read)
        assert taken <= 5 + 2 * 8


def test_chunks_hold_every_item_once() -> None:
    assert list(chunks(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(chunks([], 3)) == []


def test_a_listing_whose_photos_hang_is_judged_by_its_title(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hang(photo: Photo, *_: object) -> bytes:
        if photo.path == "hangs.jpg":
            release.wait(30)
        raise UnreadableImageError("no such file")

    monkeypatch.setattr(content, "read_photo", hang)
    photos = (Photo("hangs.jpg"),)
    rows = [(1, Listing("a", "bag", photos)), (2, Listing("b", "cap")), (3, Listing("c", "", photos))]
    with Workers(1) as workers:
        read = list(read_rows(rows, reader(tmp_path), workers, ahead=5, deadline=0.2))
    release.set()
    assert [type(row) for row in read] == [ReadRow, ReadRow, RejectedRow]
    assert isinstance(read[0], ReadRow)
    assert (read[0].content.title, read[0].content.photos_lost) == ("bag", ("all photos: not read within 0.2 s",))


def test_where_every_read_hangs_every_row_still_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(content, "read_photo", lambda *_: release.wait(60))
    rows = [(number, Listing(str(number), f"bag {number}", (Photo("hangs.jpg"),))) for number in range(1, 41)]
    with Workers(2) as workers:
        read = list(read_rows(rows, reader(tmp_path), workers, ahead=32, deadline=0.2))
    release.set()
    assert [row.row_number for row in read] == list(range(1, 41))
    assert all(isinstance(row, ReadRow) and "not read within" in row.content.photos_lost[0] for row in read)
