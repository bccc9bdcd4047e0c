"""HM-LSTM's loss against three loops, its first stage, and what it does not use."""

import copy
from types import SimpleNamespace

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.models import Batch, create_model
from itm_tutorial.models.hm_lstm import phrase_hinges

MARGIN = 0.2


@pytest.fixture(scope="module")
def setting(cache, cheap_features):
    corpus = itm.load_corpus("scenes", size="tiny")
    model = create_model("hm_lstm", corpus, embed_size=16).double()
    images = torch.randn(4, 5, model.image_encoder.project.in_features).double()
    captions = model.tokenize(corpus.train.captions[:6])
    return model, Batch(images, captions, torch.tensor([0, 0, 1, 2, 3, 3])), corpus


def hinge(x):
    return max(0.0, x)


def loops(model, batch, weighted):
    """Pair, contrast, direction: the loss of the phrases on Python numbers; regions are chosen before the step."""
    _, phrases, caption_of = model.encode_phrases(batch.captions)
    regions = model.encode_regions(batch.images).tolist()
    phrases, image_of = phrases.tolist(), batch.image_of[caption_of].tolist()

    def dot(a, b):
        return sum(x * y for x, y in zip(a, b, strict=True))

    best = [max(regions[image], key=lambda r: dot(r, h)) for h, image in zip(phrases, image_of, strict=True)]
    total = 0.0
    for k in range(len(phrases)):
        own = dot(best[k], phrases[k])
        weight = max(0.0, own) if weighted else 1.0
        for other in range(len(phrases)):
            if image_of[other] != image_of[k]:
                total += weight * hinge(MARGIN - own + dot(best[k], phrases[other]))
                total += weight * hinge(MARGIN - own + dot(best[other], phrases[k]))
    return total


@pytest.mark.parametrize("options", [{}, {"weighted": False}, {"reader": "chain"}, {"children": "one"}])
def test_the_loss_of_the_phrases_equals_the_loops(setting, options):
    _, batch, corpus = setting
    model = create_model("hm_lstm", corpus, embed_size=16, **options).double()
    found = model.loss(batch)
    expected = loops(model, batch, options.get("weighted", True))
    assert found["phrases"].item() == pytest.approx(expected, abs=1e-10) and expected > 0


def test_the_loss_of_the_roots_equals_the_loops(setting):
    model, batch, _ = setting
    image, root = model.encode_images(batch).tolist(), model.encode_captions(batch).tolist()
    s = [[sum(a * b for a, b in zip(v, t, strict=True)) for t in root] for v in image]
    of, total = batch.image_of.tolist(), 0.0
    for j, i in enumerate(of):
        total += sum(hinge(MARGIN - s[i][j] + s[i][c]) for c in range(6) if of[c] != i)
        total += sum(hinge(MARGIN - s[i][j] + s[k][j]) for k in range(4) if k != i)
    assert model.loss(batch)["roots"].item() == pytest.approx(total, abs=1e-10)


def test_weights_and_the_same_image_change_the_number():
    scores = torch.tensor([[0.5, 0.4, 0.3], [0.2, 0.6, 0.5], [0.1, 0.0, 0.3]], dtype=torch.float64)
    weight = scores.diagonal()
    apart, shared = torch.tensor([0, 1, 2]), torch.tensor([0, 0, 1])
    assert phrase_hinges(scores, apart, weight, MARGIN).item() == pytest.approx(0.5 * 0.1 + 0.6 * 0.1 + 0.3 * 0.6)
    assert phrase_hinges(scores, shared, weight, MARGIN).item() == pytest.approx(0.6 * 0.1 + 0.3 * 0.6)
    assert phrase_hinges(scores, apart, torch.ones(3), MARGIN).item() == pytest.approx(0.1 + 0.1 + 0.6)


def test_the_weight_is_held_fixed(setting):
    """A weight with a gradient would let the loss fall by making phrases and regions less alike."""
    scores = torch.full((2, 2), 0.1, dtype=torch.float64, requires_grad=True)
    weight = scores.diagonal().detach()
    phrase_hinges(scores, torch.tensor([0, 1]), weight, MARGIN).backward()
    assert torch.allclose(scores.grad, torch.tensor([[-0.2, 0.2], [0.2, -0.2]], dtype=torch.float64))


def test_the_root_comes_first(setting):
    model, batch, _ = setting
    model, alone = copy.deepcopy(model), []
    for epoch in range(6):
        model.on_epoch(SimpleNamespace(epoch=epoch, epochs=6))
        alone.append("phrases" not in model.loss(batch))
    assert alone == [True] * 3 + [False] * 3  # 0.34 of 6 epochs
    roots = create_model("hm_lstm", setting[2], embed_size=16, root_first=1.0).double()
    assert list(roots.loss(batch)) == ["roots"]
    roots.on_epoch(SimpleNamespace(epoch=5, epochs=6))
    assert list(roots.loss(batch)) == ["roots"]


def test_no_box_and_no_grounding_is_read(setting):
    model, batch, _ = setting
    assert not model.reads_boxes and set(vars(batch)) == {"images", "captions", "image_of", "identity"}
    assert set(batch.captions.per_caption) == {"parents", "node_kinds", "phrases", "phrase_mask", "phrase_spans"}


def test_phrases_are_unit_vectors_and_know_their_caption(setting):
    model, batch, corpus = setting
    roots, phrases, caption_of = model.encode_phrases(["a red car near a tree", "a dog"])
    assert caption_of.tolist() == [0, 0, 1] and phrases.shape == (3, 16)
    assert torch.allclose(phrases.norm(dim=1), torch.ones(3).double())
    assert torch.allclose(roots, model.encode_captions(["a red car near a tree", "a dog"]))
    assert model.encode_regions(batch.images).shape == (4, 5, 16)
