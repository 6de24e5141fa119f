from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from counterfeit_risk.errors import CheckpointError
from counterfeit_risk.model.pretrained import describe_keys, load_weights


def test_weights_under_a_left_out_prefix_need_no_place(tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    save_file(
        {"weight": torch.full((1, 2), 5.0), "bias": torch.ones(1), "head.bias": torch.ones(3)}, tmp_path / "weights"
    )

    load_weights(model, tmp_path / "weights", leave_out=("head.",))

    assert model.weight.tolist() == [[5.0, 5.0]]


def test_all_that_is_wrong_with_weights_is_said_at_once(tmp_path: Path) -> None:
    save_file({"weight": torch.ones(3, 3), "gain": torch.ones(1)}, tmp_path / "weights")

    with pytest.raises(CheckpointError) as caught:
        load_weights(nn.Linear(2, 1), tmp_path / "weights")

    assert str(caught.value).endswith("do not fit: 1 missing (bias); 1 unexpected (gain); 1 wrong shape (weight)")


def test_a_model_that_is_refused_its_weights_keeps_its_own(tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    before = model.bias.clone()
    save_file({"bias": torch.full((1,), 9.0)}, tmp_path / "weights")

    with pytest.raises(CheckpointError):
        load_weights(model, tmp_path / "weights")

    assert torch.equal(model.bias, before)


def test_only_the_first_three_weights_of_a_group_are_named() -> None:
    assert describe_keys(missing=["a", "b", "c", "d"], unexpected=[], wrong_shape=["e"]) == (
        "4 missing (a, b, c, …); 1 wrong shape (e)"
    )
