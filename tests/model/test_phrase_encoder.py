import torch

from counterfeit_risk.model.phrase_encoder import PhraseEncoder


def encoder() -> PhraseEncoder:
    torch.manual_seed(0)
    return PhraseEncoder(vocabulary=50, width=8)


def test_a_phrase_says_the_same_wherever_it_stands() -> None:
    tower = encoder().eval()
    early, late = torch.tensor([[9, 9, 1, 2, 3, 9, 9, 9, 9]]), torch.tensor([[9, 9, 9, 9, 1, 2, 3, 9, 9]])

    torch.testing.assert_close(tower(early, torch.ones_like(early)), tower(late, torch.ones_like(late)))


def test_the_order_of_words_is_seen() -> None:
    tower = encoder().eval()
    one, other = torch.tensor([[1, 2, 3]]), torch.tensor([[3, 2, 1]])

    assert not torch.allclose(tower(one, torch.ones_like(one)), tower(other, torch.ones_like(other)))


def test_a_title_of_nothing_but_padding_has_a_finite_embedding() -> None:
    ids = torch.zeros(2, 4, dtype=torch.int64)

    assert torch.isfinite(encoder().eval()(ids, torch.zeros_like(ids))).all()


def test_training_leaves_tokens_out_and_scoring_none() -> None:
    tower, ids = encoder(), torch.arange(1, 41).reshape(1, 40)
    mask = torch.ones_like(ids)

    assert not torch.equal(tower.train()(ids, mask), tower.train()(ids, mask))
    torch.testing.assert_close(tower.eval()(ids, mask), tower.eval()(ids, mask))
