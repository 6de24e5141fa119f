"""Populations of sellers whose every share is known, to draw calibration sets from and to hold promises against.

Knows no market and no model: a law gives risks and outcomes, a pool is given them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy.stats import norm

_STEPS = 100_000
_LISTINGS_EACH = 10
_CELLS = 2000


@dataclass(frozen=True, eq=False)
class Sample:
    """A calibration set of N listings."""

    risks: np.ndarray
    """(N,) in [0, 1]."""
    labels: np.ndarray
    """(N,) bool, True where counterfeit."""
    groups: np.ndarray
    """(N,) the seller, as far as the platform knows."""


@dataclass(frozen=True, eq=False)
class Shares:
    """True shares above any of T ascending risks."""

    risks: np.ndarray
    """(T,) ascending."""
    genuine_above: np.ndarray
    """(T,) of all genuine listings, those at or above that risk."""
    counterfeit_above: np.ndarray
    """(T,) of all counterfeit listings, those at or above that risk."""
    prevalence: float
    caught: np.ndarray
    """(T,) of the counterfeits that a promise on misses counts, those at or above that risk."""

    def wrongful(self, threshold: float, *, prevalence: float | None = None) -> float:
        """Share of genuine listings from a threshold on, where a share `prevalence` of all is counterfeit."""
        share = self.prevalence if prevalence is None else prevalence
        place = self._place(threshold)
        genuine, counterfeit = (1 - share) * self.genuine_above[place], share * self.counterfeit_above[place]
        return float(genuine / (genuine + counterfeit)) if genuine else 0.0

    def missed(self, threshold: float) -> float:
        """Share of counterfeits below a threshold."""
        return 1 - float(self.caught[self._place(threshold)])

    def _place(self, threshold: float) -> int:
        return min(int(np.searchsorted(self.risks, threshold, side="left")), self.risks.size - 1)


class Population(Protocol):
    """What a calibration set is drawn from, and what its promises are about."""

    @property
    def by_seller(self) -> Shares:
        """Each seller counting once."""

    @property
    def by_listing(self) -> Shares:
        """Each listing counting once."""

    def draw(self, rng: np.random.Generator, sellers: int) -> Sample:
        """All listings of that many sellers, drawn independently."""


class SellerLaw:
    """Risks uniform on [0, 1]; P(counterfeit | risk) is a function of the risk.

    Listings of one seller share a part of what decides their risks, and of what decides their outcomes. How many
    listings a seller has tells nothing of either, so a listing drawn from a random seller has the law of any listing.
    A counterfeit from a random seller of counterfeits has not: such sellers have fewer or more of them.
    """

    def __init__(self, counterfeit_at: Callable[[np.ndarray], np.ndarray], correlation: float) -> None:
        """Integrates the shares.

        Args:
            counterfeit_at: P(counterfeit | risk).
            correlation: of the normal scores behind two risks, or two outcomes, of one seller.
        """
        self._counterfeit_at, self._correlation = counterfeit_at, correlation
        risks = np.linspace(0, 1, _STEPS + 1)
        below = np.append(0.0, np.cumsum(counterfeit_at((risks[1:] + risks[:-1]) / 2)) / _STEPS)
        prevalence = float(below[-1])
        counterfeit_above = 1 - below / prevalence
        genuine_above = 1 - (risks - below) / (1 - prevalence)
        self.by_listing = Shares(risks, genuine_above, counterfeit_above, prevalence, caught=counterfeit_above)
        self.by_seller = replace(self.by_listing, caught=self._caught_by_seller(risks))

    def draw(self, rng: np.random.Generator, sellers: int) -> Sample:
        """All listings of that many sellers, ten each on average."""
        groups = np.repeat(np.arange(sellers), rng.geometric(1 / _LISTINGS_EACH, sellers))
        risks, outcomes = self._uniform(rng, groups), self._uniform(rng, groups)
        return Sample(risks, outcomes < self._counterfeit_at(risks), groups)

    def _caught_by_seller(self, risks: np.ndarray) -> np.ndarray:
        """Integrates over what sellers share, where listings are independent.

        A counterfeit of a seller whose listings are counterfeit with probability q, and 1, 2, ... with geometric
        probabilities of mean 1 / p, counts as 1 / (1 - (1 - p)(1 - q)), since all those of a seller count once.
        """
        edges, effects = np.linspace(0, 1, _CELLS + 1), np.linspace(-6, 6, 121)
        weights = norm.pdf(effects) / norm.pdf(effects).sum()
        chances = self._given(effects, self._counterfeit_at((edges[1:] + edges[:-1]) / 2))
        in_cell = np.diff(self._given(effects, edges), axis=1)
        caught = np.zeros(_CELLS)
        for weight, chance in zip(weights, chances, strict=True):
            counterfeit = in_cell * chance
            q = counterfeit.sum(axis=1)
            caught += weight * (weights / (1 - (1 - 1 / _LISTINGS_EACH) * (1 - q))) @ counterfeit
        shares: np.ndarray = np.interp(risks, edges, _share_from(caught))
        return shares

    def _given(self, effects: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """(E, S) chance that a listing's uniform number lies below each share, given what its seller shares."""
        quantiles = norm.ppf(shares) - np.sqrt(self._correlation) * effects[:, None]
        return np.asarray(norm.cdf(quantiles / np.sqrt(1 - self._correlation)))

    def _uniform(self, rng: np.random.Generator, groups: np.ndarray) -> np.ndarray:
        of_seller, of_listing = rng.standard_normal(groups[-1] + 1)[groups], rng.standard_normal(groups.size)
        scores = np.sqrt(self._correlation) * of_seller + np.sqrt(1 - self._correlation) * of_listing
        uniform: np.ndarray = norm.cdf(scores)
        return uniform


class Pool:
    """Listings that are there, taken as the whole population: sellers are drawn from it with replacement."""

    def __init__(self, sample: Sample, hands: np.ndarray) -> None:
        """Counts the shares.

        Args:
            sample: all listings.
            hands: (N,) int, who is behind a listing and is drawn whole: as coarse as the sample's groups, or coarser.
        """
        order = np.lexsort((sample.groups, hands))
        self._sample = Sample(sample.risks[order], sample.labels[order], sample.groups[order])
        _, self._starts, self._sizes = np.unique(hands[order], return_index=True, return_counts=True)
        once = np.zeros(order.size)
        once[self._sample.labels] = _one_each(self._sample.groups[self._sample.labels])
        self.by_seller = self._count(_one_each(self._sample.groups), once)
        self.by_listing = self._count(np.ones(order.size), self._sample.labels.astype(float))

    def draw(self, rng: np.random.Generator, sellers: int) -> Sample:
        """All listings of that many hands; one that is drawn twice counts as two."""
        drawn = rng.integers(self._starts.size, size=sellers)
        sizes = self._sizes[drawn]
        copy = np.repeat(np.arange(sellers), sizes)
        rows = np.arange(copy.size) + np.repeat(self._starts[drawn] - np.cumsum(sizes) + sizes, sizes)
        groups = self._sample.groups[rows]
        begins = (np.diff(copy, prepend=-1) != 0) | (np.diff(groups, prepend=-1) != 0)
        return Sample(self._sample.risks[rows], self._sample.labels[rows], np.cumsum(begins))

    def _count(self, weights: np.ndarray, counterfeit_weights: np.ndarray) -> Shares:
        order = np.argsort(self._sample.risks)
        labels = self._sample.labels
        return Shares(
            np.append(self._sample.risks[order], np.inf),
            _share_from(np.where(labels, 0, weights)[order]),
            _share_from(np.where(labels, weights, 0)[order]),
            float(np.average(labels, weights=weights)),
            _share_from(counterfeit_weights[order]),
        )


def _one_each(groups: np.ndarray) -> np.ndarray:
    """(N,) weights that sum to one in each group."""
    _, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    weights: np.ndarray = 1 / sizes[place]
    return weights


def _share_from(weights: np.ndarray) -> np.ndarray:
    """(N + 1,) share of the weight at each place and after it."""
    after = np.append(np.cumsum(weights[::-1])[::-1], 0.0)
    shares: np.ndarray = after / after[0]
    return shares
