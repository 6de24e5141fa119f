"""What a model must beat: rankings that look at one cheap thing each and learn it from the training rows.

Under an honest split the seller and the exact photo know nothing, as none of them stands on both sides: a baseline
above chance there is a leak. Knows no tower and no split: both sets of rows come from the caller.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from counterfeit_risk.evaluation.boosted_trees import fit_boosted_trees
from counterfeit_risk.evaluation.metrics import FloatArray
from counterfeit_risk.listings.listing import Label, LabeledListing
from counterfeit_risk.listings.titles import normalize_title

_PRIOR_LISTINGS = 5.0
"""Listings at the prevalence that a seller, photo or token is given beforehand, so that one listing proves little."""
_LISTED_TOKENS = 50

_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+")
"""Thai, Japanese and Chinese, which put no space between words."""


@dataclass(frozen=True, eq=False)
class BaselineRows:
    """What the baselines read of N listings."""

    labels: np.ndarray
    """(N,) bool, True where counterfeit."""
    sellers: Sequence[str | None]
    photos: Sequence[Collection[str]]
    """(N,) keys of each listing's photos; equal keys are equal files."""
    titles: Sequence[str]
    prices: FloatArray
    """(N,) in any currency; NaN where there is none."""
    kinds: Sequence[tuple[str, ...]]
    """(N,) within what a price is compared, from coarse to fine: (currency, brand, category)."""

    @classmethod
    def of(cls, rows: Sequence[LabeledListing], photos: Sequence[Collection[str]]) -> "BaselineRows":
        """What the baselines read of labelled listings; `photos` are the hashes of each one's photo files."""
        listings = [row.listing for row in rows]
        return cls(
            labels=np.array([row.label is Label.COUNTERFEIT for row in rows], dtype=np.bool_),
            sellers=[listing.seller_id for listing in listings],
            photos=photos,
            titles=[listing.title for listing in listings],
            prices=np.array([np.nan if listing.price is None else listing.price for listing in listings]),
            kinds=[(listing.currency or "", listing.brand or "", listing.category or "") for listing in listings],
        )


def score_baselines(train: BaselineRows, test: BaselineRows) -> dict[str, FloatArray]:
    """(M,) scores of the test rows by baseline; higher is likelier counterfeit. The test rows' labels are not read."""
    return {
        "seller": known_rates(_as_keys(train.sellers), _as_keys(test.sellers), labels=train.labels),
        "exact_photo": known_rates(train.photos, test.photos, labels=train.labels),
        "price": _price_scores(train, test),
        "token_list": _token_scores(train, test),
    }


def known_rates(train: Sequence[Collection[str]], test: Sequence[Collection[str]], *, labels: np.ndarray) -> FloatArray:
    """(M,) the highest smoothed counterfeit rate in train among a row's keys; the prevalence where none is known."""
    prevalence = float(labels.mean())
    seen = Counter(key for keys in train for key in set(keys))
    counterfeit = Counter(key for keys, label in zip(train, labels, strict=True) if label for key in set(keys))
    rates = {
        key: (counterfeit[key] + _PRIOR_LISTINGS * prevalence) / (count + _PRIOR_LISTINGS)
        for key, count in seen.items()
    }
    return np.array([max((rates[key] for key in keys if key in rates), default=prevalence) for keys in test])


def tokens(title: str) -> frozenset[str]:
    """Words of a title in any language: what stands between spaces, the words within, and pairs of unspaced letters."""
    folded = normalize_title(title).casefold()
    runs = _UNSPACED.findall(folded)
    pairs = [run[start : start + 2] for run in runs for start in range(len(run) - 1)]
    return frozenset([*folded.split(), *_WORD.findall(folded), *pairs])


def listed_tokens(titles: Sequence[str], labels: np.ndarray) -> dict[str, float]:
    """The tokens that speak for a counterfeit the most, at most 50, by how far they raise its log odds (smoothed)."""
    found = [tokens(title) for title in titles]
    seen = Counter(token for one in found for token in one)
    counterfeit = Counter(token for one, label in zip(found, labels, strict=True) if label for token in one)
    prior = _PRIOR_LISTINGS * float(labels.mean())
    before = np.log(prior / (_PRIOR_LISTINGS - prior))
    odds = {
        token: float(np.log((counterfeit[token] + prior) / (count - counterfeit[token] + _PRIOR_LISTINGS - prior)))
        for token, count in seen.items()
    }
    best = sorted((before - value, token) for token, value in odds.items() if value > before)[:_LISTED_TOKENS]
    return {token: float(-value) for value, token in best}


def _token_scores(train: BaselineRows, test: BaselineRows) -> FloatArray:
    listed = listed_tokens(train.titles, train.labels)
    found = [tokens(title) for title in test.titles]
    # the list is walked and not the tokens: a sum of floats depends on its order, and a set has none
    return np.array([sum(odds for token, odds in listed.items() if token in one) for one in found], dtype=np.float64)


def _price_scores(train: BaselineRows, test: BaselineRows) -> FloatArray:
    """Boosted trees on the log price, and on its distance from the median of each level of the row's kind in train."""
    logs, test_logs = _log_prices(train.prices), _log_prices(test.prices)
    seen, asked = [logs], [test_logs]
    for depth in range(1, len(train.kinds[0]) + 1):
        levels = [kind[:depth] for kind in train.kinds]
        medians = _medians(levels, logs)
        seen.append(logs - [medians.get(level, np.nan) for level in levels])
        asked.append(test_logs - [medians.get(kind[:depth], np.nan) for kind in test.kinds])
    trees = fit_boosted_trees(np.column_stack(seen), train.labels, seed=0)
    scores: FloatArray = trees.predict_proba(np.column_stack(asked))[:, 1]
    return scores


def _medians(levels: Sequence[tuple[str, ...]], logs: FloatArray) -> Mapping[tuple[str, ...], float]:
    priced: dict[tuple[str, ...], list[float]] = {}
    for level, value in zip(levels, logs.tolist(), strict=True):
        if np.isfinite(value):
            priced.setdefault(level, []).append(value)
    return {level: float(np.median(values)) for level, values in priced.items()}


def _log_prices(prices: FloatArray) -> FloatArray:
    """A price of 0 is an unknown one."""
    return np.log(np.where(prices > 0, prices, np.nan))


def _as_keys(sellers: Sequence[str | None]) -> list[tuple[str, ...]]:
    return [() if seller is None else (seller,) for seller in sellers]
