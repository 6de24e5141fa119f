"""Ways to write a brand's name so that a search misses it and a person reads it.

Knows no title and no label. A name has four Latin letters or more, a small vowel among them; every function returns
another string than it was given.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from counterfeit_risk.market.chance import Lottery, happens, pick
from counterfeit_risk.market.words.phrases import Language

_SIGNS = ("-", ".", " ", "*", "_", "·", "/", "~")
_BRACKETS = (("(", ")"), ("[", "]"), ("*", "*"), ("【", "】"))
_SEPARATIONS = Lottery({"spelled out": 0.45, "in pairs": 0.2, "in two": 0.2, "in brackets": 0.15})

# fmt: off
_LEET: Mapping[str, str] = {
    "a": "4@", "b": "8", "e": "3€", "g": "9", "i": "1!", "l": "1", "o": "0", "s": "5$", "t": "7+", "u": "µ", "y": "¥",
    "z": "2",
}
"""By letter: digits and signs that are read as the letter."""

_HOMOGLYPHS: Mapping[str, str] = {
    "A": "АΑ", "B": "ВΒ", "E": "ЕΕ", "H": "НΗ", "I": "ІΙ", "J": "Ј", "K": "КΚ", "M": "МΜ", "N": "Ν", "O": "ОΟ",
    "P": "РΡ", "S": "Ѕ", "T": "ТΤ", "X": "ХΧ", "Y": "ҮΥ", "Z": "Ζ", "a": "а", "c": "с", "d": "ԁ", "e": "е",
    "h": "һ", "i": "і", "j": "јϳ", "l": "ӏ", "o": "оο", "p": "рρ", "q": "ԛ", "s": "ѕ", "u": "υ", "v": "ν",
    "w": "ԝ", "x": "х", "y": "у",
}
"""By letter: Cyrillic and Greek letters that look the same."""

_CYRILLIC: Mapping[str, Sequence[str]] = {
    "a": "а", "b": "б", "c": "к", "d": "д", "e": "еэ", "f": "ф", "g": "г", "h": "хг",
    "i": "и", "j": ("дж", "ж"), "k": "к", "l": "л", "m": "м", "n": "н", "o": "о", "p": "п",
    "q": "к", "r": "р", "s": "с", "t": "т", "u": "у", "v": "в", "w": "в", "x": ("кс",),
    "y": "йи", "z": "з", "ce": ("се",), "ch": "ч", "ci": ("си",), "ck": "к", "ea": "и", "ee": "и",
    "kh": "х", "oo": "у", "ou": "у", "ph": "ф", "qu": ("кв", "ку"), "sh": "ш", "th": "т", "ya": "я",
    "yu": "ю",
}
"""By Latin letters: Cyrillic ones that sound alike."""

_CHINESE: Mapping[str, str] = {
    "": "阿埃伊奥乌", "b": "巴贝比博布", "c": "卡塞西科库", "ch": "查切奇乔丘", "ck": "卡凯基科库",
    "d": "达德迪多杜", "f": "法费菲福弗", "g": "加盖吉戈古", "h": "哈赫希霍胡", "j": "贾杰吉乔朱",
    "k": "卡凯基科库", "l": "拉莱利洛卢", "m": "马梅米莫穆", "n": "纳内尼诺努", "p": "帕佩皮波普",
    "ph": "法费菲福弗", "q": "卡凯基科库", "qu": "夸奎奎阔库", "r": "拉雷里罗鲁", "s": "萨塞西索苏",
    "sh": "沙谢希肖舒", "t": "塔特蒂托图", "th": "塔特蒂托图", "v": "瓦维维沃武", "w": "瓦韦威沃伍",
    "x": "夏谢西肖旭", "y": "亚耶伊约尤", "z": "扎泽齐佐祖",
}
"""By onset: the characters that sound like it before a, e, i, o and u, as names are transcribed."""

_CHINESE_CODAS: Mapping[str, str] = {
    "b": "布", "c": "克", "ch": "奇", "ck": "克", "d": "德", "f": "夫", "g": "格", "h": "", "j": "吉", "k": "克",
    "l": "尔", "m": "姆", "n": "恩", "p": "普", "ph": "夫", "q": "克", "qu": "库", "r": "尔", "s": "斯", "sh": "什",
    "t": "特", "th": "斯", "v": "夫", "w": "", "x": "克斯", "z": "兹",
}
"""By consonant: the characters that sound like it where no vowel follows."""
# fmt: on

_CHINESE_HOMOPHONES: Mapping[str, str] = dict(zip("巴达尔克拉莱丽洛斯维", "芭黛儿可啦来莉落丝薇", strict=True))

_VOWEL_DIGRAPHS: Mapping[str, str] = {"ea": "i", "ee": "i", "oo": "u", "ou": "u"}

_INVISIBLE = "\u200b\u200c\u00ad\u2060\u200e"
"""Zero-width space and non-joiner, soft hyphen, word joiner, left-to-right mark."""

_CYRILLIC_UNIT = re.compile("|".join(sorted(_CYRILLIC, key=len, reverse=True)))
_CHINESE_SYLLABLE = re.compile(r"(sh|ch|th|ph|qu|ck|y(?=[aeiou])|[b-df-hj-np-tv-xz])?([aeiouy])?")
_DOUBLE = re.compile(r"(\w)\1")

_RESPELLINGS: Sequence[tuple[str, str]] = (
    (r"([a-z])\1", r"\1"),
    (r"(?<=[aeiou])([bdfglmnprst])(?=[aeiou])", r"\1\1"),
    (r"\B([aeiou])([aeiour])", r"\2\1"),
    (r"\Ba", "e"),
    (r"\Be", "a"),
    (r"\Bo", "u"),
    (r"\Bu", "o"),
    (r"ph", "f"),
    (r"f", "ph"),
    (r"c(?=[aourl])", "k"),
    (r"k(?=[aourl])", "c"),
    (r"ck", "k"),
    (r"qu", "kw"),
    (r"x", "ks"),
    (r"ks", "x"),
    (r"y", "i"),
    (r"i", "y"),
    (r"z", "s"),
    (r"(?<=[aeiou])s(?=[aeiou])", "z"),
    (r"ou", "u"),
    (r"(?<=[a-z]{3})e$", ""),
)
"""Patterns and what is written for them: spellings that sound alike, one letter for two, neighbours that swap."""

_SPANISH_RESPELLINGS: Sequence[tuple[str, str]] = (
    (r"b", "v"),
    (r"v", "b"),
    (r"ll", "y"),
    (r"qu(?=[aou])", "cu"),
    (r"\Bh(?=[aeiou])", ""),
)


def separate(name: str, rng: np.random.Generator) -> str:
    """Puts signs, spaces or brackets between the letters, or splits the name in two."""
    way, sign = _SEPARATIONS.draw(rng), pick(rng, _SIGNS)
    if way == "spelled out":
        return sign.join(name)
    if way == "in pairs":
        return sign.join(name[start : start + 2] for start in range(0, len(name), 2))
    if way == "in two":
        half = pick(rng, range(2, len(name) - 1))
        return f"{name[:half]}{pick(rng, ' -')}{name[half:]}"
    opening, closing = pick(rng, _BRACKETS)
    place = pick(rng, range(len(name)))
    return f"{name[:place]}{opening}{name[place]}{closing}{name[place + 1 :]}"


def to_leet(name: str, rng: np.random.Generator) -> str:
    """Writes digits and signs for one letter or more."""
    return _replace(name, _LEET, rng, len(name))


def to_homoglyphs(name: str, rng: np.random.Generator) -> str:
    """Writes look-alikes of other alphabets for one letter or more, at most for half of them."""
    return _replace(name, _HOMOGLYPHS, rng, len(name) // 2)


def insert_invisible(name: str, rng: np.random.Generator) -> str:
    """Puts characters without width into one gap between letters or more."""
    gaps = rng.permutation(range(1, len(name)))[: int(rng.integers(1, len(name)))]
    return "".join(pick(rng, _INVISIBLE) + letter if place in gaps else letter for place, letter in enumerate(name))


def spell_by_sound(name: str, language: Language, rng: np.random.Generator) -> str:
    """Writes what sounds alike: in Chinese and Russian in their own script, else with other Latin letters."""
    latin = _unaccented(name).lower()
    if language is Language.CHINESE:
        return _to_chinese(latin, rng)
    if language is Language.RUSSIAN:
        return _to_cyrillic(latin, rng).capitalize()
    spelling = pick(rng, _respellings(latin, language))
    again = [other for other in _respellings(spelling, language) if other != latin]
    return (pick(rng, again) if again and happens(rng, 0.25) else spelling).capitalize()


def _replace(name: str, table: Mapping[str, str], rng: np.random.Generator, most: int) -> str:
    letters = list(name)
    places = [place for place, letter in enumerate(letters) if letter in table]
    for place in rng.permutation(places)[: int(rng.integers(1, most + 1))]:
        letters[place] = pick(rng, table[letters[place]])
    return "".join(letters)


@lru_cache(maxsize=10_000)
def _respellings(word: str, language: Language) -> tuple[str, ...]:
    """Every other spelling that one rule, used once, gives."""
    rules = (*_RESPELLINGS, *_SPANISH_RESPELLINGS) if language is Language.SPANISH else _RESPELLINGS
    spellings = [
        word[: match.start()] + match.expand(spelling) + word[match.end() :]
        for pattern, spelling in rules
        for match in re.finditer(pattern, word)
    ]
    return tuple(spelling for spelling in spellings if spelling != word)


def _to_cyrillic(latin: str, rng: np.random.Generator) -> str:
    if happens(rng, 0.5):
        latin = _DOUBLE.sub(r"\1", latin)
    return _CYRILLIC_UNIT.sub(lambda unit: pick(rng, _CYRILLIC[unit[0]]), latin)


def _to_chinese(latin: str, rng: np.random.Generator) -> str:
    for digraph, vowel in _VOWEL_DIGRAPHS.items():
        latin = latin.replace(digraph, vowel)
    characters = []
    for onset, vowel in _CHINESE_SYLLABLE.findall(_DOUBLE.sub(r"\1", latin)):
        if vowel:
            characters.append(_CHINESE[onset]["aeiou".index(vowel.replace("y", "i"))])
        elif onset:
            characters.append(_CHINESE_CODAS[onset])
    return "".join(
        _CHINESE_HOMOPHONES[character] if character in _CHINESE_HOMOPHONES and happens(rng, 0.3) else character
        for character in "".join(characters)
    )


def _unaccented(name: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
