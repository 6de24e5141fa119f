import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapie.risk_control import BinaryClassificationController, control_fwer
from mapie.risk_control.methods import compute_hoeffding_bentkus_p_value
from scipy.stats import binom

from counterfeit_risk.evaluation import guarantees

QUICK = settings(max_examples=40, deadline=None)


@st.composite
def samples(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Failures in samples of growing size."""
    sizes = np.sort(draw(st.lists(st.integers(1, 3000), min_size=1, max_size=100, unique=True)))
    shares = draw(st.lists(st.floats(0, 0.3), min_size=sizes.size, max_size=sizes.size))
    return np.floor(sizes * shares).astype(int), sizes


def mapie_p_values(shares: np.ndarray, sizes: np.ndarray, *, share: float) -> np.ndarray:
    """MAPIE's for binary losses: the smaller of Hoeffding's bound and a binomial tail, of failures rounded up."""
    p_values: np.ndarray = compute_hoeffding_bentkus_p_value(shares, sizes, share, binary=True)[:, 0]
    return p_values


@pytest.mark.parametrize(("share", "fewest"), [(0.05, 59), (0.01, 299), (0.001, 2995)])
def test_the_fewest_listings_are_those_of_the_literature(share: float, fewest: int) -> None:
    assert guarantees.fewest_listings(share, 0.95) == fewest


@QUICK
@given(st.floats(0.001, 0.5), st.floats(0.5, 0.99))
def test_the_fewest_listings_are_just_enough(share: float, confidence: float) -> None:
    fewest = guarantees.fewest_listings(share, confidence)
    assert binom.cdf(0, fewest, share) <= (1 - confidence) * (1 + 1e-9)
    assert fewest == 1 or binom.cdf(0, fewest - 1, share) > (1 - confidence) * (1 - 1e-9)


@QUICK
@given(st.integers(1, 400), st.floats(0.01, 0.5), st.floats(0.5, 0.99))
def test_the_certified_rank_is_the_largest_that_holds(size: int, share: float, confidence: float) -> None:
    rank = guarantees.certified_rank(size, share=share, confidence=confidence)
    assert rank == 0 or binom.cdf(rank - 1, size, share) <= 1 - confidence
    assert binom.cdf(rank, size, share) >= 1 - confidence


def test_an_empty_sample_certifies_nothing() -> None:
    assert guarantees.certified_rank(0, share=0.1, confidence=0.95) == 0


def test_testing_stops_at_the_first_refusal_even_if_later_ones_would_pass() -> None:
    failures, sizes = np.array([0, 50, 0]), np.array([100, 200, 300])
    assert guarantees.certified_steps(failures, sizes, share=0.05, confidence=0.95) == 1


def test_all_steps_are_certified_where_none_is_refused() -> None:
    assert guarantees.certified_steps(np.zeros(3), np.array([60, 70, 80]), share=0.05, confidence=0.95) == 3


@QUICK
@given(samples(), st.floats(0.005, 0.3))
def test_p_values_are_those_of_mapie(sample: tuple[np.ndarray, np.ndarray], share: float) -> None:
    failures, sizes = sample
    exactly = mapie_p_values(
        np.nextafter(failures / sizes, 0), sizes, share=share
    )  # never rounds up to one failure more
    assert guarantees.p_values(failures, sizes, share=share) == pytest.approx(exactly, rel=1e-9, abs=1e-300)


def test_no_p_value_is_larger_than_that_of_mapie_as_it_rounds() -> None:
    sizes = np.repeat(np.arange(60, 400), 20)
    failures = np.tile(np.arange(20), 340)
    ours = guarantees.p_values(failures, sizes, share=0.05)
    theirs = mapie_p_values(1 - (sizes - failures) / sizes, sizes, share=0.05)  # as its controller computes the share
    assert (ours <= theirs * (1 + 1e-9)).all()
    assert (theirs > ours * (1 + 1e-9)).mean() > 0.1


@QUICK
@given(samples(), st.floats(0.005, 0.3), st.floats(0.5, 0.99))
def test_the_steps_certified_are_those_of_mapie(
    sample: tuple[np.ndarray, np.ndarray], share: float, confidence: float
) -> None:
    failures, sizes = sample
    theirs = mapie_p_values(np.nextafter(failures / sizes, 0), sizes, share=share)
    certified = control_fwer(theirs, 1 - confidence, "fixed_sequence")
    steps = guarantees.certified_steps(failures, sizes, share=share, confidence=confidence)
    assert certified.tolist() == list(range(steps))


@pytest.mark.filterwarnings("ignore:.*no predict parameters were found to control the risk.*:UserWarning")
@pytest.mark.parametrize("seed", range(40))
def test_the_certified_rank_is_that_of_mapie_for_recall(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size, share, confidence = int(rng.integers(5, 400)), rng.uniform(0.02, 0.4), rng.uniform(0.6, 0.99)
    risks = np.sort(rng.random(size))
    controller = BinaryClassificationController(
        lambda positive: np.column_stack([1 - positive, positive]),
        "recall",
        1 - share,
        confidence_level=confidence,
        list_predict_params=risks,
        fwer_method="fixed_sequence",
    )
    controller.calibrate(risks, np.ones(size, int))
    rank = guarantees.certified_rank(size, share=share, confidence=confidence)
    assert controller.valid_predict_params.size in {rank, rank - 1}  # one less where MAPIE rounds a failure up
