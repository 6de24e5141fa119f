"""`counterfeit-risk market`: writes the synthetic market and the card that says how hard it is.

Knows the command line only; `counterfeit_risk.market` draws, and `counterfeit_risk.evaluation` measures the ceilings.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow.parquet as pq
import typer

from counterfeit_risk.cli.progress import progress
from counterfeit_risk.evaluation.metrics import average_precision
from counterfeit_risk.evaluation.predictions import HEADS
from counterfeit_risk.listings.listing import Label
from counterfeit_risk.market.card import write_card
from counterfeit_risk.market.drawing import LABELED, MarketPlan
from counterfeit_risk.market.market import Market, write_market
from counterfeit_risk.market.settings import MOST_PREVALENCE, load_market_settings

_FEWEST_OF_A_CLASS = 5


def market(
    out: Annotated[Path, typer.Option(help="New or empty folder to write into.", show_default=False)],
    listings: Annotated[int, typer.Option(min=1, help="Labelled listings.")] = 2000,
    nightly: Annotated[int, typer.Option(min=0, help="Unlabelled listings of a later night.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="The same seed writes the same market.")] = 0,
    prevalence: Annotated[
        float | None,
        typer.Option(min=0, max=MOST_PREVALENCE, help="Share of counterfeits; that of the settings where not given."),
    ] = None,
    settings: Annotated[
        Path | None, typer.Option(help="YAML file with causes and signals; the package's own where not given.")
    ] = None,
    *,
    photos: Annotated[bool, typer.Option(help="Draw photos; without, markets of any size take minutes.")] = True,
) -> None:
    """Write a synthetic market: photos, a labelled table, an unlabelled nightly dump, the truth, and a card."""
    law = load_market_settings(settings, prevalence=prevalence)
    plan = MarketPlan(listings, nightly, seed, with_photos=photos, settings=law)
    with progress("drawing photos" if photos else "drawing listings") as advance:
        written = write_market(out, plan, on_progress=advance)
    given = {"listings": listings, "nightly": nightly, "seed": seed, "prevalence": prevalence, "settings": settings}
    options = [f" --{name} {value}" for name, value in given.items() if value is not None]
    card = write_card(
        written, plan, measure_ceilings(written), options="".join(options) + ("" if photos else " --no-photos")
    )
    typer.echo(
        f"{written.folder}: {written.listings:,} listings, {written.counterfeits:,} of them counterfeit, "
        f"{written.photos:,} photos; {card.name} says what is in them, and how hard they are"
    )


def measure_ceilings(market: Market) -> dict[str, float]:
    """The best average precision that photos, title or both allow on the labelled table, and what nobody can tell.

    Empty where a class has too few listings for that to mean anything.
    """
    columns = ["listing_id", "label", *(f"{head}_posterior" for head in HEADS)]
    truth = pq.read_table(market.truth, columns=columns, filters=[("table", "=", LABELED)])
    labels = np.asarray(truth["label"]) == Label.COUNTERFEIT.value
    if min(labels.sum(), (~labels).sum()) < _FEWEST_OF_A_CLASS:
        return {}
    posteriors = {head: truth[f"{head}_posterior"].to_numpy() for head in HEADS}
    weights = np.ones(len(labels))
    ceilings = {
        f"average precision by the true posterior, {seen}": average_precision(labels, posteriors[head], weights)
        for head, seen in zip(HEADS, ("photos and title", "photos only", "title only"), strict=True)
    }
    untellable = float((posteriors[HEADS[0]][labels] <= labels.mean()).mean())
    return ceilings | {
        "share of counterfeits that photos and title make no likelier than any listing": untellable,
        "prevalence": float(labels.mean()),
    }
