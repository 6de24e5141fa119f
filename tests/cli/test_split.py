import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from counterfeit_risk.cli.main import app
from counterfeit_risk.cli.split_report import SplitReport
from counterfeit_risk.errors import ListingTableError, UsageError

LISTINGS = 60


def photo(number: int) -> Image.Image:
    spots = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(spots).resize((160, 120), Image.Resampling.BICUBIC)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Sixty listings of twenty sellers; listing 1 shows listing 0's photo mirrored."""
    for number in range(LISTINGS):
        image = photo(0).transpose(Image.Transpose.FLIP_LEFT_RIGHT) if number == 1 else photo(number)
        image.save(tmp_path / f"{number}.png")
    rows = [
        {
            "listing_id": f"L{number}",
            "title": "bag",
            "image_path": f"{number}.png",
            "seller_id": f"s{number % 20}",
            "brand": "Orrin" if number % 20 == 3 else "Vesh",
            "label": "counterfeit" if number % 2 else "genuine",
        }
        for number in range(LISTINGS)
    ]
    path = tmp_path / "listings.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def run_split(table: Path, out: Path, *options: str) -> tuple[dict[str, list[object]], dict[str, Any]]:
    arguments = ["split", str(table), "--out", str(out), "--largest-group", "0.2", *options]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return pq.read_table(out / "splits.parquet").to_pydict(), json.loads((out / "leaks.json").read_text())


def test_splits_and_leaks_are_written(table: Path, tmp_path: Path) -> None:
    splits, leaks = run_split(table, tmp_path / "out")

    assert splits["row_number"] == list(range(1, LISTINGS + 1))
    assert splits["listing_id"] == [f"L{number}" for number in range(LISTINGS)]
    assert set(splits["split"]) == {"train", "validation", "calibration", "test"}
    assert splits["group"][0] == splits["group"][1]
    assert leaks["leaks"]["ours"]["shared_sellers"] == leaks["leaks"]["ours"]["near_duplicate_pairs"] == 0
    assert leaks["leaks"]["random"]["shared_sellers"] > 10
    assert leaks["search"] is None
    assert set(leaks["baselines"]["ours"]) == {"seller", "exact_photo", "price", "token_list"}
    assert leaks["baselines"]["ours"]["seller"]["ROC AUC"] == 0.5


def test_an_unlabelled_table_is_split(table: Path, tmp_path: Path) -> None:
    rows = list(csv.reader(table.read_text(encoding="utf-8").splitlines()))
    unlabelled = table.with_name("unlabelled.csv")
    unlabelled.write_text("\n".join(",".join(row[:-1]) for row in rows) + "\n", encoding="utf-8")

    splits, _ = run_split(unlabelled, tmp_path / "out")

    assert len(splits["split"]) == LISTINGS


def test_a_left_out_brand_is_tested_only(table: Path, tmp_path: Path) -> None:
    splits, _ = run_split(table, tmp_path / "out", "--leave-out-brand", "Orrin")

    assert {splits["split"][number] for number in range(3, LISTINGS, 20)} == {"test"}


def test_the_search_is_held_against_recorded_originals(table: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.parquet"
    origins = [[[f"photo {0 if number == 1 else number}"]] for number in range(LISTINGS)]
    ids = [f"L{number}" for number in range(LISTINGS)]
    pq.write_table(pa.table({"listing_id": ids, "photo_origins": origins}), truth)

    _, leaks = run_split(table, tmp_path / "out", "--origins", str(truth))

    assert leaks["search"]["true_pairs"] == leaks["search"]["found_pairs"] == 1
    assert leaks["search"]["false_pairs"] == 0
    assert leaks["leaks"]["ours"]["copied_pairs"] == 0


def test_originals_of_other_photos_are_refused(table: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.parquet"
    pq.write_table(pa.table({"listing_id": ["L0"], "photo_origins": [[["a"], ["b"]]]}), truth)

    with pytest.raises(UsageError, match="'L0' has the originals of 2 photos there, but 1 photos"):
        run_split(table, tmp_path / "out", "--origins", str(truth))


def test_a_group_that_is_too_large_writes_nothing(table: Path, tmp_path: Path) -> None:
    with pytest.raises(ListingTableError, match="one group"):
        run_split(table, tmp_path / "out", "--largest-group", "0.01")

    assert not (tmp_path / "out").exists()


def test_a_metric_that_is_not_defined_is_null_in_json() -> None:
    judged = {"random": {"seller": {"ROC AUC": float("nan"), "average precision": 0.5}}}

    report = SplitReport(leaks={}, baselines=judged, search=None)

    assert report.to_dict()["baselines"]["random"]["seller"] == {"ROC AUC": None, "average precision": 0.5}
