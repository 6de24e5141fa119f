"""The words of titles in four languages, read from `phrases.yaml`.

Knows no listing and no brand. Telephone numbers are of ranges that nobody has; accounts are invented.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

from pydantic import Field

from counterfeit_risk.market.signals import TitleTell
from counterfeit_risk.sections import Section, validated
from counterfeit_risk.strict_yaml import read_strictly


class Language(StrEnum):
    """What a title is written in (ISO 639-1)."""

    ENGLISH = "en"
    SPANISH = "es"
    CHINESE = "zh"
    RUSSIAN = "ru"


_SOURCE = "phrases.yaml"

Phrases = Annotated[tuple[str, ...], Field(min_length=1)]
Layouts = Annotated[tuple[Phrases, ...], Field(min_length=1)]
"""Each is a title in parts; between two parts, and at both ends, further words may stand."""


class Phrasebook(Section):
    """One language's words.

    Nouns and colours stand by form, so that they agree: `fp` is feminine plural; English and Chinese have one form,
    `any`. A perfume's colour is that of its bottle. `{number}` stands for two digits.
    """

    layouts: Layouts
    """Of titles that name a brand."""
    bundle_layouts: Layouts
    """Of titles that name a second brand too, as `{other}`."""
    unnamed_layouts: Layouts
    """Of titles of the same kinds of goods without a brand."""
    plain_layouts: Layouts
    """Of titles of other goods, as `{goods}`."""

    nouns: Mapping[str, Mapping[str, Phrases]]
    """What goods are called, by category and form."""
    replica_shirts: Mapping[str, Phrases]
    """What licensed supporters' shirts are called, by form."""
    colours: Mapping[str, Mapping[str, Phrases]]
    """By colour and form."""
    qualities: Phrases
    """What goods are praised as where no brand is named."""

    facts: Mapping[str, Phrases]
    """Size, stuff and the like, by category."""
    unused: Mapping[str, Phrases]
    """What shows that new goods were not used, by category."""
    wear: Mapping[str, Phrases]
    """What has become of used goods, by category."""
    new: Phrases
    """Details of any goods sold as new."""
    used: Phrases
    """Details of any goods sold as used."""
    trade: Phrases
    """Terms of sale."""

    traps: Mapping[str, Phrases]
    """Goods with words that copies use too, by category."""
    accessories: Mapping[str, Phrases]
    """Goods that fit `{brand}`'s, by category."""
    homonyms: Mapping[str, Phrases]
    """Goods that are called `{brand}` as a word, by category."""

    tells: Mapping[TitleTell, Phrases]
    likenings: Phrases
    """Disguising words that go with the name of the `{brand}`."""


class _Shelf(Section):
    en: Phrasebook
    es: Phrasebook
    zh: Phrasebook
    ru: Phrasebook


def read_phrasebooks(path: Path) -> Mapping[Language, Phrasebook]:
    """Reads the words of every language.

    Raises:
        SettingsError: with every mistake found.
    """
    shelf = validated(_Shelf, *read_strictly(path), source=str(path))
    return {language: getattr(shelf, language) for language in Language}


@cache
def phrasebooks() -> Mapping[Language, Phrasebook]:
    """The words that come with the package."""
    with as_file(files("counterfeit_risk.market.words") / _SOURCE) as path:
        return read_phrasebooks(path)
