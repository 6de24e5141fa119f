"""Fits the small boosted trees of the price baseline and the shortcut audit.

Knows neither of them, and no feature's meaning.
"""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from counterfeit_risk.evaluation.metrics import FloatArray


def fit_boosted_trees(features: FloatArray, labels: np.ndarray, *, seed: int) -> HistGradientBoostingClassifier:
    """Sixty trees of at most eight leaves, that take a missing value for a value of its own.

    Args:
        features: (N, F); NaN where missing.
        labels: (N,) bool, both classes.
        seed: of the binning, which draws where rows are many.
    """
    trees = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=8, early_stopping=False, random_state=seed)
    # scikit-learn cannot bin a column that holds nothing; a constant one is never split on
    return trees.fit(np.where(np.isnan(features).all(axis=0), 0.0, features), labels)
