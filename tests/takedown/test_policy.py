from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from counterfeit_risk.takedown.policy import DueTimes, Order, hiding_reason

RISKS = st.floats(0, 1)


def test_a_due_time_must_lie_ahead() -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        DueTimes(review=timedelta(0))


def test_the_reason_for_hiding_names_the_risk_and_the_model() -> None:
    reason = hiding_reason(0.9876, "model-a")

    assert "0.9876" in reason
    assert "model-a" in reason


def test_harm_weighs_a_fake_left_on_sale_against_an_honest_listing_taken_down() -> None:
    order = Order(severity={"medicine": 4.0}, wrongful_takedown=5.0, mistaken=0.1, minutes=2.0)
    assert order.harm_a_minute([(1.0, "bags")]) == pytest.approx(0.5)
    assert order.harm_a_minute([(1.0, "medicine")]) == pytest.approx(2.0)
    assert order.harm_a_minute([(0.0, "medicine")]) == pytest.approx(-0.25)


def test_one_look_at_many_copies_prevents_more_harm_a_minute_than_many_looks() -> None:
    order = Order(minutes=2.0, minutes_a_further_listing=0.5)
    assert order.harm_a_minute([(0.9, None)] * 10) > 2 * order.harm_a_minute([(0.9, None)])


@given(RISKS, RISKS, st.lists(RISKS, max_size=5))
def test_a_riskier_listing_never_makes_a_case_less_urgent(one: float, other: float, rest: list[float]) -> None:
    low, high = (Order().harm_a_minute([(risk, None) for risk in (first, *rest)]) for first in sorted((one, other)))
    assert low <= high
