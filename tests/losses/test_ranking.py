"""The hinge losses, compared with a loop over triples, for any number of captions per image."""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.errors import ItmError
from itm_tutorial.losses import LOSSES, MaxOfHinges, SumOfHinges, TopKHinges, create_loss


def pairing(image_of, n_images):
    return torch.arange(n_images)[:, None] == torch.tensor(image_of)[None, :]


def triples_by_loop(scores, positives, margin, mask_same_image=True):
    """The hinges of every positive pair in both directions: two lists of numbers per pair."""
    pairs = positives.nonzero().tolist()
    for p, (i, c) in enumerate(pairs):
        if mask_same_image:
            captions = [k for k in range(scores.shape[1]) if not positives[i, k]]
            images = [k for k in range(scores.shape[0]) if not positives[k, c]]
        else:  # all other pairs of the batch, also of the same image
            captions = [d for q, (_, d) in enumerate(pairs) if q != p]
            images = [j for q, (j, _) in enumerate(pairs) if q != p]
        zero = scores[i, c] * 0
        yield [torch.maximum(zero, margin - scores[i, c] + scores[i, k]) for k in captions] or [zero]
        yield [torch.maximum(zero, margin - scores[i, c] + scores[k, c]) for k in images] or [zero]


LOOPS = {
    "sum_of_hinges": (SumOfHinges, {}, lambda costs: sum(costs)),
    "max_of_hinges": (MaxOfHinges, {}, lambda costs: max(costs)),
    "top_2_hinges": (TopKHinges, {"k": 2}, lambda costs: sum(sorted(costs)[-2:])),
    "top_9_hinges": (TopKHinges, {"k": 9}, lambda costs: sum(costs)),
}


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("mask", [True, False])
@given(
    st.integers(2, 5).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(0, n - 1), min_size=1, max_size=7)))
)
def test_every_hinge_loss_equals_the_loop_over_triples_with_its_gradient(name, mask, case):
    n_images, image_of = case
    cls, options, add_up = LOOPS[name]
    scores = torch.randn(n_images, len(image_of), dtype=torch.float64, requires_grad=True)
    positives = pairing(image_of, n_images)
    ours = cls(0.2, mask_same_image=mask, **options)(scores, positives)
    expected = sum(add_up(costs) for costs in triples_by_loop(scores, positives, 0.2, mask))
    assert torch.allclose(ours, expected, atol=1e-6)
    grads = [torch.autograd.grad(loss, scores)[0] for loss in (ours, expected)]
    assert torch.allclose(*grads, atol=1e-6)


@pytest.mark.parametrize("anneal", [False, True])
def test_a_warm_up_goes_from_the_sum_to_the_maximum(anneal):
    scores, positives = torch.rand(6, 6), torch.eye(6, dtype=torch.bool)
    loss = MaxOfHinges(0.2, warmup=0.4, anneal=anneal)
    values = []
    for epoch in range(10):
        loss.on_epoch(SimpleNamespace(epoch=epoch, epochs=10))
        values.append(loss(scores, positives).item())
    total, largest = SumOfHinges(0.2)(scores, positives).item(), MaxOfHinges(0.2)(scores, positives).item()
    expected = [k * largest + (1 - k) * total for k in ([0, 0.25, 0.5, 0.75] if anneal else [0] * 4)] + [largest] * 6
    assert values == pytest.approx(expected, rel=1e-5)


def test_a_warm_up_may_last_the_whole_run():
    scores, positives = torch.rand(6, 6), torch.eye(6, dtype=torch.bool)
    loss, total = MaxOfHinges(0.2, warmup=1.0), SumOfHinges(0.2)(scores, positives).item()
    for epoch in range(10):
        loss.on_epoch(SimpleNamespace(epoch=epoch, epochs=10))
        assert loss(scores, positives).item() == pytest.approx(total)
    loss.on_epoch(SimpleNamespace(epoch=10, epochs=10))
    assert loss(scores, positives).item() == pytest.approx(MaxOfHinges(0.2)(scores, positives).item())


def test_no_value_means_a_collapse_while_the_sum_of_hinges_is_used():
    loss = MaxOfHinges(0.2, warmup=0.5)
    values = [loss.collapsed(16)]
    for epoch in range(4):
        loss.on_epoch(SimpleNamespace(epoch=epoch, epochs=4))
        values.append(loss.collapsed(16))
    assert values == pytest.approx([0, 0, 0, 6.4, 6.4])
    loss = MaxOfHinges(0.2, warmup=0.5)
    loss.end_warmup()
    assert loss.collapsed(16) == pytest.approx(6.4)


def test_the_maximum_over_equal_embeddings_is_the_value_of_a_collapse():
    loss = MaxOfHinges(0.2)
    assert loss(torch.ones(128, 128), torch.eye(128, dtype=torch.bool)).item() == pytest.approx(51.2)
    assert loss.collapsed(128) == pytest.approx(51.2)


@pytest.mark.parametrize(("k", "expected"), [(1, 4 + 6), (2, 7 + 11), (3, 9 + 12), (4, 9 + 12), (99, 9 + 12)])
def test_the_k_largest_hinges_count_and_all_where_k_is_larger(k, expected):
    costs = torch.tensor([[2.0, 4.0, 3.0], [5.0, 1.0, 6.0]])
    assert TopKHinges(k=k).total_cost(costs).item() == expected


def test_ties_share_the_gradient_and_give_no_nan():
    scores = torch.ones(4, 4, requires_grad=True)
    MaxOfHinges(0.2)(scores, torch.eye(4, dtype=torch.bool)).backward()
    assert scores.grad.isfinite().all() and scores.grad.abs().sum() > 0


@pytest.mark.parametrize(("name", "options"), [("max_of_hinges", {"warmup": 1.5}), ("top_k_hinges", {"k": 0})])
def test_options_out_of_range_are_refused(name, options):
    with pytest.raises(ItmError, match=next(iter(options))):
        create_loss(name, **options)


def test_a_loss_ignores_the_options_of_other_losses_and_an_option_of_none_is_refused():
    assert create_loss("infonce", margin=0.3, temperature=0.5).temperature == 0.5
    assert create_loss("sum_of_hinges", margin=0.3, warmup=0.2).margin == 0.3
    assert all(create_loss(name) for name in LOSSES)
    with pytest.raises(ItmError, match="margin"):
        create_loss("infonce", margn=0.3)


def test_equal_embeddings_cost_the_margin_for_every_negative():
    batch, margin = 8, 0.2
    loss = SumOfHinges(margin)(torch.ones(batch, batch), torch.eye(batch, dtype=torch.bool))
    assert loss.item() == pytest.approx(2 * batch * (batch - 1) * margin)


def test_other_captions_of_the_same_image_are_not_negatives():
    scores = torch.tensor([[0.9, 0.8, -1.0], [-1.0, -1.0, 0.9]])
    assert SumOfHinges(0.2)(scores, pairing([0, 0, 1], 2)) == 0
    assert SumOfHinges(0.2)(scores, pairing([0, 1, 1], 2)) > 0


def test_a_batch_without_a_positive_pair_is_refused():
    with pytest.raises(ItmError, match="positives"):
        SumOfHinges()(torch.zeros(2, 2), torch.zeros(2, 2, dtype=torch.bool))


def test_an_unknown_loss_names_the_nearest():
    with pytest.raises(ItmError, match="infonce"):
        create_loss("info_nce")
