import pytest
import torch
from captum.attr import FeatureAblation

from counterfeit_risk.explanations.encoded_listing import encode_listing
from counterfeit_risk.explanations.title_words import WordWeight, weigh_words


def weigh(model, content) -> list[tuple[str, float]]:
    return [(word.word, round(word.weight, 5)) for word in weigh_words(model, encode_listing(model, content))]


def test_words_that_matter_are_found_in_the_titles_order(planted_model, content_of, marked) -> None:
    model = planted_model(words={"replica": 2.0, "receipt": -1.5})
    weights = weigh(model, content_of("nova replica bag receipt", marked))
    assert weights == [("nova", 0.0), ("replica", 2.0), ("bag", 0.0), ("receipt", -1.5)]


def test_a_word_that_stands_twice_is_left_out_once_at_a_time(planted_model, content_of) -> None:
    model = planted_model(words={"aaa": 1.0})
    assert weigh(model, content_of("aaa bag aaa")) == [("aaa", 1.0), ("bag", 0.0), ("aaa", 1.0)]


def test_without_its_only_word_a_title_counts_as_missing(planted_model, content_of, marked) -> None:
    model = planted_model(words={"replica": 2.0, "-": 100.0}, together=0.25)
    assert weigh(model, content_of("replica", marked)) == [("replica", 2.25)]


def test_no_title_has_no_words(planted_model, content_of, marked) -> None:
    assert weigh(planted_model(), content_of("", marked)) == []


def test_a_long_title_is_weighed_to_its_end(planted_model, content_of) -> None:
    words = [f"w{number}" for number in range(100)]
    model = planted_model(words={word: float(number) for number, word in enumerate(words)})
    found = weigh_words(model, encode_listing(model, content_of(" ".join(words))))
    assert [word.word for word in found] == words
    assert [word.weight for word in found] == pytest.approx(range(100), abs=1e-3)


def test_weights_equal_captums_feature_ablation(planted_model, content_of) -> None:
    title = ["one", "two", "three", "two"]
    model = planted_model(words={"one": 0.5, "two": -2.0, "three": 1.25})

    def judge(present: torch.Tensor) -> torch.Tensor:
        kept = [" ".join(w for w, keep in zip(title, row, strict=True) if keep) for row in present.tolist()]
        return torch.tensor(model.encode_titles(kept)[:, 0])

    oracle = FeatureAblation(judge).attribute(torch.ones(1, len(title)))[0].tolist()
    found = weigh_words(model, encode_listing(model, content_of(" ".join(title))))
    assert found == tuple(WordWeight(w, pytest.approx(weight)) for w, weight in zip(title, oracle, strict=True))
