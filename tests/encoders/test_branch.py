"""A branch against plain matrix products; one row alone; what training and evaluation normalise with."""

import pytest
import torch
from torch.nn.functional import normalize

from itm_tutorial.encoders.batch_norm import BatchNorm
from itm_tutorial.encoders.branch import AveragedWords, Branch


def test_a_branch_equals_its_equation():
    branch = Branch(5, 4, 3).double().train()
    features = torch.randn(6, 5).double()
    first, norm, _, _, second = branch.layers
    rows = normalize(features, dim=1) @ first.weight.T + first.bias
    rows = (rows - rows.mean(0)) / (rows.var(0, correction=0) + norm.eps).sqrt()
    expected = normalize(rows.clamp(min=0) @ second.weight.T + second.bias, dim=1)
    assert torch.allclose(branch(features), expected, atol=1e-10)
    regions = torch.stack([features - 1, features + 1], 1)
    assert torch.allclose(branch(regions), expected, atol=1e-10)


def test_one_row_alone_is_normalised_as_in_evaluation():
    norm, rows = BatchNorm(4), torch.randn(50, 4) * 3 + 1
    for _ in range(100):
        norm(rows)
    alone = norm.train()(rows[:1])
    assert torch.equal(alone, norm.eval()(rows[:1])) and alone.isfinite().all()
    with pytest.raises(ValueError, match="more than 1 value"):
        torch.nn.BatchNorm1d(4)(rows[:1])


def test_copies_of_a_row_change_neither_mean_nor_variance_where_all_have_as_many():
    norm, rows = BatchNorm(4), torch.randn(8, 4)
    assert torch.allclose(norm(rows.repeat(3, 1))[:8], norm(rows), atol=1e-5)
    assert norm(rows[:1].repeat(5, 1)).abs().max() < 1e-3  # equal rows: no variance, and no NaN


def test_padding_changes_no_embedding_even_in_training():
    encoder = AveragedWords(9, 5, Branch(5, 4, 3)).train()
    encoder.words.use(torch.randn(8, 5))
    ids, lengths = torch.tensor([[1, 2, 3], [4, 5, 0], [6, 0, 0]]), torch.tensor([3, 2, 1])
    padded = torch.cat([ids, torch.zeros(3, 4, dtype=torch.long)], 1)
    assert torch.allclose(encoder(ids, lengths), encoder(padded, lengths), atol=1e-6)
    assert not list(encoder.words.parameters())  # word vectors stay fixed
