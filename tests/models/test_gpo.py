"""VSE-infinity: its encoders by a loop, what training leaves out, and what its variants are."""

import pytest
import torch
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.encoders.pooling import GeneralizedPooling, MaxPooling, MeanPooling
from itm_tutorial.encoders.text import word_mask
from itm_tutorial.models.gpo import PooledWords

SMALL = {"embed_size": 6, "word_dim": 5}


@torch.no_grad()
def test_an_image_is_pooled_number_by_number_from_a_linear_map_plus_a_network(tiny):
    model = itm.create_model("gpo", tiny, **SMALL).double().eval()
    features, encoder = torch.rand(2, 4, 256, dtype=torch.float64), model.image_encoder
    theta = encoder.pool.weights(torch.tensor([4]), 4)[0].tolist()
    for found, regions in zip(model.encode_images(features), normalize(features, dim=-1), strict=True):
        rows = [(encoder.linear(r) + encoder.network(r)).tolist() for r in regions]
        columns = [sorted(column, reverse=True) for column in zip(*rows, strict=True)]
        pooled = [sum(t * v for t, v in zip(theta, column, strict=True)) for column in columns]
        assert found.tolist() == pytest.approx(normalize(torch.tensor(pooled).double(), dim=0).tolist(), abs=1e-6)


@torch.no_grad()
def test_a_removed_word_is_read_no_more_and_the_others_keep_their_order(monkeypatch):
    encoder = PooledWords("gru", 20, 5, 6, "gpo", 0.5).double()
    ids, lengths = torch.tensor([[1, 7, 8, 9, 2], [1, 5, 2, 0, 0]]), torch.tensor([5, 3])
    kept = torch.tensor([[1, 0, 1, 1, 1], [1, 1, 0, 0, 0]]) > 0
    monkeypatch.setattr("itm_tutorial.models.gpo.leave_out", lambda mask, fraction: kept & mask)
    removed = encoder.train()(ids, lengths)
    shorter = encoder.eval()(torch.tensor([[1, 8, 9, 2], [1, 5, 0, 0]]), torch.tensor([4, 2]))
    assert torch.allclose(removed, shorter, atol=1e-10)
    assert not torch.allclose(removed, encoder(ids, lengths), atol=1e-4)
    assert torch.equal(word_mask(ids, lengths).sum(1), lengths)  # the caption itself is left as it was


@torch.no_grad()
def test_sizes_vary_in_training_alone(tiny):
    model = itm.create_model("gpo", tiny, **SMALL)
    features, captions = torch.rand(3, 8, 256), tiny.train.captions[:3]
    for encode, given in ((model.encode_images, features), (model.encode_captions, captions)):
        assert not torch.allclose(encode(given), encode(given))
        model.eval()
        assert torch.equal(encode(given), encode(given))
        model.train()
    whole = itm.create_model("gpo", tiny, **SMALL, drop_regions=0.0, drop_words=0.0)
    assert torch.equal(whole.encode_images(features), whole.encode_images(features))


@torch.no_grad()
def test_order_and_number_of_regions_are_free(tiny):
    model = itm.create_model("gpo", tiny, **SMALL).eval()
    features = torch.rand(2, 9, 256)
    assert torch.allclose(model.encode_images(features.flip(1)), model.encode_images(features), atol=1e-6)
    for n in (1, 4, 9):
        assert model.encode_images(features[:, :n]).norm(dim=1).tolist() == pytest.approx([1, 1], abs=1e-5)


def test_its_variants_are_fixed_poolings(tiny):
    kinds = {"gpo": GeneralizedPooling, "gpo_mean": MeanPooling, "gpo_max": MaxPooling}
    for name, kind in kinds.items():
        model = itm.create_model(name, tiny, **SMALL)
        assert isinstance(model.image_encoder.pool, kind) and isinstance(model.text_encoder.pool, kind)


def test_the_learned_weights_get_a_gradient(tiny):
    model = itm.create_model("gpo", tiny, **SMALL)
    model.encode_images(torch.rand(3, 5, 256)).square().sum(0)[0].backward()
    assert model.image_encoder.pool.logit.weight.grad.abs().sum() > 0
