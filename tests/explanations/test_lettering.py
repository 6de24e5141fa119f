from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from counterfeit_risk.explanations.lettering import BOX, drawable, font_families, shorten, wrap


def test_there_is_always_a_font() -> None:
    assert font_families()[0] == "DejaVu Sans"


def test_hidden_letters_are_shown_as_boxes() -> None:
    assert drawable("Adi\u200bdas\u202e \ud800 x") == f"Adi{BOX}das{BOX} {BOX} x"


def test_cyrillic_is_drawn_as_it_is() -> None:
    assert drawable("Новая сумка") == "Новая сумка"


@given(st.text(max_size=80), st.integers(2, 30))
def test_a_shortened_text_is_one_line_that_fits(text, cells) -> None:
    line = shorten(text, cells=cells)
    assert "\n" not in line
    assert cell_len(line) <= cells


@given(st.text(max_size=300))
def test_a_wrapped_text_keeps_to_its_lines(text) -> None:
    assert len(wrap(text, cells=20, lines=3)) <= 3


def test_a_text_that_fits_is_wrapped_without_loss() -> None:
    assert wrap("genuine  leather bag", cells=15, lines=3) == ["genuine leather", "bag"]


def test_what_is_cut_off_ends_in_an_ellipsis() -> None:
    assert wrap("one two three four", cells=5, lines=2) == ["one", "two…"]
    assert shorten("counterfeit", cells=6) == "count…"
