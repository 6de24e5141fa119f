import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit_risk.market.brands import draw_brands
from counterfeit_risk.market.kinds import Offering
from counterfeit_risk.market.signals import BrandTreatment, TitleTell
from counterfeit_risk.market.words.phrases import Language, phrasebooks
from counterfeit_risk.market.words.titles import NAMING_OFFERINGS, Claim, Wording, compose_title

BRANDS = draw_brands(np.random.default_rng(0), 12)
BOOK = phrasebooks()[Language.ENGLISH]
CATEGORIES = {
    Offering.REPLICA_SHIRT: ["t-shirt"],
    Offering.ACCESSORY: sorted(BOOK.accessories),
    Offering.TRAP: sorted(BOOK.traps),
    Offering.HOMONYM: sorted(BOOK.homonyms),
}
DISGUISES = [t for t in BrandTreatment if t not in {BrandTreatment.PLAIN, BrandTreatment.REMOVED}]

seeds = st.integers(0, 2**32 - 1)
languages = st.sampled_from(Language)
wordings = st.builds(Wording, st.sampled_from(BrandTreatment), st.frozensets(st.sampled_from(TitleTell)))


@st.composite
def claims(draw, offerings=tuple(Offering)):
    offering = draw(st.sampled_from(offerings))
    brand = draw(st.sampled_from(BRANDS))
    return Claim(
        offering=offering,
        brand=brand,
        line=draw(st.sampled_from(brand.lines)),
        category=draw(st.sampled_from(CATEGORIES.get(offering, sorted(BOOK.nouns)))),
        colour=draw(st.sampled_from(sorted(BOOK.colours))),
        used=draw(st.booleans()),
        other_brand=BRANDS[BRANDS.index(brand) - 1] if offering is Offering.BUNDLE else None,
    )


naming_claims = claims(tuple(offering for offering in Offering if offering in NAMING_OFFERINGS))


def title(claim, language, seed, treatment=BrandTreatment.PLAIN, tells=()):
    return compose_title(claim, language, Wording(treatment, frozenset(tells)), np.random.default_rng(seed))


def says(words, phrase):
    """Whether a title holds a phrase, whatever its number and whoever it likens the goods to."""
    pattern = re.escape(phrase).replace(r"\{number\}", r"\d\d").replace(r"\{brand\}", ".+")
    return re.search(pattern, words, re.IGNORECASE) is not None


@given(naming_claims, languages, seeds)
def test_a_plain_title_names_the_brand_and_the_goods(claim, language, seed):
    words = title(claim, language, seed)
    book = phrasebooks()[language]
    nouns = book.replica_shirts if claim.offering is Offering.REPLICA_SHIRT else book.nouns[claim.category]
    assert claim.brand.name in words
    assert any(noun.casefold() in words.casefold() for of_form in nouns.values() for noun in of_form)


@given(claims((Offering.BUNDLE,)), languages, seeds)
def test_a_bundle_names_two_brands(claim, language, seed):
    words = title(claim, language, seed)
    assert claim.brand.name in words
    assert claim.other_brand.name in words


@given(claims((Offering.ACCESSORY, Offering.HOMONYM)), languages, wordings, seeds)
def test_goods_that_fit_a_brand_or_are_called_like_one_always_name_it(claim, language, wording, seed):
    assert claim.brand.name in compose_title(claim, language, wording, np.random.default_rng(seed))


@given(claims((Offering.TRAP, Offering.UNBRANDED)), languages, wordings, seeds)
def test_goods_without_a_brand_name_none(claim, language, wording, seed):
    words = compose_title(claim, language, wording, np.random.default_rng(seed))
    assert not any(brand.name in words for brand in BRANDS)


@pytest.mark.parametrize("treatment", DISGUISES)
@given(claim=naming_claims, language=languages, seed=seeds)
def test_a_disguised_brand_is_the_only_thing_that_differs_from_the_plain_title(treatment, claim, language, seed):
    plain, disguised = title(claim, language, seed), title(claim, language, seed, treatment)
    rest = [re.escape(part) for part in re.split("|".join(b.name for b in BRANDS), plain)]
    assert claim.brand.name not in disguised
    assert re.fullmatch(".+".join(rest), disguised, re.IGNORECASE | re.DOTALL)


@given(naming_claims, languages, st.frozensets(st.sampled_from(TitleTell)), seeds)
def test_a_removed_brand_leaves_neither_its_name_nor_its_line(claim, language, tells, seed):
    words = title(claim, language, seed, BrandTreatment.REMOVED, tells)
    assert claim.brand.name.casefold() not in words.casefold()
    assert not re.search(rf"\b{re.escape(claim.line)}\b", words)


@given(claims((Offering.BRANDED,)), languages, seeds)
def test_goods_whose_brand_was_removed_are_called_as_unbranded_goods_are(claim, language, seed):
    unbranded = Claim(Offering.UNBRANDED, claim.brand, claim.line, claim.category, claim.colour, claim.used)
    assert title(claim, language, seed, BrandTreatment.REMOVED) == title(unbranded, language, seed)


@pytest.mark.parametrize("tell", TitleTell)
@given(claim=claims(), language=languages, treatment=st.sampled_from(BrandTreatment), seed=seeds)
def test_a_tell_is_written_out(tell, claim, language, treatment, seed):
    book = phrasebooks()[language]
    phrases = (*book.tells[tell], *(book.likenings if tell is TitleTell.DISGUISING_WORDS else ()))
    words = title(claim, language, seed, treatment, {tell})
    assert any(says(words, phrase) for phrase in phrases)


@given(claims(), languages, st.sampled_from([TitleTell.GRADE_WORDS, TitleTell.CONTACT_DETAILS]), seeds)
def test_a_tell_leaves_the_rest_of_the_title_as_it_was(claim, language, tell, seed):
    plain, telling = title(claim, language, seed), title(claim, language, seed, tells={tell}).casefold()
    words = plain.casefold()
    start = next((n for n, (a, b) in enumerate(zip(words, telling, strict=False)) if a != b), len(words))
    assert any(words[:n] + telling[n : n + len(telling) - len(words)] + words[n:] == telling for n in range(start + 1))


@pytest.mark.parametrize("language", Language)
def test_tells_stand_in_front_in_the_middle_and_at_the_end(language):
    claim = Claim(Offering.BRANDED, BRANDS[0], BRANDS[0].lines[0], "watch", "black", used=False)
    phrases = phrasebooks()[language].tells[TitleTell.CONTACT_DETAILS]
    places = set()
    for seed in range(60):
        words = title(claim, language, seed, tells={TitleTell.CONTACT_DETAILS}).casefold()
        told = next(re.escape(p).replace(r"\{number\}", r"\d\d") for p in phrases if says(words, p))
        match = re.search(told, words, re.IGNORECASE)
        places.add("front" if match.start() == 0 else "end" if match.end() == len(words) else "middle")
    assert places == {"front", "middle", "end"}


@given(claims(), languages, wordings, seeds)
def test_a_title_is_one_tidy_line_and_the_same_for_the_same_seed(claim, language, wording, seed):
    words = compose_title(claim, language, wording, np.random.default_rng(seed))
    assert words == words.strip()
    assert not re.search(r"[{}\n]|  |, ,", words)
    assert words == compose_title(claim, language, wording, np.random.default_rng(seed))


@pytest.mark.parametrize("language", Language)
def test_titles_of_one_claim_vary(language):
    claim = Claim(Offering.BRANDED, BRANDS[0], BRANDS[0].lines[0], "handbag", "red", used=True)
    assert len({title(claim, language, seed) for seed in range(200)}) > 100


@pytest.mark.parametrize(("offering", "other"), [(Offering.BUNDLE, None), (Offering.BRANDED, BRANDS[1])])
def test_a_bundle_and_nothing_else_has_a_second_brand(offering, other):
    with pytest.raises(ValueError, match="second brand"):
        Claim(offering, BRANDS[0], BRANDS[0].lines[0], "watch", "red", used=False, other_brand=other)
