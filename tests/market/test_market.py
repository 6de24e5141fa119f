import csv
import hashlib

import pytest
from PIL import Image

from counterfeit_risk.errors import UsageError
from counterfeit_risk.listings.catalog import read_labeled_listings, read_listings
from counterfeit_risk.listings.listing import LabeledListing, Listing
from counterfeit_risk.market.market import NIGHTLY_PERIOD, write_market


@pytest.fixture(scope="module")
def small_market(tmp_path_factory):
    return write_market(tmp_path_factory.mktemp("market") / "new" / "folder", listings=60, nightly=20, seed=3)


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def truth(market):
    with market.nightly_truth.open(encoding="utf-8", newline="") as file:
        return {row["listing_id"]: row["label"] for row in csv.DictReader(file)}


def test_both_tables_read_back_whole(small_market):
    labeled = list(read_labeled_listings(small_market.labeled))
    nightly = list(read_listings(small_market.nightly))
    assert all(isinstance(row, LabeledListing) for row in labeled)
    assert all(isinstance(row, Listing) for row in nightly)
    assert (len(labeled), len(nightly)) == (small_market.labeled_count, small_market.nightly_count) == (60, 20)


def test_every_photo_of_both_tables_is_there_and_no_other(small_market):
    labeled = [row.listing for row in read_labeled_listings(small_market.labeled)]
    listings = [*labeled, *read_listings(small_market.nightly)]
    paths = {photo.path for listing in listings for photo in listing.photos}
    written = {str(path.relative_to(small_market.folder)) for path in small_market.folder.rglob("*.jpg")}
    assert paths == written
    assert small_market.photo_count == len(written)


def test_photos_are_small_jpegs(small_market):
    for path in sorted(small_market.folder.rglob("*.jpg"))[:5]:
        with Image.open(path) as photo:
            assert (photo.format, photo.size, photo.mode) == ("JPEG", (224, 224), "RGB")


def test_labels_say_where_they_come_from(small_market):
    assert {row.label_source for row in read_labeled_listings(small_market.labeled)} == {"market"}


def test_the_nightly_dump_holds_no_label_and_the_truth_holds_all_of_them(small_market):
    with small_market.nightly.open(encoding="utf-8", newline="") as file:
        columns = set(next(csv.reader(file)))
    assert not {name for name in columns if "label" in name}
    assert "seller_group" not in columns
    assert list(truth(small_market)) == [listing.listing_id for listing in read_listings(small_market.nightly)]
    assert set(truth(small_market).values()) <= {"genuine", "counterfeit"}


def test_counterfeits_of_both_tables_are_counted(small_market):
    labels = [row.label for row in read_labeled_listings(small_market.labeled)] + list(truth(small_market).values())
    assert small_market.counterfeit_count == labels.count("counterfeit") > 0


def test_the_nightly_dump_is_published_after_the_last_label(small_market):
    last_label = max(row.labelled_at for row in read_labeled_listings(small_market.labeled))
    assert last_label <= NIGHTLY_PERIOD.start <= min(row.created_at for row in read_listings(small_market.nightly))


def test_no_listing_is_in_both_tables(small_market):
    labeled = {row.listing.listing_id for row in read_labeled_listings(small_market.labeled)}
    assert labeled.isdisjoint(truth(small_market))


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    first, second, other = (
        write_market(tmp_path / name, listings=6, nightly=3, seed=seed).folder
        for name, seed in (("first", 1), ("second", 1), ("other", 2))
    )
    assert digests(first) == digests(second)
    assert digests(first) != digests(other)


def test_progress_adds_up_to_all_listings(tmp_path):
    steps = []
    write_market(tmp_path, listings=4, nightly=2, on_progress=steps.append)
    assert sum(steps) == 6


def test_a_market_without_a_nightly_dump_has_an_empty_one(tmp_path):
    market = write_market(tmp_path, listings=2, nightly=0)
    assert list(read_listings(market.nightly)) == []
    assert truth(market) == {}


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UsageError, match="is not empty"):
        write_market(tmp_path, listings=2)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_in_the_way_is_refused(tmp_path, below):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be used as a folder"):
        write_market(tmp_path / "file" / below, listings=2)


@pytest.mark.parametrize(("name", "value"), [("listings", 0), ("nightly", -1), ("seed", -1)])
def test_a_number_out_of_range_is_refused_before_anything_is_written(tmp_path, name, value):
    with pytest.raises(UsageError, match=f"{name} must be at least .*, not {value}"):
        write_market(tmp_path / "market", **{name: value})
    assert not (tmp_path / "market").exists()


def test_a_killed_run_leaves_no_table(tmp_path):
    def kill(_steps):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_market(tmp_path, listings=2, on_progress=kill)
    assert not list(tmp_path.glob("*.csv"))
