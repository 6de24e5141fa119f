from importlib.resources import files
from string import Formatter

import pytest

from counterfeit_risk.errors import SettingsError
from counterfeit_risk.market.pictures.products import PRODUCTS
from counterfeit_risk.market.signals import TitleTell
from counterfeit_risk.market.words.phrases import Language, phrasebooks, read_phrasebooks

ENGLISH = phrasebooks()[Language.ENGLISH]
COLOURS = {"black", "white", "navy", "red", "beige", "brown", "green", "pink", "grey", "yellow"}
WORDS = {"line", "noun", "colour", "fact", "detail", "trade"}

every_language = pytest.mark.parametrize("book", phrasebooks().values(), ids=phrasebooks().keys())


@pytest.fixture
def source():
    return files("counterfeit_risk.market.words").joinpath("phrases.yaml").read_text(encoding="utf-8")


def fields(layout):
    return {name for part in layout for _, name, _, _ in Formatter().parse(part) if name is not None}


def honest_words(book):
    """Everything that a title without tells may say, other than brand, line, noun and colour."""
    general = (*book.new, *book.used, *book.trade, *book.qualities)
    by_category = (book.facts, book.unused, book.wear, book.traps, book.accessories, book.homonyms)
    return {*general, *(words for mapping in by_category for phrases in mapping.values() for words in phrases)}


@every_language
def test_a_language_has_words_for_all_goods_colours_and_tells(book):
    assert (
        set(book.nouns) == set(book.facts) == set(book.unused) == set(book.wear) == set(ENGLISH.nouns) >= set(PRODUCTS)
    )
    assert set(book.traps) == {"batteries", "scale-model", "collectible", "mirror"}
    assert set(book.accessories) == {"strap", "phone-case"}
    assert set(book.homonyms) == {"figurine", "seeds"}
    assert set(book.colours) == COLOURS
    assert set(book.tells) == set(TitleTell)


@every_language
def test_every_colour_agrees_with_every_noun(book):
    forms = {form for nouns in (*book.nouns.values(), book.replica_shirts) for form in nouns}
    assert all(forms <= set(colour) for colour in book.colours.values())


@every_language
def test_a_language_has_six_layouts_or_more_that_name_the_brand_and_the_goods(book):
    assert len(book.layouts) >= 6
    assert len(book.unnamed_layouts) >= 6
    assert all({"brand", "noun"} <= fields(layout) <= WORDS | {"brand"} for layout in book.layouts)
    assert all({"brand", "other", "noun"} <= fields(layout) for layout in book.bundle_layouts)


@every_language
def test_titles_without_a_brand_have_no_room_for_brand_or_line(book):
    assert all("noun" in fields(layout) for layout in book.unnamed_layouts)
    assert all(fields(layout) <= WORDS - {"line"} | {"quality"} for layout in book.unnamed_layouts)
    assert all("goods" in fields(layout) <= {"goods", "detail", "trade"} for layout in book.plain_layouts)


@every_language
def test_accessories_homonyms_and_likenings_name_a_brand_and_traps_do_not(book):
    naming = [words for goods in (book.accessories, book.homonyms) for phrases in goods.values() for words in phrases]
    assert all("{brand}" in words for words in (*naming, *book.likenings))
    assert not any("{brand}" in words for phrases in book.traps.values() for words in phrases)


@every_language
def test_no_honest_phrase_is_a_tell(book):
    tells = {words for phrases in book.tells.values() for words in phrases}
    assert not tells & honest_words(book)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["AAA", "1:1", "1:18", "eplica", "mirror", "copy", "toy", "isplay piece", "00 555 01"]),
        ("es", ["AAA", "1:1", "1:18", "éplica", "espejo", "opia", "juguete", "exposición", "00 555 01"]),
        ("zh", ["AAA", "1:1", "1:18", "复刻", "镜面", "玩具", "同款", "00 555 01"]),
        ("ru", ["AAA", "1:1", "1:18", "еплика", "еркал", "опия", "игруш", "в стиле", "00 555 01"]),
    ],
)
def test_honest_words_sound_like_tells(language, words):
    honest = " / ".join(honest_words(phrasebooks()[Language(language)])).casefold()
    assert [word for word in words if word.casefold() not in honest] == []


@every_language
def test_telephone_numbers_are_of_a_range_that_nobody_has(book):
    phrases = {*honest_words(book), *book.tells[TitleTell.CONTACT_DETAILS]}
    numbers = [words for words in phrases if "00 555" in words]
    assert numbers
    assert all("00 555 01{number}" in words for words in numbers)


def test_an_unknown_key_is_an_error(tmp_path, source):
    path = tmp_path / "phrases.yaml"
    path.write_text(source.replace("  qualities:", "  qualitys:", 1), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"en\.qualitys: unknown key"):
        read_phrasebooks(path)


def test_an_unknown_tell_is_an_error(tmp_path, source):
    path = tmp_path / "phrases.yaml"
    path.write_text(source.replace("    grade_words:", "    grades:", 1), encoding="utf-8")
    with pytest.raises(SettingsError, match="grades"):
        read_phrasebooks(path)


def test_a_language_without_words_is_an_error(tmp_path, source):
    path = tmp_path / "phrases.yaml"
    path.write_text(source[: source.index("\nru:")], encoding="utf-8")
    with pytest.raises(SettingsError, match="ru: is required"):
        read_phrasebooks(path)


def test_a_list_of_no_words_is_an_error(tmp_path, source):
    path = tmp_path / "phrases.yaml"
    path.write_text(source.replace("  likenings: [", "  likenings: []\n# [", 1), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"en\.likenings"):
        read_phrasebooks(path)
