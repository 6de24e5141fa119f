"""The sample in `data/` is what the market writes today, and loads as its card says."""

from pathlib import Path

import datasets
import pyarrow.parquet as pq
import pytest

from counterfeit_risk.cli.market import measure_ceilings
from counterfeit_risk.market.card import write_card
from counterfeit_risk.market.drawing import MarketPlan
from counterfeit_risk.market.market import Market, write_market

DATA = Path(__file__).parents[2] / "data"
PLAN = MarketPlan(listings=48, nightly=12, seed=0)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return write_market(tmp_path_factory.mktemp("sample") / "market", PLAN)


@pytest.mark.parametrize("table", ["labeled", "nightly", "truth"])
def test_the_tables_are_up_to_date(drawn: Market, table: str) -> None:
    here, now = (pq.read_table(folder / f"{table}.parquet").to_pylist() for folder in (DATA, drawn.folder))

    assert here == now


def test_the_photos_are_those_of_the_tables(drawn: Market) -> None:
    here, now = (
        {path.relative_to(folder).as_posix() for path in (folder / "images").rglob("*.jpg")}
        for folder in (DATA, drawn.folder)
    )

    assert here == now


def test_the_card_is_up_to_date(drawn: Market) -> None:
    card = write_card(drawn, PLAN, measure_ceilings(drawn), options=" --listings 48 --nightly 12 --seed 0")

    assert (DATA / "README.md").read_text(encoding="utf-8") == card.read_text(encoding="utf-8")


def test_the_sample_loads_as_a_data_set(tmp_path: Path) -> None:
    rows = datasets.load_dataset(str(DATA), "labeled", split="train", cache_dir=str(tmp_path))

    assert len(rows) == 48
    assert (DATA / rows[0]["image_paths"][0]).is_file()
