"""The loss of RRF-Net by loops over pairs, its tiny example, and the known wrong versions."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from itm_tutorial.losses.bi_rank import BiRankLoss


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def chosen_by_sorting(own, rivals, margin, k):
    """(score, j) of all negatives -> the j of the k largest that violate the margin."""
    violating = [(score, j) for score, j in rivals if margin - own + score > 0]
    return {j for _, j in sorted(violating, reverse=True)[:k]}


def by_loops(images, captions, image_of, margin, k, weights):
    pairs = [(images[i], captions[c], i) for i in range(len(images)) for c, own in enumerate(image_of) if own == i]
    total = 0.0
    for v, t, i in pairs:
        own = dot(v, t)
        others = [j for j, (_, _, image) in enumerate(pairs) if image != i]
        for_image = chosen_by_sorting(own, [(dot(v, pairs[j][1]), j) for j in others], margin, k)
        for_caption = chosen_by_sorting(own, [(dot(pairs[j][0], t), j) for j in others], margin, k)
        for j in for_image:
            total += weights[0] * max(0, margin - own + dot(v, pairs[j][1]))
            total += weights[1] * max(0, margin - own + dot(t, pairs[j][1]))
        for j in for_caption:
            total += weights[2] * max(0, margin - own + dot(pairs[j][0], t))
            total += weights[3] * max(0, margin - own + dot(v, pairs[j][0]))
    return total / (k * len(pairs))


def drawn(image_of, seed, dim=4):
    generator = torch.Generator().manual_seed(seed)
    images = normalize(torch.randn(max(image_of) + 1, dim, generator=generator).double(), dim=1)
    captions = normalize(torch.randn(len(image_of), dim, generator=generator).double(), dim=1)
    return images, captions, torch.arange(len(images))[:, None] == torch.tensor(image_of)[None]


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=9),
    st.integers(0, 9999),
    st.sampled_from([1, 2, 50]),
    st.sampled_from([(1.0, 0.5, 2.0, 1.0), (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 3.0)]),
)
def test_the_loss_equals_the_loops(image_of, seed, k, weights):
    images, captions, positives = drawn(image_of, seed)
    expected = by_loops(images.tolist(), captions.tolist(), image_of, 0.1, k, weights)
    loss = BiRankLoss(0.1, k, weights)
    assert loss(images, captions, positives).item() == pytest.approx(expected, abs=1e-10)
    assert loss(images.float(), captions.float(), positives).item() == pytest.approx(expected, abs=1e-6)


def with_dots(gram):
    """Vectors whose dot products are the table's."""
    return torch.linalg.cholesky(torch.tensor(gram).double())


def pairs_with(s_own, s_cross, t_within):
    """Two images and two captions: s_ii, s_01 and t_0 . t_1 as given; everything else far below. No unit vectors."""
    vectors = with_dots(
        [
            [3, -0.2, s_own, s_cross],
            [-0.2, 3, -0.3, s_own],
            [s_own, -0.3, 3, t_within],
            [s_cross, s_own, t_within, 3],
        ]
    )
    return vectors[:2], vectors[2:], torch.eye(2, dtype=torch.bool)


def test_the_tiny_example_inside_the_text():
    within = BiRankLoss(k=1, weights=(0, 1, 0, 0))
    images, captions, positives = pairs_with(0.7, 0.65, 0.75)  # image 0 violates: 0.1 - 0.7 + 0.65 > 0
    assert 2 * within(images, captions, positives).item() == pytest.approx(0.1 - 0.7 + 0.75, abs=1e-6)  # 0.15
    images, captions, positives = pairs_with(0.7, 0.55, 0.75)  # no violation across: no term inside either
    assert within(images, captions, positives).item() == 0


def test_captions_of_one_image_are_no_negatives():
    images, captions = torch.eye(2).double(), torch.eye(2).double()[[0, 0, 1]]
    positives = torch.arange(2)[:, None] == torch.tensor([0, 0, 1])[None]
    assert BiRankLoss()(images, captions, positives).item() == 0
    apart = torch.eye(3, dtype=torch.bool)  # without the mask, the copies violate
    assert BiRankLoss()(images[[0, 0, 1]], captions, apart).item() > 0
