"""SCAN: words and regions in, scores out; other features than its own; attention against the truth."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.encoders.text import WordGRU, word_mask
from itm_tutorial.evaluation import grounding as attention
from itm_tutorial.models import Batch


def test_the_codes_of_words_know_both_sides_and_no_padding():
    gru = WordGRU(20, 7, 5).eval()
    lengths = torch.tensor([6, 1, 3])
    ids = torch.randint(1, 20, (3, 6)) * word_mask(torch.zeros(3, 6), lengths)
    embeddings = gru(ids, lengths).words
    mask = word_mask(ids, lengths)
    assert torch.allclose(embeddings.norm(dim=2), mask.float(), atol=1e-5)
    for row, n in enumerate(lengths.tolist()):
        alone = gru(ids[row : row + 1, :n], lengths[row : row + 1]).words[0]
        assert torch.allclose(embeddings[row, :n], alone, atol=1e-6)
    other = ids.clone()
    other[0, 5] = ids[0, 5] % 19 + 1
    assert not torch.allclose(gru(other, lengths).words[0, 0], embeddings[0, 0])  # the first word hears of the last
    states, _ = gru.gru(gru.words(ids[:1]))
    forward, backward = states.chunk(2, dim=-1)
    assert torch.allclose(embeddings[0], normalize((forward + backward)[0] / 2, dim=-1), atol=1e-6)


@pytest.mark.parametrize("name", ["scan", "scan_i2t", "scan_both"])
def test_trains_and_scores_in_any_chunk(tiny, made_up_regions, name):
    model = itm.create_model(name, tiny, embed_size=32, word_dim=16)
    history = itm.fit(model, tiny, epochs=2, batch_size=30, device="cpu", progress=False)
    assert history.epochs[1]["loss"] < history.epochs[0]["loss"] * 1.5
    whole = itm.score(model, tiny.val)
    assert whole.shape == (len(tiny.val.images), len(tiny.val.captions))
    assert torch.allclose(itm.score(model, tiny.val, chunk=7), whole, atol=1e-5)


def test_both_is_the_mean_of_the_two_directions(tiny):
    models = [itm.create_model(name, tiny, embed_size=16, word_dim=8) for name in ("scan", "scan_i2t", "scan_both")]
    for model in models[1:]:
        model.load_state_dict(models[0].state_dict())
    images, captions = torch.randn(3, 4, 256), tiny.val.captions[:5]
    with torch.no_grad():
        one, two, both = (m.similarity(m.encode_images(images), m.encode_captions(captions)) for m in models)
    assert torch.allclose(both, (one + two) / 2, atol=1e-6)
    assert not torch.allclose(one, two, atol=1e-3)


def test_a_gradient_reaches_every_parameter(tiny):
    model = itm.create_model("scan_both", tiny, embed_size=16, word_dim=8)
    tokens = model.tokenize(tiny.train.captions[:40:5])
    model.loss(Batch(torch.randn(8, 12, 256), tokens, torch.arange(8))).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_words_that_look_at_all_alike_see_the_global_code(tiny):
    options = {"features": "grid", "no_imgnorm": True, "sentence": "bow", "embed_size": 16, "word_dim": 8}
    model = itm.create_model("scan", tiny, smooth=0.0, **options).eval()
    features = torch.rand(3, 64, 256)
    with torch.no_grad():
        words, lengths = model.encode_captions(tiny.val.captions[:5])
        scores = model.similarity(model.encode_images(features), (words, lengths))
        whole = normalize(model.encode_images(features.mean(1, keepdim=True))[:, 0], dim=-1)
    expected = torch.stack([(whole @ word_emb[:n].T).mean(1) for word_emb, n in zip(words, lengths, strict=True)], 1)
    assert torch.allclose(scores, expected, atol=1e-5)


def test_all_options_of_a_grid_together_train_and_come_back_from_a_file(tiny, made_up_regions, tmp_path):
    options = {"features": "grid", "no_imgnorm": True, "sentence": "bow", "sample": 16, "loss": "top_k_hinges", "k": 5}
    model = itm.create_model("scan", tiny, embed_size=32, word_dim=16, **options)
    history = itm.fit(model, tiny, epochs=2, batch_size=30, device="cpu", progress=False, folder=tmp_path)
    assert history.epochs[1]["loss"] < history.epochs[0]["loss"]
    assert torch.equal(itm.score(itm.load_model(tmp_path), tiny.val), itm.score(model, tiny.val))


def test_a_sample_of_regions_is_trained_on_and_all_are_tested(tiny):
    model = itm.create_model("scan", tiny, embed_size=16, word_dim=8, sample=5)
    assert model.eval().encode_images(torch.rand(2, 12, 256)).shape == (2, 12, 16)
    assert model.image_encoder.train()(torch.rand(2, 12, 256)).shape == (2, 5, 16)


def test_training_hides_the_same_numbers_in_all_regions_of_an_image(tiny):
    encoder = itm.create_model("scan", tiny, embed_size=16, word_dim=8, dropout=0.5).image_encoder.train()
    embeddings = encoder(torch.rand(3, 1, 256).expand(3, 12, 256))
    assert torch.allclose(embeddings, embeddings[:, :1].expand_as(embeddings), atol=1e-6)
    assert not torch.allclose(embeddings, encoder.eval()(torch.rand(3, 1, 256).expand(3, 12, 256)))
    same = encoder.train()(torch.rand(1, 1, 256).expand(3, 12, 256))
    assert not torch.allclose(same[0], same[1])  # other numbers in another image


def test_a_global_model_takes_the_mean_of_regions(tiny):
    model = itm.create_model("vsepp", tiny, features="regions", sentence="bow")
    assert model.features.kind == "regions"
    regions = torch.randn(3, 12, 256)
    with torch.no_grad():
        assert torch.allclose(model.encode_images(regions), model.encode_images(regions.mean(1)), atol=1e-6)


@pytest.mark.parametrize("options", [{"direction": "t-i"}, {"pooling": "avg"}, {"rectifier": "gelu"}])
def test_unknown_options_are_refused_when_the_model_is_made(tiny, options):
    with pytest.raises(itm.ItmError, match=next(iter(options))):
        itm.create_model("scan", tiny, **options)


def precomputed(n=12, shape=(4, 8)):
    """A corpus that brings its features, as the published arrays of SCAN do."""
    rng = np.random.default_rng(0)
    splits = {}
    for name in ("train", "val"):
        splits[name] = Split(
            name,
            [None] * n,
            [f"a thing number {i % n} of {name}" for i in range(2 * n)],
            torch.arange(2 * n) % n,
            precomputed=rng.normal(size=(n, *shape)).astype("float32"),
        )
    return Corpus("brought", splits, drawn=False)


def test_features_that_a_data_set_brings_are_read_as_they_are(tmp_path):
    corpus = precomputed()
    model = itm.create_model("scan", corpus, embed_size=8, word_dim=8)
    assert (model.features.kind, model.features.dim) == ("regions", 8)
    itm.fit(model, corpus, epochs=1, batch_size=6, device="cpu", progress=False, folder=tmp_path)
    again = itm.load_model(tmp_path)
    assert again.features == model.features
    assert torch.equal(itm.score(again, corpus.val), itm.score(model, corpus.val))
    assert torch.equal(itm.features(corpus).val, torch.from_numpy(corpus.val.precomputed))
    with pytest.raises(itm.ItmError, match="leave backbone out"):
        itm.create_model("scan", corpus, backbone="resnet50")
    with pytest.raises(itm.ItmError, match="one feature per image"):
        itm.create_model("scan", precomputed(shape=(8,)))
    with pytest.raises(itm.ItmError, match="it cannot encode a new image"):
        itm.search(model, corpus.val, torch.zeros(3, 8, 8, dtype=torch.uint8))
    with pytest.raises(itm.ItmError, match="have no boxes"):
        itm.attend(model, corpus.val)
    with pytest.raises(itm.ItmError, match="8 numbers per region"):
        itm.score(model, precomputed(shape=(4, 9)).val)
    global_model = itm.create_model("vsepp", precomputed(shape=(8,)))
    assert global_model.features.kind == "global"


@pytest.mark.parametrize(
    ("asked", "message"), [({"captions": [-1]}, "no caption -1"), ({"images": [999]}, "no image 999")]
)
def test_attention_of_what_is_not_there_is_refused(tiny, made_up_regions, asked, message):
    with pytest.raises(itm.ItmError, match=message):
        itm.attend(itm.create_model("scan", tiny, embed_size=16, word_dim=8), tiny.val, **{"captions": [0]} | asked)


def test_attention_is_that_of_the_pair_alone(tiny, made_up_regions):
    for name in ("scan", "scan_i2t"):
        model = itm.create_model(name, tiny, embed_size=16, word_dim=8).eval()
        seen = itm.attend(model, tiny.val, captions=[3, 40, 7])
        assert seen.boxes.shape == (3, 16, 4) and len(seen) == 3
        for row, caption in enumerate((3, 40, 7)):
            features = attention.split_features(tiny.val, model.features)[tiny.val.image_of[caption]][None]
            embeddings = model.encode_images(features), model.encode_captions([tiny.val.captions[caption]])
            with torch.no_grad():
                expected = model.attention(*embeddings)[0, 0, :, 1:-1]
            expected = expected / expected.sum(0)
            assert seen.weights[row].shape == (16, len(seen.words[row]))
            assert torch.allclose(seen.weights[row], expected, atol=1e-5)


def test_the_pointing_game_by_hand():
    regions = torch.tensor([[[0.0, 0, 0.5, 0.5], [0.5, 0, 1, 0.5], [0, 0.5, 1, 1]]])
    named = torch.tensor([[[0.5, 0.0, 1, 1], [0, 0, 0, 0]]])
    hit, share = attention._inside(regions, named)
    assert hit.tolist() == [[False, True, False]]  # the third region's middle stands on the edge
    assert torch.allclose(share, torch.tensor([[0.0, 1, 0.5]]))
    two = torch.tensor([[[0.5, 0.0, 1, 1], [0, 0.4, 1, 1]]])
    hit, share = attention._inside(regions, two)
    assert hit.tolist() == [[False, True, True]]
    assert torch.allclose(share, torch.tensor([[0.2, 1, 1.0]]))


def test_a_model_that_looks_where_it_should_scores_all_and_its_controls_do_not(tiny, made_up_regions, monkeypatch):
    model = itm.create_model("scan", tiny, embed_size=16, word_dim=8)
    split, real = tiny.val, attention.attend

    def perfect(which, of, captions=None, images=None):
        seen = real(which, of, captions, images)
        if which is not model:
            return seen
        seen = replace(seen, weights=[weights.clone() for weights in seen.weights])
        for row, caption in enumerate(seen.captions.tolist()):
            own = of.boxes[int(of.image_of[caption])]  # it looks where the things of its own picture are
            for word, box in dict(of.groundings[caption]).items():
                _, share = attention._inside(seen.boxes[row][None], own[box][None, None])
                seen.weights[row][:, word] = torch.nn.functional.one_hot(share[0].argmax(), 16).float()
        return seen

    untrained = itm.evaluate_attention(model, split)
    monkeypatch.setattr(attention, "attend", perfect)
    report = itm.evaluate_attention(model, split)
    assert report.mass["model"]["noun"] > report.mass["uniform"]["noun"] + 20
    assert report.lead("noun") > 10 > untrained.lead("noun")
    assert report.pointing["uniform"] == untrained.pointing["uniform"]
    assert set(report.words) >= {"noun", "colour"}
    assert "noun" in repr(report) and report.frame().shape == (len(report.words), 9)


def test_who_cannot_be_asked(tiny, made_up_regions):
    with pytest.raises(itm.ItmError, match="no attention"):
        itm.attend(itm.create_model("bow", tiny), tiny.val)
    with pytest.raises(itm.ItmError, match="it is not known which box"):
        itm.evaluate_attention(itm.create_model("scan", tiny), precomputed().val)
    with pytest.raises(itm.ItmError, match="give one image per caption"):
        itm.attend(itm.create_model("scan", tiny), tiny.val, captions=[0, 1], images=[0])
