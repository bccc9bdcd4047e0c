"""The structure-preserving loss against three loops, its tiny example, and what the known wrong versions give."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from itm_tutorial.errors import ItmError
from itm_tutorial.losses.structure import StructureLoss, distances, mean_of_largest


def distance(a, b):
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) + 1e-4)


def mean_of_ten(hinges, k):
    kept = sorted(hinges, reverse=True)[:k]
    return sum(kept) / len(kept) if kept else 0.0


def by_loops(images, captions, image_of, margin=0.05, k=10, weights=(1.5, 1.0, 0.05)):
    """All hinges of an anchor in a list, sorted, the first k averaged; then the mean over anchors."""
    first, second, third = [], [], []
    for c, caption in enumerate(captions):
        own = distance(caption, images[image_of[c]])
        first.append([max(0, margin + own - distance(caption, v)) for i, v in enumerate(images) if i != image_of[c]])
        second.append(
            [
                max(0, margin + own - distance(images[image_of[c]], t))
                for o, t in enumerate(captions)
                if image_of[o] != image_of[c]
            ]
        )
        siblings = [distance(caption, t) for o, t in enumerate(captions) if o != c and image_of[o] == image_of[c]]
        if siblings:
            third.append(
                [
                    max(0, margin + max(siblings) - distance(caption, t))
                    for o, t in enumerate(captions)
                    if image_of[o] != image_of[c]
                ]
            )
    total = 0.0
    for weight, anchors in zip(weights, (first, second, third), strict=True):
        total += weight * sum(mean_of_ten(hinges, k) for hinges in anchors) / max(1, len(anchors))
    return total


def drawn(image_of, seed, dim=3):
    generator = torch.Generator().manual_seed(seed)
    images = normalize(torch.randn(max(image_of) + 1, dim, generator=generator).double(), dim=1)
    captions = normalize(torch.randn(len(image_of), dim, generator=generator).double(), dim=1)
    positives = torch.arange(len(images))[:, None] == torch.tensor(image_of)[None]
    return images, captions, positives


@given(st.lists(st.integers(0, 4), min_size=1, max_size=9), st.integers(0, 9999), st.sampled_from([1, 2, 10]))
def test_the_loss_equals_the_loops(image_of, seed, k):
    images, captions, positives = drawn(image_of, seed)
    found = StructureLoss(k=k)(images, captions, positives).item()
    assert found == pytest.approx(by_loops(images.tolist(), captions.tolist(), image_of, k=k), abs=1e-10)
    single = StructureLoss(k=k)(images.float(), captions.float(), positives).item()
    assert single == pytest.approx(found, abs=2e-4)  # the root at small distances


@given(st.lists(st.integers(0, 3), min_size=2, max_size=8), st.integers(0, 9999))
def test_the_order_of_the_captions_does_not_matter(image_of, seed):
    images, captions, positives = drawn(image_of, seed)
    order = torch.randperm(len(image_of), generator=torch.Generator().manual_seed(seed))
    loss = StructureLoss()
    turned = loss(images, captions[order], positives[:, order])
    assert turned.item() == pytest.approx(loss(images, captions, positives).item(), abs=1e-10)


def test_the_tiny_example_of_two_cosines():
    anchor = torch.tensor([[1.0, 0]]).double()
    others = torch.tensor([[0.9, math.sqrt(1 - 0.81)], [0.88, math.sqrt(1 - 0.88**2)]]).double()
    own, wrong = distances(anchor, others)[0].tolist()
    assert 0.05 + own - wrong == pytest.approx(0.00733, abs=5e-6)
    assert 0.05 + own**2 - wrong**2 == pytest.approx(0.010, abs=1e-6)  # squared distances: another loss
    cosines = 0.05 - 0.9 + 0.88
    assert cosines == pytest.approx(0.030)  # another again


def test_zeros_are_among_the_largest_hinges():
    hinges = torch.tensor([[0.3, 0.0, 0.0, 0.1]])
    every = torch.ones(1, 4, dtype=torch.bool)
    assert mean_of_largest(hinges, every, 3).item() == pytest.approx(0.4 / 3)  # 0.2 without the zeros
    few = torch.tensor([[True, True, False, False]])
    assert mean_of_largest(hinges, few, 3).item() == pytest.approx(0.3 / 2)
    assert mean_of_largest(hinges, ~every, 3).item() == 0


def test_equal_embeddings_have_a_distance_and_a_finite_gradient():
    codes = normalize(torch.ones(4, 3), dim=1).requires_grad_()
    positives = torch.arange(2)[:, None] == torch.tensor([0, 0, 1, 1])[None]
    assert distances(codes, codes).detach() == pytest.approx(torch.full((4, 4), 0.01), abs=1e-4)
    loss = StructureLoss()(codes[:2], codes, positives)
    loss.backward()
    assert loss.item() == pytest.approx(0.05 * 2.55, abs=1e-5)
    assert codes.grad.isfinite().all()


def test_the_farthest_sibling_counts_and_not_the_nearest():
    image_of = [0, 0, 0, 1, 1]
    images, captions, positives = drawn(image_of, 3)
    expected = by_loops(images.tolist(), captions.tolist(), image_of, weights=(0, 0, 1))
    assert StructureLoss(margin=0.05).neighbours(captions, positives).item() == pytest.approx(expected)
    near = sum(
        mean_of_ten(
            [
                max(0, 0.05 + min(d for o, d in enumerate(row) if o != c and image_of[o] == image_of[c]) - row[o])
                for o in range(5)
                if image_of[o] != image_of[c]
            ],
            10,
        )
        for c, row in enumerate(distances(captions, captions).tolist())
    )
    assert near / 5 != pytest.approx(expected, abs=1e-3)


def test_captions_without_a_sibling_have_no_last_term():
    images, captions, positives = drawn([0, 1, 2], 0)
    assert StructureLoss().neighbours(captions, positives).item() == 0
    assert StructureLoss(neighbour_weight=0)(images, captions, positives) == StructureLoss()(
        images, captions, positives
    )


def test_two_copies_of_an_image_are_no_negatives_where_they_share_an_identity():
    images = torch.eye(3, dtype=torch.float64)[[0, 0, 1]]  # the second is a copy of the first
    positives = torch.eye(3, dtype=torch.bool)
    together = positives.clone()
    together[0, 1] = together[1, 0] = True
    # the authors' code: one of the two negatives of two anchors costs the margin for ever, in both directions
    assert StructureLoss()(images, images, positives).item() == pytest.approx(2.5 * 0.05 / 3)
    assert StructureLoss()(images, images, together).item() == 0


def test_a_batch_without_positive_pairs_is_refused():
    images, captions, _ = drawn([0, 1], 0)
    with pytest.raises(ItmError, match="positives"):
        StructureLoss()(images, captions, torch.zeros(2, 2, dtype=torch.bool))
