from io import BytesIO

import numpy as np
import pytest
from matplotlib.image import AxesImage
from PIL import Image

from counterfeit_risk.embeddings.content import ListingContent
from counterfeit_risk.evaluation.plots import to_png
from counterfeit_risk.explanations.explain import explain
from counterfeit_risk.explanations.figures import case_sheet

TITLES = [
    "",
    "красная сумка Adidas $5 $6 _x^2",
    "全新 正品 手表 " + "手" * 400,
    "\u202eevil\u200b\x07 <b>bold</b> \\frac{1}{2}\n\nnew line",
    " ".join(["word"] * 200),
]


def sheet_of(model, title, content):
    return case_sheet(explain(model, "L1", content), title, content)


def texts_of(figure) -> list[str]:
    return [text.get_text() for part in [*figure.subfigs, *figure.axes] for text in part.texts]


@pytest.mark.parametrize("title", TITLES)
def test_any_title_is_drawn_without_a_warning(planted_model, content_of, patch, marked, title) -> None:
    figure = sheet_of(planted_model(patch), title, content_of(" ".join(title.split()), marked))
    with Image.open(BytesIO(to_png(figure))) as image:
        assert image.width == 1350


@pytest.mark.parametrize("photos", [0, 1, 2, 5])
def test_each_photo_stands_beside_its_heat_map(planted_model, content_of, patch, marked, photos) -> None:
    figure = sheet_of(planted_model(patch), "a bag", content_of("a bag", *[marked] * photos))
    drawn = [axes for axes in figure.axes if any(isinstance(child, AxesImage) for child in axes.get_children())]
    assert len(drawn) == 2 * photos
    assert ("(no usable photo)" in texts_of(figure)) is (photos == 0)


def test_heat_maps_share_one_scale_that_is_symmetric_around_zero(planted_model, content_of, patch, marked) -> None:
    figure = sheet_of(planted_model(patch), "", content_of("", marked, np.zeros_like(marked)))
    limits = {axes.images[1].get_clim() for axes in figure.axes if len(axes.images) == 2}
    ((low, high),) = limits
    assert low == -high
    assert high == pytest.approx(3, rel=0.02)


def test_words_stand_in_the_titles_order_and_only_the_weightiest_are_drawn(planted_model, content_of) -> None:
    title = " ".join(f"w{number}" for number in range(40))
    figure = sheet_of(planted_model(words={"w39": 2.0, "w20": -1.0}), title, content_of(title))
    axes = next(axes for axes in figure.axes if axes.get_title(loc="left").startswith("Title"))
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown == sorted(shown, key=lambda word: int(word[1:]))
    assert {"w20", "w39"} < set(shown)
    assert "26 weaker words are left out" in axes.get_xlabel()


def test_the_header_names_risk_band_listing_and_lost_photos(planted_model, content_of) -> None:
    content = ListingContent("bag", (), (), ("a.jpg: damaged image",))
    header = " ".join(texts_of(sheet_of(planted_model(bias=0.0), "bag", content)))
    assert "Risk 50.0%, band: review" in header
    assert "listing L1;  photos that could not be used: 1" in header


def test_equal_explanations_give_equal_bytes(planted_model, content_of, patch, noise) -> None:
    content = content_of("a bag", noise)
    first, second = (to_png(sheet_of(planted_model(patch), "a bag", content)) for _ in range(2))
    assert first == second
