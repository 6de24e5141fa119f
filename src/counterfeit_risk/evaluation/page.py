"""Builds one self-contained HTML page: no script, no address to fetch, images inside.

Knows nothing of what it shows. Only `Html` enters a page as it is; every other text is escaped, so that a seller's
title cannot become markup.
"""

import base64
import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from counterfeit_risk.evaluation.risk_bands import Band

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2329; --soft: #5b6570; --line: #dfe3e8; --paper: #ffffff; --card: #f7f8fa;
  --automatic: #b3400a; --review: #7a5200; --pass: #0b6b4f; --bar: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --soft: #a3adb8; --line: #363d45; --paper: #15191d;
  --card: #1e2429; --automatic: #ff9a66; --review: #f0c060; --pass: #5fd3ae; --bar: #56b4e9; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 60rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
.introduction { font-size: 1.1rem; color: var(--soft); margin: 0 0 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { text-align: left; padding: .35rem 1rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
  unicode-bidi: isolate; }
th { color: var(--soft); font-weight: 600; }
figure { margin: 1rem 0; }
figure img { display: block; width: 100%; max-width: 40rem; height: auto; border-radius: .5rem; background: #fff; }
figcaption { color: var(--soft); font-size: .9rem; margin-top: .3rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem; }
.card h3 { font-size: 1rem; line-height: 1.3; margin: .5rem 0 .3rem; }
.card p { font-size: .88rem; color: var(--soft); margin: .15rem 0; }
.card h3, .card p { unicode-bidi: isolate; }
.photos { display: flex; gap: .4rem; overflow-x: auto; }
.photos img { height: 8rem; border-radius: .35rem; background: #fff; }
.card .risk { display: flex; justify-content: space-between; color: var(--ink); font-weight: 600; margin-top: .5rem; }
.automatic { color: var(--automatic); } .review { color: var(--review); } .pass { color: var(--pass); }
.bar { height: .45rem; border-radius: .3rem; background: var(--line); overflow: hidden; }
.bar div { height: 100%; background: var(--bar); }
"""


class Html(str):
    """Markup that may stand in a page as it is."""

    __slots__ = ()


@dataclass(frozen=True)
class Section:
    """A part of a page under its own heading."""

    heading: str
    html: str
    """`Html`; any other text is escaped."""


@dataclass(frozen=True)
class Card:
    """One listing at a glance."""

    heading: str
    risk: float
    """From 0 to 1, drawn as a bar."""
    band: Band
    photos: tuple[bytes, ...] = ()
    """JPEG files."""
    lines: tuple[str, ...] = ()


def page(title: str, introduction: str, sections: Sequence[Section]) -> str:
    """A whole HTML document."""
    body = join(Html(f"<section><h2>{escape(one.heading)}</h2>{escape(one.html)}</section>\n") for one in sections)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<p class="introduction">{escape(introduction)}</p>
{body}</body>
</html>
"""


def escape(text: str) -> Html:
    """Text as markup that shows it, without characters that no page may hold; `Html` stays as it is."""
    return text if isinstance(text, Html) else Html(_escaped(text))


def join(parts: Iterable[str]) -> Html:
    """Parts one after the other, each escaped where it is not `Html`."""
    return Html("".join(escape(part) for part in parts))


def paragraph(text: str) -> Html:
    """One paragraph."""
    return Html(f"<p>{escape(text)}</p>\n")


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Html:
    """A table that scrolls by itself on a narrow screen; a None is an empty cell."""
    head = _row("th", headers)
    body = "".join(_row("td", [_text(cell) for cell in row]) for row in rows)
    return Html(f'<div class="scroll"><table><thead>{head}</thead><tbody>{body}</tbody></table></div>\n')


def figure(image: bytes, caption: str, *, kind: Literal["png", "jpeg"] = "png") -> Html:
    """An image with its caption, which is also what a screen reader reads out."""
    return Html(f"<figure>{_image(image, caption, kind)}<figcaption>{escape(caption)}</figcaption></figure>\n")


def cards(listings: Iterable[Card]) -> Html:
    """Listings side by side."""
    return Html(f'<div class="cards">{"".join(_card(one) for one in listings)}</div>\n')


def _escaped(text: str) -> str:
    return html.escape(_UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text))


def _row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else str(cell)


def _image(image: bytes, text: str, kind: str) -> str:
    return f'<img alt="{_escaped(text)}" src="data:image/{kind};base64,{base64.b64encode(image).decode()}">'


def _card(card: Card) -> str:
    photos = "".join(_image(photo, f"photo {number}", "jpeg") for number, photo in enumerate(card.photos, start=1))
    width = 100 * min(max(card.risk, 0.0), 1.0)
    return (
        '<article class="card">'
        + (f'<div class="photos">{photos}</div>' if photos else "")
        + f"<h3>{escape(card.heading)}</h3>"
        + "".join(f"<p>{escape(line)}</p>" for line in card.lines)
        + f'<p class="risk"><span>risk {card.risk:.3f}</span><span class="{card.band}">{card.band}</span></p>'
        + f'<div class="bar"><div style="width: {width:.1f}%"></div></div></article>\n'
    )
