import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from counterfeit_risk.listings.titles import MAX_TITLE_CHARACTERS, find_disguises, normalize_title, read_title

# letters, look-alikes, accents, joiners and spaces, close enough together to meet in one token
SPOOFED = st.text(
    string.ascii_letters + "АВЕаеорсуіжй" + "Ααοβ" + "\u0301\u0308\u0306" + "\u200b\u200d\u034f\u3164 \u00a0-5"
)


@given(st.text(st.characters()) | SPOOFED)
@example("e\u200b\u0301")
@example("L" + "а" * 998 + "ж" * 5)
@example("ﷺ" * MAX_TITLE_CHARACTERS)
def test_normalising_twice_changes_nothing_more(title: str) -> None:
    once = normalize_title(title)

    assert normalize_title(once) == once


@given(st.text(st.characters()))
def test_a_normalised_title_is_bounded_and_can_be_encoded(title: str) -> None:
    normal = normalize_title(title)

    assert len(normal) <= MAX_TITLE_CHARACTERS
    assert normal.encode("utf-8").decode("utf-8") == normal


def test_only_the_first_characters_are_read() -> None:
    assert normalize_title("a" * 200_000) == "a" * MAX_TITLE_CHARACTERS
    assert normalize_title("a " * MAX_TITLE_CHARACTERS + "Nike") == ("a " * (MAX_TITLE_CHARACTERS // 2)).strip()


def test_compatibility_forms_become_plain() -> None:
    assert normalize_title("Ｎｉｋｅ ﬁt ②") == "Nike fit 2"


def test_white_space_of_every_kind_becomes_one_space() -> None:
    assert normalize_title("\t Nike\r\n\u00a0\u2003Air \u2028 ") == "Nike Air"


def test_invisible_characters_go_without_leaving_a_gap() -> None:
    assert (
        normalize_title("N\u200bi\u00adk\u202ee\u2066 A\u200di\u034fr\ufe0f\u3164 \x00M\x07ax\ud800\ufeff")
        == "Nike Air Max"
    )


def test_cyrillic_and_greek_look_alikes_inside_a_latin_word_become_latin() -> None:
    assert normalize_title("\u0410didas Nik\u0435 \u039dike R\u03bfl\u0435x") == "Adidas Nike Nike Rolex"


def test_a_look_alike_hidden_behind_an_accent_becomes_latin() -> None:
    assert normalize_title("\u0430\u0301didas") == "ádidas"


def test_russian_and_greek_words_stay() -> None:
    russian = "Кроссовки мужские, оригинал: Сумка НОВАЯ"
    greek = "Αθλητικά παπούτσια"

    assert normalize_title(russian) == russian
    assert normalize_title(greek) == greek


def test_a_russian_word_next_to_a_latin_one_stays() -> None:
    assert normalize_title("USB-кабель Кроссовки/Nike") == "USB-кабель Кроссовки/Nike"


def test_a_word_that_would_not_become_latin_stays_whole() -> None:
    assert normalize_title("iPhone15про USBкабель") == "iPhone15про USBкабель"


def test_model_numbers_stay() -> None:
    assert normalize_title("64gb 3D 100% A-10_b") == "64gb 3D 100% A-10_b"


def test_invisible_characters_do_not_push_a_title_out_of_sight() -> None:
    assert normalize_title("\u200b" * 5000 + " " * 5000 + "Nova bag") == "Nova bag"


@pytest.mark.parametrize(
    ("title", "disguises"),
    [
        ("Ni\u200bke shoes", ["hidden-characters"]),
        ("Кр\u00adоссовки", ["hidden-characters"]),
        ("Nіke shoes", ["look-alike-letters"]),
        ("N1ke shoes", ["signs-for-letters"]),
        ("a $aithe bag", ["signs-for-letters"]),
        ("N-i-k-e shoes", ["letters-apart"]),
        ("N i k e shoes", ["letters-apart"]),
        ("Ze.ph.or shoes", ["letters-apart"]),
        ("N(i)ke shoes", ["letters-apart"]),
        ("N\u200bіk3s", ["hidden-characters", "look-alike-letters", "signs-for-letters"]),
    ],
)
def test_a_disguise_is_named_before_the_title(title: str, disguises: list[str]) -> None:
    assert find_disguises(title) == disguises
    assert read_title(title) == " ".join([*(f"[{name}]" for name in disguises), normalize_title(title)])


@pytest.mark.parametrize(
    "title",
    [
        "Кроссовки Nike, USB-кабель и USBкабель, 64gb, 2x3m, H2O, PS4, iPhone7, i5-8250U, B2B",
        "می\u200cخواهم کیف",
        "क्\u200dष बैग",
        "👨\u200d👩\u200d👧 family shirt",
        "Tie+Cufflink, $100, 100€, @shop_017, re-use, T-shirt S M L XL, O'Neill, (M) size, 1-2-3-4",
        "",
        "\u200b",
    ],
)
def test_honest_titles_are_read_as_they_are(title: str) -> None:
    assert read_title(title) == normalize_title(title)


@given(st.text(st.characters()) | SPOOFED)
def test_any_title_can_be_searched_for_disguises(title: str) -> None:
    assert read_title(title).endswith(normalize_title(title))
