import json

import numpy as np
import pytest

from counterfeit_risk.errors import UsageError
from counterfeit_risk.evaluation.shortcuts import AuditRows, audit_shortcuts

NAMES = ("width", "quality", "bytes")


def draw_rows(*, shift: float = 0.0, listings: int = 600, seed: int = 0) -> AuditRows:
    """Listings of 100 sellers, each of one kind; a counterfeit's quality is `shift` standard deviations higher."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(100, size=listings)
    labels = (rng.random(100) < 0.3)[groups]
    features = rng.normal(size=(listings, 3))
    features[:, 1] += shift * labels
    features[rng.random(listings) < 0.2, 2] = np.nan
    return AuditRows(features, labels, groups, NAMES)


def test_features_that_tell_nothing_are_at_chance() -> None:
    audits = [audit_shortcuts(draw_rows(seed=seed), draws=100, seed=seed) for seed in range(6)]
    assert sum(audit.at_chance for audit in audits) >= 5
    assert np.mean([audit.roc_auc.value for audit in audits]) == pytest.approx(0.5, abs=0.04)


def test_a_planted_shortcut_is_found_and_named() -> None:
    found = audit_shortcuts(draw_rows(shift=1.0), draws=100, seed=0)
    assert not found.at_chance
    assert (found.roc_auc.low or 0.0) > 0.6
    loudest = max(found.features, key=lambda feature: feature.importance)
    assert loudest.name == "quality"
    assert loudest.importance > 0.1
    assert (loudest.roc_auc.low or 0.0) > 0.6
    assert all(abs(one.importance) < 0.05 for one in found.features if one is not loudest)


def test_that_a_value_is_missing_is_a_shortcut_too() -> None:
    rows = draw_rows()
    rows.features[:, 0] = np.where(rows.labels, np.nan, rows.features[:, 0])
    found = audit_shortcuts(rows, draws=50, seed=0)
    assert not found.at_chance
    assert found.features[0].known == int((~rows.labels).sum())
    assert found.features[0].roc_auc.value is None


def test_a_feature_that_is_never_known_says_nothing() -> None:
    rows = draw_rows(shift=1.0)
    rows.features[:, 2] = np.nan
    silent = audit_shortcuts(rows, draws=50, seed=0).features[2]
    assert (silent.known, silent.importance, silent.roc_auc.value) == (0, 0.0, None)


def test_a_trait_of_sellers_is_not_learned_by_heart() -> None:
    rows = draw_rows()
    by_seller = np.random.default_rng(9).normal(size=100)[rows.groups]
    assert audit_shortcuts(AuditRows(by_seller[:, None], rows.labels, rows.groups, ("x",)), draws=50, seed=0).at_chance


def test_one_seed_gives_one_audit_in_plain_json() -> None:
    first, second = (audit_shortcuts(draw_rows(), draws=20, seed=3) for _ in range(2))
    assert first == second
    values = first.to_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert values["at_chance"] is first.at_chance


def test_a_class_of_one_seller_cannot_be_audited() -> None:
    rows = draw_rows()
    single = AuditRows(rows.features, rows.groups == 0, rows.groups, NAMES)
    with pytest.raises(UsageError, match="two sellers or more"):
        audit_shortcuts(single, draws=20, seed=0)
