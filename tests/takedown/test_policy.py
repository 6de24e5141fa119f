from collections.abc import Callable
from datetime import timedelta

import pytest
from pydantic import ValidationError

from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.scoring.risk_score import RiskScore
from counterfeit_risk.takedown.policy import DueTimes, hiding_reason


def test_a_hidden_listing_is_due_sooner_than_one_for_review(make_score: Callable[..., RiskScore]) -> None:
    automatic, review = make_score("a", band=Band.AUTOMATIC), make_score("a", band=Band.REVIEW)

    assert DueTimes().due_at(automatic) - automatic.scored_at == timedelta(hours=24)
    assert DueTimes().due_at(review) - review.scored_at == timedelta(hours=72)


def test_a_due_time_must_lie_ahead() -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        DueTimes(review=timedelta(0))


def test_the_reason_for_hiding_names_the_risk_and_the_model(make_score: Callable[..., RiskScore]) -> None:
    reason = hiding_reason(make_score("a", 0.9876, Band.AUTOMATIC))

    assert "0.9876" in reason
    assert "model-a" in reason
