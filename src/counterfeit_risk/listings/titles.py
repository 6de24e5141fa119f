"""Titles as the towers read them: one spelling for what a shopper sees as one spelling, and a word for each disguise.

Knows no tokenizer and no brand.
"""

import re
import unicodedata
from functools import lru_cache

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


_GAP = re.compile("(?<=[A-Za-z\u00c0-\u04ff])[^\\w\\s]+(?=[A-Za-z\u00c0-\u04ff])")
_SIGNS_FOR_LETTERS = re.compile(r"(?<!\w)(?=(?:\S*[A-Za-z]){3})(?:[A-Za-z]+[0-9@$!€µ¥]+[A-Za-z]|[$€][A-Za-z]{3})")
_LETTERS_APART = re.compile(
    r"(?<![^\W_])(?:[A-Za-z][\W_]{1,2}){3}[A-Za-z](?![^\W_])"  # one by one
    r"|(?<!\w)(?:[A-Za-z]{2}[^\w\s]){2,}[A-Za-z]{1,2}(?!\w)"  # by twos
    r"|[A-Za-z][(\[*【][A-Za-z][)\]*】]|[(\[*【][A-Za-z][)\]*】][A-Za-z]"  # one in brackets
)


def read_title(title: str) -> str:
    """The normalised title, behind a word for each way in which it hides what it spells; empty where it is empty.

    Spelling disguised letters out lets a tower read them, and would let it forget that they were disguised.
    """
    normal = normalize_title(title)
    return " ".join([*(f"[{name}]" for name in _find_disguises(title, normal)), normal]) if normal else ""


def find_disguises(title: str) -> list[str]:
    """Names the ways in which a title hides letters.

    `hidden-characters` stand unseen between two letters (of Latin, Greek or Cyrillic: other scripts need joiners);
    `look-alike-letters` are of another alphabet than the rest of their word; `signs-for-letters` are digits or signs
    inside a word; `letters-apart` are spelt one by one, by twos, or singly in brackets.
    """
    return _find_disguises(title, normalize_title(title))


def _find_disguises(title: str, normal: str) -> list[str]:
    shown = "" if _is_plain(title) else unicodedata.normalize("NFKC", title[:_RAW_CHARACTERS])
    bare = _INVISIBLE_LETTERS.sub("", "".join(map(_show, shown)))
    found = {
        "hidden-characters": any(not "".join(map(_show, gap[0])) for gap in _GAP.finditer(shown)),
        "look-alike-letters": any(_to_latin(token[0]) != token[0] for token in _TOKEN.finditer(bare)),
        "signs-for-letters": _SIGNS_FOR_LETTERS.search(normal) is not None,
        "letters-apart": _LETTERS_APART.search(normal) is not None,
    }
    return [name for name, there in found.items() if there]


def normalize_title(title: str) -> str:
    """Brings a title into one spelling; normalising twice changes nothing more.

    The first `MAX_TITLE_CHARACTERS` that can be seen are read, in Unicode's NFKC form. Invisible and control
    characters go, joiners too: they spell words in Persian and Indic scripts, but in a brand's name they only hide
    it, and the towers see every title without them. Cyrillic and Greek look-alikes become Latin in a token that is
    Latin afterwards: `Аdidas` with a Cyrillic А does, Russian words and `USBкабель` stay. White space becomes
    single spaces.

    Source of the look-alikes: Unicode Technical Standard 39, confusables, its single letters that read as Latin.
    """
    if _is_plain(title):
        return " ".join(" ".join(title[:_RAW_CHARACTERS].split())[:MAX_TITLE_CHARACTERS].split())
    title = unicodedata.normalize("NFKC", title[:_RAW_CHARACTERS])
    title = "".join(map(_show, title))
    # cut only now: a thousand invisible characters or blanks must not push a title out of sight
    title = " ".join(_INVISIBLE_LETTERS.sub("", title).split())[:MAX_TITLE_CHARACTERS]
    title = _TOKEN.sub(lambda token: _to_latin(token[0]), title)
    # what stood apart before may now combine into one character
    return " ".join(unicodedata.normalize("NFKC", title).split())


def _is_plain(title: str) -> bool:
    """True where nothing has to be spelt otherwise, nor can be hidden: most titles of most markets."""
    return title.isascii() and title.isprintable()


@lru_cache(2**16)
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
