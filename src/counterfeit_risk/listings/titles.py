"""Titles as the towers read them: one spelling for what a shopper sees as one spelling.

Knows no tokenizer and no brand.
"""

import re
import unicodedata

MAX_TITLE_CHARACTERS = 1000
_RAW_CHARACTERS = 100_000
"""No title is read further; the longest that marketplaces allow are about 500."""

_CYRILLIC = dict(
    zip("АВЕЅІЈКМНОРСТУХҮԌԚԜ" + "аеѕіјкморстухһӏԁԛԝ", "ABESIJKMHOPCTYXYGQW" + "aesijkmopctyxhldqw", strict=True)
)
_GREEK = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ" + "αικνορτυχϳ", "ABEZHIKMNOPTYX" + "aikvoptuxj", strict=True))
_LOOK_ALIKES = str.maketrans(_CYRILLIC | _GREEK)

_INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs"}
"""Controls; joiners, bidirectional marks and tags; lone surrogates, which no tokenizer can encode."""
_INVISIBLE_LETTERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Fillers, grapheme joiners and variation selectors: seen as nothing, though not of these categories."""

_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_TOKEN = re.compile("(?:[^\\W_]|[\u0300-\u036f])+")
"""Letters, digits and accents; `USB-кабель` is two tokens."""


def normalize_title(title: str) -> str:
    """Brings a title into one spelling; normalising twice changes nothing more.

    The first `MAX_TITLE_CHARACTERS` that can be seen are read, in Unicode's NFKC form. Invisible and control
    characters go, joiners too: they spell words in Persian and Indic scripts, but in a brand's name they only hide
    it, and the towers see every title without them. Cyrillic and Greek look-alikes become Latin in a token that is
    Latin afterwards: `Аdidas` with a Cyrillic А does, Russian words and `USBкабель` stay. White space becomes
    single spaces.

    Source of the look-alikes: Unicode Technical Standard 39, confusables, its single letters that read as Latin.
    """
    title = unicodedata.normalize("NFKC", title[:_RAW_CHARACTERS])
    title = "".join(_show(character) for character in title)
    # cut only now: a thousand invisible characters or blanks must not push a title out of sight
    title = " ".join(_INVISIBLE_LETTERS.sub("", title).split())[:MAX_TITLE_CHARACTERS]
    title = _TOKEN.sub(lambda token: _to_latin(token[0]), title)
    # what stood apart before may now combine into one character
    return " ".join(unicodedata.normalize("NFKC", title).split())


def _show(character: str) -> str:
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in _INVISIBLE_CATEGORIES else character


def _to_latin(token: str) -> str:
    if token.isascii() or not _LATIN.search(token):
        return token
    latin = token.translate(_LOOK_ALIKES)
    foreign = any(character.isalpha() and not _LATIN.match(character) for character in latin)
    return token if foreign else latin
