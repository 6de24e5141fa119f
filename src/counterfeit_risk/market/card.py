"""The card of a market, in the form of the Hugging Face hub: what is in it, how it was made, what is hard about it.

Knows no photo; ceilings are measured elsewhere and given.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from counterfeit_risk.market.drawing import MarketPlan
from counterfeit_risk.market.kinds import SellerKind
from counterfeit_risk.market.market import Market
from counterfeit_risk.market.settings import MarketSettings
from counterfeit_risk.market.signals import BrandTreatment, Contradiction, FileEvasion, PhotoTell, TitleTell

Signal = TypeVar("Signal", bound=StrEnum)

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def write_card(market: Market, plan: MarketPlan, ceilings: Mapping[str, float], *, options: str = "") -> Path:
    """Writes `README.md` into a market's folder.

    Args:
        market: the market.
        plan: how it was drawn.
        ceilings: what could be reached on its labelled table, by name.
        options: of the command that drew it.
    """
    settings, regimes = plan.settings, plan.settings.counterfeit.regimes
    template = (files("counterfeit_risk.market") / "card.md").read_text(encoding="utf-8")
    text = template.format(
        size=next((name for most, name in _SIZES if market.listings < most), "n>1M"),
        options=options,
        listings=market.listings,
        counterfeits=market.counterfeits,
        photos=market.photos,
        months=settings.calendar.months,
        sellers=_sellers(settings),
        ceilings=_ceilings(ceilings),
        crude=settings.counterfeit.crude,
        unknowing=1 - settings.counterfeits_from[SellerKind.RING],
        spoken_crude=_each(regime.title_speaks.crude for regime in regimes),
        spoken=_each(regime.title_speaks.fine for regime in regimes),
        regimes=", ".join(str(regime.from_month) for regime in regimes),
        contradicts=_each(regime.contradicts for regime in regimes),
        signals=_signals(settings),
    )
    card = market.folder / "README.md"
    card.write_text(text, encoding="utf-8")
    return card


def _ceilings(ceilings: Mapping[str, float]) -> str:
    if not ceilings:
        return "This market is too small to say."
    return _table(("measure, on the labelled table", "value"), ((n, f"{v:.3f}") for n, v in ceilings.items()))


def _sellers(settings: MarketSettings) -> str:
    rows = [
        (kind.value, f"{share:.1%}", ", ".join(f"{s.value} {p:.0%}" for s, p in settings.sources(kind).items()))
        for kind, share in settings.kind_shares.items()
    ]
    return _table(("seller", "share of listings", "sources of the goods"), rows)


def _signals(settings: MarketSettings) -> str:
    """One table a family: of graded tells with P(slight), P(plain), P(gross), of the others with P by regime."""
    genuine, counterfeit, regimes = settings.genuine, settings.counterfeit, settings.counterfeit.regimes
    heading = ("P(signal \\| given away by it)", "P(signal \\| genuine)")
    tells = [(tell, _each(counterfeit.photo_tells[tell]), _each(genuine.photo_tells[tell])) for tell in PhotoTell]
    relisted = settings.relisted
    families: Mapping[str, Iterable[Sequence[str]]] = {
        "on the goods: slight, plain, gross": tells,
        "of the files": _by_regime(FileEvasion, [r.file_evasions for r in regimes], genuine.file_evasions),
        "the brand in the title": _by_regime(
            BrandTreatment, [r.brand_treatments for r in regimes], genuine.brand_treatments
        ),
        "words in the title": _by_regime(TitleTell, [r.title_tells for r in regimes], genuine.title_tells),
        "contradiction": _by_regime(Contradiction, [r.contradictions for r in regimes], genuine.contradictions),
    }
    of_all = [
        ("low price", f"{counterfeit.low_price:.1%}", f"{genuine.low_price:.1%}"),
        ("photos shown before", f"{relisted.ring:.1%} of a ring's", f"{relisted.shop:.1%} of a shop's"),
    ]
    return "\n\n".join(
        [
            *(_table((family, *heading), rows) for family, rows in families.items()),
            _table(("beside photos and title", "P(signal \\| counterfeit)", heading[1]), of_all),
        ]
    )


def _by_regime(
    signals: Iterable[Signal], counterfeit: Sequence[Mapping[Signal, float]], genuine: Mapping[Signal, float]
) -> list[tuple[str, str, str]]:
    return [
        (signal, _each(law.get(signal, 0.0) for law in counterfeit), f"{genuine.get(signal, 0.0):.1%}")
        for signal in signals
    ]


def _each(probabilities: Iterable[float]) -> str:
    return " / ".join(f"{probability:.1%}" for probability in probabilities)


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(cell.replace("_", " ") for cell in line) + " |" for line in lines)
