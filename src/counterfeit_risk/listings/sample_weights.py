"""How much each labelled row counts, given how likely it was to be picked for labelling.

Knows no loss and no metric.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from counterfeit_risk.listings.listing import LabeledListing

_LEAST_PROBABILITY = 1e-12
"""As a share of the largest one; keeps sums finite, and far below where the cap sets in."""


def sample_weights(rows: Sequence[LabeledListing], *, most: float = 20.0) -> NDArray[np.float64]:
    """Weights with which labelled rows stand for all rows that they were picked from.

    A row picked with probability p counts 1 / p (D. G. Horvitz and D. J. Thompson, "A generalization of sampling
    without replacement from a finite universe", JASA 47, 1952, pages 663-685); one whose probability is not known
    counts 1. What a row has beyond the cap is cut off: a small bias, so that no rare row outvotes a table.

    Args:
        rows: N of them.
        most: no row weighs more than this many times the mean, which is 1; above 1.

    Returns:
        (N,) of mean 1.
    """
    probabilities = np.array([row.inclusion_probability or 1.0 for row in rows], np.float64)
    if not len(probabilities):
        return probabilities
    weights = 1 / np.maximum(probabilities / probabilities.max(), _LEAST_PROBABILITY)
    capped = np.minimum(weights, _find_cap(weights, most))
    return np.asarray(capped / capped.mean(), np.float64)


def _find_cap(weights: NDArray[np.float64], most: float) -> float:
    """The largest c that is no more than `most` times the mean of min(weights, c).

    With the k largest of N weights cut to c, and the others adding up to s, c = most · (k·c + s) / N, so that
    c = most · s / (N − most · k). The smallest k that leaves no weight above its c is the right one.
    """
    ascending = np.sort(weights)
    cut = np.arange(np.ceil(len(weights) / most), dtype=np.int64)
    left = len(weights) - cut
    caps = most * ascending.cumsum()[left - 1] / (len(weights) - most * cut)
    return float(caps[np.argmax(ascending[left - 1] <= caps)])
