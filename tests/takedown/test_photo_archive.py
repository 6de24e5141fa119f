"""Photos come and go whole; nothing else in the folder is touched."""

import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from counterfeit_risk.takedown.photo_archive import PhotoArchive

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = hashlib.sha256(b"photo").hexdigest()


def keep_at(archive: PhotoArchive, key: str, time: datetime) -> None:
    archive.keep(key, b"photo")
    os.utime(archive.path(key), (time.timestamp(), time.timestamp()))


def test_a_photo_is_read_until_it_is_removed(tmp_path: Path) -> None:
    archive = PhotoArchive(tmp_path)
    archive.keep(KEY, b"photo")
    assert archive.read(KEY) == b"photo"
    archive.remove(KEY)
    archive.remove(KEY)
    assert archive.read(KEY) is None


def test_photos_are_listed_that_were_not_brought_since(tmp_path: Path) -> None:
    archive = PhotoArchive(tmp_path)
    old, new, again = (letter * 64 for letter in "abc")
    keep_at(archive, old, NOW - timedelta(days=2))
    keep_at(archive, new, NOW)
    keep_at(archive, again, NOW - timedelta(days=2))
    archive.keep(again, b"photo")
    assert list(archive.keys(kept_before=NOW - timedelta(days=1))) == [old]


def test_other_files_in_the_folder_are_no_photos(tmp_path: Path) -> None:
    archive = PhotoArchive(tmp_path)
    for name in ("holiday.jpg", "ab/holiday.jpg", f"ab/{'c' * 64}", f"ab/ab{'c' * 62}.partial", "b" * 64):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"mine")
    assert list(archive.keys(kept_before=datetime.now(UTC) + timedelta(days=1))) == []


def test_a_folder_that_is_not_there_holds_no_photo(tmp_path: Path) -> None:
    assert list(PhotoArchive(tmp_path / "none").keys(kept_before=NOW)) == []


def test_a_name_that_is_no_hash_is_looked_up_nowhere(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"of somebody else")

    assert PhotoArchive(tmp_path / "photos").read("../secret") is None
    assert PhotoArchive(tmp_path / "photos").read(str(tmp_path / "secret")) is None
