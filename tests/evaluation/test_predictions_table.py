from pathlib import Path

import numpy as np

from counterfeit_risk.evaluation.predictions import Predictions
from counterfeit_risk.evaluation.predictions_table import read_predictions, write_predictions


def test_predictions_come_back_split_by_split(predictions: Predictions, tmp_path: Path) -> None:
    rows = np.arange(len(predictions.listing_ids))
    by_split = {"calibration": predictions.select(rows < 150), "test": predictions.select(rows >= 150)}
    write_predictions(tmp_path / "predictions.parquet", by_split)

    for split, written in by_split.items():
        read = read_predictions(tmp_path / "predictions.parquet", split)
        assert read.listing_ids == written.listing_ids
        np.testing.assert_array_equal(read.labels, written.labels)
        np.testing.assert_array_equal(read.logits, written.logits)
        np.testing.assert_array_equal(read.groups, written.groups)
        assert read.slices.keys() == written.slices.keys()
        for name, values in written.slices.items():
            assert read.slices[name].tolist() == values.tolist()
