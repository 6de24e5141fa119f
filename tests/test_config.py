from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from counterfeit_risk.config import Settings, load_settings
from counterfeit_risk.errors import SettingsError
from counterfeit_risk.strict_yaml import read_yaml

FILES = (
    "data.listings",
    "data.column_map",
    "model.image_weights",
    "training.alignment.listings",
    "evaluation.true_posteriors",
)
CONFIGS = sorted(path for path in (Path(__file__).parents[1] / "configs").glob("*.yaml") if path.name != "gates.yaml")

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes settings that are right but for the sections given; text is written as it is."""
    (tmp_path / "listings.csv").touch()
    (tmp_path / "weights.safetensors").touch()

    def write_settings(text: str | None = None, **sections: Any) -> Path:
        right = {
            "data": {"listings": str(tmp_path / "listings.csv")},
            "model": {"image_encoder": "timm:resnet18", "text_encoder": "scratch"},
            "training": {"towers": "full"},
        }
        path = tmp_path / "settings.yaml"
        path.write_text(yaml.safe_dump(right | sections) if text is None else text, encoding="utf-8")
        return path

    return write_settings


def problems(path: Path, *overrides: str, **options: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(path, overrides, **options)
    assert caught.value.exit_status == 2
    assert str(caught.value).startswith(str(path))
    assert all(problem in str(caught.value) for problem in caught.value.problems)
    return list(caught.value.problems)


def test_settings_that_are_right_load(write: Write) -> None:
    loaded = load_settings(write(seed=7), ["training.epochs=3", "data.splits={train: 0.7, test: 0.05}"])

    assert (loaded.seed, loaded.training.epochs, loaded.data.splits.train) == (7, 3, 0.7)


def test_settings_cannot_be_changed(write: Write) -> None:
    loaded = load_settings(write())

    with pytest.raises(ValidationError, match="frozen"):
        loaded.training.epochs = 5


def test_a_number_in_scientific_notation_is_a_number(write: Write) -> None:
    text = write().read_text() + "risk:\n  wrongful_share: 1e-2\n"

    loaded = load_settings(write(text), ["training.learning_rate=1e-5", "training.weight_decay=5.E-3"])

    assert loaded.training.learning_rate == 1e-5
    assert loaded.training.weight_decay == 0.005
    assert loaded.risk.wrongful_share == 0.01


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("training.learnin_rate=0.1", "training.learnin_rate: unknown key; did you mean learning_rate?"),
        ("data.splits.trian=0.1", "data.splits.trian: unknown key; did you mean train?"),
        ("risk.x=1", "risk.x: unknown key; allowed are deployed_prevalence, wrongful_share, missed_share, confidence"),
        ("trainig.epochs=1", "trainig: unknown key; did you mean training?"),
        ("training.learning_rate=-1", "training.learning_rate: input should be greater than 0, not -1"),
        ("training.learning_rate=.nan", "training.learning_rate: input should be a finite number, not nan"),
        ("training.side_loss_weight=.inf", "training.side_loss_weight: input should be a finite number, not inf"),
        ("training.epochs=0", "training.epochs: input should be greater than or equal to 1, not 0"),
        ("training.epochs=many", "not 'many'"),
        ("training.towers=half", "training.towers: input should be 'frozen' or 'full', not 'half'"),
        ("risk.confidence=1", "risk.confidence: input should be less than 1, not 1"),
        ("seed=-1", "seed: input should be greater than or equal to 0, not -1"),
        ("data.splits={train: 0.9}", "data.splits: the four shares must sum to 1, not 1.3"),
        ("data.listings=nowhere.csv", "data.listings: there is no file nowhere.csv"),
        ("data.image_root=nowhere", "data.image_root: there is no folder nowhere"),
        ("data.listings=" + "x" * 5000, "data.listings: x"),
        ("data.listings=null", "data.listings: input is not a valid path"),
        ("model.image_encoder=resnet18", "model.image_encoder: unknown tower 'resnet18'; write timm:NAME"),
        ("model.image_encoder='timm:'", "model.image_encoder: unknown tower 'timm:'"),
        ("model.image_encoder=clip:./no where", "model.image_encoder: tower 'clip:./no where': there is no folder"),
        ("model.image_encoder=timm:/no/such/folder", "there is no folder /no/such/folder, and it cannot be a hub id"),
        ("model.image_encoder='siglip:'", "model.image_encoder: unknown tower 'siglip:'"),
        ("model.text_encoder=bert", "model.text_encoder: unknown tower 'bert'; write hf:, clip: or siglip:"),
        ("model.text_encoder='siglip:'", "model.text_encoder: unknown tower 'siglip:'"),
        ("model.text_encoder='hf:'", "model.text_encoder: unknown tower 'hf:'"),
        (
            "model.text_encoder=hf:../no-such-tower",
            "model.text_encoder: tower 'hf:../no-such-tower': there is no folder ../no-such-tower",
        ),
        ("model.image_weights=nowhere", "model.image_weights: there is no file nowhere"),
        ("model.image_mean=[0.5, 0.5]", "model.image_mean"),
        ("training=[1, 2]", "training: must be a mapping, not a list"),
        ("training=5", "training: must be a mapping, not the value 5"),
        ("data=null", "data: must be a mapping, not nothing"),
    ],
    ids=lambda value: value[:60],
)
def test_a_wrong_setting_is_named_with_its_value(write: Write, override: str, expected: str) -> None:
    found = problems(write(), override)

    assert any(expected in problem for problem in found), found


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("training.epochs", "write it as section.key=value"),
        ("=3", "write it as section.key=value"),
        ("training..epochs=3", "write it as section.key=value"),
        (".epochs=3", "write it as section.key=value"),
        ("training.epochs=[", "'[' is not a YAML value"),
        ("seed=2024-13-45", "'2024-13-45' is not a YAML value"),
        ("seed.deeper=1", "seed is a value, not a section"),
        ("data.listings.deeper.still=1", "data.listings is a value, not a section"),
        ("data.splits={train: 0.6, train: 0.7}", "line 1: key 'train' stands twice"),
    ],
)
def test_an_override_that_cannot_be_applied_is_named(write: Write, override: str, expected: str) -> None:
    found = problems(write(seed=1), override)

    assert any(problem.startswith(f"--set {override}: ") and expected in problem for problem in found), found


def test_overrides_apply_in_their_order(write: Write) -> None:
    assert load_settings(write(), ["seed=1", "seed=2"]).seed == 2


def test_an_override_opens_a_section_that_the_file_leaves_out(write: Write) -> None:
    assert load_settings(write(), ["evaluation.review_capacity=7"]).evaluation.review_capacity == 7


def test_all_mistakes_are_reported_at_once(write: Write) -> None:
    path = write(model={"image_encoder": "vit", "text_encoder": "bert"}, training=[1])

    found = problems(path, "data.listings=nowhere", "data.max_photo=2", "risk.confidence=2", "seed.x=1", "nonsense")

    named = ["nonsense", "data.listings", "data.max_photo", "model.image_encoder", "model.text_encoder", "training"]
    for name in [*named, "risk.confidence", "seed"]:
        assert any(name in problem for problem in found), name


def test_a_key_that_stands_twice_is_reported_with_both_lines(write: Write) -> None:
    path = write("seed: 1\ntraining:\n  epochs: 2\n  epochs: 3\nseed: 2\n")

    found = problems(path)

    assert "line 4: key 'epochs' stands twice, first on line 3" in found
    assert "line 5: key 'seed' stands twice, first on line 1" in found
    assert "data: is required" in found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "must be a mapping of sections, not nothing"),
        ("- 1\n- 2\n", "must be a mapping of sections, not a list"),
        ("only words", "must be a mapping of sections, not the value 'only words'"),
        ("seed: [", "is not YAML"),
        ("seed: 1\n---\nseed: 2\n", "is not YAML"),
        ("seed: *nothing", "is not YAML"),
        ("? [a]\n: 1", "is not YAML"),
        ("seed: !!python/object:os.system x", "is not YAML"),
        ("seed: 2024-13-45", "is not YAML: a value cannot be read: month must be in 1..12"),
        ("seed: 0x_", "is not YAML"),
        ("seed: !!bool x", "is not YAML"),
        ("seed: \x00", "is not YAML"),
        ("seed: " + "[" * 400, "is not YAML"),
        ("seed: " + "1" * 5000, "is not YAML"),
    ],
    ids=lambda value: value[:40],
)
def test_a_file_that_holds_no_mapping_is_refused(write: Write, text: str, expected: str) -> None:
    (problem,) = problems(write(text))

    assert expected in problem
    with pytest.raises(SettingsError):
        read_yaml(write(text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert problems(tmp_path / "nowhere.yaml") == ["there is no such file"]
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_bytes(b"\xff\xfe\x00seed")

    assert "cannot be read" in problems(tmp_path / "settings.yaml")[0]


@given(
    st.one_of(
        st.text(alphabet=st.characters(codec="utf-8"), max_size=60),
        st.text(alphabet="seddata: \n[]{}&*!?|>-'\"%@`#,0123456789e._x", max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from([*Settings.model_fields, "listings", "splits", "text_encoder"])
                    | st.text(max_size=3),
                    inner,
                    max_size=3,
                )
            ),
            max_leaves=8,
        ).map(lambda value: yaml.safe_dump(value, allow_unicode=True)),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
def test_whatever_a_file_holds_nothing_but_a_settings_error_comes_of_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(SettingsError):  # no such text names both a table that is there and two towers
        load_settings(path)


@given(st.text(max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_an_override_says_it_is_applied_or_refused(write: Write, value: str) -> None:
    outcome = _load_or_problems(write(), f"tracking.experiment={value}")

    if isinstance(outcome, Settings):
        assert isinstance(outcome.tracking.experiment, str)
    else:
        assert all("tracking.experiment" in problem for problem in outcome)


def _load_or_problems(path: Path, override: str) -> Settings | tuple[str, ...]:
    try:
        return load_settings(path, [override])
    except SettingsError as error:
        return error.problems


def test_a_timm_name_is_checked_against_those_that_are_known(write: Write) -> None:
    path, known = write(), ["resnet18", "resnet50"]

    assert load_settings(path, timm_models=known).model.image_encoder == "timm:resnet18"
    assert load_settings(path, ["model.image_encoder=timm:resnet50.a1_in1k"], timm_models=known)
    assert load_settings(path, ["model.image_encoder=timm:timm/any_hub_id"], timm_models=known)
    (problem,) = problems(path, "model.image_encoder=timm:resnet51", timm_models=known)
    assert "timm has no model of this name; did you mean" in problem
    assert "resnet50" in problem


@pytest.mark.parametrize(
    ("encoders", "expected"),
    [
        (("timm:resnet18", "hf:x"), "training.towers is frozen, but timm:resnet18 has random weights"),
        (("timm:resnet18", "scratch"), "training.towers is frozen, but timm:resnet18 has random weights"),
    ],
)
def test_random_towers_cannot_be_frozen(write: Write, encoders: tuple[str, str], expected: str) -> None:
    path = write(model={"image_encoder": encoders[0], "text_encoder": encoders[1]})

    (problem,) = problems(path, "training.towers=frozen")

    assert expected in problem


def test_only_towers_with_weights_that_learn_later_have_a_probe(write: Write, tmp_path: Path) -> None:
    path = write()
    probe = "training.probe_epochs=2"

    assert "frozen towers do not join in later" in problems(path, probe, "training.towers=frozen")[0]
    assert "has random weights" in problems(path, probe, "training.towers=full")[0]
    assert load_settings(path, [probe, "training.towers=full", f"model.image_encoder=timm:{tmp_path}"])


def test_pretrained_towers_can_be_frozen(write: Write, tmp_path: Path) -> None:
    path = write()
    frozen = ["training.towers=frozen", "model.text_encoder=hf:bert-base-uncased"]

    assert load_settings(path, [*frozen, f"model.image_weights={tmp_path / 'weights.safetensors'}"])
    assert load_settings(path, [*frozen, f"model.image_encoder=timm:{tmp_path}"])
    assert load_settings(path, [*frozen, "model.image_encoder=clip:openai/clip-vit-base-patch32"])
    assert load_settings(path, [*frozen, "model.image_encoder=clip:x/y", "model.text_encoder=scratch"])
    assert load_settings(path, [*frozen, "model.image_encoder=siglip:google/siglip2-base-patch16-224"])


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_settings_file_here_loads_once_its_files_are_there(path: Path, tmp_path: Path) -> None:
    overrides = []
    for name in FILES:
        values = read_yaml(path)
        for key in name.split("."):
            values = values.get(key, {})
        if values:
            (tmp_path / name).touch()
            overrides.append(f"{name}={tmp_path / name}")

    assert load_settings(path, overrides).data.listings == tmp_path / "data.listings"


def test_there_are_settings_files_to_load() -> None:
    assert {path.name for path in CONFIGS} >= {"clip.yaml", "demo.yaml", "pretrained_towers.yaml", "siglip2.yaml"}
