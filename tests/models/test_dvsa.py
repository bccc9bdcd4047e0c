"""DVSA: words against loops, the whole score and loss on scalars, and which region a word takes."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.losses.ranking import SumOfHinges
from itm_tutorial.models import Batch
from itm_tutorial.models.dvsa import WordFragments

IDS = torch.tensor([[1, 5, 6, 7, 2], [1, 8, 2, 0, 0], [1, 9, 5, 2, 0]])
LENGTHS = torch.tensor([5, 3, 4])


def relu(row):
    return [max(0.0, x) for x in row]


def affine(layer, x):
    return [
        sum(a * b for a, b in zip(row, x, strict=True)) + bias
        for row, bias in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
    ]


def words_by_loop(encoder, ids):
    """The embeddings of one caption's words, <start> and <end> taken off: lists of numbers."""
    inner = [relu(affine(encoder.inner, encoder.words.weight[i].tolist())) for i in ids[1:-1]]
    if not encoder.streams:
        return [relu(affine(encoder.outer, e)) for e in inner]
    both = []
    for stream, order in zip(encoder.streams, (range(len(inner)), reversed(range(len(inner)))), strict=True):
        state, states = [0.0] * len(inner[0]), {}
        for t in order:
            state = states[t] = relu([e + h for e, h in zip(inner[t], affine(stream, state), strict=True)])
        both.append(states)
    summed = [[f + b for f, b in zip(both[0][t], both[1][t], strict=True)] for t in range(len(inner))]
    return [relu(affine(encoder.outer, h)) for h in summed]


@pytest.mark.parametrize("recurrent", [False, True])
def test_words_equal_the_loop(recurrent):
    encoder = WordFragments(12, 4, 3, recurrent).double()
    vectors, mask = encoder(IDS, LENGTHS)
    assert mask.sum(1).tolist() == [3, 1, 2] and not mask[:, 0].any()
    for row, n in enumerate(LENGTHS.tolist()):
        expected = torch.tensor(words_by_loop(encoder, IDS[row, :n].tolist()), dtype=torch.float64)
        assert torch.allclose(vectors[row, 1 : n - 1], expected, atol=1e-10)
    assert vectors[~mask].abs().sum() == 0


def test_only_the_recurrent_network_hears_of_neighbours():
    other = IDS.clone()
    other[0, 3] = 10
    for recurrent in (False, True):
        encoder = WordFragments(12, 4, 3, recurrent).double()
        torch.nn.init.constant_(encoder.inner.bias, 1.0)  # so that no relu is dead
        torch.nn.init.constant_(encoder.outer.bias, 1.0)
        same = torch.allclose(encoder(IDS, LENGTHS).vectors[0, 1], encoder(other, LENGTHS).vectors[0, 1])
        assert same is not recurrent


@pytest.mark.parametrize("name", ["dvsa", "dvsa_brnn"])
def test_score_and_loss_equal_the_equations(tiny, name):
    model = itm.create_model(name, tiny, embed_size=6, word_dim=5).double()
    captions, image_of = tiny.train.captions[:12:3], torch.tensor([0, 1, 2, 2])
    features = torch.rand(3, 4, 256).double()
    tokens = model.tokenize(captions)
    regions = model.encode_images(features).tolist()
    scores = []
    for image in regions:
        row = []
        for ids, n in zip(tokens.ids.tolist(), tokens.lengths.tolist(), strict=True):
            total = 0.0
            for word in words_by_loop(model.text_encoder, ids[:n]):
                total += max([sum(v * s for v, s in zip(region, word, strict=True)) for region in image])
            row.append(total)
        scores.append(row)
    found = model.similarity(model.encode_images(features), model.encode_captions(captions))
    assert torch.allclose(found, torch.tensor(scores, dtype=torch.float64), atol=1e-10)
    loss = 0.0
    for c, k in enumerate(image_of.tolist()):
        for other in range(4):
            if image_of[other] != k:  # other captions of the same image are no negatives
                loss += max(0.0, 1 + scores[k][other] - scores[k][c])
        for other in range(3):
            if other != k:
                loss += max(0.0, 1 + scores[other][c] - scores[k][c])
    assert model.loss(Batch(features, tokens, image_of)).item() == pytest.approx(loss, abs=1e-8)


def test_the_worked_loss():
    scores, pairs = torch.tensor([[3, 2.5], [1, 2]]), torch.eye(2, dtype=torch.bool)
    assert SumOfHinges(1.0)(scores, pairs).item() == pytest.approx(2.0)
    with_the_diagonal = sum((1 + x - scores.diag()[:, None]).clamp(min=0).sum() for x in (scores, scores.T))
    assert with_the_diagonal.item() == pytest.approx(6.0)  # the wrong variant


def test_every_word_takes_one_region_and_ties_go_to_the_first(tiny, made_up_regions):
    model = itm.create_model("dvsa", tiny, embed_size=6, word_dim=5)
    image_emb = torch.zeros(1, 4, 6)
    caption_emb = model.encode_captions(tiny.train.captions[:3])
    weights = model.attention(image_emb, caption_emb)  # all dot products are 0
    assert weights[0, :, 0].sum() == caption_emb.mask.sum() and weights[:, :, 1:].sum() == 0
    image_emb = torch.randn(2, 4, 6)
    dots = torch.einsum("ird,ctd->icrt", image_emb, caption_emb.vectors)
    weights = model.attention(image_emb, caption_emb)
    assert set(weights.unique().tolist()) <= {0.0, 1.0}
    assert torch.allclose(model.similarity(image_emb, caption_emb), (weights * dots).sum((2, 3)), atol=1e-5)
    seen = itm.attend(itm.create_model("dvsa", tiny), tiny.val, captions=[0, 5])
    assert all(torch.equal(w.sum(0), torch.ones(w.shape[1])) for w in seen.weights)


def test_the_score_of_defrag_is_a_choice_and_nothing_else_is(tiny):
    for options in ({"pooling": "thresholded"}, {"pooling": "thresholded", "smoothing": 5.0}):
        model = itm.create_model("dvsa", tiny, embed_size=6, word_dim=5, **options)
        regions, words = torch.randn(2, 4, 6), model.encode_captions(tiny.train.captions[:3])
        dots = torch.einsum("ird,ctd->icrt", regions, words.vectors).clamp(min=0).sum((2, 3))
        expected = dots / (words.mask.sum(1) + 5) if "smoothing" in options else dots
        assert torch.allclose(model.similarity(regions, words), expected, atol=1e-5)
    with pytest.raises(itm.ItmError, match="pooling is 'mean'"):
        itm.create_model("dvsa", tiny, pooling="mean")
