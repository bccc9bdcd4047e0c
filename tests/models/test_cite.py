"""CITE: products of phrases and regions, concepts that the phrase weighs, labels from true boxes."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.data.parsing import WorldParser, parse_captions
from itm_tutorial.encoders.conditional import ConditionalPhrases, PhraseEmbedding, RegionEmbedding
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction import conditional
from itm_tutorial.interaction.conditional import ConditionalNetwork
from itm_tutorial.losses.phrase_labels import box_overlaps, draw_labels, logistic_loss
from itm_tutorial.models._phrase_boxes import boxes_of_phrases
from itm_tutorial.training.loop import _load

SMALL = {"embed_size": 6, "word_dim": 5, "hidden": 7, "concept_dim": 3}


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def shaken(module):
    """Weights, and running means and variances, that are not those of a new network; in evaluation mode."""
    torch.manual_seed(1)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
            nn.init.normal_(part.weight)
            nn.init.normal_(part.bias)
    return module.double().eval()


def layer(linear, norm, x):
    """relu(BN(W x)) by loops, with the running mean and variance."""
    out = []
    for j, row in enumerate(linear.weight.tolist()):
        value = sum(w * v for w, v in zip(row, x, strict=True)) + linear.bias[j].item()
        scale = norm.weight[j].item() / math.sqrt(norm.running_var[j].item() + norm.eps)
        out.append(max(0.0, (value - norm.running_mean[j].item()) * scale + norm.bias[j].item()))
    return out


def judged_by_loops(network, phrase, region, weights):
    """s of one pair, on Python's floats: phrase, region, concept."""
    h = layer(network.shared[0], network.shared[1], [p * r for p, r in zip(phrase, region, strict=True)])
    made = layer(network.layers[0], network.layers[1], h)
    width = len(made) // network.concepts
    mixed = [sum(weights[k] * made[k * width + j] for k in range(network.concepts)) for j in range(width)]
    w = network.classifier.weight[0].tolist()
    return sum(a * b for a, b in zip(w, mixed, strict=True)) + network.classifier.bias.item()


@torch.no_grad()
def test_the_scores_equal_the_equation_by_loops(tiny, monkeypatch):
    model = shaken(itm.create_model("cite", tiny, **SMALL))
    regions = normalize(numbers(3, 4, 6), dim=-1)
    mask = torch.tensor([[1, 1, 1], [1, 0, 0]]) > 0
    phrases = normalize(numbers(2, 3, 6, seed=1), dim=-1) * mask[..., None]
    captions = ConditionalPhrases(phrases, numbers(2, 3, 4, seed=2) * mask[..., None], mask)
    captions.phrases[1, 0], captions.logits[1, 0] = captions.phrases[0, 1], captions.logits[0, 1]  # said twice
    for most in (conditional.MOST, 1):
        monkeypatch.setattr(conditional, "MOST", most)
        scores, whole = model.phrase_scores(regions, captions), model.similarity(regions, captions)
        for i in range(3):
            for c in range(2):
                best = []
                for p in range(3):
                    if not mask[c, p]:
                        assert not scores[i, c, :, p].any()
                        continue
                    exps = [math.exp(u) for u in captions.logits[c, p].tolist()]
                    a = [e / sum(exps) for e in exps]
                    of_regions = [
                        judged_by_loops(model.judge, phrases[c, p].tolist(), r.tolist(), a) for r in regions[i]
                    ]
                    assert scores[i, c, :, p].tolist() == pytest.approx(of_regions, abs=1e-10)
                    best.append(max(of_regions))
                assert whole[i, c].item() == pytest.approx(sum(best) / len(best), abs=1e-10)


def bare(concepts, pre_activations):
    """A network of one number per layer whose concept layers give fixed numbers before the ReLU."""
    network = ConditionalNetwork(1, 1, concepts, 1).eval()
    for part in network.modules():
        if isinstance(part, nn.BatchNorm1d):
            part.eps = 0.0
    with torch.no_grad():
        network.shared[0].weight.fill_(1)
        network.shared[0].bias.zero_()
        network.layers[0].weight[:, 0] = torch.tensor(pre_activations)
        network.layers[0].bias.zero_()
        network.classifier.weight.fill_(1)
        network.classifier.bias.zero_()
    return network


@torch.no_grad()
def test_concepts_are_mixed_after_the_relu():
    network, a, x = bare(2, [1.0, -2.0]), torch.tensor([[0.25, 0.75]]), torch.ones(1, 1)
    assert network(x, a).item() == pytest.approx(0.25)
    before = (a * torch.tensor([1.0, -2.0])).sum().clamp(min=0)
    assert before.item() == 0  # mixed before the ReLU
    same = bare(3, [0.7, 0.7, 0.7])
    for weights in (torch.tensor([[0.2, 0.5, 0.3]]), torch.tensor([[1.0, 0, 0]])):
        assert same(x, weights).item() == pytest.approx(
            bare(1, [0.7])(x, torch.ones(1, 1)).item()
        )  # equal layers: K = 1


def test_the_l1_norm_acts_before_the_softmax(tiny, cheap_features):
    """After the softmax it would be the constant 1, without any gradient."""
    model = itm.create_model("cite", tiny, sparsity=1.0, **SMALL)
    (batch,) = _load(model, tiny.train, torch.device("cpu")).batches([torch.arange(30)])
    logits, mask = model.encode_captions(batch)[1:]
    torch.manual_seed(0)
    with_norm = model.loss(batch)
    model.sparsity = 0.0
    torch.manual_seed(0)
    assert (with_norm - model.loss(batch)).item() == pytest.approx((logits.abs().sum() / mask.sum()).item(), rel=1e-4)
    u = numbers(5, 4).requires_grad_()
    u.softmax(1).abs().sum().backward()
    assert u.grad.abs().max() < 1e-12


def test_the_control_weighs_all_concepts_alike(tiny):
    model = itm.create_model("cite", tiny, choice="uniform", **SMALL)
    assert model.weights(numbers(2, 4)).tolist() == [[0.25] * 4] * 2
    learned = itm.create_model("cite", tiny, **SMALL).weights(numbers(2, 4))
    assert torch.allclose(learned.sum(1), torch.ones(2, dtype=torch.float64)) and learned.std() > 0
    one = itm.create_model("cite_k1", tiny)
    assert one.weights(numbers(2, 1)).tolist() == [[1.0], [1.0]]


def test_one_concept_has_as_many_weights(tiny):
    """The two differ in how the phrase chooses; neither may owe its result to its size."""
    four, one = (itm.create_model(name, tiny) for name in ("cite", "cite_k1"))
    sizes = [sum(p.numel() for p in model.judge.layers.parameters()) for model in (four, one)]
    assert sizes[0] == sizes[1]


def test_labels_by_loops():
    torch.manual_seed(0)
    overlaps = torch.rand(3, 4, 12)
    known = torch.rand(3, 4) > 0.3
    labels = draw_labels(overlaps, known, 0.6, 0.3, 2)
    for i in range(3):
        for p in range(4):
            positive = [r for r in range(12) if known[i, p] and overlaps[i, p, r] >= 0.6]
            low = [r for r in range(12) if known[i, p] and overlaps[i, p, r] < 0.3]
            assert [r for r in range(12) if labels[i, p, r] == 1] == positive
            drawn = [r for r in range(12) if labels[i, p, r] == -1]
            assert set(drawn) <= set(low) and len(drawn) == min(len(low), 2 * len(positive))
    drawn = torch.stack([draw_labels(overlaps, known, 0.6, 0.3, 2) for _ in range(200)])
    candidates = (overlaps < 0.3) & known[..., None] & (overlaps >= 0.6).any(2, keepdim=True)
    assert torch.equal((drawn == -1).any(0), candidates)  # each candidate is drawn some day


def test_negatives_are_counted_phrase_by_phrase():
    """3, 2, 4, 1, 2 positives want 6, 4, 8, 2, 4 negatives; the public code gives only the first phrase its number.

    It counts positives by the sum of the whole table, in which the negatives of earlier phrases are -1.
    """
    overlaps, wrong, table = torch.zeros(1, 5, 300), [], torch.zeros(5, 300)
    for p, n in enumerate([3, 2, 4, 1, 2]):
        overlaps[0, p, :n] = 0.9
        table[p, :n] = 1
        drawn = (
            (table[p] == 0).nonzero().flatten()[: int(2 * table.sum())]
        )  # a negative number leaves out the last ones
        table[p, drawn] = -1
        wrong.append(len(drawn))
    labels = draw_labels(overlaps, torch.ones(1, 5) > 0, 0.6, 0.3, 2)
    assert (labels == -1).sum(2)[0].tolist() == [6, 4, 8, 2, 4]
    assert wrong[0] == 6 and wrong[1] > 200 and wrong[2:] == [0, 0, 0]


def test_the_loss_divides_by_the_number_of_labels():
    scores, labels = torch.tensor([2.0, -1.0, 5.0, 0.5]), torch.tensor([1, -1, 0, -1])
    terms = [math.log(1 + math.exp(-y * s)) for s, y in zip(scores.tolist(), labels.tolist(), strict=True) if y]
    assert logistic_loss(scores, labels).item() == pytest.approx(sum(terms) / 3, abs=1e-6)
    assert abs(logistic_loss(scores, labels).item() - sum(terms) / 4) > 1e-2  # the size of the table
    assert logistic_loss(scores, labels * 0) == 0


def test_overlaps_take_the_best_box():
    regions = torch.tensor([[[0.0, 0, 1, 1], [0, 0, 0.5, 1]]])
    boxes = torch.tensor([[[[0.0, 0, 0.5, 1], [0, 0, 1, 0.9]], [[0.0, 0, 0, 0], [0, 0, 0, 0]]]])
    assert torch.allclose(box_overlaps(regions, boxes), torch.tensor([[[0.9, 1.0], [0.0, 0.0]]]))


def test_the_boxes_of_phrases_are_those_of_their_nouns(tiny):
    parses = parse_captions(tiny.train.captions, WorldParser("scenes"))
    boxes = boxes_of_phrases(tiny.train, parses)
    for row in range(0, 300, 17):
        own = tiny.train.boxes[int(tiny.train.image_of[row])]
        for p, (_, end) in enumerate(parses[row].noun_phrases):
            named = [own[box] for word, box in tiny.train.groundings[row] if word == end - 1]
            real = boxes[row, p][boxes[row, p].any(1)]
            assert len(real) == len(named) and (not named or torch.equal(real, torch.stack(named)))
        assert not boxes[row, len(parses[row].noun_phrases) :].any()


def test_truth_goes_with_the_training_captions_alone(tiny, cheap_features, small_split):
    model = itm.create_model("cite", tiny, **SMALL)
    assert "phrase_boxes" in model.tokenize(list(tiny.train.captions)).per_caption
    assert "phrase_boxes" not in model.tokenize(tiny.train.captions[:5]).per_caption
    (batch,) = _load(model, tiny.val, torch.device("cpu")).batches([torch.arange(8)])
    with pytest.raises(ItmError, match="train it on the corpus that create_model was given"):
        model.loss(batch)
    photographs = itm.data.corpus.Corpus("photographs", {"train": small_split}, drawn=False)
    with pytest.raises(ItmError, match="cite is trained with the true boxes of phrases, and photographs has none"):
        itm.create_model("cite", photographs)


def test_a_batch_without_labels_trains_no_classifier(tiny, cheap_features):
    model = itm.create_model("cite", tiny, **SMALL)
    (batch,) = _load(model, tiny.train, torch.device("cpu")).batches([torch.arange(8)])
    batch.captions.per_caption["phrase_boxes"].zero_()
    logits, mask = model.encode_captions(batch)[1:]
    assert model.loss(batch).item() == pytest.approx((5e-5 * logits.abs().sum() / mask.sum()).item(), rel=1e-4)


def test_normalisation_knows_no_padding_and_no_neighbour():
    """In the public code padded phrases count in batch normalisation, and lengths are over phrases and over boxes."""
    torch.manual_seed(0)
    encoder = PhraseEmbedding(20, 5, 7, 6, 4)
    ids, lengths = torch.tensor([[1, 4, 5, 6, 2], [1, 8, 9, 2, 0]]), torch.tensor([5, 4])
    spans, mask = torch.tensor([[[1, 3], [3, 4]], [[1, 3], [0, 0]]]), torch.tensor([[True, True], [True, False]])
    wide = torch.cat([spans, torch.zeros(2, 3, 2, dtype=torch.int64)], 1), torch.cat([mask, torch.zeros(2, 3) > 0], 1)
    for training in (True, False):  # the statistics of a batch are those of its real phrases
        encoder.train(training)
        one = encoder(ids, lengths, noun_phrases=spans, noun_phrase_mask=mask)
        two = encoder(ids, lengths, noun_phrases=wide[0], noun_phrase_mask=wide[1])
        assert torch.allclose(one.phrases, two.phrases[:, :2], atol=1e-6) and not two.phrases[:, 2:].any()
        assert torch.allclose(one.phrases[mask].norm(dim=1), torch.ones(3), atol=1e-5)
    alone = encoder(ids[1:, :4], lengths[1:], noun_phrases=spans[1:, :1], noun_phrase_mask=mask[1:, :1])
    assert torch.allclose(alone.phrases[0, 0], one.phrases[1, 0], atol=1e-6)  # evaluation: fixed statistics
    regions = RegionEmbedding(8, 7, 6).eval()
    features = torch.randn(2, 5, 8)
    assert torch.allclose(regions(features).norm(dim=2), torch.ones(2, 5), atol=1e-5)
    assert torch.allclose(regions(features[:1, :2]), regions(features)[:1, :2], atol=1e-6)
