from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from counterfeit_risk.config import EvaluationSettings
from counterfeit_risk.errors import UsageError
from counterfeit_risk.listings.listing import Label, LabeledListing, Listing
from counterfeit_risk.listings.splits import Split
from counterfeit_risk.training.reference import gather_reference
from counterfeit_risk.training.rows import LabeledRows

ROWS = 40


@pytest.fixture
def rows() -> LabeledRows:
    """Twenty rows to learn from and twenty to test; S1 sells counterfeits, all of them with one photo."""
    listings = []
    for number in range(ROWS):
        label = Label.COUNTERFEIT if number % 2 else Label.GENUINE
        price = None if number % 5 == 0 else 10.0
        listing = Listing(f"L{number}", "a bag", seller_id=f"S{number % 2}", price=price)
        listings.append(LabeledListing(listing, label))
    ones = np.ones(ROWS, dtype=np.bool_)
    splits = np.array([Split.TRAIN] * 20 + [Split.TEST] * 20, dtype=object)
    return LabeledRows(
        listings=tuple(listings),
        row_numbers=np.arange(1, ROWS + 1),
        groups=np.arange(ROWS),
        splits=splits,
        photo_hashes=tuple(("shared",) if row.label is Label.COUNTERFEIT else () for row in listings),
        has_photo=ones,
        has_title=ones,
        rejected=(),
        photos_lost=0,
        table_sha256="",
    )


def test_baselines_learn_from_train_rows_and_score_test_rows(rows: LabeledRows) -> None:
    found = gather_reference(rows, EvaluationSettings())
    assert found.posteriors is None
    assert set(found.baselines) == {"seller", "exact_photo", "price", "token_list"}
    test = rows.labels[20:]
    for name in ("seller", "exact_photo"):
        assert found.baselines[name][test].min() > found.baselines[name][~test].max()


def test_posteriors_are_those_of_the_test_rows(rows: LabeledRows, tmp_path: Path) -> None:
    posterior = np.arange(ROWS) / ROWS
    columns = {f"{head}_posterior": posterior for head in ("fused", "photo", "title")}
    table = tmp_path / "truth.parquet"
    pq.write_table(pa.table({"listing_id": [f"L{number}" for number in range(ROWS)]} | columns), table)
    found = gather_reference(rows, EvaluationSettings(true_posteriors=table))
    assert found.posteriors is not None
    np.testing.assert_array_equal(found.posteriors[:, 0], posterior[20:])


def test_a_test_row_without_a_posterior_is_refused(rows: LabeledRows, tmp_path: Path) -> None:
    table = tmp_path / "truth.parquet"
    columns = {f"{head}_posterior": [0.5] for head in ("fused", "photo", "title")}
    pq.write_table(pa.table({"listing_id": ["L20"]} | columns), table)
    with pytest.raises(UsageError, match="no posterior for 19"):
        gather_reference(rows, EvaluationSettings(true_posteriors=table))
