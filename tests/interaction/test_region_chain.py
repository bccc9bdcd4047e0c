"""The decoded chain against all assignments of a short caption."""

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.region_chain import best_chain


def worth(dots, beta, regions):
    together = sum(a == b for a, b in zip(regions, regions[1:], strict=False))
    return sum(dots[r][t] for t, r in enumerate(regions)) + beta * together


@given(st.integers(1, 4), st.integers(1, 6), st.sampled_from([0.0, 0.3, 1.0, 3.0]), st.integers(0, 9999))
def test_no_assignment_is_worth_more(n_regions, n_words, beta, seed):
    dots = torch.randn(n_regions, n_words, generator=torch.Generator().manual_seed(seed)).double()
    table = dots.tolist()
    best = max(worth(table, beta, some) for some in product(range(n_regions), repeat=n_words))
    assert worth(table, beta, best_chain(dots, beta).tolist()) == pytest.approx(best, abs=1e-10)


@given(st.integers(0, 9999))
def test_the_two_ends_of_beta(seed):
    dots = torch.randn(4, 6, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(best_chain(dots, 0.0), dots.argmax(0))
    assert best_chain(dots, 1e4).tolist() == [int(dots.sum(1).argmax())] * 6


def test_choosing_word_by_word_is_worth_less():
    dots = torch.tensor([[2.0, 0.9, 2.0], [0.0, 1.0, 0.0]])
    greedy = dots.argmax(0).tolist()
    assert best_chain(dots, 0.1).tolist() == [0, 0, 0] != greedy
    assert worth(dots.tolist(), 0.1, greedy) < worth(dots.tolist(), 0.1, [0, 0, 0])


@pytest.mark.parametrize(
    ("dots", "beta", "message"),
    [
        (torch.zeros(0, 3), 1.0, "at least one of each"),
        (torch.zeros(3), 1.0, "n_regions"),
        (torch.zeros(2, 2), -1.0, "0 or more"),
    ],
)
def test_what_cannot_be_decoded_is_refused(dots, beta, message):
    with pytest.raises(ItmError, match=message):
        best_chain(dots, beta)
