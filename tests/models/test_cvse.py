"""CVSE: a graph of concepts from the training captions, and both sides in its concepts."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.encoders.concepts import named_concepts
from itm_tutorial.encoders.consensus import (
    THRESHOLD,
    co_occurrence,
    consensus_edges,
    graph_weights,
    mine_graph,
)
from itm_tutorial.models import Batch
from itm_tutorial.models.cvse import CVSE

SMALL = {"embed_size": 6, "word_dim": 8}


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def model(tiny):
    return itm.create_model("cvse", tiny, **SMALL).double().eval()


def spelled_by_loops(z, w, vectors, named, sharpness, alpha, beta):
    """The equations on scalars: the weights of concepts, and fused vectors."""
    z, w, n, dim = z.tolist(), w.tolist(), len(z), len(z[0])
    all_weights, all_fused = [], []
    for row, v in enumerate(vectors.tolist()):
        turned = [sum(w[a][b] * v[b] for b in range(dim)) for a in range(dim)]
        logits = [[sharpness * sum(turned[d] * z[i][d] for d in range(dim)) for i in range(n)]]
        shares = [1.0]
        if named is not None:
            logits.append([sharpness * float(named[row, i]) for i in range(n)])
            shares = [1 - alpha, alpha]
        weights = [0.0] * n
        for share, some in zip(shares, logits, strict=True):
            total = sum(math.exp(x) for x in some)
            weights = [old + share * math.exp(x) / total for old, x in zip(weights, some, strict=True)]
        consensus = [sum(weights[i] * z[i][d] for i in range(n)) for d in range(dim)]
        length = math.sqrt(sum(x * x for x in consensus))
        fused = [beta * v[d] + (1 - beta) * consensus[d] / length for d in range(dim)]
        length = math.sqrt(sum(x * x for x in fused))
        all_weights.append(weights)
        all_fused.append([x / length for x in fused])
    return torch.tensor(all_weights, dtype=torch.float64), torch.tensor(all_fused, dtype=torch.float64)


@torch.no_grad()
def test_both_sides_in_concepts_equal_the_equations(model, tiny):
    z, w = model.concepts(model.textual.words), model.concepts.compare.weight
    vectors = normalize(numbers(4, 6), dim=-1)
    ids = model.tokenize(tiny.train.captions[:4]).ids
    named = named_concepts(ids, model.concepts.concept_of, len(z))
    for words, marks in ((None, None), (ids, named)):
        found = model.concepts.spell(vectors, model.textual.words, words)
        weights, fused = spelled_by_loops(z, w, vectors, marks, 10.0, 0.5, 0.75)
        assert torch.allclose(found.weights, weights, atol=1e-10)
        assert torch.allclose(found.fused, fused, atol=1e-10)


def test_the_scaling_of_the_paper_is_one_threshold():
    assert pytest.approx(math.log(1 + 0.3 * 5**0.02) / math.log(5), abs=5e-5) == THRESHOLD
    p = torch.tensor([[0, 0.167], [0.169, 0]])
    assert consensus_edges(p).tolist() == [[0, 0], [1, 0]]  # the fact sheet's example
    p = torch.rand(20, 20, generator=torch.Generator().manual_seed(0))
    scaled = 5 ** (p - 0.02) - 5**-0.02
    away = (p - THRESHOLD).abs() > 1e-4
    assert torch.equal((scaled >= 0.3)[away], consensus_edges(p).bool()[away])


def test_co_occurrence_is_counted_by_row():
    named = torch.tensor([[1.0, 1, 0], [1, 0, 0], [1, 1, 0], [1, 0, 1]])
    p = co_occurrence(named)
    assert torch.allclose(p, torch.tensor([[0, 0.5, 0.25], [1, 0, 0], [1, 0, 0]]))
    concepts, edges = mine_graph(["a red cow", "a red car", "a cow"], ["red", "cow", "car"])
    assert concepts == ["red", "cow", "car"] and edges == [1, 2, 3, 6]  # P(cow | car) is 0


@torch.no_grad()
def test_concepts_moved_with_their_words_change_nothing(model):
    graph, words = model.concepts, model.textual.words
    vectors = normalize(numbers(3, 6, seed=1), dim=-1)
    z, before = graph(words), graph.spell(vectors, words)
    order = torch.randperm(len(z), generator=torch.Generator().manual_seed(1))
    old = graph.weights, graph.ids
    graph.weights, graph.ids = old[0][order][:, order], old[1][order]
    assert torch.allclose(graph(words), z[order], atol=1e-12)
    after = graph.spell(vectors, words)
    assert torch.allclose(after.consensus, before.consensus, atol=1e-12)
    assert torch.allclose(after.weights, before.weights[:, order], atol=1e-12)
    graph.ids = old[1]  # the graph without the words, as in the control, is another matter
    assert not torch.allclose(graph.spell(vectors, words).consensus, before.consensus, atol=1e-3)


@torch.no_grad()
def test_the_controls_have_the_same_weights_and_other_graphs(tiny):
    kinds = {kind: itm.create_model("cvse", tiny, graph=kind, **SMALL) for kind in ("captions", "permuted", "unlinked")}
    states = [model.state_dict() for model in kinds.values()]
    assert all(torch.equal(states[0][name], other[name]) for other in states[1:] for name in states[0])
    edges = {kind: (m.concepts.weights - m.concepts.weights.diag().diag()) > 0 for kind, m in kinds.items()}
    assert edges["captions"].sum() == edges["permuted"].sum() > 0 and not edges["unlinked"].any()
    assert not torch.equal(edges["captions"], edges["permuted"])
    plain = graph_weights(torch.zeros(3, 3))
    assert torch.equal(plain, torch.eye(3))


def test_the_graph_comes_from_training_captions_alone(tiny):
    made = CVSE.options_from(tiny)
    other = replace(tiny.test, captions=["zebra"] * len(tiny.test.captions))
    assert CVSE.options_from(replace(tiny, splits={**tiny.splits, "test": other, "val": other})) == made
    turned = replace(tiny.train, captions=["A red cow."] * len(tiny.train.captions))
    assert CVSE.options_from(replace(tiny, splits={**tiny.splits, "train": turned})) != made
    assert len(made["concepts"]) <= 100


@torch.no_grad()
def test_a_score_is_the_weighted_sum_of_two_cosines_and_reads_no_other_query(model, tiny):
    images = torch.rand(3, 512, dtype=torch.float64)
    ids = model.tokenize(tiny.test.captions[:4])
    seen, read = model.spell_images(images), model.spell_captions(ids.ids, ids.lengths)
    expected = 0.95 * seen.fused @ read.fused.T + 0.05 * seen.consensus @ read.consensus.T
    scores = model.similarity(model.encode_images(images), model.encode_captions(tiny.test.captions[:4]))
    assert torch.allclose(scores, expected, atol=1e-10)
    alone = model.similarity(model.encode_images(images), model.encode_captions(tiny.test.captions[:1]))
    assert torch.allclose(alone[:, 0], scores[:, 0], atol=1e-12)


def test_the_loss_is_three_hinges_and_a_divergence(model, tiny):
    tokens = model.tokenize(tiny.train.captions[:4])
    batch = Batch(torch.rand(2, 512), tokens, torch.tensor([0, 0, 1, 1]))
    parts = model.loss(batch)
    seen, read = model.spell_images(batch.images.double()), model.spell_captions(tokens.ids, tokens.lengths)
    hinge = lambda a, b: model.loss_function(a @ b.T, batch.positives)  # noqa: E731
    assert torch.isclose(parts["fused"], 3 * hinge(seen.fused, read.fused))
    assert torch.isclose(parts["instance"], 5 * hinge(seen.instance, read.instance))
    assert torch.isclose(parts["consensus"], hinge(seen.consensus, read.consensus))
    kl = 0.0
    for c, i in enumerate((0, 0, 1, 1)):
        pairs = zip(read.weights[c].tolist(), seen.weights[i].tolist(), strict=True)
        kl += sum(t * (math.log(t) - math.log(v)) for t, v in pairs)
    assert parts["kl"].item() == pytest.approx(2 * kl / 4, abs=1e-5)
