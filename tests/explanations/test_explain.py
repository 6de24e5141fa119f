import json
from dataclasses import replace

import numpy as np
import pytest

from counterfeit_risk.embeddings.content import ListingContent
from counterfeit_risk.errors import UsageError, WorkError
from counterfeit_risk.evaluation.risk_bands import Band
from counterfeit_risk.explanations.explain import explain


def test_shares_sum_to_the_change_from_the_base_logit(planted_model, content_of, patch, marked) -> None:
    found = explain(planted_model(patch, {"replica": 2.0}, together=0.5), "L1", content_of("replica bag", marked))
    assert (found.base_logit, found.logit) == pytest.approx((-1.0, 4.5))
    assert found.photo_share + found.title_share == pytest.approx(found.logit - found.base_logit)
    assert (found.photo_share, found.title_share, found.interaction) == pytest.approx((3.25, 2.25, 0.5))


def test_the_price_has_a_share_of_its_own(planted_model, content_of, patch, marked) -> None:
    content = replace(content_of("replica bag", marked), price_evidence=-0.75)
    found = explain(planted_model(patch, {"replica": 2.0}, together=0.5), "L1", content)
    assert (found.base_logit, found.logit) == pytest.approx((-1.0, 3.75))
    assert (found.photo_share, found.title_share, found.price_share) == pytest.approx((3.25, 2.25, -0.75))
    assert found.risk == pytest.approx(1 / (1 + np.exp(-3.75)))


def test_risk_and_band_are_the_models_own(planted_model, content_of, patch, marked) -> None:
    found = explain(planted_model(patch), "L1", content_of("bag", marked))
    assert found.risk == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert found.band is Band.AUTOMATIC


def test_a_listing_without_a_title_is_explained_by_its_photos(planted_model, content_of, patch, marked) -> None:
    found = explain(planted_model(patch), "L1", content_of("", marked))
    assert found.words == ()
    assert (found.photo_share, found.title_share, found.interaction) == pytest.approx((3.0, 0.0, 0.0))
    assert found.band is Band.REVIEW  # incomplete, so never automatic


def test_a_listing_without_photos_is_explained_by_its_title(planted_model, content_of) -> None:
    found = explain(planted_model(words={"replica": 2.0}), "L1", content_of("replica bag"))
    assert found.photo_heat_maps == ()
    assert (found.photo_share, found.title_share, found.interaction) == pytest.approx((0.0, 2.0, 0.0))


def test_a_listing_with_nothing_readable_is_refused_with_its_reason(planted_model) -> None:
    with pytest.raises(UsageError, match=r"'L1' has nothing to explain: a\.jpg: no such file"):
        explain(planted_model(), "L1", ListingContent("", (), (), ("a.jpg: no such file",)))


def test_a_logit_that_is_no_number_is_never_explained(planted_model, content_of) -> None:
    with pytest.raises(WorkError, match="no finite risk"):
        explain(planted_model(words={"bag": float("nan")}), "L1", content_of("bag"))


def test_explaining_twice_gives_the_same(planted_model, content_of, patch, noise) -> None:
    model, content = planted_model(patch, {"bag": 1.0}), content_of("a bag", noise, noise)
    assert explain(model, "L1", content).to_dict() == explain(model, "L1", content).to_dict()


def test_an_explanation_survives_json(planted_model, content_of, patch, marked) -> None:
    found = explain(planted_model(patch, {"包": 2.0}), "L1", content_of("红色 包", marked))
    values = json.loads(json.dumps(found.to_dict()))
    assert values == found.to_dict()
    assert values["words"][1]["word"] == "包"
    assert np.array(values["photo_heat_maps"][0]) == pytest.approx(found.photo_heat_maps[0], abs=1e-4)
