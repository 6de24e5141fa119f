import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit_risk.market.brands import BRANDS
from counterfeit_risk.market.phrases import LANGUAGE_SHARES, PHRASEBOOKS, Language
from counterfeit_risk.market.products import PLAIN_GOODS, PRODUCTS
from counterfeit_risk.market.signals import TITLE_TELLS, Tell
from counterfeit_risk.market.titles import LOOKALIKES, Claim, compose_title

seeds = st.integers(0, 2**32 - 1)
languages = st.sampled_from(Language)
brands = st.sampled_from(BRANDS)
categories = st.sampled_from(sorted(PRODUCTS))
claims = st.builds(Claim, brands, categories, st.booleans())


def title(claim, language, tells, seed):
    return compose_title(claim, language, frozenset(tells), np.random.default_rng(seed))


@pytest.mark.parametrize("language", Language)
def test_a_language_has_words_for_all_goods_and_tells(language):
    phrases = PHRASEBOOKS[language]
    assert set(phrases.nouns) == set(PRODUCTS)
    assert set(phrases.plain) == set(PLAIN_GOODS)
    assert all((phrases.layouts, phrases.new, phrases.used, phrases.grades, phrases.contacts))


def test_the_shares_of_all_languages_sum_to_one():
    assert sum(LANGUAGE_SHARES.values()) == pytest.approx(1)


@given(claims, languages, seeds)
def test_a_clean_title_names_brand_line_and_goods(claim, language, seed):
    words = title(claim, language, (), seed)
    assert claim.brand.name in words
    assert any(line in words for line in claim.brand.lines)
    assert any(noun in words for noun in PHRASEBOOKS[language].nouns[claim.category])


@given(claims, languages, seeds)
def test_a_clean_title_holds_no_grade_words_and_no_contact(claim, language, seed):
    words = title(claim, language, (), seed)
    assert not any(word in words for word in (*PHRASEBOOKS[language].grades, *PHRASEBOOKS[language].contacts))


@given(claims, languages, seeds)
def test_grade_words_and_contact_details_are_written_out(claim, language, seed):
    words = title(claim, language, {Tell.GRADE_WORDS, Tell.CONTACT_DETAILS}, seed)
    assert any(grade in words for grade in PHRASEBOOKS[language].grades)
    assert any(contact in words for contact in PHRASEBOOKS[language].contacts)


@given(claims, languages, seeds)
def test_separators_keep_a_brand_readable_and_hide_it_from_search(claim, language, seed):
    words = title(claim, language, {Tell.SPACED_BRAND}, seed)
    assert claim.brand.name not in words
    assert any(separator.join(claim.brand.name) in words for separator in "-._ *")


@given(claims, languages, seeds)
def test_lookalike_letters_take_the_place_of_one_letter(claim, language, seed):
    words = title(claim, language, {Tell.LOOKALIKE_LETTERS}, seed)
    disguises = {claim.brand.name.replace(a, b) for a, others in LOOKALIKES.items() for b in others}
    assert claim.brand.name not in words
    assert any(disguise in words for disguise in disguises)


@given(brands, languages, st.sampled_from(sorted(PLAIN_GOODS)), seeds)
def test_unbranded_goods_show_no_tells(brand, language, category, seed):
    claim = Claim(brand, category)
    assert title(claim, language, TITLE_TELLS, seed) == title(claim, language, (), seed)


@pytest.mark.parametrize("word", ["AAA", "1:18", "eplica", "mirror"])
def test_honest_goods_use_words_that_copies_use_too(word):
    assert any(word in words for titles in PHRASEBOOKS[Language.ENGLISH].plain.values() for words in titles)


@given(claims, languages, st.sets(st.sampled_from(TITLE_TELLS)), seeds)
def test_a_title_is_one_line_with_nothing_left_to_fill_in(claim, language, tells, seed):
    words = title(claim, language, tells, seed)
    assert words == words.strip()
    assert not set("{}\n") & set(words)
