"""CLIP and SigLIP in miniature: what they compute from scores, what they read, and how they train."""

import math

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.encoders.text import GRU, BagOfWords
from itm_tutorial.encoders.transformer import ImageTransformer, TextTransformer
from itm_tutorial.models import Batch, model_class

SMALL = {"embed_size": 6, "width": 8, "depth": 1, "heads": 2}
NAMES = ("clip", "clip_features", "siglip", "siglip_features")


def batch_of(model, corpus, n=4):
    shape = (n, 3, 48, 48) if model.features.kind == "pixels" else (n, 5, 256)
    images = torch.rand(*shape, generator=torch.Generator().manual_seed(0)) * (255 if len(shape) == 4 else 1)
    return Batch(images, model.tokenize(corpus.train.captions[: 5 * n : 5]), torch.arange(n))


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_is_that_of_loops_over_cosines(tiny, name):
    model = itm.create_model(name, tiny, **SMALL).double()
    batch = batch_of(model, tiny)
    v, t = (side.tolist() for side in (model.encode_images(batch), model.encode_captions(batch)))
    s = [[sum(a * b for a, b in zip(x, y, strict=True)) for y in t] for x in v]
    scale = model.loss_function.scale().item()
    if name.startswith("clip"):
        rows = sum(math.log(sum(math.exp(scale * (x - s[i][i])) for x in s[i])) for i in range(4)) / 4
        columns = sum(math.log(sum(math.exp(scale * (s[j][i] - s[i][i])) for j in range(4))) for i in range(4)) / 4
        expected = (rows + columns) / 2
    else:
        z = lambda i, j: 1 if i == j else -1  # noqa: E731
        bias = -math.log(3)
        pairs = [(i, j) for i in range(4) for j in range(4)]
        expected = sum(math.log1p(math.exp(-z(i, j) * (scale * s[i][j] + bias))) for i, j in pairs) / 4
    assert model.loss(batch).item() == pytest.approx(expected, abs=1e-6)


def test_siglip_in_chunks_trains_as_it_does_at_once(tiny):
    gradients = []
    for chunk in (0, 3):
        model = itm.create_model("siglip_features", tiny, **SMALL, chunk=chunk)
        loss = model.loss(batch_of(model, tiny, 8))
        loss.backward()
        gradients.append([loss.detach(), *(p.grad for p in model.parameters())])
    for one, two in zip(*gradients, strict=True):
        assert torch.allclose(one, two, atol=1e-6)


def test_their_starting_values_are_the_published_ones(tiny):
    clip, siglip = (itm.create_model(name, tiny, **SMALL) for name in ("clip", "siglip"))
    assert clip.loss_function.scale.theta.item() == pytest.approx(2.6593, abs=5e-5)
    assert siglip.loss_function.scale.theta.item() == pytest.approx(math.log(10), abs=1e-6)
    assert siglip.loss_function.bias_for(torch.eye(64) > 0).item() == pytest.approx(-4.14, abs=5e-3)
    published = itm.create_model("siglip", tiny, **SMALL, bias=-10.0)
    assert published.loss_function.bias_for(torch.eye(64) > 0).item() == -10
    fixed = itm.create_model("clip", tiny, **SMALL, learn_temperature=False)
    assert not list(fixed.loss_function.parameters()) and "loss_function.scale.theta" in fixed.state_dict()


def test_each_kind_of_features_has_its_encoder(tiny):
    kinds = {"global": GlobalProjection, "regions": ImageTransformer, "grid": ImageTransformer}
    for kind, encoder in kinds.items():
        model = itm.create_model("clip_features", tiny, features=kind, **SMALL)
        assert isinstance(model.image_encoder, encoder)
        assert getattr(model.image_encoder, "placed", False) == (kind == "grid")
    assert itm.create_model("clip", tiny, **SMALL).image_encoder.placed
    for sentence, encoder in {"transformer": TextTransformer, "gru": GRU, "bow": BagOfWords}.items():
        assert isinstance(itm.create_model("siglip", tiny, sentence=sentence, **SMALL).text_encoder, encoder)
    assert [model_class(name).feature_kind for name in NAMES] == ["pixels", "regions", "pixels", "regions"]


def test_no_clip_has_weight_decay_which_would_pull_on_its_temperature():
    for name in NAMES:
        assert all(recipe.weight_decay == 0 for recipe in model_class(name).recipes.values())


@pytest.mark.parametrize("name", NAMES)
def test_the_temperature_is_learned_with_the_rest(tiny, cheap_features, name):
    model = itm.create_model(name, tiny, **SMALL)
    before = model.loss_function.scale().item()
    itm.fit(model, tiny, epochs=1, batch_size=10, device="cpu", progress=False)
    assert model.loss_function.scale().item() != before


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", NAMES)
def test_a_step_runs_compiled_and_in_bf16_on_a_gpu(tiny, name):
    model = itm.create_model(name, tiny, **SMALL).cuda()
    batch = batch_of(model, tiny).to("cuda")
    model.image_encoder, model.text_encoder = (torch.compile(m) for m in (model.image_encoder, model.text_encoder))
    with torch.autocast("cuda", torch.bfloat16):
        loss = model.loss(batch)
    loss.backward()
    assert loss.isfinite() and all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
