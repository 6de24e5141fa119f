"""Who owns which mark, and who may sell under it: read from files, and asked for one listing at a time.

Knows no notice and no case. A file with a mistake is refused as a whole: a mark that silently went missing would turn
notices away.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from counterfeit_risk.takedown.complaints.notice import Right
from counterfeit_risk.takedown.complaints.particulars import Line, refuse_unknown, shorten
from counterfeit_risk.takedown.complaints.rights_file import RightsError as RightsError
from counterfeit_risk.takedown.complaints.rights_file import read_records

_GOODS: Mapping[int, tuple[str, ...]] = {
    3: ("perfume", "perfumes", "cosmetics"),
    9: ("batteries", "electronics", "headphones", "phone-case", "phone-cases", "sunglasses"),
    14: ("collectible", "collectibles", "jewellery", "jewelry", "strap", "straps", "watch", "watches"),
    18: ("backpack", "backpacks", "bag", "bags", "handbag", "handbags", "wallet", "wallets"),
    20: ("figurine", "figurines", "mirror", "mirrors"),
    25: (
        *("cap", "caps", "clothing", "footwear", "jacket", "jackets", "shoe", "shoes"),
        *("sneaker", "sneakers", "t-shirt", "t-shirts"),
    ),
    28: ("collectible", "collectibles", "figurine", "figurines", "scale-model", "scale-models", "toy", "toys"),
    31: ("seeds",),
}
"""Categories of listings by the class of the Nice Classification that their goods are registered in."""

_UNIONS: Mapping[str, frozenset[str]] = {
    "EU": frozenset(
        (
            *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
            *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
        )
    ),
    "BX": frozenset({"BE", "NL", "LU"}),
}
"""Territories of which one registration covers several countries."""
_TERRITORY = re.compile("[A-Z]{2}")


class MarkKind(StrEnum):
    """What is registered."""

    WORD = "word"
    FIGURATIVE = "figurative"
    SHAPE = "shape"
    DESIGN = "design"
    COPYRIGHT = "copyright"
    PATENT = "patent"


_RIGHTS: Mapping[MarkKind, Right] = {
    MarkKind.WORD: Right.TRADEMARK,
    MarkKind.FIGURATIVE: Right.TRADEMARK,
    MarkKind.SHAPE: Right.TRADEMARK,
    MarkKind.DESIGN: Right.DESIGN,
    MarkKind.COPYRIGHT: Right.COPYRIGHT,
    MarkKind.PATENT: Right.PATENT,
}


def _split(value: object) -> object:
    """CSV joins several values by `|`."""
    return [part.strip() for part in value.split("|") if part.strip()] if isinstance(value, str) else value


def _read_date(value: object) -> date:
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("must be a date such as 2026-03-01") from None


def _check_territory(text: str) -> str:
    if not _TERRITORY.fullmatch(text):
        raise ValueError(f"must be two capital letters such as DE or EU, not {shorten(repr(text))}")
    return text


NiceClass = Annotated[int, Field(ge=1, le=45)]
Territory = Annotated[str, AfterValidator(_check_territory)]
Day = Annotated[date, BeforeValidator(_read_date)]


@refuse_unknown
@dataclass(frozen=True, slots=True)
class Mark:
    """One registration of a brand's mark, or of another right of its owner."""

    brand: Line
    office: Line
    """Such as EUIPO."""
    number: Line
    kind: MarkKind
    territories: Annotated[frozenset[Territory], Field(min_length=1), BeforeValidator(_split)]
    """Two letters each: countries by ISO 3166, EU, or BX for the Benelux."""
    valid_from: Day
    valid_to: Day | None = None
    """The last day; None where it has no end yet."""
    nice_classes: Annotated[frozenset[NiceClass], BeforeValidator(_split)] = frozenset()
    """Goods that it is registered for. Only rights other than trademarks have none; those cover goods of any class."""
    aliases: Annotated[frozenset[Line], BeforeValidator(_split)] = frozenset()
    """Other names of the brand."""

    def __post_init__(self) -> None:
        _check_order(self.valid_from, self.valid_to)
        if self.right is Right.TRADEMARK and not self.nice_classes:
            raise ValueError("nice_classes: a trademark has at least one, of 1 to 45")

    @property
    def right(self) -> Right:
        """The right that it proves."""
        return _RIGHTS[self.kind]

    def covers(self, category: str | None, territory: str | None) -> bool:
        """Whether it is for such goods, there; goods of no known category, and no territory, count as covered."""
        classes = nice_classes_of(category)
        for_goods = not classes or not self.nice_classes or not classes.isdisjoint(self.nice_classes)
        unions = {union for union, members in _UNIONS.items() if territory in members}
        return for_goods and (territory is None or not self.territories.isdisjoint({territory, *unions}))


@refuse_unknown
@dataclass(frozen=True, slots=True)
class Authorisation:
    """A brand's leave for one seller to offer its goods."""

    platform: Line
    seller_id: Line
    brand: Line
    valid_from: Day
    valid_to: Day | None = None
    """The last day; None where it has no end yet."""

    def __post_init__(self) -> None:
        _check_order(self.valid_from, self.valid_to)


class Rights:
    """All marks and authorisations that are known.

    Brands are compared in Unicode's NFKC form, whatever their case; a mark's aliases name its brand in either.
    """

    def __init__(self, marks: Iterable[Mark], authorisations: Iterable[Authorisation]) -> None:
        self._marks: dict[str, list[Mark]] = defaultdict(list)
        self._aliases: dict[str, str] = {}
        for mark in marks:
            brand = _fold(mark.brand)
            self._marks[brand].append(mark)
            self._aliases |= {_fold(alias): brand for alias in mark.aliases}
        self._authorised: dict[tuple[str, str, str], list[Authorisation]] = defaultdict(list)
        for one in authorisations:
            self._authorised[one.platform, one.seller_id, self._find_brand(one.brand)].append(one)

    def find_marks(
        self,
        brand: str,
        category: str | None,
        territory: str | None,
        on: date,
        *,
        right: Right | None = None,
        number: str | None = None,
    ) -> tuple[Mark, ...]:
        """The marks of a brand that protect such goods.

        Args:
            brand: its name, or an alias.
            category: of the listing; one that is not in our table of Nice classes matches any mark.
            territory: where the listing is offered, two letters; None for anywhere.
            on: a day on which they must be valid.
            right: that they prove; None for any.
            number: of the registration wanted, however it is spaced; None for any.
        """
        return tuple(
            mark
            for mark in self._marks.get(self._find_brand(brand), ())
            if mark.covers(category, territory)
            and _is_valid(mark, on)
            and right in {None, mark.right}
            and (number is None or _bare(number) == _bare(mark.number))
        )

    def is_authorised(self, platform: str | None, seller_id: str | None, brand: str, on: date) -> bool:
        """Whether a seller may offer the brand's goods on this day; ids are compared as they are written."""
        known = self._authorised.get((platform or "", seller_id or "", self._find_brand(brand)), ())
        return any(_is_valid(one, on) for one in known)

    def _find_brand(self, name: str) -> str:
        """A brand's own name goes before another's alias."""
        folded = _fold(name)
        return folded if folded in self._marks else self._aliases.get(folded, folded)


def nice_classes_of(category: str | None) -> frozenset[int]:
    """The classes that goods of a category can be registered in; none where the category is unknown."""
    return frozenset(number for number, categories in _GOODS.items() if _fold(category or "") in categories)


def read_marks(path: Path) -> tuple[Mark, ...]:
    """Reads registered marks, CSV (several values of a cell joined by `|`) or JSON Lines.

    Raises:
        RightsError: with every mistake, by line and column.
    """
    marks = read_records(path, Mark)
    _check_names(path, marks)
    return tuple(marks.values())


def read_authorisations(path: Path) -> tuple[Authorisation, ...]:
    """Reads authorised sellers, CSV or JSON Lines.

    Raises:
        RightsError: with every mistake, by line and column.
    """
    return tuple(read_records(path, Authorisation).values())


def _fold(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).split())


def _bare(number: str) -> str:
    return "".join(filter(str.isalnum, _fold(number)))


def _is_valid(one: Mark | Authorisation, on: date) -> bool:
    return one.valid_from <= on and (one.valid_to is None or on <= one.valid_to)


def _check_order(valid_from: date, valid_to: date | None) -> None:
    if valid_to and valid_to < valid_from:
        raise ValueError(f"valid_to: {valid_to} lies before valid_from, {valid_from}")


def _check_names(path: Path, marks: Mapping[int, Mark]) -> None:
    """Refuses an alias that names two brands, or is the name of another."""
    owners = {_fold(mark.brand): _fold(mark.brand) for mark in marks.values()}
    problems = [
        f"line {line}, aliases: {alias!r} of {mark.brand!r} is a name of another brand too"
        for line, mark in marks.items()
        for alias in sorted(mark.aliases)
        if owners.setdefault(_fold(alias), _fold(mark.brand)) != _fold(mark.brand)
    ]
    if problems:
        raise RightsError(path, problems)
