from pathlib import Path

import numpy as np
import pytest

from counterfeit_risk.errors import ListingTableError
from counterfeit_risk.export.bundle import ModelBundle
from counterfeit_risk.scoring.labelled import AS_SERVED, predict_labelled
from counterfeit_risk.scoring.risk_score import read_scores
from counterfeit_risk.scoring.runner import Dump, score_dump


def test_predictions_are_the_risks_as_they_are_served(
    tiny_bundle: ModelBundle, tiny_market: Path, tmp_path: Path
) -> None:
    dump = Dump(tiny_market / "labeled.parquet")
    predictions = predict_labelled(tiny_bundle, dump)
    score_dump(tiny_bundle, dump, tmp_path / "out")
    served = {score.listing_id: score for score in read_scores(tmp_path / "out")}
    risks = AS_SERVED.risks(predictions)
    assert list(risks[:, 0]) == pytest.approx([served[one].risk for one in predictions.listing_ids], abs=1e-6)
    assert len(predictions.listing_ids) == len(served)


def test_listings_of_one_seller_share_a_group(tiny_bundle: ModelBundle, tiny_market: Path) -> None:
    predictions = predict_labelled(tiny_bundle, Dump(tiny_market / "labeled.parquet"))
    assert 1 < len(np.unique(predictions.groups)) < len(predictions.listing_ids)
    assert predictions.labels.any()
    assert set(predictions.slices) == {"brand", "platform", "missing"}


def test_a_table_without_usable_labels_is_refused(tiny_bundle: ModelBundle, tmp_path: Path) -> None:
    table = tmp_path / "none.csv"
    table.write_text("listing_id,title,image_path,label\n1,a bag,,perhaps\n")
    with pytest.raises(ListingTableError, match="no labelled listing"):
        predict_labelled(tiny_bundle, Dump(table))
