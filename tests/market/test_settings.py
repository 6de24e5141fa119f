import pytest
import yaml

from counterfeit_risk.errors import SettingsError
from counterfeit_risk.market.kinds import Guise, SellerKind
from counterfeit_risk.market.settings import default_market_settings, load_market_settings


@pytest.fixture
def values():
    return yaml.safe_load(yaml.safe_dump(default_market_settings().model_dump(mode="json")))


def refused(tmp_path, values):
    path = tmp_path / "market.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    with pytest.raises(SettingsError) as error:
        load_market_settings(path)
    return str(error.value)


@pytest.mark.parametrize("prevalence", [0.02, 0.12, 0.5])
def test_rings_bring_the_counterfeits_to_their_prevalence(prevalence):
    settings = load_market_settings(prevalence=prevalence)
    assert sum(settings.kind_shares.values()) == pytest.approx(1)
    counterfeit = sum(
        share * settings.sources(kind).get("replica_factory", 0) for kind, share in settings.kind_shares.items()
    )
    assert counterfeit == pytest.approx(prevalence)
    assert sum(c for _, c in settings.guise_shares.values()) == pytest.approx(prevalence)


def test_a_guise_tells_nothing_of_the_label():
    settings = default_market_settings()
    for guise in Guise:
        genuine, counterfeit = settings.guise_shares[guise]
        assert genuine / (1 - settings.prevalence) == pytest.approx(counterfeit / settings.prevalence, rel=0.03)


def test_a_prevalence_that_honest_sellers_exceed_is_refused():
    with pytest.raises(SettingsError, match="prevalence must lie between what honest sellers sell unknowingly"):
        load_market_settings(prevalence=0.001)


def test_evasions_shift_with_each_regime():
    first, *later = default_market_settings().counterfeit.regimes
    for regime in later:
        assert regime.brand_treatments["plain"] < first.brand_treatments["plain"]
        assert regime.title_tells["grade_words"] < first.title_tells["grade_words"]
        assert regime.file_evasions["mirrored"] > first.file_evasions["mirrored"]


def test_all_mistakes_are_reported_at_once(tmp_path, values):
    values["colour"] = "red"
    values["photo_counts"] = {1: 0.5}
    values["genuine"]["low_price"] = 2
    message = refused(tmp_path, values)
    assert "colour: unknown key" in message
    assert "photo_counts: must sum to 1, not 0.5" in message
    assert "genuine.low_price" in message


@pytest.mark.parametrize(
    ("section", "key", "signal"),
    [
        ("genuine", "photo_tells", "wrong_stitching"),
        ("counterfeit", "photo_tells", "missing_label"),
        ("genuine", "file_evasions", "collage"),
    ],
)
def test_a_signal_without_a_probability_is_refused(tmp_path, values, section, key, signal):
    del values[section][key][signal]
    assert f"{section}.{key}: {signal} has no probability" in refused(tmp_path, values)


def test_the_grades_of_a_tell_are_at_most_certain(tmp_path, values):
    values["genuine"]["photo_tells"]["wrong_colours"] = [0.5, 0.4, 0.3]
    assert "the grades of wrong_colours sum to 1.2, more than 1" in refused(tmp_path, values)


def test_regimes_follow_each_other(tmp_path, values):
    values["counterfeit"]["regimes"][1]["from_month"] = 1
    assert "regimes must start in month 1 and follow each other" in refused(tmp_path, values)


def test_every_kind_of_seller_has_a_law(tmp_path, values):
    del values["kinds"][SellerKind.SHOP]
    assert "kinds: shop has no law" in refused(tmp_path, values)
