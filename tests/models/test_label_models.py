"""Models of labels: losses against loops, stages that move what they should, and labels that cannot be had."""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import itm_tutorial as itm
from itm_tutorial.data.text import tokenize
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.encoders.text import WordAverage
from itm_tutorial.errors import ItmError
from itm_tutorial.losses.labels import l2_loss, rank_loss
from itm_tutorial.training.checkpoints import load_model, save_model

SHAPES = st.tuples(st.integers(1, 6), st.integers(2, 7), st.integers(0, 10_000))


def rank_costs_by_loop(scores, right, margin):
    """Frome et al. 2013, equation 1: one list of costs an image, in the order of labels."""
    return [
        [max(0.0, margin - scores[i][y] + scores[i][j]) for j in range(len(scores[i])) if j != y]
        for i, y in enumerate(right)
    ]


@given(SHAPES)
def test_rank_loss_equals_the_loop_with_its_gradient(case):
    n, m, seed = case
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(n, m, generator=generator, dtype=torch.float64, requires_grad=True)
    right = torch.randint(0, m, (n,), generator=generator)
    loss = rank_loss(scores, right, margin=0.3)
    rows = rank_costs_by_loop(scores.tolist(), right.tolist(), 0.3)
    assert loss.item() == pytest.approx(sum(map(sum, rows)) / n)
    expected = torch.zeros(n, m, dtype=torch.float64)
    for i, y in enumerate(right.tolist()):
        for j in range(m):
            if j != y and 0.3 - scores[i, y] + scores[i, j] > 0:
                expected[i, j] += 1 / n
                expected[i, y] -= 1 / n
    loss.backward()
    assert torch.allclose(scores.grad, expected)


@given(SHAPES)
def test_one_negative_is_one_of_those_that_violate(case):
    n, m, seed = case
    generator = torch.Generator().manual_seed(seed)
    scores, right = torch.randn(n, m, generator=generator), torch.randint(0, m, (n,), generator=generator)
    rows = rank_costs_by_loop(scores.tolist(), right.tolist(), 0.3)
    for i in range(n):
        found = rank_loss(scores[i : i + 1], right[i : i + 1], 0.3, "one", generator).item()
        violating = [cost for cost in rows[i] if cost > 0] or [0.0]
        assert min(abs(found - cost) for cost in violating) < 1e-5


def test_every_violating_label_has_its_turn_and_no_other():
    scores, right = torch.tensor([[0.5, 0.45, 0.48, -1.0]]), torch.tensor([0])
    generator = torch.Generator().manual_seed(0)
    found = {round(rank_loss(scores, right, 0.1, "one", generator).item(), 4) for _ in range(60)}
    assert found == {0.05, 0.08}


def test_rank_loss_refuses_an_unknown_choice():
    with pytest.raises(ItmError, match="all"):
        rank_loss(torch.zeros(1, 2), torch.tensor([0]), negatives="al")


def test_l2_loss_equals_the_loop():
    found, wanted = torch.randn(4, 3), torch.randn(4, 3)
    by_loop = sum(sum((a - b) ** 2 for a, b in zip(x, y, strict=True)) for x, y in zip(found, wanted, strict=True)) / 4
    assert l2_loss(found, wanted).item() == pytest.approx(float(by_loop), rel=1e-5)


def test_a_word_average_leaves_out_what_has_no_vector_and_what_is_padding():
    encoder = WordAverage(7, 2)  # four special words, then three
    encoder.use(torch.tensor([[2.0, 0.0], [0.0, 0.5], [0.0, 0.0]]))
    ids = torch.tensor([[1, 4, 5, 2, 0], [1, 4, 6, 3, 2], [1, 3, 2, 0, 0]])
    embeddings = encoder(ids, torch.tensor([4, 5, 3]))
    assert torch.allclose(embeddings, torch.tensor([[0.5**0.5, 0.5**0.5], [1.0, 0.0], [0.0, 0.0]]))
    assert not list(encoder.parameters())


@pytest.fixture(scope="module")
def objects(cache):
    return itm.load_corpus("objects", size="tiny")


@pytest.fixture(scope="module")
def words(objects):
    generator = torch.Generator().manual_seed(0)
    return WordVectors(list(objects.classes.names), torch.randn(len(objects.classes.names), 8, generator=generator))


def moved(model, corpus, stage):
    """Which parts of a model one epoch of a stage moves."""
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.on_epoch = lambda state: setattr(model, "stage", stage)
    itm.fit(model, corpus, epochs=1, batch_size=20, device="cpu")
    return {name.split(".")[0] for name, value in model.state_dict().items() if not torch.equal(before[name], value)}


@pytest.mark.parametrize(
    ("stage", "parts"),
    [("classify", {"visual", "classifier"}), ("map", {"map"}), ("all", {"visual", "map"})],
)
def test_a_stage_of_devise_moves_its_own_parts_and_no_statistic_of_the_others(objects, words, stage, parts):
    assert moved(itm.create_model("devise", objects, words=words), objects, stage) == parts


@pytest.mark.parametrize(("stage", "parts"), [("classify", {"visual", "classifier"}), ("map", {"map"})])
def test_a_stage_of_dem_moves_its_own_parts(objects, words, stage, parts):
    assert moved(itm.create_model("dem", objects, words=words), objects, stage) == parts


def test_the_stages_follow_each_other(objects, words):
    model, seen = itm.create_model("devise", objects, words=words, classify_until=0.4, freeze_until=0.8), []
    for epoch in range(5):
        model.on_epoch(SimpleNamespace(epoch=epoch, epochs=5))
        seen.append(model.stage)
    assert seen == ["classify", "classify", "map", "map", "all"]


def test_softmax_never_names_a_kind_that_it_was_not_shown(objects):
    model = itm.create_model("softmax", objects)
    scores = itm.score(model, objects.unseen, captions=objects.classes.names)
    unseen = objects.classes.unseen_classes
    assert itm.hit_at_k(scores, objects.unseen.identity, 5, among=unseen) == 0
    assert itm.hit_at_k(scores, objects.unseen.identity, 5) == 0
    seen = scores[:, objects.classes.seen_classes]
    assert torch.allclose(seen.exp().sum(1), torch.ones(len(seen)), atol=1e-4)
    with pytest.raises(ItmError, match="fox"):
        model.encode_captions(["foks"])


@pytest.mark.parametrize("name", ["softmax", "devise", "dem"])
def test_a_model_of_labels_comes_back_from_disk(objects, words, name, tmp_path):
    model = itm.create_model(name, objects, words=None if name == "softmax" else words).eval()
    again = load_model(save_model(model, tmp_path))
    names = objects.classes.names
    assert torch.equal(itm.score(model, objects.test, captions=names), itm.score(again, objects.test, captions=names))


def test_what_a_model_of_labels_needs_is_told(tiny, objects, words):
    with pytest.raises(ItmError, match="no classes"):
        itm.create_model("devise", tiny, words=words)
    with pytest.raises(ItmError, match="fox"):
        few = [i for i, word in enumerate(words.words) if word != "fox"]
        itm.create_model("devise", objects, words=WordVectors([words.words[i] for i in few], words.vectors[few]))
    photographs = itm.Corpus("flickr8k", tiny.splits, drawn=False)
    with pytest.raises(ItmError, match="read_word_vectors"):
        itm.create_model("devise_retrieval", photographs)


def test_word_vectors_for_a_model_that_reads_none_are_refused(tiny, words):
    with pytest.raises(ItmError, match="leave words out"):
        itm.create_model("bow", tiny, words=words)


def test_devise_for_retrieval_learns(tiny, instant_features):
    generator = torch.Generator().manual_seed(0)
    vocabulary = sorted({word for caption in tiny.train.captions for word in tokenize(caption)})
    vectors = WordVectors(vocabulary, torch.randn(len(vocabulary), 12, generator=generator))
    model = itm.create_model("devise_retrieval", tiny, words=vectors)
    fixed = model.text_encoder.vectors.clone()
    history = itm.fit(model, tiny, epochs=6, batch_size=30)
    assert history.epochs[-1]["loss"] < 0.9 * history.epochs[0]["loss"]
    assert torch.equal(fixed, model.text_encoder.vectors)
