from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit_risk.market.words.names import (
    FEWEST_EDITS,
    HOMONYMS,
    LINES,
    SHORTEST,
    draw_coined,
    draw_homonyms,
    edits,
)

words = st.text("abc", max_size=6)


@pytest.mark.parametrize(
    ("a", "b", "count"), [("", "abc", 3), ("plover", "plover", 0), ("plover", "clover", 1), ("kitten", "sitting", 3)]
)
def test_edits_are_counted(a, b, count):
    assert edits(a, b) == count


@given(words, words, words)
def test_edits_are_a_distance(a, b, c):
    assert edits(a, b) == edits(b, a)
    assert edits(a, c) <= edits(a, b) + edits(b, c)


def test_no_two_ordinary_words_are_easily_mistaken():
    assert all(edits(a, b) >= FEWEST_EDITS for a, b in combinations(HOMONYMS, 2))
    assert min(map(len, HOMONYMS)) >= SHORTEST


def test_coined_names_keep_apart_from_other_names():
    coined = draw_coined(np.random.default_rng(0), 60, apart_from=["Velquon", "Kaldia"])
    assert all(edits(name, other) >= FEWEST_EDITS for name in coined for other in ("Velquon", "Kaldia"))


def test_coined_names_are_no_ordinary_words_and_no_lines():
    assert not {*draw_coined(np.random.default_rng(0), 100, apart_from=[])} & {*HOMONYMS, *LINES}


def test_ordinary_words_are_drawn_once_each():
    assert len({*draw_homonyms(np.random.default_rng(0), 20)}) == 20


def test_no_product_line_is_named_twice():
    assert len({*LINES}) == len(LINES)
