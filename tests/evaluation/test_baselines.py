from dataclasses import replace

import numpy as np
import pytest

from counterfeit_risk.evaluation import metrics
from counterfeit_risk.evaluation.baselines import (
    BaselineRows,
    known_rates,
    listed_tokens,
    score_baselines,
    tokens,
)


def draw_rows(listings: int, *, seed: int, sellers: str = "s") -> BaselineRows:
    """Rows in which nothing tells the label; `sellers` keeps two tables' sellers and photos apart."""
    rng = np.random.default_rng(seed)
    owners = [f"{sellers}{number}" for number in rng.integers(listings // 5, size=listings)]
    words = rng.choice(["bag", "shoe", "new", "red", "сумка", "正品手袋", "1:1"], size=(listings, 3))
    return BaselineRows(
        labels=rng.random(listings) < 0.2,
        sellers=owners,
        photos=[(f"{owner}-{number}",) for owner, number in zip(owners, rng.integers(3, size=listings), strict=True)],
        titles=[" ".join(row) for row in words],
        prices=np.where(rng.random(listings) < 0.1, np.nan, rng.lognormal(4, 1, listings)),
        kinds=[("EUR", str(brand)) for brand in rng.choice(["Ace", "Bo"], size=listings)],
    )


def auc(scores: np.ndarray, rows: BaselineRows) -> float:
    return metrics.roc_auc(rows.labels, scores, np.ones(rows.labels.size))


def test_every_baseline_is_at_chance_where_nothing_tells() -> None:
    train, test = draw_rows(1000, seed=1), draw_rows(1000, seed=2, sellers="t")
    found = score_baselines(train, test)
    assert list(found) == ["seller", "exact_photo", "price", "token_list"]
    assert all(abs(auc(scores, test) - 0.5) < 0.06 for scores in found.values())


def test_unknown_sellers_and_photos_are_ranked_alike() -> None:
    test = draw_rows(300, seed=2, sellers="t")
    found = score_baselines(draw_rows(300, seed=1), test)
    assert auc(found["seller"], test) == auc(found["exact_photo"], test) == 0.5


def test_a_seller_or_photo_on_both_sides_is_seen() -> None:
    rows = draw_rows(1000, seed=3)
    guilty = {seller: number % 5 == 0 for number, seller in enumerate(sorted(set(map(str, rows.sellers))))}
    leaky = replace(rows, labels=np.array([guilty[str(seller)] for seller in rows.sellers]))
    found = score_baselines(leaky, leaky)
    assert auc(found["seller"], leaky) > 0.95
    assert auc(found["exact_photo"], leaky) > 0.95


def test_a_rate_is_smoothed_towards_the_prevalence() -> None:
    labels = np.array([True, False, False, False])
    found = known_rates([("a",), ("b",), ("b",), ()], [("a",), ("b",), ("a", "b"), ("new",), ()], labels=labels)
    once, twice = (1 + 5 * 0.25) / 6, 5 * 0.25 / 7
    assert list(found) == pytest.approx([once, twice, once, 0.25, 0.25])


def test_a_price_is_low_only_for_its_brand() -> None:
    def priced(seed: int) -> BaselineRows:
        rows = draw_rows(800, seed=seed)
        usual = np.array([100.0 if kind[1] == "Ace" else 10.0 for kind in rows.kinds])
        prices = usual * np.where(rows.labels, 0.3, 1.0) * np.random.default_rng(seed).lognormal(0, 0.2, 800)
        return replace(rows, prices=np.where(np.isnan(rows.prices), np.nan, prices))

    test = priced(5)
    assert auc(score_baselines(priced(4), test)["price"], test) > 0.9


def test_rows_without_any_price_know_nothing() -> None:
    rows = draw_rows(200, seed=6)
    rows = replace(rows, prices=np.where(rows.labels, np.nan, 0.0))
    assert auc(score_baselines(rows, rows)["price"], rows) == 0.5


def test_a_planted_word_is_listed_in_any_script() -> None:
    rows = draw_rows(800, seed=7)
    for word in ("replica", "копия", "高仿"):
        told = [f"{title} {word}" if label else title for title, label in zip(rows.titles, rows.labels, strict=True)]
        planted = replace(rows, titles=told)
        assert next(iter(listed_tokens(planted.titles, planted.labels))) == word
        assert auc(score_baselines(planted, planted)["token_list"], planted) > 0.99


def test_one_listing_does_not_put_its_words_above_a_common_one() -> None:
    labels = np.repeat([True, False], [20, 180])
    titles = ["copy"] * 15 + ["unique"] + ["plain"] * 4 + ["copy"] * 5 + ["plain"] * 175
    assert list(listed_tokens(titles, labels)) == ["copy", "unique"]


def test_the_list_holds_50_tokens_at_most() -> None:
    labels = np.repeat([True, False], 60)
    titles = [f"word{number}" for number in range(60)] + ["other"] * 60
    assert len(listed_tokens(titles, labels)) == 50


def test_titles_are_cut_into_words_of_any_script() -> None:
    assert tokens("ＮＥＷ 1:1 Сумка!") == {"new", "1:1", "1", "сумка!", "сумка"}
    assert {"正品", "品手", "手袋"} <= tokens("正品手袋")
