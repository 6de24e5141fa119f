import hashlib
from dataclasses import replace

import datasets
import pyarrow.parquet as pq
import pytest
from PIL import Image

from counterfeit_risk.cli.market import measure_ceilings
from counterfeit_risk.errors import UsageError
from counterfeit_risk.listings.catalog import read_labeled_listings, read_listings
from counterfeit_risk.listings.listing import LabeledListing, Listing
from counterfeit_risk.market.card import write_card
from counterfeit_risk.market.drawing import MarketPlan
from counterfeit_risk.market.market import write_market

PLAN = MarketPlan(listings=60, nightly=20, seed=3)
SMALL = MarketPlan(listings=6, nightly=3, seed=1)


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    written = write_market(tmp_path_factory.mktemp("market") / "new" / "folder", PLAN, workers=1)
    write_card(written, PLAN, measure_ceilings(written), options=" --listings 60")
    return written


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def truth(market, *columns):
    return pq.read_table(market.truth, columns=["listing_id", *columns]).to_pylist()


def test_both_tables_read_back_whole(market):
    labeled, nightly = list(read_labeled_listings(market.labeled)), list(read_listings(market.nightly))
    assert all(isinstance(row, LabeledListing) for row in labeled)
    assert all(isinstance(row, Listing) for row in nightly)
    assert (len(labeled), len(nightly)) == (60, 20)
    assert market.listings == 80


def test_every_photo_of_both_tables_is_there_and_no_other(market):
    listings = [*(row.listing for row in read_labeled_listings(market.labeled)), *read_listings(market.nightly)]
    paths = {photo.path for listing in listings for photo in listing.photos}
    written = {path.relative_to(market.folder).as_posix() for path in (market.folder / "images").rglob("*.jpg")}
    assert paths == written
    assert market.photos == len(written)


def test_photos_are_jpegs_with_a_longer_side_of_320_pixels(market):
    for path in sorted((market.folder / "images").rglob("*.jpg"))[:20]:
        with Image.open(path) as photo:
            assert (photo.format, max(photo.size), photo.mode) == ("JPEG", 320, "RGB")


def test_the_nightly_dump_holds_no_label_and_no_seller_group(market):
    names = pq.read_schema(market.nightly).names
    assert not [name for name in names if "label" in name or name in {"seller_group", "inclusion_probability"}]


def test_the_truth_covers_both_tables_and_agrees_with_the_labels(market):
    rows = truth(market, "table", "label", "photo_origins")
    labels = {row.listing.listing_id: row.label.value for row in read_labeled_listings(market.labeled)}
    assert {row["listing_id"]: row["label"] for row in rows if row["table"] == "labeled"} == labels
    assert [row["listing_id"] for row in rows if row["table"] == "nightly"] == [
        listing.listing_id for listing in read_listings(market.nightly)
    ]
    assert market.counterfeits == sum(row["label"] == "counterfeit" for row in rows) > 0
    assert sum(len(row["photo_origins"]) for row in rows) == market.photos


def test_photos_of_one_original_under_one_file_hash_are_recorded_as_copies(market):
    origins = {}
    listings = {row.listing.listing_id: row.listing for row in read_labeled_listings(market.labeled)}
    for row in truth(market, "photo_origins"):
        if row["listing_id"] in listings:
            for photo, origin in zip(listings[row["listing_id"]].photos, row["photo_origins"], strict=True):
                digest = hashlib.sha256((market.folder / photo.path).read_bytes()).hexdigest()
                origins.setdefault(digest, set()).add(tuple(origin))
    assert all(len(originals) == 1 for originals in origins.values())


def test_the_same_plan_writes_the_same_bytes_with_any_number_of_processes(tmp_path):
    first = write_market(tmp_path / "first", SMALL, workers=1).folder
    second = write_market(tmp_path / "second", SMALL, workers=2).folder
    other = write_market(tmp_path / "other", replace(SMALL, seed=2), workers=1).folder
    assert digests(first) == digests(second)
    assert digests(first) != digests(other)


def test_a_market_without_photos_has_the_same_titles_and_truth(tmp_path, market):
    without = write_market(tmp_path / "titles", replace(PLAN, with_photos=False))
    assert not list(without.folder.rglob("*.jpg"))
    titles = [[row.listing.title for row in read_labeled_listings(m.labeled)] for m in (market, without)]
    assert titles[0] == titles[1]
    assert truth(market, "fused_posterior") == truth(without, "fused_posterior")
    assert all(row.listing.photos == () for row in read_labeled_listings(without.labeled))


def test_progress_adds_up_to_all_photos(tmp_path):
    steps = []
    written = write_market(tmp_path, SMALL, workers=1, on_progress=steps.append)
    assert sum(steps) == written.photos


def test_a_market_without_a_nightly_dump_has_an_empty_one(tmp_path):
    written = write_market(tmp_path, MarketPlan(listings=2, nightly=0), workers=1)
    assert list(read_listings(written.nightly)) == []


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UsageError, match="is not empty"):
        write_market(tmp_path, SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_in_the_way_is_refused(tmp_path, below):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be used as a folder"):
        write_market(tmp_path / "file" / below, SMALL)


@pytest.mark.parametrize(("name", "value"), [("listings", 0), ("nightly", -1), ("seed", -1)])
def test_a_number_out_of_range_is_refused_before_anything_is_written(tmp_path, name, value):
    with pytest.raises(UsageError, match=f"{name} must be at least .*, not {value}"):
        write_market(tmp_path / "market", replace(SMALL, **{name: value}))
    assert not (tmp_path / "market").exists()


def test_a_killed_run_leaves_no_table(tmp_path):
    def kill(_photos):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_market(tmp_path, SMALL, workers=1, on_progress=kill)
    assert not list(tmp_path.glob("*.parquet"))


def test_the_card_makes_the_market_a_data_set_that_loads(market, tmp_path):
    rows = datasets.load_dataset(str(market.folder), "labeled", split="train", cache_dir=str(tmp_path))
    assert len(rows) == 60
    photos = rows.map(
        lambda row: {"images": [f"{market.folder}/{path}" for path in row["image_paths"]]},
        cache_file_name=str(tmp_path / "mapped.arrow"),
    ).cast_column("images", datasets.List(datasets.Image()))
    assert max(photos[0]["images"][0].size) == 320
    assert datasets.load_dataset(str(market.folder), "truth", split="train", cache_dir=str(tmp_path)).num_rows == 80


def test_the_card_states_every_signal_and_the_ceilings(market):
    card = (market.folder / "README.md").read_text(encoding="utf-8")
    for signal in ("wrong stitching", "mirrored", "homoglyph", "contact details", "hidden link", "low price"):
        assert f"| {signal} |" in card
    assert f": 80 listings, {market.counterfeits} of them counterfeit" in card
    assert "photos and title |" in card
    assert "{" not in card.split("```")[0]
