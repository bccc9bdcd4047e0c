"""Scores of fragments against four loops, the worked table and the wrong variants that give another number."""

from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.interaction import fragments
from itm_tutorial.interaction.fragments import (
    best_region_scores,
    fragment_dots,
    scores_in_tiles,
    thresholded_scores,
)

TABLE = torch.tensor([[2, -1, -0.2], [0.5, 3, -0.4], [1, 0.2, -0.9]])[None, :, None]  # [1, 3 regions, 1, 3 words]
ALL = torch.ones(1, 3, dtype=torch.bool)


def drawn(n_images, n_regions, lengths, dim, seed):
    """Regions, fragments with numbers behind the end of each caption, and the mask."""
    generator = torch.Generator().manual_seed(seed)
    regions = torch.randn(n_images, n_regions, dim, generator=generator).double()
    words = torch.randn(len(lengths), max(lengths), dim, generator=generator).double()
    return regions, words, torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]


def by_loop(regions, words, mask, score):
    """One score for each image and caption, from a list (words) of lists (regions) of dot products."""
    found = []
    for image in regions.tolist():
        row = []
        for caption, real in zip(words.tolist(), mask.tolist(), strict=True):
            table = []
            for word, there in zip(caption, real, strict=True):
                if there:
                    table.append([sum(a * b for a, b in zip(region, word, strict=True)) for region in image])
            row.append(score(table))
        found.append(row)
    return torch.tensor(found, dtype=torch.float64)


LOOPS = {
    "best region": (best_region_scores, lambda table: sum(max(dots) for dots in table)),
    "thresholded": (
        partial(thresholded_scores, smoothing=10.0),
        lambda table: sum(d for dots in table for d in dots if d > 0) / (len(table) + 10.0),
    ),
    "thresholded, undivided": (
        partial(thresholded_scores, smoothing=None),
        lambda table: sum(d for dots in table for d in dots if d > 0),
    ),
}


@pytest.mark.parametrize("name", LOOPS)
@given(st.integers(1, 4), st.integers(1, 5), st.lists(st.integers(1, 6), min_size=1, max_size=4), st.integers(0, 9999))
def test_scores_equal_the_loop_for_any_tile(name, n_images, n_regions, lengths, seed):
    pool, score = LOOPS[name]
    regions, words, mask = drawn(n_images, n_regions, lengths, 3, seed)
    expected = by_loop(regions, words, mask, score)
    assert torch.allclose(pool(fragment_dots(regions, words), mask), expected, atol=1e-10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fragments, "TILE", 1)  # one image at a time
        assert torch.allclose(scores_in_tiles(regions, words, mask, pool), expected, atol=1e-10)
    single = scores_in_tiles(regions.float(), words.float(), mask, pool)
    assert torch.allclose(single, expected.float(), atol=1e-5)


def test_the_worked_table():
    assert thresholded_scores(TABLE, ALL, 5.0).item() == pytest.approx(0.8375)
    assert thresholded_scores(TABLE, ALL, None).item() == pytest.approx(6.7)
    assert best_region_scores(TABLE, ALL).item() == pytest.approx(4.8)  # the third word costs 0.2


def test_wrong_variants_give_other_numbers():
    table = TABLE[0, :, 0]  # [n_regions, n_words]
    wrong = {
        "divided by the number of regions too": (table.clamp(min=0).sum() / 3 / (3 + 5), 0.279),
        "best regions, thresholded at 0": (table.amax(0).clamp(min=0).sum(), 5.0),
        "the best word of each region": (table.amax(1).sum(), 6.0),
        "best regions, divided by the number of words": (table.amax(0).mean(), 1.6),
    }
    right = {0.8375, 4.8}
    for name, (value, number) in wrong.items():
        assert value.item() == pytest.approx(number, abs=1e-3), name
        assert all(abs(value.item() - one) > 0.1 for one in right), name


def test_a_caption_that_fits_nowhere_scores_below_an_empty_one():
    negative = -TABLE.abs()
    empty = best_region_scores(negative, torch.zeros_like(ALL)).item()
    assert best_region_scores(negative, ALL).item() < empty == 0
    assert thresholded_scores(negative, ALL, 5.0).item() == 0


@given(st.integers(0, 9999))
def test_the_order_of_regions_and_of_words_does_not_matter(seed):
    regions, words, mask = drawn(3, 4, [5, 5], 3, seed)
    for pool, _ in LOOPS.values():
        scores = scores_in_tiles(regions, words, mask, pool)
        assert torch.allclose(scores_in_tiles(regions.flip(1), words.flip(1), mask, pool), scores)


def test_a_word_said_twice_counts_twice_for_the_sum_of_maxima():
    regions, words, mask = drawn(2, 4, [3], 3, 0)
    twice, both = words.repeat(1, 2, 1), mask.repeat(1, 2)
    once = scores_in_tiles(regions, words, mask, best_region_scores)
    assert torch.allclose(scores_in_tiles(regions, twice, both, best_region_scores), 2 * once)
