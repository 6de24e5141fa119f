import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from counterfeit_risk.embeddings.towers import batch_titles, encode_in_batches

AT_ONCE = 16


@given(st.integers(0, 40))
def test_photos_are_encoded_in_full_batches_and_come_back_in_order(count: int) -> None:
    shapes = []

    def encode(batch: np.ndarray) -> np.ndarray:
        shapes.append(batch.shape)
        return batch[:, 0, 0, :2].astype(np.float32)

    pixels = np.arange(count * 3, dtype=np.uint8).reshape(count, 1, 1, 3)
    found = encode_in_batches(pixels, 2, encode, at_once=AT_ONCE)
    assert np.array_equal(found, pixels[:, 0, 0, :2])
    assert set(shapes) <= {(AT_ONCE, 1, 1, 3)}


@given(st.lists(st.integers(1, 30), max_size=60), st.sampled_from([30, 32, 77]))
def test_titles_are_batched_by_length_and_none_is_cut(lengths: list[int], max_tokens: int) -> None:
    width = max(lengths, default=1)
    mask = (np.arange(width) < np.array(lengths)[:, None]).astype(np.int64).reshape(len(lengths), width)
    ids = mask * np.arange(1, len(lengths) + 1)[:, None]
    batches = batch_titles(ids, mask, max_tokens=max_tokens, at_once=AT_ONCE)
    assert sorted(row for batch in batches for row in batch.rows.tolist()) == list(range(len(lengths)))
    for batch in batches:
        shape = batch.input_ids.shape
        assert batch.attention_mask.shape == shape
        assert shape[0] == AT_ONCE
        assert shape[1] <= max_tokens
        for place, row in enumerate(batch.rows):
            assert batch.attention_mask[place].sum() == lengths[row]
            assert batch.input_ids[place].sum() == lengths[row] * (row + 1)
            assert shape[1] - lengths[row] < 8


def test_the_width_of_a_title_depends_on_that_title_alone() -> None:
    short, long = np.ones((1, 5), np.int64), np.ones((1, 25), np.int64)
    alone = batch_titles(short, short, max_tokens=64, at_once=AT_ONCE)[0]
    both = np.vstack([np.pad(short, ((0, 0), (0, 20))), long])
    beside = batch_titles(both, both, max_tokens=64, at_once=AT_ONCE)[0]
    assert beside.input_ids.shape == alone.input_ids.shape == (AT_ONCE, 8)
