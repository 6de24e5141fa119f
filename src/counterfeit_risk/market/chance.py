"""Draws from a seeded generator.

Knows no listing: only probabilities, options and weights.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def happens(rng: np.random.Generator, probability: float) -> bool:
    """True with this probability: 0 is never, 1 is always."""
    return bool(rng.random() < probability)


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of the options, each as likely as the others."""
    return options[int(rng.integers(len(options)))]


def pick_weighted(rng: np.random.Generator, weights: Mapping[T, float]) -> T:
    """One of the keys, as likely as its weight; the weights need not sum to 1."""
    shares = np.fromiter(weights.values(), float)
    return list(weights)[int(rng.choice(len(weights), p=shares / shares.sum()))]
