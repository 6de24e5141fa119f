from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from counterfeit_risk.errors import UsageError
from counterfeit_risk.evaluation.truth import read_ids, read_plain_ids, read_posteriors

TRUTH = {
    "listing_id": ["a", "b", "c"],
    "fused_posterior": [0.1, 0.2, 0.3],
    "photo_posterior": [0.4, None, 0.6],
    "title_posterior": [0.7, 0.8, 0.9],
    "evades": [False, True, False],
}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the truth with some columns changed, and those that are None left out."""

    def write_changed(**changes: list[object] | None) -> Path:
        columns = {name: values for name, values in (TRUTH | changes).items() if values is not None}
        pq.write_table(pa.table(columns), tmp_path / "truth.parquet")
        return tmp_path / "truth.parquet"

    return write_changed


def test_posteriors_come_in_the_order_asked_for(write: Write) -> None:
    found = read_posteriors(write(), ["c", "b"])
    np.testing.assert_array_equal(found, [[0.3, 0.6, 0.9], [0.2, np.nan, 0.8]])


def test_a_listing_that_the_table_lacks_is_named(write: Write) -> None:
    with pytest.raises(UsageError, match="no posterior for 2 of these listings, first 'x'"):
        read_posteriors(write(), ["a", "x", "y"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title_posterior": None}, "has no column title_posterior"),
        ({"listing_id": ["a", "b", "b"]}, "names a listing twice"),
        ({"fused_posterior": [0.1, 1.2, 0.3]}, r"must be in \[0, 1\]"),
        ({"fused_posterior": ["low", "high", "high"]}, "must be numbers"),
    ],
)
def test_a_table_that_holds_no_posteriors_is_refused(
    changes: dict[str, list[object] | None], message: str, write: Write
) -> None:
    with pytest.raises(UsageError, match=message):
        read_posteriors(write(**changes), ["a", "b"])


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "truth.parquet"
    table.write_text("listing_id,fused_posterior\n")
    with pytest.raises(UsageError, match="cannot be read as Parquet"):
        read_posteriors(table, [])


def test_plain_listings_are_those_that_evade_nothing(write: Write) -> None:
    assert read_ids(write()) == {"a", "b", "c"}
    assert read_plain_ids(write()) == {"a", "c"}


@pytest.mark.parametrize("evades", [[0, 1, 0], [False, None, True]])
def test_evades_must_be_true_or_false(evades: list[object], write: Write) -> None:
    with pytest.raises(UsageError, match="evades must be true or false"):
        read_plain_ids(write(evades=evades))
