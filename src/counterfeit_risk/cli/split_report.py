"""What splits leak, and what cheap baselines make of them: ours beside splits dealt by chance.

Knows no file; `split` reads and writes.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.table import Table

from counterfeit_risk.evaluation import metrics
from counterfeit_risk.evaluation.baselines import BaselineRows, score_baselines
from counterfeit_risk.listings.leaks import LeakReport, SearchCheck, Traces, check_search, find_leaks, leak_rows
from counterfeit_risk.listings.listing import LabeledListing
from counterfeit_risk.listings.splits import Split

_METRICS = {"average precision": metrics.average_precision, "ROC AUC": metrics.roc_auc}
_BASELINES = {
    "seller": "seller id only",
    "exact_photo": "photo hash only",
    "price": "price only",
    "token_list": "token list",
}


@dataclass(frozen=True)
class SplitReport:
    """One or more ways to split the same rows, by name."""

    leaks: Mapping[str, LeakReport]
    baselines: Mapping[str, Mapping[str, Mapping[str, float]]]
    """By split, baseline and metric, on the test rows; nothing where rows have no labels."""
    search: SearchCheck | None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "leaks": {name: leaks.to_dict() for name, leaks in self.leaks.items()},
            "baselines": {
                way: {name: {m: _defined(v) for m, v in found.items()} for name, found in judged.items()}
                for way, judged in self.baselines.items()
            },
            "search": self.search.to_dict() if self.search else None,
        }


def make_report(ways: Mapping[str, NDArray[Any]], traces: Traces, labeled: Sequence[LabeledListing]) -> SplitReport:
    """Counts what each way to split leaks.

    Args:
        ways: (N,) of `Split`, by name.
        traces: what the N rows may share.
        labeled: the N rows, or none where they have no labels.
    """
    return SplitReport(
        leaks={name: find_leaks(traces, splits) for name, splits in ways.items()},
        baselines={name: judge_baselines(labeled, traces.files, s) for name, s in ways.items()} if labeled else {},
        search=check_search(traces),
    )


def judge_baselines(
    rows: Sequence[LabeledListing], photos: Sequence[Collection[str]], splits: NDArray[Any]
) -> dict[str, dict[str, float]]:
    """Average precision and ROC AUC of each baseline, learned from the train rows and judged on the test rows."""
    chosen = [np.flatnonzero(splits == split).tolist() for split in (Split.TRAIN, Split.TEST)]
    train, test = (BaselineRows.of([rows[row] for row in part], [photos[row] for row in part]) for part in chosen)
    weights = np.ones(len(test.labels))
    return {
        baseline: {name: metric(test.labels, scores, weights) for name, metric in _METRICS.items()}
        for baseline, scores in score_baselines(train, test).items()
    }


def report_table(report: SplitReport) -> Table:
    """The report for a terminal."""
    table = Table("", title="What the splits share", title_justify="left", box=box.SIMPLE_HEAD)
    for name in report.leaks:
        table.add_column(name, justify="right")
    columns = [leak_rows(leaks) for leaks in report.leaks.values()]
    for cells in zip(*columns, strict=True):
        if all(count is not None for _, count in cells):
            table.add_row(cells[0][0], *(f"{count:,}" for _, count in cells))
    for split in next(iter(report.leaks.values())).rows:
        table.add_row(f"listings: {split}", *(f"{leaks.rows[split]:,}" for leaks in report.leaks.values()))
    for baseline in next(iter(report.baselines.values()), {}):
        for metric in _METRICS:
            values = (judged[baseline][metric] for judged in report.baselines.values())
            table.add_row(f"{_BASELINES[baseline]}: {metric}", *(f"{value:.3f}" for value in values))
    if report.search:
        table.caption_justify = "left"
        table.caption = _search_line(report.search)
    return table


def _defined(value: float) -> float | None:
    """JSON has no NaN: a random split may leave the test rows without one of the classes."""
    return None if math.isnan(value) else value


def _search_line(check: SearchCheck) -> str:
    return (
        f"copies found: {check.found_pairs:,} of {check.true_pairs:,} recorded pairs of files; "
        f"joined without a recorded copy: {check.false_pairs:,} of {check.all_pairs:,} pairs"
    )
