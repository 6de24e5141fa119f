"""Finds what looks like personal data in a text; knows no name of a person, and not where the text will stand."""

import re
import unicodedata

PHONE = "telephone number"
_PERSONAL = {
    "e-mail address": re.compile(r"[\w.%+'-]@[\w-]|[\w-]\s?[(\[{]\s?at\s?[)\]}]\s?[\w-]", re.IGNORECASE),
    PHONE: re.compile(r"(?<!\d)\d(?:[\s().\-/_·‐-―−]{0,3}\d){6,14}(?!\d)"),
    "IBAN": re.compile(r"(?<![a-z\d])[a-z]{2}\d{2}(?:[ -]?[a-z\d]{4}){2,7}(?:[ -]?[a-z\d]{1,3})?(?![a-z\d])", re.I),
    "handle": re.compile(r"(?<![\w.%+'-])@\w"),
    "address of a user": re.compile(
        r"://[^\s/]*@|/(?:[@~]|(?:in|member|people|profile|users?|usr|u)/)\w"
        r"|\b(?:facebook|fb|instagram|ok|telegram|tiktok|twitter|vk|wa|weibo|whatsapp|x|t)\.(?:com|me|cn|ru)/\w",
        re.I,
    ),
}
"""What personal data look like, in Unicode's NFKC form and without invisible characters."""
_CARD = re.compile(r"(?=(?<!\d)(\d(?:[ .-]?\d){12,18})(?!\d))")


def find_personal_data(text: str) -> list[str]:
    """Kinds of personal data that a text seems to hold; what was found is not repeated. Names are not recognised.

    It would rather find too much: any seven digits in a row may be somebody's telephone.
    """
    shown = "".join(letter for letter in unicodedata.normalize("NFKC", text) if unicodedata.category(letter) != "Cf")
    kinds = [kind for kind, pattern in _PERSONAL.items() if pattern.search(shown)]
    cards = ("".join(filter(str.isdigit, found[1])) for found in _CARD.finditer(shown))
    return [*kinds, "card number"] if any(map(_passes_luhn, cards)) else kinds


def _passes_luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0
