"""Merges what several tables say of the same listings: one row a listing, and every disagreement.

An appeal's label holds over a review's, a review's over an imported one; then the latest holds. Knows no file.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import reduce

from counterfeit_risk.listings.listing import Label, LabeledListing, Listing

_PRECEDENCE = {"review": 1, "appeal": 2}
"""Of a label, by its source; any other source, or none, is an import and has 0."""
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_BELONGS_TO = {"currency": "price", "language": "title"}
"""A field that says something of another one, and comes from the row from which that comes."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one table says that a listing is."""

    table: str
    label: Label
    label_source: str | None
    labelled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A listing whose rows carry different labels."""

    listing_id: str
    claims: tuple[Claim, ...]
    """All of them, the strongest first: it is the one that holds."""


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """What became of one table's labels; the three add up to its rows."""

    kept: int
    overridden: int
    """Another row has the last word on the listing, be it the same word."""
    not_yet_known: int


@dataclass(frozen=True, slots=True)
class MergedLabels:
    """One row a listing, in the order in which the tables first name them."""

    rows: tuple[LabeledListing, ...]
    counts: Mapping[str, LabelCounts]
    """By table."""
    disagreements: tuple[Disagreement, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    table: str
    labeled: LabeledListing

    @property
    def strength(self) -> tuple[int, datetime]:
        source, time = self.labeled.label_source, self.labeled.labelled_at
        return _PRECEDENCE.get(source or "", 0), time or _EARLIEST


def merge_labels(tables: Mapping[str, Sequence[LabeledListing]], *, as_of: datetime | None = None) -> MergedLabels:
    """Merges tables of labelled listings.

    The strongest row of a listing gives label, source, time and inclusion probability. It gives the listing's content
    too, and what it lacks comes from the next strongest row that has it.

    Args:
        tables: by name. Where source and time are equal, the table named last holds; in one table, the last row.
        as_of: rows labelled later count as not there; a label without a time was known from the start, and one whose
            time could not be read is not known to have been. A row that another merge has dropped cannot come back:
            merge the tables themselves to see the past.
    """
    known: dict[str, list[_Row]] = defaultdict(list)
    for table, rows in tables.items():
        for row in rows:
            if _is_known(row, as_of):
                known[row.listing.listing_id].append(_Row(table, row))
    ranked = [_strongest_first(rows) for rows in known.values()]
    return MergedLabels(
        rows=tuple(_join([row.labeled for row in rows]) for rows in ranked),
        counts=_count(tables, ranked),
        disagreements=tuple(_to_disagreement(rows) for rows in ranked if len({row.labeled.label for row in rows}) > 1),
    )


def _is_known(row: LabeledListing, as_of: datetime | None) -> bool:
    if as_of is None:
        return True
    if row.labelled_at is None:
        return "labelled_at" not in row.listing.unreadable_fields
    return row.labelled_at <= as_of


def _strongest_first(rows: Sequence[_Row]) -> list[_Row]:
    # reversed after the stable sort, so that of equals the last one named stands first
    return sorted(rows, key=lambda row: row.strength)[::-1]


def _join(rows: Sequence[LabeledListing]) -> LabeledListing:
    listing = reduce(_fill_in, (row.listing for row in rows))
    seller_group = next((row.seller_group for row in rows if row.seller_group is not None), None)
    return replace(rows[0], listing=listing, seller_group=seller_group)


def _fill_in(listing: Listing, other: Listing) -> Listing:
    """The listing, with what it lacks from another row of the same id."""
    names = [field.name for field in fields(Listing) if field.name not in ("unreadable_fields", *_BELONGS_TO)]
    filled = {name: getattr(other, name) for name in names if _lacks(listing, name) and not _lacks(other, name)}
    for name, owner in _BELONGS_TO.items():
        same_owner = getattr(listing, owner) == getattr(other, owner)
        if owner in filled or (same_owner and _lacks(listing, name)):
            filled[name] = getattr(other, name)
    unreadable = tuple(name for name in listing.unreadable_fields if name not in filled)
    return replace(listing, **filled, unreadable_fields=unreadable)


def _lacks(listing: Listing, name: str) -> bool:
    return getattr(listing, name) in (None, "", ())


def _count(tables: Mapping[str, Sequence[LabeledListing]], ranked: Iterable[Sequence[_Row]]) -> dict[str, LabelCounts]:
    kept: Counter[str] = Counter()
    overridden: Counter[str] = Counter()
    for strongest, *others in ranked:
        kept[strongest.table] += 1
        overridden.update(row.table for row in others)
    return {
        table: LabelCounts(kept[table], overridden[table], len(rows) - kept[table] - overridden[table])
        for table, rows in tables.items()
    }


def _to_disagreement(rows: Sequence[_Row]) -> Disagreement:
    claims = [Claim(row.table, row.labeled.label, row.labeled.label_source, row.labeled.labelled_at) for row in rows]
    return Disagreement(rows[0].labeled.listing.listing_id, tuple(claims))
