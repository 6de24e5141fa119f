import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit_risk.listings.titles import normalize_title
from counterfeit_risk.market.words.disguises import insert_invisible, separate, spell_by_sound, to_homoglyphs, to_leet
from counterfeit_risk.market.words.phrases import Language

seeds = st.integers(0, 2**32 - 1)
names = st.from_regex(r"[A-Z][a-z]{1,5}[aeiou][a-z]{1,5}", fullmatch=True)
disguises = pytest.mark.parametrize("disguise", [separate, to_leet, to_homoglyphs, insert_invisible])
languages = st.sampled_from(Language)


def written(disguise, name, seed):
    return disguise(name, np.random.default_rng(seed))


def sounding(name, language, seed):
    return spell_by_sound(name, language, np.random.default_rng(seed))


@disguises
@given(name=names, seed=seeds)
def test_a_disguise_changes_the_name_and_is_the_same_for_the_same_seed(disguise, name, seed):
    disguised = written(disguise, name, seed)
    assert disguised != name
    assert disguised == written(disguise, name, seed)


@disguises
def test_a_name_is_disguised_in_many_ways(disguise):
    assert len({written(disguise, "Velquor", seed) for seed in range(60)}) > 10


@given(names, seeds)
def test_a_separated_name_keeps_its_letters_in_order(name, seed):
    assert re.sub(r"[\W_]", "", written(separate, name, seed)) == name


@given(names, seeds)
def test_a_leet_name_keeps_its_length_and_gets_a_sign_or_digit(name, seed):
    leet = written(to_leet, name, seed)
    assert len(leet) == len(name)
    assert all(new == old or new in "0123456789@$€!+µ¥" for old, new in zip(name, leet, strict=True))


@given(names, seeds)
def test_homoglyphs_are_foreign_letters_and_at_most_half_of_the_name(name, seed):
    foreign = [letter for letter in written(to_homoglyphs, name, seed) if not letter.isascii()]
    assert 1 <= len(foreign) <= len(name) / 2
    assert all(unicodedata.name(letter).startswith(("CYRILLIC", "GREEK")) for letter in foreign)


@pytest.mark.parametrize("disguise", [to_homoglyphs, insert_invisible])
@given(name=names, seed=seeds)
def test_a_normalised_title_undoes_what_no_reader_sees(disguise, name, seed):
    assert normalize_title(written(disguise, name, seed)) == name


@given(names, languages, seeds)
def test_a_sound_alike_is_another_name_of_letters_only(name, language, seed):
    sound_alike = sounding(name, language, seed)
    assert sound_alike.casefold() != name.casefold()
    assert sound_alike.isalpha()
    assert sound_alike == sounding(name, language, seed)


@pytest.mark.parametrize(
    ("language", "alphabet"), [("en", "LATIN"), ("es", "LATIN"), ("zh", "CJK UNIFIED"), ("ru", "CYRILLIC")]
)
@given(name=names, seed=seeds)
def test_a_sound_alike_is_written_in_the_letters_of_the_language(language, alphabet, name, seed):
    sound_alike = sounding(name, Language(language), seed)
    assert all(unicodedata.name(letter).startswith(alphabet) for letter in sound_alike)


@pytest.mark.parametrize(
    ("name", "language", "sound_alike"),
    [
        ("Quivorra", "en", "Kwivorra"),
        ("Pellornix", "en", "Pelornix"),
        ("Velquor", "es", "Belquor"),
        ("Tesquino", "ru", "Тесквино"),
        ("Soirée", "ru", "Соири"),
        ("Tesquino", "zh", "特斯奎诺"),
        ("Kaldreya", "zh", "卡尔德雷亚"),
    ],
)
def test_some_sound_alikes_are_as_a_person_would_write_them(name, language, sound_alike):
    assert sound_alike in {sounding(name, Language(language), seed) for seed in range(400)}
