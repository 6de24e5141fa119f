import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit_risk.explanations.modality_shares import ModalityLogits, divide

logits = st.floats(-50, 50)


@given(logits, logits, logits, logits)
def test_shares_sum_to_what_photos_and_title_change(both, photos_only, title_only, neither) -> None:
    shares = divide(ModalityLogits(both, photos_only, title_only, neither))
    assert shares.photos + shares.title == pytest.approx(both - neither, abs=1e-9)


@given(logits, logits, logits)
def test_evidence_that_adds_up_has_no_interaction(neither, photos, title) -> None:
    shares = divide(ModalityLogits(neither + photos + title, neither + photos, neither + title, neither))
    assert shares == pytest.approx((photos, title, 0), abs=1e-9)


@given(logits, logits, logits, logits)
def test_swapping_photos_and_title_swaps_their_shares(both, photos_only, title_only, neither) -> None:
    shares = divide(ModalityLogits(both, photos_only, title_only, neither))
    swapped = divide(ModalityLogits(both, title_only, photos_only, neither))
    assert (swapped.title, swapped.photos, swapped.interaction) == pytest.approx(shares)


def test_a_contradiction_is_a_positive_interaction_that_both_share() -> None:
    assert divide(ModalityLogits(both=3.0, photos_only=-1.0, title_only=-1.0, neither=-1.0)) == (2.0, 2.0, 4.0)
