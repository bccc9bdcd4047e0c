"""Text and image encoders: unit embeddings that do not depend on padding."""

import pytest
import torch
from torch.nn.functional import normalize

from itm_tutorial import ItmError
from itm_tutorial.encoders.image import GlobalProjection, RegionProjection
from itm_tutorial.encoders.text import (
    GRU,
    BagOfWords,
    WordBag,
    WordGRU,
    create_word_encoder,
    masked_mean,
    word_mask,
)

ENCODERS = [BagOfWords, GRU]


def random_captions(n=6, seq_len=9, n_words=20):
    lengths = torch.randint(1, seq_len + 1, (n,))
    ids = torch.randint(1, n_words, (n, seq_len))
    return ids * word_mask(ids, lengths), lengths


@pytest.mark.parametrize("encoder", ENCODERS)
def test_embeddings_are_unit_vectors_and_padding_does_not_matter(encoder):
    model = encoder(20, 7, 5).eval()
    ids, lengths = random_captions()
    embeddings = model(ids, lengths)
    assert embeddings.shape == (6, 5)
    assert torch.allclose(embeddings.norm(dim=-1), torch.ones(6), atol=1e-5)
    padded = torch.cat([ids, torch.zeros(6, 4, dtype=torch.int64)], 1)
    assert torch.allclose(model(padded, lengths), embeddings, atol=1e-6)
    alone = torch.cat([model(row[None, :n], n[None]) for row, n in zip(ids, lengths, strict=True)])
    assert torch.allclose(alone, embeddings, atol=1e-6)


def test_a_bag_forgets_the_order_and_a_gru_does_not():
    ids, lengths = torch.tensor([[3, 4, 5], [5, 4, 3]]), torch.tensor([3, 3])
    bag, gru = BagOfWords(9, 7, 5)(ids, lengths), GRU(9, 7, 5)(ids, lengths)
    assert torch.allclose(bag[0], bag[1], atol=1e-6)
    assert not torch.allclose(gru[0], gru[1], atol=1e-3)


@pytest.mark.parametrize("encoder", [WordBag, WordGRU])
def test_embeddings_of_words_are_unit_vectors_and_zero_where_a_caption_has_ended(encoder):
    model = encoder(20, 7, 5).eval()
    ids, lengths = random_captions()
    embeddings, same = model(ids, lengths)
    assert embeddings.shape == (6, ids.shape[1], 5) and same is lengths
    assert torch.allclose(embeddings.norm(dim=-1), word_mask(ids, lengths).float(), atol=1e-5)
    for row, n, embedding in zip(ids, lengths, embeddings, strict=True):
        assert torch.allclose(model(row[None, :n], n[None]).words[0], embedding[:n], atol=1e-6)


def test_a_bag_of_words_apart_equals_a_loop_and_depends_on_all_its_words():
    model = WordBag(20, 7, 5)
    ids, lengths = random_captions()
    for row, n, embeddings in zip(ids, lengths, model(ids, lengths).words, strict=True):
        vectors = [model.words.weight[word] for word in row[:n]]
        mean = sum(vectors) / len(vectors)
        for vector, embedding in zip(vectors, embeddings, strict=False):
            expected = model.project.weight @ vector + model.context.weight @ mean + model.context.bias
            assert torch.allclose(embedding, expected / expected.norm(), atol=1e-5)
    one, other = (model(torch.tensor([words]), torch.tensor([3])).words[0] for words in ([3, 4, 5], [3, 4, 6]))
    assert not torch.allclose(one[0], other[0], atol=1e-4)
    turned = model(torch.tensor([[5, 4, 3]]), torch.tensor([3])).words[0]
    assert torch.allclose(turned.flip(0), one, atol=1e-6)


@pytest.mark.parametrize("encoder", [WordBag, WordGRU])
def test_words_at_their_own_lengths_point_the_same_way(encoder):
    model, (ids, lengths) = encoder(20, 7, 5, unit=False).eval(), random_captions()
    own = model(ids, lengths).words
    assert torch.equal(own[~word_mask(ids, lengths)], torch.zeros_like(own[~word_mask(ids, lengths)]))
    assert not torch.allclose(own.norm(dim=-1), word_mask(ids, lengths).float(), atol=1e-2)
    model.unit = True
    assert torch.allclose(normalize(own, dim=-1), model(ids, lengths).words, atol=1e-5)


def test_an_unknown_word_encoder_is_refused():
    with pytest.raises(ItmError, match="text encoder 'gur'.*gru"):
        create_word_encoder("gur", 20, 7, 5)


def test_gru_equals_a_loop_over_words():
    model = GRU(20, 7, 5)
    ids, lengths = random_captions()
    cell = torch.nn.GRUCell(7, 5)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in model.gru.state_dict().items()})
    for row, n, embedding in zip(ids, lengths, model(ids, lengths), strict=True):
        state = torch.zeros(1, 5)
        for word in row[:n]:
            state = cell(model.words(word[None]), state)
        assert torch.allclose(state[0] / state.norm(), embedding, atol=1e-5)


def test_masked_mean_equals_a_loop():
    values, lengths = torch.randn(4, 6, 3), torch.tensor([1, 6, 3, 2])
    mask = torch.arange(6)[None] < lengths[:, None]
    expected = torch.stack([v[:n].mean(0) for v, n in zip(values, lengths, strict=True)])
    assert torch.allclose(masked_mean(values, mask), expected, atol=1e-6)


def test_a_zero_image_feature_gives_no_nan():
    embeddings = GlobalProjection(4, 3)(torch.zeros(2, 4))
    assert torch.isfinite(embeddings).all()


def test_regions_that_keep_their_lengths_are_on_average_the_global_embedding():
    regions, whole = RegionProjection(8, 5, unit=False), GlobalProjection(8, 5, unit=False)
    whole.load_state_dict(regions.state_dict())
    features = torch.rand(4, 6, 8) * torch.rand(4, 6, 1)
    assert torch.allclose(regions(features).mean(1), whole(features), atol=1e-6)
    unit = RegionProjection(8, 5)
    assert not torch.allclose(unit(features).mean(1), GlobalProjection(8, 5, unit=False)(features), atol=1e-3)
    assert torch.isfinite(regions(torch.zeros(1, 6, 8))).all()


@pytest.mark.parametrize("unit", [True, False])
def test_training_draws_regions_of_each_image_and_the_test_takes_all(unit):
    model = RegionProjection(8, 5, unit=unit, sample=4)
    features = torch.rand(50, 6, 8)
    model.eval()
    every = model(features)
    assert every.shape == (50, 6, 5)
    model.train()
    drawn = model(features)
    assert drawn.shape == (50, 4, 5)
    same = torch.isclose(drawn[:, :, None], every[:, None], atol=1e-6).all(-1)  # [50, 4, 6]
    assert (same.sum(2) == 1).all() and (same.sum(1) <= 1).all()  # regions of the same image, none twice
    assert len({tuple(row.tolist()) for row in same.any(1)}) > 5  # another draw for each image
    with pytest.raises(ItmError, match="sample is -1"):
        RegionProjection(8, 5, sample=-1)
    model.sample = 9  # more than the image has
    assert torch.allclose(model(features), every)
