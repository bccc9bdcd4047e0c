"""The alignment objective against a double loop: labels, weights, the sum, and the fragment that is dead."""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.errors import ItmError
from itm_tutorial.losses.fragment_alignment import FragmentAlignment, alignment_weights, instance_labels


def labels_by_loop(dots, own, multiple_instance):
    """+1 or -1 for each region and fragment, by a double loop inside each image."""
    n_images, n_regions, n_captions, seq_len = dots.shape
    labels = torch.full(dots.shape, -1)
    for i in range(n_images):
        for c in range(n_captions):
            if not own[i, c]:
                continue
            for w in range(seq_len):
                column = dots[i, :, c, w].tolist()
                guessed = [1 if not multiple_instance or d > 0 else -1 for d in column]
                if 1 not in guessed:
                    guessed[column.index(max(column))] = 1
                labels[i, :, c, w] = torch.tensor(guessed)
    return labels


def objective_by_loop(dots, own, mask, multiple_instance):
    """The sum, with weights by counting down the column of each fragment."""
    labels, total = labels_by_loop(dots, own, multiple_instance), 0.0
    for c in range(dots.shape[2]):
        for w in range(dots.shape[3]):
            if not mask[c, w]:
                continue
            d, y = dots[:, :, c, w].flatten().tolist(), labels[:, :, c, w].flatten().tolist()
            for value, label in zip(d, y, strict=True):
                total += max(0.0, 1 - label * value) / y.count(label)
    return total


def drawn(n_images, n_regions, image_of, seq_len, seed):
    generator = torch.Generator().manual_seed(seed)
    dots = torch.randn(n_images, n_regions, len(image_of), seq_len, generator=generator).double() - 0.5
    own = torch.arange(n_images)[:, None] == torch.tensor(image_of)[None]
    lengths = torch.randint(1, seq_len + 1, (len(image_of),), generator=generator)
    return dots, own, torch.arange(seq_len)[None] < lengths[:, None]


CASES = st.integers(1, 4).flatmap(
    lambda n: st.tuples(
        st.just(n), st.integers(1, 4), st.lists(st.integers(0, n - 1), min_size=1, max_size=5), st.integers(1, 4)
    )
)


@pytest.mark.parametrize("multiple_instance", [True, False])
@given(CASES, st.integers(0, 9999))
def test_the_objective_equals_the_loop(multiple_instance, case, seed):
    dots, own, mask = drawn(*case, seed)
    labels = instance_labels(dots, own, multiple_instance)
    assert torch.equal(torch.where(labels, 1, -1), labels_by_loop(dots, own, multiple_instance))
    found = FragmentAlignment(multiple_instance)(dots, own, mask)
    assert found.item() == pytest.approx(objective_by_loop(dots, own, mask, multiple_instance), abs=1e-10)


@given(CASES, st.integers(0, 9999))
def test_every_fragment_weighs_one_on_either_side(case, seed):
    dots, own, _ = drawn(*case, seed)
    labels = instance_labels(dots, own)
    weights = alignment_weights(labels, torch.float64)
    assert torch.allclose((weights * labels).sum((0, 1)), torch.ones_like(weights[0, 0]))
    others = (~labels).any(0).any(0)  # with one image whose regions are all positive there is no negative
    assert torch.allclose((weights * ~labels).sum((0, 1)), others.double())


def test_the_worked_table():
    table = torch.tensor([[2, -1, -0.2], [0.5, 3, -0.4], [1, 0.2, -0.9]])[None, :, None]
    labels = instance_labels(table, torch.ones(1, 1, dtype=torch.bool))[0, :, 0]
    assert labels.T.tolist() == [[True, True, True], [False, True, True], [True, False, False]]
    assert not instance_labels(table, torch.zeros(1, 1, dtype=torch.bool)).any()  # another image's regions


def test_labels_carry_no_gradient_and_the_objective_does():
    dots, own, mask = drawn(3, 4, [0, 1, 2], 3, 0)
    dots.requires_grad_()
    FragmentAlignment()(dots, own, mask).backward()
    assert dots.grad.isfinite().all() and dots.grad.abs().sum() > 0
    assert dots.grad.masked_select(~mask).abs().sum() == 0


def signs_of_the_authors(column):
    """The labels of one own image as in the authors' code: the sign, with 2 added at the best if none is positive."""
    labels = column.sign()
    if not (labels > 0).any():
        labels[column.argmax()] += 2
    return labels


def test_a_dead_fragment_has_a_label_here_and_none_in_the_authors_code():
    dead, wrong = torch.zeros(4), torch.tensor([-1.0, -0.2, -3, -2])
    assert signs_of_the_authors(wrong).tolist() == [-1, 1, -1, -1]
    assert signs_of_the_authors(dead).tolist() == [2, 0, 0, 0]  # neither +1 nor -1: no weight, no gradient
    dots = torch.zeros(2, 4, 1, 1, requires_grad=True)
    own = torch.tensor([[True], [False]])
    assert instance_labels(dots, own)[:, :, 0, 0].tolist() == [[True, False, False, False], [False] * 4]
    FragmentAlignment()(dots, own, torch.ones(1, 1, dtype=torch.bool)).backward()
    assert dots.grad.abs().sum() == pytest.approx(2)


def test_without_weights_the_many_negatives_of_a_batch_count_more():
    dots, own, mask = drawn(8, 6, list(range(8)), 4, 1)
    labels = instance_labels(dots, own)
    unweighted = ((1 - torch.where(labels, dots, -dots)).clamp(min=0) * mask).sum().item()
    assert unweighted > 5 * FragmentAlignment()(dots, own, mask).item()


def test_labels_follow_the_dot_products_after_the_warm_up():
    alignment = FragmentAlignment(warmup=0.5)
    seen = [alignment.guesses]
    for epoch in range(4):
        alignment.on_epoch(SimpleNamespace(epoch=epoch, epochs=4))
        seen.append(alignment.guesses)
    assert seen == [False, False, False, True, True]
    never = FragmentAlignment(multiple_instance=False)
    never.on_epoch(SimpleNamespace(epoch=3, epochs=4))
    assert not never.guesses


def test_a_warm_up_that_is_no_fraction_is_refused():
    with pytest.raises(ItmError, match="warmup is 2"):
        FragmentAlignment(warmup=2)
