"""What a price says: how much likelier a counterfeit is at this distance from what such goods usually cost.

Knows no photo and no title, and no split: the rows to learn from come from the caller.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from counterfeit_risk.listings.listing import Label, LabeledListing, Listing

Kind = tuple[str, ...]
"""(currency, brand, category) of goods whose prices are compared; empty where it is any."""

_FEWEST_OF_A_KIND = 5
_LISTINGS_A_KNOT, _MOST_KNOTS = 25, 16
_PRIOR_LISTINGS = 5.0
"""Listings at the prevalence that a range of prices is given beforehand, so that few listings prove little."""


@dataclass(frozen=True)
class PriceModel:
    """Weight of evidence (Good 1950, "Probability and the weighing of evidence") of a listing's price.

    The evidence is linear between knots and constant beyond them. Without knots it is always 0.
    """

    usual: Mapping[Kind, float] = field(default_factory=dict)
    """Median log price by kind."""
    distances: tuple[float, ...] = ()
    """Knots: log price less the usual one, rising."""
    log_odds: tuple[float, ...] = ()
    """What each knot adds to the log odds of being counterfeit."""

    def evidence(self, listing: Listing) -> float:
        """Log odds that the price adds, in any direction; 0 where there is no price, or none to compare it with."""
        distance = _distance(listing, self.usual)
        if distance is None or not self.distances:
            return 0.0
        return float(np.interp(distance, self.distances, self.log_odds))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        usual = [[*kind, value] for kind, value in sorted(self.usual.items())]
        return {"usual": usual, "distances": list(self.distances), "log_odds": list(self.log_odds)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Reads what `to_dict` wrote."""
        usual = {tuple(kind): float(value) for *kind, value in values["usual"]}
        return cls(usual, tuple(values["distances"]), tuple(values["log_odds"]))


def fit_price_model(rows: Sequence[LabeledListing]) -> PriceModel:
    """Learns from labelled listings; too few with a price give a model that always says 0."""
    usual = _usual_prices([row.listing for row in rows])
    found = [(_distance(row.listing, usual), row.label is Label.COUNTERFEIT) for row in rows]
    distances = np.array([distance for distance, _ in found if distance is not None])
    labels = np.array([label for distance, label in found if distance is not None], dtype=bool)
    knots = min(_MOST_KNOTS, len(labels) // _LISTINGS_A_KNOT)
    if not knots or labels.all() or not labels.any():
        return PriceModel()
    order, prevalence = np.argsort(distances, kind="stable"), labels.mean()
    parts = np.array_split(order, knots)
    middles = [float(np.median(distances[part])) for part in parts]
    counts, counterfeit = (
        np.array([count(part) for part in parts]) for count in (len, lambda part: labels[part].sum())
    )
    shares = (counterfeit + _PRIOR_LISTINGS * prevalence) / (counts + _PRIOR_LISTINGS)
    log_odds = np.log(shares / (1 - shares)) - np.log(prevalence / (1 - prevalence))
    return PriceModel(usual, tuple(middles), tuple(log_odds.tolist()))


def _usual_prices(listings: Sequence[Listing]) -> dict[Kind, float]:
    prices: dict[Kind, list[float]] = {}
    for listing in listings:
        if listing.price:
            for kind in _kinds(listing):
                prices.setdefault(kind, []).append(float(np.log(listing.price)))
    return {kind: float(np.median(logs)) for kind, logs in prices.items() if len(logs) >= _FEWEST_OF_A_KIND}


def _distance(listing: Listing, usual: Mapping[Kind, float]) -> float | None:
    """Log price less the usual one of the narrowest kind that is known; a price of 0 is no price."""
    if not listing.price:
        return None
    return next((float(np.log(listing.price)) - usual[kind] for kind in _kinds(listing) if kind in usual), None)


def _kinds(listing: Listing) -> Iterator[Kind]:
    """The kinds that a listing belongs to, narrowest first."""
    currency, brand, category = listing.currency or "", listing.brand or "", listing.category or ""
    yield from dict.fromkeys(
        [(currency, brand, category), (currency, "", category), (currency, brand, ""), (currency, "", "")]
    )
