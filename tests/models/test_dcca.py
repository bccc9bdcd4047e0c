"""DCCA against loops: tf-idf, the loss, networks that start at the identity; CCA of a whole epoch, against scipy."""

import copy
import math

import numpy as np
import pytest
import torch
from scipy import linalg

import itm_tutorial as itm
from itm_tutorial.data.text import Vocabulary, tokenize
from itm_tutorial.losses.correlation import total_correlation
from itm_tutorial.models import Batch, FeatureSpec, build_model, create_model

WORDS = ["a", "dog", "cat", "runs", "red"]
CAPTIONS = ["a dog runs", "a red red cat", "dog", "a cat runs", "red dog runs", "a cat a dog"] * 3


def model_of(name="dcca", **options):
    model = build_model(name, Vocabulary(WORDS), FeatureSpec("global", "precomputed", 6), **options).double()
    model.idf[4:] = torch.tensor([0.2, 0.5, 1.0, 1.5, 2.0])
    return model


def batch_of(model, n_images=6):
    g = torch.Generator().manual_seed(1)
    image_of = torch.arange(len(CAPTIONS)) % n_images
    return Batch(torch.rand(n_images, 6, generator=g).double(), model.tokenize(CAPTIONS), image_of)


def test_tf_idf_equals_the_loop_over_words(tiny):
    model, captions = create_model("dcca", tiny), tiny.train.captions
    found, tokenized = model.tf_idf(model.tokenize(captions[:20]).ids), [tokenize(caption) for caption in captions]
    for row, caption in zip(found, captions[:20], strict=True):
        words = tokenize(caption)
        for word in set(words):
            df = sum(word in other for other in tokenized)
            expected = words.count(word) * max(0.0, math.log(len(captions) / (df + 1)))
            assert row[model.vocabulary.index[word]].item() == pytest.approx(expected, abs=1e-5)
        assert not row[:4].any()  # <start>, <end>, padding and <unk> weigh nothing
        assert (row > 0).sum() <= len(set(words))


def test_the_loss_equals_minus_the_sum_of_canonical_correlations_by_the_oracle_without_roots():
    model = model_of(embed_size=3, ridge=0.05)
    batch = batch_of(model)
    x = np.array([_network(model.image_network, row) for row in batch.images.tolist()])[batch.image_of.numpy()]
    y = np.array([_network(model.text_network, row) for row in model.tf_idf(batch.captions.ids).tolist()])
    (xx, xy), (_, yy) = (np.hsplit(half, 2) for half in np.vsplit(np.cov(np.hstack([x, y]).T), 2))
    xx, yy = xx + 0.05 * np.eye(3), yy + 0.05 * np.eye(3)
    squares = linalg.eigvals(linalg.inv(xx) @ xy @ linalg.inv(yy) @ xy.T).real
    assert model.loss(batch)["correlation"].item() == pytest.approx(-np.sqrt(squares.clip(0)).sum(), abs=1e-6)


def _network(network, row):
    """Linear map, ReLU, linear map, on scalars."""
    first, last = network[0], network[-1]
    for layer, cut in ((first, True), (last, False)):
        rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
        row = [b + sum(w * v for w, v in zip(weights, row, strict=True)) for weights, b in rows]
        row = [max(0.0, v) for v in row] if cut else row
    return row


def test_layers_start_at_the_identity():
    model = model_of(embed_size=3, layers=2)
    features = torch.randn(4, 6).double()
    assert torch.equal(model.image_network[:-1](features), features.relu())
    tf_idf = model.tf_idf(model.tokenize(CAPTIONS).ids)
    assert torch.equal(model.text_network[:-1](tf_idf), tf_idf)  # tf-idf has no negative numbers


def test_each_part_of_the_loss_moves_its_own_weights():
    model = model_of(embed_size=3)
    for part, own in (("correlation", "network"), ("projection", "canonical")):
        model.zero_grad()
        model.loss(batch_of(model))[part].backward()
        moved = {name for name, weight in model.named_parameters() if weight.grad is not None}
        assert moved and all(own in name for name in moved)


def test_noise_reaches_the_maximum_with_a_batch_of_the_dimension_plus_one():
    g = torch.Generator().manual_seed(0)
    x, y = torch.randn(6, 5, generator=g), torch.randn(6, 5, generator=g)
    assert total_correlation(x, y, 1e-8).item() == pytest.approx(5.0, abs=1e-3)


def trained_by_hand(model, batches):
    model.train()
    model.on_epoch()
    for batch in batches:
        model.loss(batch)
    return model.eval()


def test_linear_cca_equals_cca_of_all_pairs_by_scipy():
    model = model_of("linear_cca", embed_size=2, test_ridge=0.1)
    whole = batch_of(model)
    halves = [Batch(whole.images, whole.captions[rows], whole.image_of[rows]) for rows in torch.arange(18).split(9)]
    trained_by_hand(model, halves)
    x, y = whole.images[whole.image_of].numpy(), model.tf_idf(whole.captions.ids).numpy()
    xx, yy, xy = np.cov(x.T), np.cov(y.T), np.cov(x.T, y.T)[:6, 6:]
    xx, yy = (s + 0.1 * np.diag(s).mean() * np.eye(len(s)) for s in (xx, yy))
    squares, w_x = linalg.eigh(xy @ linalg.inv(yy) @ xy.T, xx)  # S_xy S_yy^-1 S_yx w = r^2 S_xx w
    assert model.canonical.correlations.tolist() == pytest.approx(np.sqrt(squares[::-1][:2]).tolist(), abs=1e-8)
    ours = model.canonical.image.detach().numpy()
    assert np.abs(ours) == pytest.approx(np.abs(w_x[:, ::-1][:, :2]), abs=1e-8)  # up to the sign of a direction
    projected = (x - x.mean(0)) @ ours
    expected = projected / np.linalg.norm(projected, axis=1, keepdims=True)
    found = model.encode_images(whole.images)[whole.image_of].detach().numpy()
    assert found == pytest.approx(expected, abs=1e-8)


def test_projections_are_solved_once_when_the_epoch_ends_and_stay():
    model = model_of(embed_size=3)
    batch, before = batch_of(model), model.canonical.image.clone()
    model.train().loss(batch)
    model.eval()
    assert torch.equal(model.canonical.image, before)  # outside of an epoch, nothing is collected
    trained_by_hand(model, [batch])
    solved = model.canonical.image.clone()
    assert not torch.equal(solved, before) and model.canonical.sums is None
    model.train().loss(batch)
    assert torch.equal(model.eval().canonical.image, solved)
    again = copy.deepcopy(model)
    again.on_epoch()
    again.eval()  # an epoch without a batch changes nothing
    assert torch.equal(again.canonical.image, solved)


@pytest.mark.parametrize("name", ["dcca", "linear_cca"])
def test_two_epochs_of_fit_leave_the_projections_of_the_best_one(name, tiny, cheap_features):
    model = create_model(name, tiny, embed_size=8)
    itm.fit(model, tiny, epochs=2, batch_size=100, device="cpu", progress=False)
    kept = itm.score(model, tiny.val)
    assert 0 < model.canonical.correlations[-1] <= model.canonical.correlations[0] <= 1 + 1e-6
    assert torch.equal(itm.score(model.train().eval(), tiny.val), kept)
