import pytest

from counterfeit_risk.market.pictures.lettering import TYPEFACES, font

WORD = "Velquor Haxe 019"


def letters(typeface):
    return bytes(font(typeface, 40).getmask(WORD))


def test_no_two_typefaces_look_the_same():
    assert len({letters(typeface) for typeface in TYPEFACES}) == len(TYPEFACES) >= 8


@pytest.mark.parametrize("typeface", TYPEFACES)
def test_a_typeface_has_each_letter_and_digit(typeface):
    missing = bytes(font(typeface, 40).getmask("\uffff"))
    assert all(bytes(font(typeface, 40).getmask(sign)) != missing for sign in "ABCXYZabcxyz0123456789")


def test_a_font_is_read_once():
    assert font("sans", 20) is font("sans", 20)


def test_an_unknown_typeface_is_an_error():
    with pytest.raises(KeyError, match="comic"):
        font("comic", 20)
