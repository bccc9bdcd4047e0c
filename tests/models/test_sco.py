"""SCO: concepts, gate and losses against loops on scalars; where concepts come from; what each arm may read."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import itm_tutorial as itm
from itm_tutorial.data.parsing import parse_captions, parser_for
from itm_tutorial.encoders.concept_fusion import ConceptImage, concept_loss
from itm_tutorial.encoders.concepts import mine_concepts, named_concepts
from itm_tutorial.models import Batch

SMALL = {"embed_size": 4, "word_dim": 5, "hidden_size": 3}
ARMS = ("sco", "sco_gate", "sco_sum", "sco_context", "sco_concepts")


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def affine(layer, x):
    bias = layer.bias.tolist() if layer.bias is not None else [0.0] * layer.out_features
    rows = zip(layer.weight.tolist(), bias, strict=True)
    return [math.fsum([b, *(w * y for w, y in zip(row, x, strict=True))]) for row, b in rows]


def unit(x):
    length = math.sqrt(math.fsum(y * y for y in x))
    return [y / length for y in x]


def probabilities(encoder, image):
    """p_c of one image [n_regions][dim] by noisy-or, region by region."""
    shown = [[sigmoid(z) for z in affine(encoder.concept, [x * len(r) ** 0.5 for x in unit(r)])] for r in image]
    return [1 - math.prod(1 - row[c] for row in shown) for c in range(len(shown[0]))]


def by_loop(encoder, image):
    """v of one image."""
    regions = [unit(r) for r in image]
    p = unit(affine(encoder.from_concepts, probabilities(encoder, image)))
    g = unit(affine(encoder.from_context, [math.fsum(column) / len(regions) for column in zip(*regions, strict=True)]))
    if encoder.fusion in ("context", "concepts"):
        return g if encoder.fusion == "context" else p
    mixed = [a + b for a, b in zip(affine(encoder.mix_concepts, p), affine(encoder.mix_context, g), strict=True)]
    if encoder.fusion == "sum":
        return mixed
    gates = [sigmoid(x) for x in mixed]
    return [y * a + (1 - y) * b for y, a, b in zip(gates, p, g, strict=True)]


@pytest.mark.parametrize("fusion", ["gate", "sum", "context", "concepts"])
@torch.no_grad()
def test_embeddings_equal_the_loop(fusion):
    encoder = ConceptImage(6, 5, 4, fusion).double()
    features = torch.randn(3, 4, 6, dtype=torch.float64)
    expected = torch.tensor([unit(by_loop(encoder, image)) for image in features.tolist()]).double()
    assert torch.allclose(encoder(features), expected, atol=1e-10)
    assert torch.allclose(encoder.float()(features.float()), expected.float(), atol=1e-6)


def test_the_worked_gate_and_its_wrong_variant():
    encoder = ConceptImage(3, 3, 2)
    with torch.no_grad():
        for layer in (encoder.mix_concepts, encoder.mix_context):
            layer.weight.zero_()
        encoder.mix_context.bias.copy_(torch.tensor([2.0, -1.0]))
        p, g = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
        gate, v = encoder.fuse(p, g)
    assert gate[0].tolist() == pytest.approx([0.8808, 0.2689], abs=1e-4)
    assert v[0].tolist() == pytest.approx([0.8808, 0.7311], abs=1e-4)
    exchanged = (1 - gate) * p + gate * g
    assert exchanged[0].tolist() == pytest.approx([0.1192, 0.2689], abs=1e-4)


def test_noisy_or_is_not_the_maximum():
    encoder = ConceptImage(3, 1, 2)
    regions = 3**0.5 * torch.eye(3)  # so that the scaled regions read one weight each
    logits = torch.tensor([0.3, 0.6, 0.2]).logit()
    with torch.no_grad():
        encoder.concept.weight.copy_(logits[None] / 3**0.5)
        encoder.concept.bias.zero_()
        found = -encoder.predict(regions[None]).absent.expm1()
    assert found.item() == pytest.approx(0.776, abs=1e-4) and found.item() != pytest.approx(0.6, abs=1e-2)


@torch.no_grad()
def test_a_closed_gate_ignores_the_concepts():
    encoder = ConceptImage(6, 5, 4).double()
    features = torch.randn(3, 4, 6, dtype=torch.float64)
    context = ConceptImage(6, 5, 4, "context").double()
    context.load_state_dict(encoder.state_dict())
    encoder.mix_context.bias.fill_(-200.0)
    closed = encoder(features)
    assert torch.allclose(closed, context(features), atol=1e-10)
    encoder.concept.weight.normal_()
    assert torch.allclose(encoder(features), closed, atol=1e-10)
    encoder.mix_context.bias.fill_(0.0)
    assert encoder.predict(features).gate.shape == (3, 4)  # a vector, not one number per image


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 2**20))
@settings(max_examples=30, deadline=None)
def test_the_concept_loss_equals_the_loop_and_order_of_regions_does_not_count(n, concepts, seed):
    torch.manual_seed(seed)
    encoder, features = ConceptImage(6, concepts, 4).double(), torch.randn(n, 3, 6, dtype=torch.float64)
    targets = (torch.rand(n, concepts) < 0.4).double()
    expected = 0.0
    for image, row in zip(features.tolist(), targets.tolist(), strict=True):
        p = probabilities(encoder, image)
        expected -= sum(math.log(q if y else 1 - q) for q, y in zip(p, row, strict=True)) / n
    found = encoder.predict(features)
    assert concept_loss(found.absent, targets).item() == pytest.approx(expected, rel=1e-8)
    assert torch.allclose(encoder(features.flip(1)), encoder(features), atol=1e-10)


def test_a_certain_concept_has_a_finite_loss_and_gradient():
    absent = torch.tensor([[-2e4, -1e-12, 0.0]], requires_grad=True)
    for target in (0.0, 1.0):
        (gradient,) = torch.autograd.grad(concept_loss(absent, torch.full((1, 3), target)), absent)
        assert gradient.isfinite().all()


def test_concepts_are_mined_from_the_training_captions_alone(tiny):
    model = itm.create_model("sco", tiny, **SMALL)
    train = parse_captions(tiny.train.captions, parser_for(tiny))
    named = {w for parse in train for w in parse.words}
    assert set(model.concepts) <= named and len(set(model.concepts)) == len(model.concepts)
    assert {"red", "dog"} & set(model.concepts) and not {"a", "the", "of", "left"} & set(model.concepts)
    assert mine_concepts(train, 3) == model.concepts[:3]
    ids = model.tokenize(["a red dog", "nothing of the sort"]).ids
    targets = named_concepts(ids, model.concept_of, len(model.concepts))
    assert [model.concepts[c] for c in targets[0].nonzero().flatten().tolist()] == sorted(
        {"red", "dog"} & set(model.concepts), key=model.concepts.index
    )
    # at test, an image is encoded from its features: no caption, nor any target, is read
    assert model.encode_images(torch.rand(2, 4, 256)).shape == (2, 4)


def test_targets_act_through_the_loss_alone(tiny):
    features, captions = torch.rand(3, 4, 256), tiny.train.captions[:15:5]
    losses, embeddings = {}, {}
    for targets in ("own", "shuffled"):
        model = itm.create_model("sco", tiny, targets=targets, **SMALL).eval()
        embeddings[targets] = model.encode_images(features)
        losses[targets] = model.loss(Batch(features, model.tokenize(captions), torch.arange(3)))
    assert torch.equal(embeddings["own"], embeddings["shuffled"])
    assert torch.equal(losses["own"]["match"], losses["shuffled"]["match"])
    assert not torch.equal(losses["own"]["concepts"], losses["shuffled"]["concepts"])


def test_arms_have_equal_parameters_and_equal_first_weights(tiny):
    models = {name: itm.create_model(name, tiny, **SMALL) for name in ARMS}
    shapes = {
        name: {k: w for k, w in m.named_parameters() if "decoder" not in k and "first" not in k}
        for name, m in models.items()
    }
    for other in shapes.values():
        assert other.keys() == shapes["sco"].keys()
        assert all(torch.equal(w, shapes["sco"][key]) for key, w in other.items())
    parts = {name: set(m.loss(batch_of(tiny, m))) for name, m in models.items()}
    assert parts["sco"] == {"match", "concepts", "write"}
    assert parts["sco_gate"] == parts["sco_sum"] == parts["sco_concepts"] == {"match", "concepts"}
    assert parts["sco_context"] == {"match"}


def batch_of(tiny, model):
    return Batch(torch.rand(3, 4, 256), model.tokenize(tiny.train.captions[:15:5]), torch.arange(3))


def test_the_writing_loss_is_the_mean_of_log_p_of_the_words(tiny):
    model = itm.create_model("sco", tiny, **SMALL).double().eval()
    batch = batch_of(tiny, model)
    image_emb, total = model.encode_images(batch), 0.0
    for c, caption in enumerate(tiny.train.captions[:15:5]):
        ids = model.tokenize([caption]).ids[0].tolist()[1:-1]
        for t in range(len(ids) + 1):
            table = model.next_words(image_emb[c : c + 1], torch.tensor([ids[:t]], dtype=torch.int64).view(1, t))[0]
            total += table[ids[t] if t < len(ids) else -1].item()
    assert model.loss(batch)["write"].item() == pytest.approx(-total / 3, rel=1e-8)
    with pytest.raises(itm.ItmError, match="write_weight"):
        itm.create_model("sco_gate", tiny, **SMALL).next_tokens(torch.rand(1, 4), torch.zeros(1, 0, dtype=torch.int64))
