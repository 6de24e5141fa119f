"""Composes the title of one listing, and what the tells do to it.

Knows no label and no photo.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from counterfeit_risk.market.brands import Brand
from counterfeit_risk.market.chance import happens, pick
from counterfeit_risk.market.phrases import PHRASEBOOKS, Language
from counterfeit_risk.market.signals import Tell

_SEPARATORS = ("-", ".", "_", " ", "*")
LOOKALIKES: Mapping[str, str] = {"a": "4а", "e": "3е", "i": "1і", "o": "0о", "s": "5ѕ"}
"""By Latin letter: a digit and a Cyrillic letter that look like it."""


@dataclass(frozen=True)
class Claim:
    """What a title says is sold."""

    brand: Brand
    """Of the goods, or for unbranded ones the brand that they may be said to fit."""
    category: str
    second_hand: bool = False


def compose_title(claim: Claim, language: Language, tells: frozenset[Tell], rng: np.random.Generator) -> str:
    """Writes the title; grade words and contact details stand before or after the rest."""
    phrases = PHRASEBOOKS[language]
    if claim.category in phrases.plain:
        return pick(rng, phrases.plain[claim.category]).format(brand=claim.brand.name)
    title = pick(rng, phrases.layouts).format(
        brand=_disguise(claim.brand.name, tells, rng),
        line=pick(rng, claim.brand.lines),
        noun=pick(rng, phrases.nouns[claim.category]),
        detail=pick(rng, phrases.used if claim.second_hand else phrases.new),
    )
    for tell, words in ((Tell.GRADE_WORDS, phrases.grades), (Tell.CONTACT_DETAILS, phrases.contacts)):
        if tell in tells:
            parts = (title, pick(rng, words))
            title = " ".join(parts if happens(rng, 0.7) else reversed(parts))
    return title


def _disguise(name: str, tells: frozenset[Tell], rng: np.random.Generator) -> str:
    """Hides a brand's name from a search for it, and not from a reader."""
    if Tell.LOOKALIKE_LETTERS in tells:
        letter = pick(rng, sorted(LOOKALIKES.keys() & set(name)))
        name = name.replace(letter, pick(rng, LOOKALIKES[letter]))
    if Tell.SPACED_BRAND in tells:
        name = pick(rng, _SEPARATORS).join(name)
    return name
