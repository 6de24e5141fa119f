"""Composes the title of one listing.

Knows no label and no photo. What a tell or a treatment does never changes what else a title says: the rest is drawn
first, and in the same way for all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from counterfeit_risk.market.brands import Brand
from counterfeit_risk.market.chance import happens, pick
from counterfeit_risk.market.kinds import Offering
from counterfeit_risk.market.signals import BrandTreatment, TitleTell
from counterfeit_risk.market.words.disguises import insert_invisible, separate, spell_by_sound, to_homoglyphs, to_leet
from counterfeit_risk.market.words.phrases import Language, Phrasebook, phrasebooks

NAMING_OFFERINGS = frozenset({Offering.BRANDED, Offering.REPLICA_SHIRT, Offering.BUNDLE})
"""Whose goods are the brand's: their titles take a treatment of its name."""

_LIKENED_SHARE = 0.5
"""Share of disguising words that go with the brand's name, where a title has one."""


@dataclass(frozen=True)
class Claim:
    """What a title says is sold."""

    offering: Offering
    brand: Brand
    """Of the goods, of what they fit, or called as they are; without meaning for traps and unbranded goods."""
    line: str
    category: str
    colour: str
    used: bool
    other_brand: Brand | None = None
    """The second brand of a bundle; nobody else has one."""

    def __post_init__(self) -> None:
        if (self.other_brand is not None) is not (self.offering is Offering.BUNDLE):
            raise ValueError(f"a bundle names a second brand, and nothing else does: {self.offering}")


@dataclass(frozen=True)
class Wording:
    """How a title hides the brand's name, and what in it speaks of a copy."""

    treatment: BrandTreatment = BrandTreatment.PLAIN
    tells: frozenset[TitleTell] = frozenset()


def compose_title(claim: Claim, language: Language, wording: Wording, rng: np.random.Generator) -> str:
    """Writes the title.

    A treatment applies to titles of the brand's own goods only; where the name is removed, they read as those of
    unbranded goods do. Tells apply to all; their words stand in front, in the middle or at the end.
    """
    book = phrasebooks()[language]
    named = claim.offering in NAMING_OFFERINGS
    treatment = wording.treatment if named else BrandTreatment.PLAIN
    named = named and treatment is not BrandTreatment.REMOVED
    parts = list(pick(rng, _layouts(claim.offering, book) if named else _nameless_layouts(claim.offering, book)))
    words = _words(claim, book, rng)
    if named:
        words["brand"] = _write(claim.brand.name, treatment, language, rng)
        words["other"] = _write(claim.other_brand.name, treatment, language, rng) if claim.other_brand else ""
    _add_tells(parts, words, wording.tells, book, rng)
    title = " ".join(parts).format_map(words)
    return title[0].upper() + title[1:]


def _layouts(offering: Offering, book: Phrasebook) -> Sequence[Sequence[str]]:
    return book.bundle_layouts if offering is Offering.BUNDLE else book.layouts


def _nameless_layouts(offering: Offering, book: Phrasebook) -> Sequence[Sequence[str]]:
    return book.plain_layouts if _plain_goods(offering, book) else book.unnamed_layouts


def _plain_goods(offering: Offering, book: Phrasebook) -> Mapping[str, Sequence[str]] | None:
    plain = {Offering.TRAP: book.traps, Offering.ACCESSORY: book.accessories, Offering.HOMONYM: book.homonyms}
    return plain.get(offering)


def _words(claim: Claim, book: Phrasebook, rng: np.random.Generator) -> dict[str, str]:
    """What fills a layout, other than the brand."""
    trade = _say(book.trade, rng)
    if goods := _plain_goods(claim.offering, book):
        detail = pick(rng, book.used if claim.used else book.new)
        return {
            "goods": pick(rng, goods[claim.category]).format(brand=claim.brand.name),
            "detail": detail,
            "trade": trade,
        }
    nouns = book.replica_shirts if claim.offering is Offering.REPLICA_SHIRT else book.nouns[claim.category]
    form, noun = pick(rng, [(form, noun) for form, of_form in nouns.items() for noun in of_form])
    return {
        "line": claim.line,
        "noun": noun,
        "colour": pick(rng, book.colours[claim.colour][form]),
        "quality": pick(rng, book.qualities),
        "fact": pick(rng, book.facts[claim.category]),
        "detail": pick(rng, _details(claim, book)),
        "trade": trade,
    }


def _details(claim: Claim, book: Phrasebook) -> Sequence[str]:
    if claim.used:
        return (*book.used, *book.wear[claim.category])
    return (*book.new, *book.unused[claim.category])


def _write(name: str, treatment: BrandTreatment, language: Language, rng: np.random.Generator) -> str:
    match treatment:
        case BrandTreatment.SEPARATED:
            return separate(name, rng)
        case BrandTreatment.LEET:
            return to_leet(name, rng)
        case BrandTreatment.HOMOGLYPH:
            return to_homoglyphs(name, rng)
        case BrandTreatment.INVISIBLE:
            return insert_invisible(name, rng)
        case BrandTreatment.SOUND_ALIKE:
            return spell_by_sound(name, language, rng)
    return name


def _add_tells(
    parts: list[str], words: dict[str, str], tells: frozenset[TitleTell], book: Phrasebook, rng: np.random.Generator
) -> None:
    for tell in TitleTell:
        if tell not in tells:
            continue
        if tell is TitleTell.DISGUISING_WORDS and "brand" in words and happens(rng, _LIKENED_SHARE):
            words["brand"] = pick(rng, book.likenings).format(brand=words["brand"])
        else:
            parts.insert(pick(rng, range(len(parts) + 1)), _say(book.tells[tell], rng))


def _say(phrases: Sequence[str], rng: np.random.Generator) -> str:
    """One of the phrases, with two digits where it has room for a number."""
    return pick(rng, phrases).format(number=f"{int(rng.integers(100)):02d}")
