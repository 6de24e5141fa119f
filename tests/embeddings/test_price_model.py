import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit_risk.embeddings.price_model import PriceModel, fit_price_model
from counterfeit_risk.listings.listing import Label, LabeledListing, Listing

USUAL = {"Ace": 100.0, "Bo": 10.0}


def offer(price: float | None, brand: str | None = "Ace", **kind: str) -> Listing:
    return Listing("L", "bag", brand=brand, price=price, currency="EUR", **kind)


def draw_rows(count: int, *, cheap: float = 0.3, share: float = 0.2, seed: int = 0) -> list[LabeledListing]:
    """Offers of two brands, of which the counterfeit ones cost a part of the usual price."""
    rng = np.random.default_rng(seed)
    labels, brands = rng.random(count) < share, rng.choice(["Ace", "Bo"], size=count)
    return [
        LabeledListing(
            offer(USUAL[brand] * (cheap if fake else 1.0) * rng.lognormal(0, 0.2), str(brand)),
            Label.COUNTERFEIT if fake else Label.GENUINE,
        )
        for brand, fake in zip(brands, labels, strict=True)
    ]


def test_a_price_is_low_only_for_its_brand() -> None:
    model = fit_price_model(draw_rows(1000))
    assert model.evidence(offer(30.0, "Ace")) > 1
    assert model.evidence(offer(30.0, "Bo")) < 0
    assert model.evidence(offer(3.0, "Bo")) > 1


def test_the_evidence_is_the_log_likelihood_ratio() -> None:
    model = fit_price_model(draw_rows(60_000, cheap=0.8))
    # between two normal laws of log prices, of deviation 0.2, 0 and log(0.8) from the usual; its median lies between
    centre = math.log(USUAL["Ace"]) - model.usual[("EUR", "Ace", "")]
    for log_price in (-0.3, -0.1, 0.1):
        expected = ((log_price - 0) ** 2 - (log_price - math.log(0.8)) ** 2) / (2 * 0.2**2)
        found = float(np.interp(log_price + centre, model.distances, model.log_odds))
        assert found == pytest.approx(expected, abs=0.15)


def test_prices_that_tell_nothing_weigh_little() -> None:
    model = fit_price_model(draw_rows(5000, cheap=1.0))
    assert max(map(abs, model.log_odds)) < 0.5


@pytest.mark.parametrize("price", [None, 0.0])
def test_no_price_says_nothing(price: float | None) -> None:
    assert fit_price_model(draw_rows(1000)).evidence(offer(price)) == 0


def test_a_price_in_an_unknown_currency_says_nothing() -> None:
    model = fit_price_model(draw_rows(1000))
    assert model.evidence(Listing("L", "bag", brand="Ace", price=1.0, currency="XXX")) == 0


def test_an_unknown_brand_is_compared_within_its_category() -> None:
    rows = [LabeledListing(offer(10.0 * 1.01**n, f"B{n}", category="bags"), Label.GENUINE) for n in range(200)]
    rows += [LabeledListing(offer(1000.0 * 1.01**n, f"C{n}", category="watches"), Label.GENUINE) for n in range(200)]
    fakes = [LabeledListing(offer(100.0, f"F{n}", category="watches"), Label.COUNTERFEIT) for n in range(40)]
    model = fit_price_model(rows + fakes)
    assert model.evidence(offer(100.0, "new", category="watches")) > model.evidence(
        offer(100.0, "new", category="bags")
    )


@pytest.mark.parametrize("rows", [[], draw_rows(24), draw_rows(200, share=0.0), draw_rows(200, share=1.0)])
def test_too_little_to_learn_from_gives_a_model_that_says_nothing(rows: list[LabeledListing]) -> None:
    assert fit_price_model(rows).evidence(offer(1.0)) == 0


@given(st.floats(1e-300, 1e300))
def test_any_price_has_bounded_evidence(price: float) -> None:
    model = PriceModel({("EUR", "", ""): 3.0}, (-1.0, 0.0, 1.0), (1.5, -0.5, 0.2))
    assert -0.5 <= model.evidence(offer(price)) <= 1.5


def test_a_model_survives_json() -> None:
    model = fit_price_model(draw_rows(300))
    assert PriceModel.from_dict(json.loads(json.dumps(model.to_dict()))) == model
    assert PriceModel.from_dict(json.loads(json.dumps(PriceModel().to_dict()))) == PriceModel()
