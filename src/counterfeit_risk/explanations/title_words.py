"""Which words of a title raise or lower the risk: each is left out in turn, and the change in the logit measured.

Knows no token: a word is what stands between white space, so a title written without any, as Chinese is, is one word.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterfeit_risk.explanations.encoded_listing import EncodedListing
from counterfeit_risk.explanations.model import ExplainedModel

_TITLES_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class WordWeight:
    """One word of a normalised title."""

    word: str
    weight: float
    """Logit with the word minus logit without it: positive where it raises the risk. 0 behind the token limit."""


def weigh_words(model: ExplainedModel, listing: EncodedListing) -> tuple[WordWeight, ...]:
    """One weight a word, in the title's order; without its only word a title counts as missing."""
    words = listing.content.title.split()
    shortened = [" ".join(words[:place] + words[place + 1 :]) for place in range(len(words))]
    whole = float(model.judge(listing.repeat(1)).logits[0])
    weights = [
        whole - float(logit)
        for start in range(0, len(shortened), _TITLES_AT_ONCE)
        for logit in _judge_titles(model, listing, shortened[start : start + _TITLES_AT_ONCE])
    ]
    return tuple(WordWeight(word, weight) for word, weight in zip(words, weights, strict=True))


def _judge_titles(model: ExplainedModel, listing: EncodedListing, titles: Sequence[str]) -> NDArray[np.float64]:
    """The (B,) logits with B titles in this title's place."""
    head_input = listing.repeat(len(titles))._replace(
        title_embedding=model.encode_titles([title or "-" for title in titles]),
        title_mask=np.array([bool(title) for title in titles]),
    )
    return model.judge(head_input).logits
