"""Sentence and image encoders: unit codes that do not depend on the padding beside them."""

import pytest
import torch

from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.encoders.sentence import GRU, BagOfWords, masked_mean, word_mask

ENCODERS = [BagOfWords, GRU]


def random_captions(n=6, longest=9, n_words=20):
    lengths = torch.randint(1, longest + 1, (n,))
    ids = torch.randint(1, n_words, (n, longest))
    return ids * word_mask(ids, lengths), lengths


@pytest.mark.parametrize("encoder", ENCODERS)
def test_codes_are_unit_vectors_and_padding_does_not_matter(encoder):
    model = encoder(20, 7, 5).eval()
    ids, lengths = random_captions()
    codes = model(ids, lengths)
    assert codes.shape == (6, 5)
    assert torch.allclose(codes.norm(dim=-1), torch.ones(6), atol=1e-5)
    padded = torch.cat([ids, torch.zeros(6, 4, dtype=torch.int64)], 1)
    assert torch.allclose(model(padded, lengths), codes, atol=1e-6)
    alone = torch.cat([model(row[None, :n], n[None]) for row, n in zip(ids, lengths, strict=True)])
    assert torch.allclose(alone, codes, atol=1e-6)


def test_a_bag_forgets_the_order_and_a_gru_does_not():
    ids, lengths = torch.tensor([[3, 4, 5], [5, 4, 3]]), torch.tensor([3, 3])
    bag, gru = BagOfWords(9, 7, 5)(ids, lengths), GRU(9, 7, 5)(ids, lengths)
    assert torch.allclose(bag[0], bag[1], atol=1e-6)
    assert not torch.allclose(gru[0], gru[1], atol=1e-3)


def test_gru_equals_a_loop_over_words():
    model = GRU(20, 7, 5)
    ids, lengths = random_captions()
    cell = torch.nn.GRUCell(7, 5)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in model.gru.state_dict().items()})
    for row, n, code in zip(ids, lengths, model(ids, lengths), strict=True):
        state = torch.zeros(1, 5)
        for word in row[:n]:
            state = cell(model.words(word[None]), state)
        assert torch.allclose(state[0] / state.norm(), code, atol=1e-5)


def test_masked_mean_equals_a_loop():
    values, lengths = torch.randn(4, 6, 3), torch.tensor([1, 6, 3, 2])
    mask = torch.arange(6)[None] < lengths[:, None]
    expected = torch.stack([v[:n].mean(0) for v, n in zip(values, lengths, strict=True)])
    assert torch.allclose(masked_mean(values, mask), expected, atol=1e-6)


def test_a_zero_image_feature_gives_no_nan():
    codes = GlobalProjection(4, 3)(torch.zeros(2, 4))
    assert torch.isfinite(codes).all()
