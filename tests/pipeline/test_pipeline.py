"""From labelled listings to decisions, and from decisions back to labels that training reads."""

from datetime import UTC, datetime
from pathlib import Path

from counterfeit_risk.export.bundle import ModelBundle
from counterfeit_risk.listings.catalog import read_labeled_listings, read_listings, write_labeled_listings
from counterfeit_risk.listings.images import read_photo
from counterfeit_risk.listings.listing import LabeledListing
from counterfeit_risk.scoring.risk_score import read_scores
from counterfeit_risk.scoring.runner import Dump, score_dump
from counterfeit_risk.takedown.loading import Night
from counterfeit_risk.takedown.queue import open_queue
from counterfeit_risk.takedown.states import Verdict

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_scores_become_cases_become_labels_that_training_reads(
    tiny_bundle: ModelBundle, tiny_market: Path, tmp_path: Path
) -> None:
    table = tiny_market / "nightly.parquet"
    score_dump(tiny_bundle, Dump(table), tmp_path / "scores")
    flagged = {score.listing_id for score in read_scores(tmp_path / "scores") if score.band != "pass"}
    with open_queue(f"sqlite:///{tmp_path / 'takedown.db'}", create=True) as queue:
        loaded = queue.load(read_scores(tmp_path / "scores"), read_listings(table), NOW, night=Night(tiny_market))
        assert loaded.opened == len(flagged) > 0
        leased = queue.next_case("ada", NOW)
        assert leased is not None
        queue.decide(leased.case.case_id, "ada", Verdict.COUNTERFEIT, "wrong mark", leased.token, NOW)
        (action,) = queue.actions()
        assert (action.kind, action.listing_id) == ("take_down", leased.case.riskiest.listing.listing_id)
        labels = tmp_path / "labels.csv"
        write_labeled_listings(labels, queue.labels(relative_to=tiny_market))
    (row,) = read_labeled_listings(labels)
    assert isinstance(row, LabeledListing)
    assert (row.label, row.label_source) == ("counterfeit", "review")
    assert all(read_photo(photo, tiny_market) for photo in row.listing.photos)
