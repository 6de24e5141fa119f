from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from counterfeit_risk.evaluation import page
from counterfeit_risk.evaluation.page import Card, Html, Section
from counterfeit_risk.evaluation.risk_bands import Band

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&"
VOID = {"meta", "img"}

QUICK = settings(max_examples=30, deadline=None)


class Reader(HTMLParser):
    """Collects tags, attributes and text, and whether every tag is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def whole(text: str) -> str:
    card = Card(heading=text, risk=0.5, band=Band.REVIEW, photos=(b"jpeg",), lines=(text,))
    html = page.join(
        [
            page.paragraph(text),
            page.table([text], [[text]]),
            page.figure(b"png", text),
            page.cards([card]),
            text,
        ]
    )
    return page.page(text, text, [Section(text, html), Section("raw", text)])


@QUICK
@given(st.text() | st.just(HOSTILE))
def test_text_never_becomes_markup_wherever_it_stands(text: str) -> None:
    plain, read = Reader(whole("plain")), Reader(whole(text))
    assert read.tags == plain.tags
    assert [name for name, _ in read.attributes] == [name for name, _ in plain.attributes]
    assert read.open == []


def test_hostile_text_is_shown_as_it_is() -> None:
    assert Reader(page.paragraph(HOSTILE)).text.strip() == HOSTILE


@QUICK
@given(st.text(st.characters(codec=None), min_size=1))
def test_any_text_can_be_written_as_utf_8(text: str) -> None:
    assert "\x00" not in whole(text + "\ud800\x00").encode("utf-8").decode("utf-8")


def test_markup_of_our_own_stays_markup() -> None:
    assert page.escape(Html("<b>")) == "<b>"
    assert page.escape("<b>") == "&lt;b&gt;"


def test_a_page_asks_for_nothing_from_outside() -> None:
    sources = [value or "" for name, value in Reader(whole("x")).attributes if name in {"src", "href"}]
    assert sources
    assert all(source.startswith("data:image/") for source in sources)


def test_a_missing_cell_is_empty() -> None:
    assert Reader(page.table(["a", "b"], [[None, 3]])).text.strip() == "ab3"


def test_a_risk_bar_stays_inside_its_card() -> None:
    assert "width: 100.0%" in page.cards([Card("x", risk=1.7, band=Band.AUTOMATIC)])
    assert "width: 25.0%" in page.cards([Card("x", risk=0.25, band=Band.PASS)])


def test_a_card_shows_its_band_and_every_photo() -> None:
    read = Reader(page.cards([Card("x", risk=0.5, band=Band.REVIEW, photos=(b"1", b"2"))]))
    assert read.tags.count("img") == 2
    assert "review" in read.text
