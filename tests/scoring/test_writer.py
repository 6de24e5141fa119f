from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from counterfeit_risk.errors import ListingTableError
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.listings.listing import RejectedRow, RejectReason
from counterfeit_risk.scoring.risk_score import PartStatus, RiskScore, read_scores
from counterfeit_risk.scoring.writer import PartWriter, write_text_atomically

SCORE = RiskScore(
    listing_id="a",
    risk=0.25,
    band=Band.REVIEW,
    photo_risk=None,
    title_risk=0.5,
    photos_used=0,
    photo_status=PartStatus.MISSING,
    photos_lost=("images/a.jpg: truncated image",),
    title_status=PartStatus.OK,
    model_id="m",
    scored_at=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
    content_hash="c",
)
REJECTED = RejectedRow(2, RejectReason.MISSING_ID, "no id")


def test_scores_read_back_as_they_were_written(tmp_path: Path) -> None:
    other = replace(SCORE, listing_id="b", photo_risk=0.1, photos_lost=(), photo_status=PartStatus.OK, band=Band.PASS)
    writer = PartWriter(tmp_path)
    writer.write(0, [SCORE, REJECTED])
    writer.write(1, [other])
    with pytest.raises(ListingTableError, match="no finished run"):
        list(read_scores(tmp_path))
    write_text_atomically("{}", tmp_path / "manifest.json")
    assert list(read_scores(tmp_path)) == [SCORE, other]


def test_counts_come_from_the_files(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path)
    writer.write(0, [SCORE, REJECTED, replace(SCORE, listing_id="b", photo_status=PartStatus.OK)])
    counts = PartWriter(tmp_path).count()
    assert (counts.scored, counts.scored_in_part, counts.rejected, counts.rows) == (2, 1, {"missing_id": 1}, 3)


def test_a_part_is_complete_only_once_its_scores_are_there(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path)
    assert not writer.is_complete(0)
    writer.write(0, [REJECTED])
    assert writer.is_complete(0)
    (tmp_path / "scores" / "part-000000.parquet").unlink()
    assert not writer.is_complete(0)


def test_a_folder_without_scores_is_named(tmp_path: Path) -> None:
    with pytest.raises(ListingTableError, match="no finished run"):
        list(read_scores(tmp_path))
