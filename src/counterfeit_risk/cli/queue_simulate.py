"""`counterfeit-risk queue simulate`: a month of a synthetic market through the queue, once for each order of work."""

from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow.parquet as pq
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from counterfeit_risk.cli.options import JsonOption
from counterfeit_risk.cli.progress import progress
from counterfeit_risk.cli.queue_records import print_lines
from counterfeit_risk.errors import UsageError
from counterfeit_risk.evaluation.truth import read_posteriors
from counterfeit_risk.listings.catalog import read_labeled_listings
from counterfeit_risk.listings.listing import LabeledListing
from counterfeit_risk.takedown.policy import OrderKind, QueueSettings
from counterfeit_risk.takedown.simulation import SimulatedListing, SimulationPlan, SimulationResult, simulate


def simulate_orders(
    market: Annotated[Path, typer.Argument(metavar="MARKET", help="Folder that `market` wrote.", exists=True)],
    nights: Annotated[int, typer.Option(min=2, help="Over which the market's listings turn up, in their order.")] = 30,
    reviews_a_day: Annotated[int, typer.Option(min=1, help="Cases that people can decide.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Of the reviewers' mistakes.")] = 0,
    *,
    json_lines: JsonOption = False,
) -> None:
    """Compare orders of work: what is decided in time, what waits, whom it wrongs and what harm it prevents.

    Risks are the market's true posteriors, and synthetic reviewers decide.
    """
    days = read_nights(market, nights)
    plan = SimulationPlan(reviews_a_day, seed=seed)
    results: dict[OrderKind, SimulationResult] = {}
    with progress("orders", len(OrderKind)) as advance:
        for kind in OrderKind:
            settings = QueueSettings(reviews_a_day=reviews_a_day if kind is OrderKind.URGENCY else None)
            order = settings.order.model_copy(update={"by": kind})
            results[kind] = simulate(days, plan, settings.model_copy(update={"order": order}))
            advance(1)
    if json_lines:
        names = SimulationResult.__slots__
        print_lines({"order": kind, **{name: getattr(one, name) for name in names}} for kind, one in results.items())
    else:
        Console().print(_table(results, plan))


def read_nights(market: Path, nights: int) -> list[list[SimulatedListing]]:
    """A market's labelled listings in the order in which they were offered, dealt to nights.

    Raises:
        UsageError: if the folder holds no market.
    """
    table, truth = market / "labeled.parquet", market / "truth.parquet"
    if not (table.is_file() and truth.is_file()):
        raise UsageError(f"{market} holds no market; `counterfeit-risk market --no-photos --out {market}` makes one")
    rows = [row for row in read_labeled_listings(table) if isinstance(row, LabeledListing)]
    rows.sort(key=lambda row: (str(row.listing.created_at), row.listing.listing_id))
    risks = read_posteriors(truth, [row.listing.listing_id for row in rows])[:, 0]
    known = pq.read_table(truth, columns=["listing_id", "photo_origins"]).to_pylist()
    origins = {row["listing_id"]: row["photo_origins"] for row in known}
    simulated = [
        SimulatedListing(
            row.listing,
            float(risk),
            row.label,
            tuple(dict.fromkeys(name for photo in origins[row.listing.listing_id] for name in photo)),
        )
        for row, risk in zip(rows, np.nan_to_num(risks), strict=True)
    ]
    starts = np.linspace(0, len(simulated), nights + 1).astype(int)
    return [simulated[start:stop] for start, stop in pairwise(starts)]


def _table(results: dict[OrderKind, SimulationResult], plan: SimulationPlan) -> Table:
    table = Table("order", title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD)
    table.title = f"{plan.reviews_a_day} reviews a day; {next(iter(results.values())).cases:,} cases"
    for heading in ("hidden in 24 h", "all in 24 h", "overdue", "backlog", "wrongful", "harm prevented"):
        table.add_column(heading, justify="right")
    for kind, one in results.items():
        shares = [f"{share:.1%}" for share in (one.hidden_in_24h, one.in_24h, one.overdue, one.harm_prevented)]
        counts = [f"{count:,}" for count in (one.backlog, one.wrongful_takedowns)]
        table.add_row(kind, *shares[:3], *counts, shares[3])
    valid = sum(one.valid_statements for one in results.values())
    restrictions = sum(one.restrictions for one in results.values())
    table.caption = f"{valid:,} of {restrictions:,} restrictions have a valid statement of reasons"
    return table
