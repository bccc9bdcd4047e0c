"""Two-branch networks: the similarity network's score and loss by loops, its negatives, and what each variant is."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import itm_tutorial as itm
from itm_tutorial.models import Batch
from itm_tutorial.models.two_branch import draw_pairs


def small(corpus, name="two_branch_similarity", **options):
    return itm.create_model(name, corpus, embed_size=6, hidden=8, **options)


def layer_by_loop(x, linear, norm):
    """relu(BN(W x + b)) with the running mean and variance, number by number."""
    rows = zip(linear.weight.tolist(), linear.bias.tolist(), strict=True)
    made = [sum(w * v for w, v in zip(row, x, strict=True)) + bias for row, bias in rows]
    parts = (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    values = zip(made, *(part.tolist() for part in parts), strict=True)
    return [max(0.0, (m - mean) / math.sqrt(var + norm.eps) * g + b) for m, mean, var, g, b in values]


def score_by_loop(judge, v, t):
    """s = w . relu(BN(W_1 relu(BN(W_0 (v * t))))) + b."""
    h = layer_by_loop([a * b for a, b in zip(v, t, strict=True)], judge.shared[0], judge.shared[1])
    h = layer_by_loop(h, judge.layers[0], judge.layers[1])
    return (
        sum(w * x for w, x in zip(judge.classifier.weight[0].tolist(), h, strict=True)) + judge.classifier.bias.item()
    )


def test_scores_and_loss_of_the_similarity_network_equal_the_loops(tiny):
    model = small(tiny, negatives=20).double().eval()
    for norm in (model.judge.shared[1], model.judge.layers[1]):
        norm.running_mean.normal_(), norm.running_var.uniform_(0.5, 2)
    batch = Batch(torch.rand(3, 512), model.tokenize(tiny.train.captions[:20:5]), torch.tensor([0, 1, 2, 2]))
    images, captions = model.encode_images(batch), model.encode_captions(batch)
    expected = [[score_by_loop(model.judge, v, t) for t in captions.tolist()] for v in images.tolist()]
    assert model.similarity(images, captions).tolist() == [pytest.approx(row, abs=1e-10) for row in expected]
    costs = [
        math.log(1 + math.exp(-s if i == own else s))
        for i, row in enumerate(expected)
        for s, own in zip(row, [0, 1, 2, 2], strict=True)
    ]  # twenty negatives per positive: all pairs of this batch
    assert model.loss(batch).item() == pytest.approx(sum(costs) / 12, abs=1e-10)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=9), st.integers(1, 30))
def test_negatives_are_drawn_per_positive_pair(image_of, per_positive):
    positives = torch.arange(5)[:, None] == torch.tensor(image_of)[None]
    labels = draw_pairs(positives, per_positive)
    assert torch.equal(labels == 1, positives)
    assert int((labels == -1).sum()) == min(per_positive * len(image_of), 4 * len(image_of))


def test_negatives_are_others_each_time_and_all_in_time():
    positives = torch.eye(4, dtype=torch.bool)
    drawn = torch.stack([draw_pairs(positives, 1) for _ in range(60)])
    assert len(drawn.unique(dim=0)) > 10
    assert torch.equal((drawn == -1).any(0), ~positives)


def test_the_embedding_network_is_spe(tiny):
    embedding, spe = (itm.create_model(name, tiny, embed_size=6, hidden=8) for name in ("two_branch", "spe"))
    captions = [c for i in range(4) for c in tiny.train.captions[5 * i : 5 * i + 2]]
    batch = Batch(torch.rand(4, 512), spe.tokenize(captions), torch.arange(8) // 2)
    assert embedding.loss(batch).item() == pytest.approx(spe.loss(batch).item(), abs=1e-7)


def test_only_the_similarity_network_costs_a_network_per_pair(tiny):
    costs = {name: small(tiny, name).pair_cost for name in ("two_branch", "two_branch_similarity")}
    assert costs == {"two_branch": "product", "two_branch_similarity": "network"}
    assert small(tiny, "two_branch_similarity_20").negatives == 20


def test_a_batch_of_one_pair_can_be_trained_on(tiny):
    for name in ("two_branch", "two_branch_similarity"):
        model = small(tiny, name).train()
        loss = model.loss(Batch(torch.rand(1, 512), model.tokenize(["a red car"]), torch.tensor([0])))
        loss.backward()
        assert loss.isfinite()
