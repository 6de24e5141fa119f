from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit_risk.listings.label_merging import Claim, Disagreement, LabelCounts, MergedLabels, merge_labels
from counterfeit_risk.listings.listing import Label, LabeledListing, Listing, Photo

START = datetime(2025, 1, 1, tzinfo=UTC)
FAKE, REAL = Label.COUNTERFEIT, Label.GENUINE
SOURCES = {"imported": [None, "import", "market", "Review"], "reviewed": ["review"], "appealed": ["appeal"]}


def row(
    listing_id: str = "L1", label: Label = FAKE, source: str | None = None, day: int | None = None, **listing: Any
) -> LabeledListing:
    labelled_at = None if day is None else START + timedelta(days=day)
    return LabeledListing(Listing(listing_id, listing.pop("title", "bag"), **listing), label, source, labelled_at)


def merge(*tables: Sequence[LabeledListing], as_of: int | None = None) -> MergedLabels:
    """Tables are named 0, 1, 2 in turn."""
    moment = None if as_of is None else START + timedelta(days=as_of)
    return merge_labels({str(number): table for number, table in enumerate(tables)}, as_of=moment)


def merged_listing(*listings: Listing) -> Listing:
    """What comes of tables of one row each, of which the first is the strongest."""
    rows = [
        LabeledListing(listing, FAKE, "review", START - timedelta(days=rank)) for rank, listing in enumerate(listings)
    ]
    (merged,) = merge(*([row] for row in rows)).rows
    return merged.listing


some_days = st.none() | st.integers(0, 3)
optional = st.none() | st.sampled_from("ab")
listings = st.builds(
    Listing,
    listing_id=st.sampled_from(["L1", "L2", "L3"]),
    title=st.sampled_from(["", "bag", "watch"]),
    photos=st.lists(st.sampled_from("pq").map(Photo), max_size=2).map(tuple),
    **dict.fromkeys(["brand", "platform", "seller_id", "category", "currency", "language"], optional),
    price=st.none() | st.sampled_from([1.0, 2.0]),
    created_at=st.none() | st.just(START),
)


def tables_of(sources: Sequence[str | None]) -> st.SearchStrategy[list[LabeledListing]]:
    times = some_days.map(lambda day: None if day is None else START + timedelta(days=day))
    probabilities = st.none() | st.sampled_from([0.1, 1.0])
    rows = st.builds(
        LabeledListing, listings, st.sampled_from(Label), st.sampled_from(sources), times, probabilities, optional
    )
    return st.lists(rows, max_size=4)


any_tables = st.lists(tables_of([source for sources in SOURCES.values() for source in sources]), max_size=3)


@pytest.mark.parametrize("weaker", ["review", "import", "market", "Appeal", "", None])
def test_an_appeal_holds_over_any_other_label_however_late(weaker: str | None) -> None:
    (merged,) = merge([row(label=REAL, source="appeal", day=1)], [row(source=weaker, day=9)]).rows

    assert (merged.label, merged.label_source) == (REAL, "appeal")


def test_a_review_holds_over_an_imported_label() -> None:
    (merged,) = merge([row(label=REAL, source="review")], [row(source="rights_holder", day=9)]).rows

    assert (merged.label, merged.label_source) == (REAL, "review")


def test_of_labels_from_equal_sources_the_later_holds() -> None:
    (merged,) = merge([row(label=REAL, source="review", day=2)], [row(source="review", day=1)]).rows

    assert merged.label is REAL


def test_a_label_without_a_time_is_the_earliest() -> None:
    (merged,) = merge([row(label=REAL, day=1)], [row()]).rows

    assert merged.label is REAL


def test_of_equal_labels_the_table_named_later_holds() -> None:
    (merged,) = merge([row(day=1)], [row(label=REAL, day=1)]).rows

    assert merged.label is REAL


def test_of_equal_labels_in_one_table_the_last_holds() -> None:
    (merged,) = merge([row(day=1), row(label=REAL, day=1)]).rows

    assert merged.label is REAL


def test_the_row_that_holds_keeps_what_it_says_of_its_label() -> None:
    strongest = LabeledListing(Listing("L1", "bag"), REAL, "review", START, inclusion_probability=0.25)
    weaker = LabeledListing(Listing("L1", "bag"), FAKE, None, START, inclusion_probability=0.5)

    assert merge([weaker], [strongest]).rows == (strongest,)


def test_an_unknown_inclusion_probability_is_not_filled_in() -> None:
    weaker = LabeledListing(Listing("L1", "bag"), FAKE, None, START, inclusion_probability=0.5)

    (merged,) = merge([weaker], [row(source="review")]).rows

    assert merged.inclusion_probability is None


def test_content_that_the_row_has_stays() -> None:
    strongest = Listing("L1", "bag", (Photo("a.jpg"),), brand="Orrin", price=0.0, currency="EUR")

    assert merged_listing(strongest, Listing("L1", "watch", (Photo("b.jpg"),), "Vesh", price=5.0)) == strongest


def test_what_a_row_lacks_comes_from_the_next_strongest_that_has_it() -> None:
    photos = (Photo("b.jpg"),)

    merged = merged_listing(
        Listing("L1", ""), Listing("L1", "", photos), Listing("L1", "bag", (Photo("c.jpg"),), "Vesh")
    )

    assert merged == Listing("L1", "bag", photos, "Vesh")


def test_a_linked_seller_is_filled_in_too() -> None:
    linked = LabeledListing(Listing("L1", "bag"), FAKE, seller_group="ring 1")

    (merged,) = merge([linked], [row(source="review")]).rows

    assert merged.seller_group == "ring 1"


def test_a_price_brings_its_own_currency() -> None:
    merged = merged_listing(Listing("L1", "bag", currency="EUR"), Listing("L1", "bag", price=9.0, currency="USD"))

    assert (merged.price, merged.currency) == (9.0, "USD")


def test_a_price_takes_no_currency_of_another_price() -> None:
    merged = merged_listing(
        Listing("L1", "bag", price=5.0),
        Listing("L1", "bag", price=9.0, currency="USD"),
        Listing("L1", "bag", price=5.0, currency="EUR"),
    )

    assert (merged.price, merged.currency) == (5.0, "EUR")


def test_a_title_brings_its_own_language() -> None:
    merged = merged_listing(Listing("L1", "", language="zh"), Listing("L1", "сумка", language="ru"))

    assert (merged.title, merged.language) == ("сумка", "ru")


def test_a_field_that_is_filled_in_is_unreadable_no_more() -> None:
    damaged = Listing("L1", "bag", unreadable_fields=("price", "created_at"))

    assert merged_listing(damaged, Listing("L1", "bag", price=5.0)).unreadable_fields == ("created_at",)


def test_labels_later_than_as_of_are_not_there() -> None:
    early, late = row(label=REAL, day=1), row(source="appeal", day=3, brand="Vesh")

    merged = merge([early, row("L2", day=3)], [late], as_of=2)

    assert merged.rows == (early,)
    assert merged.disagreements == ()
    assert merged.counts == {"0": LabelCounts(1, 0, 1), "1": LabelCounts(0, 0, 1)}


def test_a_label_of_that_very_moment_is_known() -> None:
    assert len(merge([row(day=2)], as_of=2).rows) == 1


def test_a_label_without_a_time_was_always_known() -> None:
    assert len(merge([row()], as_of=-100).rows) == 1


def test_a_label_whose_time_could_not_be_read_was_perhaps_not_known() -> None:
    damaged = row(unreadable_fields=("labelled_at",))

    assert merge([damaged], as_of=0).rows == ()
    assert merge([damaged]).rows == (damaged,)


def test_rows_stand_in_the_order_in_which_tables_first_name_them() -> None:
    merged = merge([row("L2"), row("L1")], [row("L3"), row("L2", source="appeal")])

    assert [row.listing.listing_id for row in merged.rows] == ["L2", "L1", "L3"]


def test_a_disagreement_names_every_claim_and_first_the_one_that_holds() -> None:
    imported = [row(label=REAL, source="import", day=1), row("L2")]
    merged = merge(imported, [row(source="review", day=5)], [row(source="review"), row("L2", source="review")])

    assert merged.disagreements == (
        Disagreement(
            "L1",
            (
                Claim("1", FAKE, "review", START + timedelta(days=5)),
                Claim("2", FAKE, "review", None),
                Claim("0", REAL, "import", START + timedelta(days=1)),
            ),
        ),
    )


def test_no_tables_are_no_rows() -> None:
    assert merge_labels({}) == MergedLabels((), {}, ())


@given(any_tables, some_days)
def test_every_listing_that_is_known_stands_in_one_row(tables: list[list[LabeledListing]], as_of: int | None) -> None:
    merged = merge(*tables, as_of=as_of)

    ids = [row.listing.listing_id for row in merged.rows]
    known = {
        row.listing.listing_id
        for row in chain(*tables)
        if as_of is None or row.labelled_at is None or row.labelled_at <= START + timedelta(days=as_of)
    }
    assert len(set(ids)) == len(ids)
    assert set(ids) == known


@given(any_tables, some_days)
def test_every_row_is_counted_once(tables: list[list[LabeledListing]], as_of: int | None) -> None:
    merged = merge(*tables, as_of=as_of)

    counts = [merged.counts[str(number)] for number in range(len(tables))]
    assert [one.kept + one.overridden + one.not_yet_known for one in counts] == [len(table) for table in tables]
    assert sum(one.kept for one in counts) == len(merged.rows)


@given(st.fixed_dictionaries({name: tables_of(sources) for name, sources in SOURCES.items()}))
def test_the_order_of_tables_of_different_precedence_does_not_matter(tables: dict[str, list[LabeledListing]]) -> None:
    merged = [merge_labels({name: tables[name] for name in order}) for order in permutations(tables)]

    assert len({frozenset(one.rows) for one in merged}) == 1
    assert len({frozenset(one.disagreements) for one in merged}) == 1


@given(any_tables, st.integers(0, 3), st.integers(0, 3))
def test_later_knows_more(tables: list[list[LabeledListing]], one: int, other: int) -> None:
    early, late = merge(*tables, as_of=min(one, other)), merge(*tables, as_of=max(one, other))

    assert {row.listing.listing_id for row in early.rows} <= {row.listing.listing_id for row in late.rows}
    assert {found.listing_id for found in early.disagreements} <= {found.listing_id for found in late.disagreements}
    assert all(early.counts[table].not_yet_known >= late.counts[table].not_yet_known for table in early.counts)


@given(any_tables)
def test_merging_what_is_merged_changes_nothing(tables: list[list[LabeledListing]]) -> None:
    merged = merge(*tables).rows

    assert merge(merged).rows == merged
    assert merge(merged, *tables).rows == merged


@given(any_tables)
def test_a_listing_disagrees_exactly_where_its_labels_differ(tables: list[list[LabeledListing]]) -> None:
    merged = merge(*tables)

    labels = {
        listing_id: {row.label for row in chain(*tables) if row.listing.listing_id == listing_id}
        for listing_id in ("L1", "L2", "L3")
    }
    holding = {row.listing.listing_id: row.label for row in merged.rows}
    disagreeing = {listing_id for listing_id, found in labels.items() if len(found) > 1}
    assert {found.listing_id for found in merged.disagreements} == disagreeing
    assert all(found.claims[0].label is holding[found.listing_id] for found in merged.disagreements)
