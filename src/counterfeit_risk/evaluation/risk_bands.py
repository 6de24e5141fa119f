"""Cuts risks into three bands, each with the evidence that it keeps its promise.

Knows labels and risks only: what a band leads to is decided in `takedown`. Applying bands needs NumPy only; fitting
them needs SciPy.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np

from counterfeit_risk.config import RiskSettings

Evidence = dict[str, float | int | bool | None]
"""The plain numbers that a promise rests on."""


class Band(StrEnum):
    """What a risk leads to."""

    AUTOMATIC = "automatic"
    REVIEW = "review"
    PASS = "pass"


@dataclass(frozen=True)
class RiskBands:
    """Two thresholds on the fused risk; a risk that equals a threshold lies above it."""

    review_from: float
    automatic_from: float | None
    """At least `review_from`; None where no threshold could be certified, and nothing is automatic."""
    evidence: dict[str, Evidence]
    """By promise: "automatic" and "review"."""

    def assign(self, risks: np.ndarray, complete: np.ndarray) -> list[Band]:
        """The band of each listing.

        Args:
            risks: (N,) fused risks.
            complete: (N,) bool; a listing without photos or without a title (False) is never automatic.

        Raises:
            ValueError: if a risk is NaN, which must not pass unseen.
        """
        if np.isnan(risks).any():
            raise ValueError(f"{int(np.isnan(risks).sum())} of {risks.size} risks are NaN and belong to no band")
        # a threshold is a 64-bit number: compared as 32-bit ones, it would round onto the risks next to it
        risks = np.asarray(risks, np.float64)
        bands = np.where(risks >= self.review_from, Band.REVIEW, Band.PASS).astype(object)
        if self.automatic_from is not None:
            bands[(risks >= self.automatic_from) & complete] = Band.AUTOMATIC
        return [Band(band) for band in bands]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Reads what `to_dict` wrote."""
        return cls(values["review_from"], values["automatic_from"], values["evidence"])


def fit_risk_bands(
    risks: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    settings: RiskSettings,
    *,
    seed: int,
    complete: np.ndarray | None = None,
) -> RiskBands:
    """Finds the two thresholds on listings that the model and its checkpoints have not seen.

    Both promises are for listings from where these came from, each group counting once. Where a deployed prevalence is
    set, the automatic one is for that prevalence, as long as the risks of either class look there as they do here.

    Args:
        risks: (N,) fused risks.
        labels: (N,) bool, True where counterfeit.
        groups: (N,); one listing of each group is drawn at random, since those of one are not independent.
        settings: the promises.
        seed: of that draw.
        complete: (N,) bool, False where a listing can never be automatic; all can where it is not given.
    """
    rng = np.random.default_rng(seed)
    risks = np.asarray(risks, np.float32)  # as the exported graph will give them
    eligible = np.ones(labels.size, dtype=bool) if complete is None else complete
    tested = _one_a_group(np.flatnonzero(eligible), groups, rng)
    share = _share_to_test(labels[tested], settings)
    automatic_from, automatic = _fit_automatic(risks[tested], labels[tested], share, settings)
    counterfeits = _one_a_group(np.flatnonzero(labels), groups, rng)
    review_from, review = _fit_review(np.sort(risks[counterfeits]), settings)
    if automatic_from is not None:
        review_from = min(review_from, automatic_from)  # lower misses fewer: both promises stand
    return RiskBands(review_from, automatic_from, {"automatic": automatic, "review": review})


def _one_a_group(rows: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    shuffled = rng.permutation(rows)
    _, first = np.unique(groups[shuffled], return_index=True)
    chosen: np.ndarray = shuffled[first]
    return chosen


def _share_to_test(labels: np.ndarray, settings: RiskSettings) -> float:
    """The wrongful share here that becomes `settings.wrongful_share` at the deployed prevalence.

    Where only the prevalence moves, the odds of genuine among any set of listings move by one factor.
    """
    genuine = np.count_nonzero(~labels)
    if settings.deployed_prevalence is None or genuine in {0, labels.size}:
        return settings.wrongful_share
    here = (labels.size - genuine) / genuine
    deployed = settings.deployed_prevalence / (1 - settings.deployed_prevalence)
    odds = settings.wrongful_share / (1 - settings.wrongful_share) * deployed / here
    return odds / (1 + odds)


def _fit_automatic(
    risks: np.ndarray, labels: np.ndarray, share: float, settings: RiskSettings
) -> tuple[float | None, Evidence]:
    """Tests the riskiest 1 %, 2 %, ... in turn, from the first that is large enough to certify anything.

    What is tested is the set of listings *strictly above* the risk next below it. Given that risk, the set is a plain
    sample of all listings above it, ties or not, which the set "at or above its own smallest risk" is not.
    """
    from counterfeit_risk.evaluation import guarantees  # needs SciPy, which a scoring image lacks

    order = np.argsort(-risks, kind="stable")
    cuts, wrongful = np.append(risks[order], -np.inf), np.cumsum(~labels[order])
    sizes = _sizes_above(cuts)
    sizes = sizes[sizes >= guarantees.fewest_listings(share, settings.confidence)]
    failures = wrongful[sizes - 1]
    steps = guarantees.certified_steps(failures, sizes, share=share, confidence=settings.confidence)
    last = max(steps, 1) - 1
    size, failed = (int(sizes[last]), int(failures[last])) if sizes.size else (0, 0)
    evidence: Evidence = {
        "certified": steps > 0,
        "confidence": settings.confidence,
        "wrongful_share_promised": settings.wrongful_share,
        "wrongful_share_tested": share,
        "groups": risks.size,
        "listings": size,
        "wrongful": failed,
        "more_listings_needed": 0,
        "more_groups_needed": 0,
    }
    if not steps:
        return None, evidence | _shortfall(wrongful, size, share, settings)
    return max(0.0, float(np.nextafter(np.float32(cuts[size]), np.float32(np.inf)))), evidence


def _shortfall(wrongful: np.ndarray, tested: int, share: float, settings: RiskSettings) -> Evidence:
    """What it takes to certify the first set tested, at best: counterfeits that are riskier than all seen.

    They push its lower end out, until few enough genuine listings are left. Groups labelled at random hold that many
    where such counterfeits are as frequent among them as among these; None where there is none of them here.

    Args:
        wrongful: (N,) genuine listings among the 1, 2, ... N riskiest.
        tested: size of that set; 0 where there were too few listings for one.
        share: as tested.
        settings: the promises.
    """
    from counterfeit_risk.evaluation import guarantees  # needs SciPy, which a scoring image lacks

    size = tested or guarantees.fewest_listings(share, settings.confidence)
    allowed = max(guarantees.certified_rank(size, share=share, confidence=settings.confidence) - 1, 0)
    kept = int(np.searchsorted(wrongful[:size], allowed, side="right"))
    groups = math.ceil((size - kept) / kept * wrongful.size) if kept else None
    return {"more_listings_needed": size - kept, "more_groups_needed": groups}


def _sizes_above(cuts: np.ndarray) -> np.ndarray:
    """How many risks lie strictly above those at ranks 1 %, 2 %, ... 100 % of (N + 1,) descending cuts; ascending."""
    ranks = np.ceil(np.arange(1, 101) / 100 * (cuts.size - 1)).astype(int)
    return np.unique(np.searchsorted(-cuts, -cuts[ranks], side="left"))


def _fit_review(counterfeit_risks: np.ndarray, settings: RiskSettings) -> tuple[float, Evidence]:
    """Takes the largest order statistic (of ascending risks) below which few enough counterfeits are missed.

    Where none is certified, the smallest counterfeit risk seen; where no counterfeit was seen, 0: all is reviewed.
    """
    from counterfeit_risk.evaluation import guarantees  # needs SciPy, which a scoring image lacks

    size = counterfeit_risks.size
    rank = guarantees.certified_rank(size, share=settings.missed_share, confidence=settings.confidence)
    fewest = guarantees.fewest_listings(settings.missed_share, settings.confidence)
    evidence: Evidence = {
        "certified": rank > 0,
        "confidence": settings.confidence,
        "missed_share_promised": settings.missed_share,
        "counterfeits": size,
        "missed": max(rank - 1, 0),
        "more_counterfeits_needed": 0 if rank else fewest - size,
    }
    return float(counterfeit_risks[max(rank, 1) - 1]) if size else 0.0, evidence
