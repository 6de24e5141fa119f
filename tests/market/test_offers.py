from collections import Counter

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from counterfeit_risk.listings.listing import Label
from counterfeit_risk.market.calendar import draw_catalog
from counterfeit_risk.market.drawing import LABELED, NIGHTLY, MarketPlan, draw_market
from counterfeit_risk.market.kinds import Guise, Offering, SellerKind, Source
from counterfeit_risk.market.pictures.scenes import View
from counterfeit_risk.market.settings import default_market_settings
from counterfeit_risk.market.signals import BrandTreatment, Contradiction, FileEvasion

SETTINGS = default_market_settings()
BRANDS = draw_catalog(np.random.default_rng(5), SETTINGS.brands, SETTINGS.calendar.months)


def of(drawn, *, counterfeit):
    return [listing.offer for listing in drawn if listing.offer.causes.counterfeit is counterfeit]


def independent(drawn, guise, trait):
    """P-value of a trait having one law for both labels under one guise; one listing a seller, as they are clusters."""
    rows = list(
        {d.offer.causes.seller.seller_id: d.offer for d in drawn if d.offer.causes.seller.guise is guise}.values()
    )
    counts = [Counter(trait(offer) for offer in rows if offer.causes.counterfeit is label) for label in (False, True)]
    traits = sorted(set(counts[0]) | set(counts[1]), key=str)
    return chi2_contingency([[count[value] + 1 for value in traits] for count in counts]).pvalue


def test_the_same_seed_draws_the_same_market():
    plan = MarketPlan(listings=60, nightly=20, seed=1)
    assert list(draw_market(plan)) == list(draw_market(plan))
    assert list(draw_market(plan)) != list(draw_market(MarketPlan(listings=60, nightly=20, seed=2)))


def test_the_label_follows_from_where_the_goods_come_from(drawn):
    for listing in drawn:
        offer = listing.offer
        counterfeit = offer.causes.source is Source.REPLICA_FACTORY
        assert (offer.listing.label is Label.COUNTERFEIT) is counterfeit
        assert counterfeit <= (
            offer.causes.seller.kind in {SellerKind.RING, SellerKind.RESELLER, SellerKind.LIQUIDATOR}
        )


def test_counterfeits_are_as_frequent_as_the_settings_say(drawn):
    share = np.mean([listing.offer.causes.counterfeit for listing in drawn])
    assert share == pytest.approx(SETTINGS.prevalence, abs=0.012)


@pytest.mark.parametrize(
    "trait",
    [
        lambda offer: offer.shown.photo_count,
        lambda offer: offer.shown.item.place,
        lambda offer: offer.shown.item.quality // 5,
        lambda offer: offer.listing.listing.platform,
    ],
    ids=["photo count", "place", "quality", "platform"],
)
@pytest.mark.parametrize("guise", Guise)
def test_what_is_no_signal_has_one_law_for_both_labels(drawn, guise, trait):
    assert independent(drawn, guise, trait) > 0.001


@pytest.mark.parametrize("guise", Guise)
def test_a_trait_that_told_the_label_would_be_found(drawn, guise):
    assert independent(drawn, guise, lambda offer: offer.evades) < 1e-6


def test_whoever_does_not_know_what_is_sold_lets_only_the_goods_speak(drawn):
    unknowing = [o for o in of(drawn, counterfeit=True) if o.causes.seller.kind is not SellerKind.RING]
    assert any(offer.giveaway.crude for offer in unknowing)
    assert not any(offer.giveaway.title_speaks or offer.giveaway.contradicts for offer in unknowing)
    crude = [offer for offer in unknowing if offer.giveaway.crude]
    assert np.mean([offer.evades for offer in crude]) < 0.5 < np.mean([bool(o.shown.grades) for o in crude])


def test_a_bundle_names_brands_that_are_there(drawn):
    first = {brand.name: month for brand, month in zip(BRANDS.brands, BRANDS.first_months, strict=True)}
    bundles = [d.offer for d in drawn if d.offer.content.offering is Offering.BUNDLE]
    named = [
        (first[name], offer.causes.month)
        for offer in bundles
        for name in first
        if name.casefold() in offer.listing.listing.title.casefold()
    ]
    assert len(named) > 1.5 * len(bundles) > 100
    assert all(appears <= month for appears, month in named)


def test_photos_begin_with_the_front_and_are_one_to_eight(drawn):
    counts = Counter(len(listing.offer.photos) for listing in drawn)
    assert set(counts) == set(range(1, 9))
    assert all(listing.offer.photos[0].scenes[0].view is View.FRONT for listing in drawn)


def test_only_tells_that_the_photos_can_show_are_there(drawn):
    for listing in drawn:
        assert listing.offer.shown.grades.keys() <= listing.offer.shown.visible_tells


def test_official_photos_show_genuine_goods(drawn):
    official = [listing.offer.shown for listing in drawn if listing.offer.shown.official]
    assert {tell for shown in official for tell in shown.grades} == {"blurred_mark", "covered_mark"}
    assert any(shown.crude for shown in official)


def test_rings_show_one_another_s_goods_and_steal_from_dealers(drawn):
    by_origin = {}
    for listing in drawn:
        for photo in listing.offer.photos:
            for origin in photo.origins:
                by_origin.setdefault(origin, set()).add(listing.offer.causes.seller)
    shared = [sellers for sellers in by_origin.values() if len(sellers) > 1]
    assert any(
        {s.kind for s in sellers} == {SellerKind.RING} and len({s.ring for s in sellers}) == 1 for sellers in shared
    )
    assert any({s.kind for s in sellers} == {SellerKind.RING, SellerKind.DEALER} for sellers in shared)
    outside = [sellers for sellers in shared if len({s.shelf for s in sellers}) > 1]
    assert all(seller.guise is Guise.DEALER for sellers in outside for seller in sellers)


def test_a_photo_shown_again_is_the_very_file_or_a_copy(drawn):
    files = {}
    for listing in drawn:
        for photo in listing.offer.photos:
            files.setdefault(photo.origins, []).append((photo.seed, photo.quality, photo.evasions))
    again = [versions for versions in files.values() if len(versions) > 1]
    assert any(len(set(versions)) < len(versions) for versions in again)
    assert any(len(set(versions)) > 1 for versions in again)


def test_a_collage_holds_two_to_four_photos_and_takes_their_place(drawn):
    for listing in drawn:
        offer = listing.offer
        sizes = [len(photo.scenes) for photo in offer.photos]
        assert sum(sizes) == offer.shown.photo_count
        assert (2 <= sizes[0] <= 4) is (FileEvasion.COLLAGE in offer.evasions)
        assert set(sizes[1:]) <= {1}


def test_contradictions_are_what_they_say(drawn):
    kinds = Counter()
    for listing in drawn:
        item, content = listing.offer.shown.item, listing.offer.content
        kinds[content.contradiction] += 1
        same = (content.brand == item.brand, content.category == item.product.category)
        if content.contradiction is Contradiction.OTHER_BRAND:
            assert same == (False, True)
        elif content.contradiction is Contradiction.OTHER_MODEL:
            assert same == (True, False)
        elif content.contradiction is Contradiction.HIDDEN_LINK:
            assert (item.offering, content.offering) == (Offering.BRANDED, Offering.TRAP)
        else:
            assert same == (True, True)
    assert min(kinds.values()) > 20


def test_titles_hide_the_brand_more_often_after_each_enforcement(drawn):
    fakes = [offer for offer in of(drawn, counterfeit=True) if offer.giveaway.title_speaks]
    starts = [regime.from_month for regime in SETTINGS.counterfeit.regimes]
    hidden = [
        np.mean([o.content.wording.treatment is BrandTreatment.REMOVED for o in fakes if start <= o.causes.month < end])
        for start, end in zip(starts, [*starts[1:], 14], strict=True)
    ]
    assert hidden[0] < hidden[2] / 2


def test_a_listing_is_published_in_its_month_and_the_night_follows_the_year(drawn):
    for listing in drawn:
        created = listing.offer.listing.listing.created_at
        assert (created.year - 2025) * 12 + created.month == listing.offer.causes.month
    assert {listing.offer.causes.month for listing in drawn if listing.table == NIGHTLY} == {13}
    assert {listing.offer.causes.month for listing in drawn if listing.table == LABELED} == set(range(1, 13))


def relative_price(listing):
    low, high = listing.shown_brand.price
    return listing.offer.listing.listing.price / ((low + high) / 2)


def test_many_counterfeits_cost_almost_as_much_as_genuine_goods(drawn):
    posing = [d for d in drawn if d.offer.causes.seller.guise is Guise.DEALER and d.offer.shown.item.marked]
    fakes = [relative_price(d) for d in posing if d.offer.causes.counterfeit]
    genuine = [relative_price(d) for d in posing if not d.offer.causes.counterfeit]
    assert np.mean(np.array(fakes) > np.quantile(genuine, 0.1)) > 0.35
    assert np.mean(np.array(fakes) < np.quantile(genuine, 0.05)) > 0.35


def test_no_price_is_asked_for_counterfeits_alone(drawn):
    resellers = [d for d in drawn if d.offer.causes.seller.guise is Guise.RESELLER and d.offer.shown.item.marked]
    dear = [d for d in resellers if relative_price(d) > 0.7]
    assert len(dear) > 50
    assert np.mean([d.offer.causes.counterfeit for d in dear]) < SETTINGS.prevalence


def test_ids_are_unique_and_photos_have_one_path_each(drawn):
    assert len({d.offer.listing.listing.listing_id for d in drawn}) == len(drawn)
    paths = [photo.path for d in drawn for photo in d.offer.listing.listing.photos]
    assert len(set(paths)) == len(paths)
