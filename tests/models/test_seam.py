"""SEAM: its variants, absolute values with the order violation, and the penalty that is off unless it is asked for."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.self_attentive import redundancy
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.order import order_similarity
from itm_tutorial.models import Batch, build_model
from itm_tutorial.models._base import FeatureSpec

SMALL = {"embed_size": 6, "word_dim": 4, "attention_units": 5, "hops": 2}
CAPTIONS = ["a red car", "a dog on the grass", "two cats"]


def model_of(name="seam", **options):
    torch.manual_seed(0)
    vocabulary = Vocabulary(["a", "red", "car", "dog", "on", "the", "grass", "two", "cats"])
    return build_model(name, vocabulary, FeatureSpec(), **{**SMALL, **options})


def batch_of(model):
    torch.manual_seed(1)
    return Batch(torch.randn(3, model.project.project.in_features), model.tokenize(CAPTIONS), torch.arange(3))


def test_the_published_encoders_have_names():
    assert {"seam", "seam_g", "seam_c"} <= set(itm.list_models(chapter="10"))
    assert model_of("seam").hops.gru is None and len(model_of("seam").hops.convolutions) == 0
    assert model_of("seam_g").hops.gru is not None
    assert [c.kernel_size for c in model_of("seam_c").hops.convolutions] == [(2,), (3,)]


def test_the_score_is_the_order_violation_of_absolute_values():
    model = model_of().eval()
    batch = batch_of(model)
    images, captions = model.encode_images(batch), model.encode_captions(batch)
    assert (images >= 0).all() and (captions >= 0).all()
    assert torch.allclose(captions.norm(dim=1), torch.ones(3))
    raw = model.hops(batch.captions.ids, batch.captions.lengths)
    assert torch.allclose(captions, raw.abs()) and (raw < 0).any()
    expected = [
        [-sum(max(0.0, c - i) ** 2 for i, c in zip(x, y, strict=True)) for y in captions.tolist()]
        for x in images.tolist()
    ]
    assert torch.allclose(model.similarity(images, captions), torch.tensor(expected), atol=1e-6)


def test_cosine_takes_no_absolute_values():
    model = model_of(measure="cosine").eval()
    batch = batch_of(model)
    images, captions = model.encode_images(batch), model.encode_captions(batch)
    assert (captions < 0).any()
    assert torch.allclose(model.similarity(images, captions), images @ captions.T)
    assert not torch.allclose(model.similarity(images, captions), order_similarity(images, captions), atol=1e-3)


@pytest.mark.parametrize("name", ["seam", "seam_g", "seam_c"])
def test_the_penalty_is_added_where_it_has_a_weight_alone(name):
    plain, penalised = model_of(name).eval(), model_of(name, penalty=0.5).eval()
    penalised.load_state_dict(plain.state_dict())
    batch = batch_of(plain)
    alone, parts = plain.loss(batch), penalised.loss(batch)
    assert isinstance(alone, torch.Tensor) and torch.allclose(parts["ranking"], alone)
    reading = plain.hops.read(batch.captions.ids, batch.captions.lengths)
    expected = 0.5 * sum(redundancy(weights).item() for weights in reading.weights)
    assert parts["penalty"].item() == pytest.approx(expected) and expected > 0
    parts["penalty"].backward()
    assert penalised.hops.hops[0].w2.weight.grad.abs().sum() > 0
    assert penalised.project.project.weight.grad is None  # it asks nothing of the images


def test_attention_says_which_words_the_hops_read():
    weights = model_of().eval().attention(CAPTIONS)
    assert weights.shape == (3, 2, 7)  # "a dog on the grass" between <start> and <end>
    assert torch.allclose(weights.sum(-1), torch.ones(3, 2)) and weights[2, :, 4:].abs().max() == 0


def test_one_hop_reads_as_many_words_as_ten_but_keeps_one_mean():
    assert model_of(hops=1).hops.project.in_features == 4 and model_of(hops=10).hops.project.in_features == 40


@pytest.mark.parametrize("wrong", [{"encoder": "B"}, {"hops": 0}, {"measure": "dot"}, {"penalty": -1.0}])
def test_wrong_options_are_refused_by_name(wrong):
    with pytest.raises(ItmError, match=next(iter(wrong))):
        model_of(**wrong)
