import pytest

from counterfeit_risk.market.drawing import DrawnListing, MarketPlan, draw_market


@pytest.fixture(scope="session")
def drawn() -> list[DrawnListing]:
    """A market large enough to count in, not photographed."""
    return list(draw_market(MarketPlan(listings=12_000, nightly=1_000, seed=5)))
