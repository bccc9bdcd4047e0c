"""Scores in tiles are those of one call, with the same gradient, whatever fits in a tile."""

import pytest
import torch

from itm_tutorial.interaction import pair_tiles
from itm_tutorial.interaction.pair_tiles import score_pairs_in_tiles


def tile(images, words, mask):
    """A score that would notice a word of another caption, a lost word, or padding that counts."""
    products = torch.einsum("nd,mtd->nmt", images, words).sigmoid()
    return (products * mask).sum(2) / mask.sum(1) + images.sum(1)[:, None]


@pytest.fixture
def sides():
    mask = torch.arange(6)[None] < torch.tensor([3, 6, 1, 4, 2])[:, None]
    return torch.randn(4, 3, dtype=torch.float64), torch.randn(5, 6, 3, dtype=torch.float64), mask


@pytest.mark.parametrize("most", [1, 10, 40, 2**20])
@pytest.mark.parametrize("kept", [0, 2**26])
def test_any_tile_gives_the_scores_and_the_gradient_of_one_call(sides, monkeypatch, most, kept):
    monkeypatch.setattr(pair_tiles, "MOST", most)
    monkeypatch.setattr(pair_tiles, "KEPT", kept)
    images, words, mask = sides
    found, expected = [], []
    for made, score in (
        (found, lambda i, w: score_pairs_in_tiles(tile, (i,), (w,), mask, 6)),
        (expected, lambda i, w: tile(i, w, mask)),
    ):
        both = images.clone().requires_grad_(), words.clone().requires_grad_()
        scores = score(*both)
        scores.square().sum().backward()
        made += [scores.detach(), *(side.grad for side in both)]
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, atol=1e-12)


def test_a_tile_is_no_larger_than_asked_for(sides, monkeypatch):
    monkeypatch.setattr(pair_tiles, "MOST", 24)
    images, words, mask = sides
    seen = []

    def watched(*parts):
        seen.append((len(parts[0]), len(parts[1]), parts[1].shape[1]))
        return tile(*parts)

    score_pairs_in_tiles(watched, (images,), (words,), mask, 6)
    assert max(n * m for n, m, _ in seen) <= 24 // 6
    assert {length for _, _, length in seen} == {2, 4, 6}  # captions of similar length share a tile, cut to the longest


def test_a_batch_without_captions_has_no_scores(sides):
    images, words, mask = sides
    assert score_pairs_in_tiles(tile, (images,), (words[:0],), mask[:0], 6).shape == (4, 0)
