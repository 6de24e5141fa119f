"""A month in miniature: what is known beforehand of each order of work must come out."""

from dataclasses import replace

import pytest

from counterfeit_risk.listings.listing import Label, Listing
from counterfeit_risk.takedown.policy import Order, OrderKind, QueueSettings
from counterfeit_risk.takedown.simulation import SimulatedListing, SimulationPlan, simulate

PERFECT = SimulationPlan(reviews_a_day=4, sensitivity=1.0, specificity=1.0)


def night(number: int, fakes: int, doubtful: int) -> list[SimulatedListing]:
    """Listings that policy hides, and rightly so, and genuine ones that people have to look at."""
    return [
        SimulatedListing(
            Listing(f"{number} {kind} {one}", "a bag"),
            0.95 if kind == "fake" else 0.2,
            Label.COUNTERFEIT if kind == "fake" else Label.GENUINE,
            (f"{number} {kind} {one}",),
        )
        for kind, count in (("doubtful", doubtful), ("fake", fakes))
        for one in range(count)
    ]


def settings(kind: OrderKind, reviews_a_day: int | None = None) -> QueueSettings:
    return QueueSettings(order=Order(by=kind), reviews_a_day=reviews_a_day)


@pytest.mark.parametrize("kind", OrderKind)
def test_with_time_enough_every_order_decides_everything(kind: OrderKind) -> None:
    found = simulate([night(number, 1, 1) for number in range(3)], PERFECT, settings(kind))
    assert (found.cases, found.backlog, found.wrongful_takedowns, found.overdue) == (6, 0, 0, 0)
    assert (found.hidden_in_24h, found.in_24h, found.harm_prevented) == (1, 1, 1)
    assert (found.restrictions, found.valid_statements) == (6, 6)  # hidden, and then taken down


def test_with_too_little_time_what_is_hidden_is_decided_first() -> None:
    nights = [night(number, 2, 4) for number in range(4)]
    ours = simulate(nights, PERFECT, settings(OrderKind.URGENCY, reviews_a_day=4))
    oldest = simulate(nights, PERFECT, settings(OrderKind.OLDEST))
    assert (ours.hidden_in_24h, ours.overdue) == (1, 0)
    assert oldest.hidden_in_24h < 0.5


def test_reviewers_who_see_nothing_wrong_give_everything_back() -> None:
    blind = replace(PERFECT, sensitivity=0.0)
    found = simulate([night(0, 2, 0), []], blind, settings(OrderKind.URGENCY))
    assert found.harm_prevented < 0.4
