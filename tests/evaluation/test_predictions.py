import numpy as np
import pytest

from counterfeit_risk.evaluation.predictions import Predictions


def make(**changes: object) -> Predictions:
    fields = {
        "listing_ids": ("a", "b", "c"),
        "labels": np.array([True, False, True]),
        "logits": np.array([[1.0, np.nan, 1.0], [2.0, 2.0, 2.0], [3.0, 3.0, np.nan]]),
        "groups": np.array([7, 7, 8]),
        "slices": {"brand": np.array(["x", "", "y"], dtype=object)},
    }
    return Predictions(**(fields | changes))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("labels", np.array([True, False])),
        ("logits", np.zeros((3, 2))),
        ("groups", np.zeros((3, 1))),
        ("slices", {"brand": np.array(["x"])}),
    ],
)
def test_an_array_of_another_shape_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        make(**{field: value})


def test_labels_that_are_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="bool"):
        make(labels=np.array([1, 0, 1]))


def test_a_fused_logit_that_is_nan_is_refused_with_its_listing() -> None:
    with pytest.raises(ValueError, match="'b'"):
        make(logits=np.array([[1.0, 1.0, 1.0], [np.nan, 1.0, 1.0], [1.0, 1.0, 1.0]]))


def test_a_listing_is_complete_with_photos_and_a_title() -> None:
    assert make().complete.tolist() == [False, True, False]


def test_a_mask_and_row_numbers_select_the_same_rows_of_every_field() -> None:
    masked, numbered = make().select(np.array([True, False, True])), make().select(np.array([0, 2]))
    for chosen in (masked, numbered):
        assert chosen.listing_ids == ("a", "c")
        assert chosen.labels.tolist() == [True, True]
        assert chosen.groups.tolist() == [7, 8]
        assert chosen.logits[:, 0].tolist() == [1.0, 3.0]
        assert chosen.slices["brand"].tolist() == ["x", "y"]


def test_row_numbers_keep_their_order() -> None:
    assert make().select(np.array([2, 0])).listing_ids == ("c", "a")
