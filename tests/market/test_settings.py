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


PREVALENCES = pytest.mark.parametrize("prevalence", [0, 0.002, 0.02, 0.12, 0.5, 0.9])


@PREVALENCES
def test_rings_bring_the_counterfeits_to_their_prevalence(prevalence):
    settings = load_market_settings(prevalence=prevalence)
    assert sum(settings.kind_shares.values()) == pytest.approx(1)
    counterfeit = sum(
        share * settings.sources(kind).get("replica_factory", 0) for kind, share in settings.kind_shares.items()
    )
    assert counterfeit == pytest.approx(prevalence)


@PREVALENCES
def test_a_guise_tells_nothing_of_the_label(prevalence):
    settings = load_market_settings(prevalence=prevalence)
    assert sum(settings.ring_guises.values()) == pytest.approx(1)
    for guise in Guise:
        joint = [
            sum(settings.traded[kind][label] * settings.poses_as(kind).get(guise, 0) for kind in SellerKind)
            for label in (0, 1)
        ]
        assert joint[0] == pytest.approx((1 - prevalence) * settings.guise_shares[guise])
        assert joint[1] == pytest.approx(prevalence * settings.guise_shares[guise])


def test_honest_sellers_who_would_give_their_guise_away_are_refused(tmp_path, values):
    values["counterfeits_from"] = {"ring": 0.4, "reseller": 0.6}
    assert "in the guise of a reseller than go with its share of the trade" in refused(tmp_path, values)


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        (None, "prevalence", 0.95, "prevalence: input should be less than or equal to 0.9"),
        ("brands", "count", 3000, "brands.count: input should be less than or equal to"),
        ("sellers", "ring_accounts", {0: 1.0}, "sellers.ring_accounts.0"),
        (None, "photo_counts", {9: 1.0}, "photo_counts.9"),
        (None, "jpeg_quality", [92, 68], "jpeg_quality: must be two rising qualities from 1 to 95, not 92 and 68"),
        (None, "jpeg_quality", [1, 200], "not 1 and 200"),
    ],
)
def test_values_that_cannot_be_drawn_from_are_refused(tmp_path, values, section, key, value, message):
    (values[section] if section else values)[key] = value
    assert message in refused(tmp_path, values)


def test_shares_of_the_kinds_sum_to_one(tmp_path, values):
    values["kinds"]["shop"]["share"] = 0.9
    assert "kinds: must sum to 1, not 1.45" in refused(tmp_path, values)


def test_only_counterfeits_come_from_the_replica_factory(tmp_path, values):
    values["kinds"]["shop"]["sources"] = {"replica_factory": 1.0}
    assert "who sells counterfeits stands under counterfeits_from" in refused(tmp_path, values)


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
