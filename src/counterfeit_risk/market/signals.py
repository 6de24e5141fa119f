"""What can be seen of a counterfeit, and how often it is seen on counterfeit and on genuine goods.

Knows no photo and no title: `photos` and `titles` show what is drawn here. No signal decides a label. Drawn
independently, these leave about one counterfeit in six with no tell in photo or title: a stolen official photo and a
clean title, which only price or seller can give away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from counterfeit_risk.listings.listing import Label
from counterfeit_risk.market.chance import happens


class Tell(StrEnum):
    """A surface signal of one listing."""

    WRONG_PROPORTIONS = "wrong_proportions"
    WRONG_COLOURS = "wrong_colours"
    MIRRORED_MARK = "mirrored_mark"
    BLURRED_MARK = "blurred_mark"
    COVERED_MARK = "covered_mark"
    GRADE_WORDS = "grade_words"
    SPACED_BRAND = "spaced_brand"
    LOOKALIKE_LETTERS = "lookalike_letters"
    CONTACT_DETAILS = "contact_details"
    CONTRADICTION = "contradiction"
    """The title claims one brand, the photos show another's mark."""
    LOW_PRICE = "low_price"


@dataclass(frozen=True)
class Signal:
    """Probabilities of one tell, in [0, 1]."""

    given_counterfeit: float
    given_genuine: float


SIGNALS: Mapping[Tell, Signal] = {
    Tell.WRONG_PROPORTIONS: Signal(0.22, 0.002),
    Tell.WRONG_COLOURS: Signal(0.22, 0.002),
    Tell.MIRRORED_MARK: Signal(0.06, 0.004),
    Tell.BLURRED_MARK: Signal(0.15, 0.006),
    Tell.COVERED_MARK: Signal(0.15, 0.006),
    Tell.GRADE_WORDS: Signal(0.28, 0.001),
    Tell.SPACED_BRAND: Signal(0.14, 0.002),
    Tell.LOOKALIKE_LETTERS: Signal(0.14, 0.003),
    Tell.CONTACT_DETAILS: Signal(0.24, 0.010),
    Tell.CONTRADICTION: Signal(0.06, 0.002),
    Tell.LOW_PRICE: Signal(0.45, 0.060),
}

PHOTO_TELLS = (
    Tell.WRONG_PROPORTIONS,
    Tell.WRONG_COLOURS,
    Tell.MIRRORED_MARK,
    Tell.BLURRED_MARK,
    Tell.COVERED_MARK,
)
TITLE_TELLS = (Tell.GRADE_WORDS, Tell.SPACED_BRAND, Tell.LOOKALIKE_LETTERS, Tell.CONTACT_DETAILS)


def draw_tells(rng: np.random.Generator, tells: Iterable[Tell], label: Label) -> frozenset[Tell]:
    """Draws which of the tells a listing of this label shows, each by itself."""
    return frozenset(tell for tell in tells if happens(rng, _probability(tell, label)))


def _probability(tell: Tell, label: Label) -> float:
    signal = SIGNALS[tell]
    return signal.given_counterfeit if label is Label.COUNTERFEIT else signal.given_genuine
