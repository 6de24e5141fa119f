"""Exact binomial statements about a share that was seen in a sample of independent listings.

Knows no risk and no label: it counts failures, whatever a failure is. Throughout, `share` is the largest share of
failures allowed, `confidence` the probability with which a statement holds, both in (0, 1).
"""

import math

import numpy as np
from scipy.stats import binom


def fewest_listings(share: float, confidence: float) -> int:
    """The smallest sample that can certify anything: with no failure in it, (1 - share)^n <= 1 - confidence."""
    return math.ceil(math.log1p(-confidence) / math.log1p(-share))


def certified_steps(failures: np.ndarray, sizes: np.ndarray, *, share: float, confidence: float) -> int:
    """How many of a fixed sequence of samples are certified to fail in at most `share`, all at once.

    Learn then Test (Angelopoulos et al. 2021, arXiv:2110.01052) by fixed-sequence testing: the p-value of a sample is
    P(Bin(size, share) <= failures), and the first that is above 1 - confidence ends the sequence.

    Args:
        failures: (T,) failures seen in each sample.
        sizes: (T,) size of each sample, in the order of testing, which must not depend on the failures.
        share: the largest share of failures allowed.
        confidence: probability with which all certified samples keep it.
    """
    refused = np.flatnonzero(p_values(failures, sizes, share=share) > 1 - confidence)
    return int(refused[0]) if refused.size else sizes.size


def p_values(failures: np.ndarray, sizes: np.ndarray, *, share: float) -> np.ndarray:
    """P(Bin(size, share) <= failures): how likely so few failures are where the true share is just too high."""
    return np.asarray(binom.cdf(failures, sizes, share))


def certified_rank(size: int, *, share: float, confidence: float) -> int:
    """The largest k for which at most `share` of the population lies below the k-th smallest of a sample.

    The order statistic of Neyman-Pearson classification (Tong, Feng and Li 2018, Science Advances 4(2)), mirrored to
    the lower tail: P(more than `share` lies below) = P(Bin(size, share) <= k - 1) <= 1 - confidence.

    Returns:
        k from 1; 0 where the sample is too small for any.
    """
    return int(binom.ppf(1 - confidence, size, share)) if size else 0
