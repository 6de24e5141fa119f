import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from counterfeit_risk.cli.evaluate import evaluate
from counterfeit_risk.errors import UsageError
from counterfeit_risk.evaluation.head_to_head import Verdict
from counterfeit_risk.evaluation.head_to_head_report import read_comparison
from counterfeit_risk.export.bundle import ModelBundle
from counterfeit_risk.listings.catalog import read_labeled_listings
from counterfeit_risk.listings.listing import Label, LabeledListing


@pytest.fixture
def labelled(tiny_market: Path, tmp_path: Path) -> Path:
    """The tiny market's rows but one: another table than the model learned from."""
    rows = pq.read_table(tiny_market / "labeled.parquet")
    table = tmp_path / "other.parquet"
    pq.write_table(rows.slice(0, len(rows) - 1), table)
    return table


def write_posteriors(labelled: Path, table: Path, *, rows: int) -> None:
    """Posteriors that know the label, of the first so many rows."""
    known = [row for row in read_labeled_listings(labelled) if isinstance(row, LabeledListing)][:rows]
    posterior = [0.9 if row.label is Label.COUNTERFEIT else 0.1 for row in known]
    columns = {f"{head}_posterior": posterior for head in ("fused", "photo", "title")}
    pq.write_table(pa.table({"listing_id": [row.listing.listing_id for row in known]} | columns), table)


def test_true_posteriors_show_what_can_be_reached(
    tiny_bundle: ModelBundle, tiny_market: Path, labelled: Path, tmp_path: Path
) -> None:
    truth, out = tmp_path / "truth.parquet", tmp_path / "out"
    write_posteriors(labelled, truth, rows=1000)
    evaluate([str(tiny_bundle.folder), str(labelled)], out, image_root=tiny_market, true_posteriors=truth)
    found = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    assert found["comparison"]["ceilings"]["heads"]["fused"]["average_precision"]["value"] == 1.0
    assert found["comparison"]["ceilings"]["untellable"]["value"] == 0.0
    assert found["comparison"]["baselines"] == {}
    assert "share of the ceiling" in (out / "report.html").read_text(encoding="utf-8")


def test_a_listing_without_a_posterior_is_an_error(
    tiny_bundle: ModelBundle, tiny_market: Path, labelled: Path, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.parquet"
    write_posteriors(labelled, truth, rows=20)
    with pytest.raises(UsageError, match="has no posterior for"):
        evaluate(
            [str(tiny_bundle.folder), str(labelled)], tmp_path / "out", image_root=tiny_market, true_posteriors=truth
        )


def test_two_models_are_held_against_each_other(
    tiny_bundle: ModelBundle, tiny_market: Path, labelled: Path, tmp_path: Path
) -> None:
    bundle, out = str(tiny_bundle.folder), tmp_path / "out"
    evaluate([bundle, bundle, str(labelled)], out, image_root=tiny_market)
    found = read_comparison(out / "comparison.json")
    assert found.verdict is Verdict.UNDECIDED
    assert found.metrics["average_precision"].difference.value == 0
    assert all(change.entering == change.leaving == 0 for change in found.queue)
    assert "cannot tell" in (out / "comparison.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("arguments", [["bundle"], ["one", "two", "three", "table.csv"]])
def test_too_few_or_too_many_arguments_are_refused(arguments: list[str], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name a MODEL"):
        evaluate(arguments, tmp_path)
