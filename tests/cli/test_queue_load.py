"""Copies of one photo make one case, night after night, and the photos stay as they were."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageFilter

from counterfeit_risk.cli.queue_load import ScoredNight, default_archive, load_night
from counterfeit_risk.embeddings.fingerprint import photo_hash
from counterfeit_risk.errors import WorkError
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.catalog import load_column_map
from counterfeit_risk.scoring.risk_score import SCORE_SCHEMA, PartStatus, RiskScore, to_table
from counterfeit_risk.takedown.case import LoadResult
from counterfeit_risk.takedown.photo_archive import PhotoArchive
from counterfeit_risk.takedown.policy import QueueSettings
from counterfeit_risk.takedown.queue import TakedownQueue, open_queue

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = QueueSettings()

LoadOne = Callable[..., LoadResult]


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[TakedownQueue]:
    with open_queue(f"sqlite:///{tmp_path / 'takedown.db'}", create=True) as queue:
        yield queue


@pytest.fixture
def archive(tmp_path: Path) -> PhotoArchive:
    return PhotoArchive(tmp_path / "kept")


@pytest.fixture
def load_one(tmp_path: Path, queue: TakedownQueue, archive: PhotoArchive) -> LoadOne:
    """Loads a night of one listing with one photo."""

    def load(listing_id: str, photo: Image.Image, night: int = 0, band: Band = Band.REVIEW) -> LoadResult:
        folder = tmp_path / listing_id
        (folder / "scores").mkdir(parents=True)
        photo.save(folder / "photo.jpg", quality=92)
        status, hashes = PartStatus.OK, (photo_hash((folder / "photo.jpg").read_bytes()),)
        when = NOW + timedelta(days=night)
        score = RiskScore(listing_id, 0.6, band, 0.6, None, 1, status, (), status, "model", when, listing_id, hashes)
        pq.write_table(to_table([score], SCORE_SCHEMA), folder / "scores" / "part-00000.parquet")
        (folder / "manifest.json").write_text("{}")
        table = folder / "listings.jsonl"
        table.write_text(
            json.dumps({"listing_id": listing_id, "title": "bag", "image_paths": ["photo.jpg"], "brand": "Norvell"})
        )
        return load_night(queue, ScoredNight(folder, table, load_column_map(None), folder), SETTINGS, archive, when)

    return load


def draw_photo(seed: int) -> Image.Image:
    """A picture with something to see everywhere."""
    pixels = np.random.default_rng(seed).integers(256, size=(12, 12, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((360, 360), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(2))


def test_a_cropped_copy_of_an_earlier_night_joins_its_case(queue: TakedownQueue, load_one: LoadOne) -> None:
    photo = draw_photo(0)
    load_one("first", photo)
    assert load_one("copy", photo.crop((30, 30, 330, 330)).resize((300, 300)), night=1).joined == 1
    assert load_one("other", draw_photo(1), night=1).opened == 1
    assert sorted(len(case.snapshots) for case in queue.top(NOW)) == [1, 2]


def test_a_photo_stays_as_it_was_when_people_were_asked(
    load_one: LoadOne, archive: PhotoArchive, tmp_path: Path
) -> None:
    load_one("a", draw_photo(0))
    kept = tmp_path / "a" / "photo.jpg"
    data = kept.read_bytes()
    kept.unlink()
    assert archive.read(photo_hash(data)) == data


def test_nothing_is_kept_of_what_nobody_is_asked_about(load_one: LoadOne, archive: PhotoArchive) -> None:
    load_one("fine", draw_photo(0), band=Band.PASS)
    assert not archive.folder.exists()


def test_a_photo_that_was_changed_in_the_archive_is_not_shown_as_the_old_one(archive: PhotoArchive) -> None:
    key = photo_hash(b"photo")
    archive.keep(key, b"photo")
    archive.path(key).write_bytes(b"other")
    assert archive.read(key) is None
    assert archive.read(photo_hash(b"never kept")) is None


def test_a_photo_that_cannot_be_kept_stops_the_load(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WorkError, match="cannot keep a photo"):
        PhotoArchive(tmp_path / "file").keep("ab" * 32, b"photo")


@pytest.mark.parametrize(
    ("db", "folder"),
    [("sqlite:///demo-out/queue.db", "demo-out/queue.photos"), ("sqlite://", None), ("postgresql://host/queue", None)],
)
def test_photos_lie_beside_a_sqlite_file(db: str, folder: str | None) -> None:
    archive = default_archive(db)
    assert (str(archive.folder) if archive else None) == folder
