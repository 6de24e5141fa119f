"""Makes up names of brands: words that are in no dictionary, and a few that are.

Knows no brand that exists: names follow rules of sound, and no two are easily mistaken for each other.
"""

import re
from collections.abc import Sequence

import numpy as np

from counterfeit_risk.market.chance import pick

HOMONYMS = (
    *("Bistort", "Burdock", "Charlock", "Comfrey", "Fescue", "Hellebore", "Hornbeam", "Medlar", "Samphire", "Teasel"),
    *(
        "Tormentil",
        "Valerian",
        "Bittern",
        "Dotterel",
        "Dunlin",
        "Fieldfare",
        "Goosander",
        "Lapwing",
        "Plover",
        "Stonechat",
    ),
    *(
        "Turnstone",
        "Wheatear",
        "Whimbrel",
        "Burbot",
        "Gudgeon",
        "Lumpsucker",
        "Saithe",
        "Weever",
        "Loosestrife",
        "Moschatel",
    ),
)
"""Plants, birds and fish that few people name every day."""
LINES = (
    *(
        "Strata",
        "Cinder",
        "Meridian",
        "Canopy",
        "Fern",
        "Comet",
        "Ascent",
        "Forge",
        "Pelagic",
        "Lumen",
        "Dusk",
        "Regent",
    ),
    *("Heron", "Marsh", "Plume", "Trail", "Saddle", "Harbour", "Solstice", "Quarry", "Lantern", "Thicket", "Juniper"),
    *("Anvil", "Drift", "Ravine", "Orchard", "Parade", "Verse", "Mosaic", "Isthmus", "Estuary", "Cascade", "Almanac"),
    *("Gallery", "Rotunda", "Lattice", "Quill", "Tandem", "Umber", "Wicker", "Copse", "Bramble", "Cairn", "Fjord"),
)
"""Names of product lines."""

SHORTEST = 6
"""Letters of the shortest name."""
FEWEST_EDITS = 3
"""Letters by which any two names differ at least."""

_OPENINGS = (
    *(
        "Bal",
        "Brim",
        "Cald",
        "Dom",
        "Drav",
        "Esk",
        "Fal",
        "Gald",
        "Harqu",
        "Ilv",
        "Isht",
        "Jorv",
        "Kald",
        "Lorv",
        "Munt",
    ),
    *("Mirv", "Nald", "Ondr", "Ostr", "Pell", "Quiv", "Rasc", "Sald", "Scarv", "Talv", "Tesqu", "Ulm", "Vand", "Velqu"),
    *("Vostr", "Wend", "Yald", "Zeph", "Zond"),
)
_LINKS = ("av", "end", "ir", "olv", "ur", "ald", "esc", "im", "orn", "ant", "iv", "ell", "ast", "orr")
_ENDINGS = (
    "a",
    "o",
    "ia",
    "ix",
    "on",
    "enne",
    "ane",
    "ari",
    "eo",
    "or",
    "une",
    "ett",
    "ova",
    "is",
    "ique",
    "ondo",
    "une",
    "el",
)


_LINKED = 0.5
_CLUMSY = re.compile(r"uu|ii|ia[aeiou]|(..).?\1")


def draw_homonyms(rng: np.random.Generator, count: int) -> list[str]:
    """Ordinary words as names; all of `HOMONYMS` differ enough."""
    return [HOMONYMS[number] for number in rng.permutation(len(HOMONYMS))[:count]]


def draw_coined(rng: np.random.Generator, count: int, *, apart_from: Sequence[str]) -> list[str]:
    """Coined names that differ by `FEWEST_EDITS` from each other and from other ones."""
    coined: list[str] = []
    while len(coined) < count:
        name = pick(rng, _OPENINGS) + (pick(rng, _LINKS) if rng.random() < _LINKED else "") + pick(rng, _ENDINGS)
        others = (*apart_from, *coined)
        sounds_well = len(name) >= SHORTEST and not _CLUMSY.search(name.lower())
        if sounds_well and all(edits(name, other) >= FEWEST_EDITS for other in others):
            coined.append(name)
    return coined


def edits(a: str, b: str) -> int:
    """Letters to insert, delete or replace to get from one word to the other (Levenshtein 1966)."""
    distances = list(range(len(b) + 1))
    for row, letter in enumerate(a, 1):
        corner, distances[0] = distances[0], row
        for column, other in enumerate(b, 1):
            change = corner + (letter != other)
            corner = distances[column]
            distances[column] = min(change, corner + 1, distances[column - 1] + 1)
    return distances[-1]
