"""Draws from a seeded generator.

Knows no listing: only probabilities, options and weights.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

import numpy as np

T = TypeVar("T")


def happens(rng: np.random.Generator, probability: float) -> bool:
    """True with this probability: 0 is never, 1 is always."""
    return bool(rng.random() < probability)


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of the options, each as likely as the others."""
    return options[int(rng.random() * len(options))]


def pick_weighted(rng: np.random.Generator, weights: Mapping[T, float]) -> T:
    """One of the keys, as likely as its weight; the weights need not sum to 1."""
    return Lottery(weights).draw(rng)


class Lottery(Generic[T]):
    """The same weighted draw many times; the weights need not sum to 1, and a key of weight 0 is never drawn."""

    def __init__(self, weights: Mapping[T, float]) -> None:
        self._options = [option for option, weight in weights.items() if weight > 0]
        self._bounds = list(accumulate(weight for weight in weights.values() if weight > 0))

    def draw(self, rng: np.random.Generator) -> T:
        """One of the keys, as likely as its weight."""
        return self._options[min(bisect_right(self._bounds, rng.random() * self._bounds[-1]), len(self._options) - 1)]


def zipf_weights(count: int, exponent: float, shift: float = 0.0) -> list[float]:
    """Weights of ranks 1 to `count`, which sum to 1 (Zipf-Mandelbrot): an exponent of 0 gives all ranks the same."""
    weights = [(rank + shift) ** -exponent for rank in range(1, count + 1)]
    total = sum(weights)
    return [weight / total for weight in weights]
