import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from counterfeit_risk.embeddings.content import ContentReader, ListingContent
from counterfeit_risk.export.bundle import RISK_HEAD, ModelBundle
from counterfeit_risk.listings.catalog import read_listings
from counterfeit_risk.listings.listing import Listing, RejectedRow, RejectReason
from counterfeit_risk.scoring.reader import ReadRow
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.scoring.scorer import Scorer

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def rows(tiny_bundle: ModelBundle, tiny_market: Path) -> list[ReadRow]:
    reader = ContentReader(tiny_market, tiny_bundle.manifest.image_preprocessing, tiny_bundle.manifest.max_photos)
    listings = [row for row in read_listings(tiny_market / "nightly.parquet") if isinstance(row, Listing)][:9]
    return [ReadRow(number, listing, reader.read(listing)) for number, listing in enumerate(listings, start=1)]


def risks(scores: list[RiskScore | RejectedRow]) -> list[float]:
    assert all(isinstance(score, RiskScore) for score in scores)
    return [score.risk for score in scores if isinstance(score, RiskScore)]


def test_a_risk_does_not_depend_on_the_rows_beside_it(tiny_bundle: ModelBundle, rows: list[ReadRow]) -> None:
    scorer = Scorer(tiny_bundle)
    together = risks(scorer.score(rows, NOW))
    alone = [risks(scorer.score([row], NOW))[0] for row in rows]
    backwards = risks(scorer.score(rows[::-1], NOW))[::-1]
    assert alone == pytest.approx(together, abs=1e-6)
    assert backwards == pytest.approx(together, abs=1e-6)


def test_risks_differ_between_different_listings(tiny_bundle: ModelBundle, rows: list[ReadRow]) -> None:
    assert np.ptp(risks(Scorer(tiny_bundle).score(rows, NOW))) > 1e-4


def test_a_photo_that_many_listings_share_is_encoded_like_one_of_its_own(
    tiny_bundle: ModelBundle, rows: list[ReadRow]
) -> None:
    shared = [ReadRow(n, row.listing, rows[0].content) for n, row in enumerate(rows, start=1)]
    scores = risks(Scorer(tiny_bundle).score(shared, NOW))
    assert scores == pytest.approx([scores[0]] * len(rows), abs=1e-6)


def test_no_rows_give_no_scores(tiny_bundle: ModelBundle) -> None:
    assert Scorer(tiny_bundle).score([], NOW) == []


def test_a_listing_without_photos_beside_one_without_a_title(tiny_bundle: ModelBundle, rows: list[ReadRow]) -> None:
    whole = rows[0].content
    untitled = ReadRow(1, rows[0].listing, ListingContent("", whole.pixels, whole.photo_hashes, ()))
    photoless = ReadRow(2, rows[0].listing, ListingContent(whole.title, (), (), ()))
    first, second = Scorer(tiny_bundle).score([untitled, photoless], NOW)
    assert isinstance(first, RiskScore)
    assert isinstance(second, RiskScore)
    assert (first.photo_risk is None, first.title_risk is None) == (False, True)
    assert (second.photo_risk is None, second.title_risk is None) == (True, False)


def test_a_risk_that_is_not_a_number_rejects_its_row(
    tiny_bundle: ModelBundle, rows: list[ReadRow], tmp_path: Path
) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(tiny_bundle.folder, folder)
    head = onnx.load(folder / RISK_HEAD)
    weights = next(tensor for tensor in head.graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT)
    broken = np.full_like(numpy_helper.to_array(weights), np.nan)
    weights.CopyFrom(numpy_helper.from_array(broken, weights.name))
    for tensor in head.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            nan = np.full_like(numpy_helper.to_array(tensor), np.nan)
            tensor.CopyFrom(numpy_helper.from_array(nan, tensor.name))
    onnx.save(head, folder / RISK_HEAD)
    scores = Scorer(ModelBundle(folder, tiny_bundle.manifest)).score(rows, NOW)
    assert [score.reason for score in scores if isinstance(score, RejectedRow)] == [
        RejectReason.RISK_NOT_A_NUMBER
    ] * len(rows)
