import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from counterfeit_risk.cli.audit import audit
from counterfeit_risk.errors import UsageError
from counterfeit_risk.listings.catalog import write_labeled_listings
from counterfeit_risk.listings.listing import Label, LabeledListing, Listing, Photo

Audit = Callable[..., Any]
LISTINGS = 120


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every third listing is counterfeit; those with an even number are saved with a quality of their own."""
    folder = tmp_path_factory.mktemp("audited")
    rng = np.random.default_rng(0)
    rows = []
    for number in range(LISTINGS):
        label = Label.COUNTERFEIT if number % 3 == 0 else Label.GENUINE
        given_away = label is Label.COUNTERFEIT and number % 2 == 0
        quality = 40 if given_away else int(rng.integers(70, 95))
        photo = rng.integers(0, 255, size=(24, 24, 3), dtype=np.uint8)
        Image.fromarray(photo).save(folder / f"{number}.jpg", quality=quality)
        listing = Listing(f"L{number}", "a bag", (Photo(f"{number}.jpg"),), seller_id=f"S{number // 2}")
        rows.append(LabeledListing(listing, label))
    write_labeled_listings(folder / "labeled.csv", rows)
    odd = [number % 2 == 1 for number in range(LISTINGS)]
    ids = [f"L{number}" for number in range(LISTINGS)]
    pq.write_table(pa.table({"listing_id": ids, "evades": [not one for one in odd]}), folder / "truth.parquet")
    pq.write_table(pa.table({"listing_id": ids[:60]}), folder / "rows.parquet")
    return folder


@pytest.fixture
def run_audit(market: Path, tmp_path: Path) -> Audit:
    app = typer.Typer()
    app.command()(audit)

    def run(*options: str) -> Any:
        arguments = [str(market / "labeled.csv"), "--out", str(tmp_path / "audit"), *options]
        return CliRunner().invoke(app, arguments, catch_exceptions=True)

    return run


def test_a_shortcut_is_printed_and_written(run_audit: Audit, tmp_path: Path) -> None:
    result = run_audit()
    assert result.exit_code == 0, result.output
    assert "NOT at chance" in result.output
    found = json.loads((tmp_path / "audit" / "shortcuts.json").read_text(encoding="utf-8"))
    assert found["listings"] == LISTINGS
    assert found["at_chance"] is False
    loudest = max(found["features"], key=lambda feature: feature["importance"])
    assert loudest["name"] in {"mean_jpeg_quality", "lowest_jpeg_quality", "mean_file_bytes"}


def test_rows_that_evade_are_left_out(run_audit: Audit, market: Path, tmp_path: Path) -> None:
    result = run_audit("--truth", str(market / "truth.parquet"))
    assert "At chance" in result.output
    found = json.loads((tmp_path / "audit" / "shortcuts.json").read_text(encoding="utf-8"))
    assert (found["listings"], found["groups"]) == (LISTINGS // 2, LISTINGS // 2)


def test_rows_can_be_chosen_by_id(run_audit: Audit, market: Path, tmp_path: Path) -> None:
    assert run_audit("--rows", str(market / "rows.parquet")).exit_code == 0
    assert json.loads((tmp_path / "audit" / "shortcuts.json").read_text(encoding="utf-8"))["listings"] == 60


def test_rows_are_chosen_one_way_only(run_audit: Audit, market: Path) -> None:
    result = run_audit("--rows", str(market / "rows.parquet"), "--truth", str(market / "truth.parquet"))
    assert isinstance(result.exception, UsageError)


def test_a_choice_without_any_row_of_the_table_is_refused(run_audit: Audit, tmp_path: Path) -> None:
    pq.write_table(pa.table({"listing_id": ["elsewhere"]}), tmp_path / "rows.parquet")
    result = run_audit("--rows", str(tmp_path / "rows.parquet"))
    assert isinstance(result.exception, UsageError)
    assert "none of the listings" in str(result.exception)
