"""Order violation against a loop, chunked or not, and the gradient that the public code loses."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.interaction import order
from itm_tutorial.interaction.order import order_similarity


@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 4), st.integers(0, 10_000))
def test_order_similarity_equals_the_loop_for_any_chunk(n_images, n_captions, dim, seed):
    generator = torch.Generator().manual_seed(seed)
    images, captions = (torch.rand(n, dim, generator=generator).double() for n in (n_images, n_captions))
    expected = [
        [-sum(max(0.0, c - i) ** 2 for i, c in zip(x, y, strict=True)) for y in captions.tolist()]
        for x in images.tolist()
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "CHUNK", 2 * n_images * dim)  # two captions at a time
        assert torch.allclose(order_similarity(images, captions), torch.tensor(expected, dtype=torch.float64))


def test_what_lies_below_costs_nothing_and_what_lies_above_does():
    image, below, above = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.1, 0.5]]), torch.tensor([[0.6, 0.5]])
    assert order_similarity(image, below).item() == 0
    assert order_similarity(image, above).item() == pytest.approx(-0.01)


def test_equal_codes_have_a_gradient_that_is_a_number():
    embeddings = torch.full((2, 3), 0.5, requires_grad=True)
    order_similarity(embeddings, embeddings).sum().backward()
    assert embeddings.grad.isfinite().all()


def test_no_caption_gives_no_column():
    assert order_similarity(torch.rand(3, 2), torch.rand(0, 2)).shape == (3, 0)
