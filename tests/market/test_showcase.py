import pyarrow.parquet as pq
from PIL import Image

from counterfeit_risk.listings.catalog import read_labeled_listings
from counterfeit_risk.market.drawing import MarketPlan
from counterfeit_risk.market.market import write_market
from counterfeit_risk.market.showcase import write_showcase


def test_a_brand_s_genuine_goods_stand_above_its_counterfeits(tmp_path):
    market = write_market(tmp_path / "market", MarketPlan(listings=120, nightly=0, seed=4), workers=1)
    truth = pq.read_table(market.truth).to_pylist()
    brand = write_showcase(market.showcase, list(read_labeled_listings(market.labeled)), truth)
    assert any(row["shown_brand"] == brand and row["label"] == "counterfeit" and row["photo_tells"] for row in truth)
    with Image.open(market.showcase) as sheet:
        assert sheet.width > sheet.height / 4 > 50


def test_a_market_whose_photos_give_nothing_away_has_no_showcase(tmp_path):
    assert write_showcase(tmp_path / "sheet.jpg", [], []) is None
    assert not (tmp_path / "sheet.jpg").exists()
