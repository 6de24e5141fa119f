"""Gathers what a run's test results are held against: true posteriors where they are known, and baselines.

Knows no metric and no logit.
"""

import numpy as np

from counterfeit_risk.config import EvaluationSettings
from counterfeit_risk.evaluation.baselines import BaselineRows, score_baselines
from counterfeit_risk.evaluation.reference import Reference
from counterfeit_risk.evaluation.truth import read_posteriors
from counterfeit_risk.listings.splits import Split
from counterfeit_risk.training.rows import LabeledRows


def gather_reference(rows: LabeledRows, settings: EvaluationSettings) -> Reference:
    """Learns the baselines from the train rows and scores the test rows, in their order.

    Raises:
        UsageError: if the table of true posteriors lacks a test row.
    """
    test_ids = [rows.listings[row].listing.listing_id for row in np.flatnonzero(rows.splits == Split.TEST)]
    return Reference(
        posteriors=read_posteriors(settings.true_posteriors, test_ids) if settings.true_posteriors else None,
        baselines=score_baselines(_baseline_rows(rows, Split.TRAIN), _baseline_rows(rows, Split.TEST)),
    )


def _baseline_rows(rows: LabeledRows, split: Split) -> BaselineRows:
    chosen = np.flatnonzero(rows.splits == split)
    return BaselineRows.of([rows.listings[row] for row in chosen], [rows.photo_hashes[row] for row in chosen])
