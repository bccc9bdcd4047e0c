"""The ranking model over frozen skip-thoughts against a loop; its text input: expansion, photographs, checkpoints."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import itm_tutorial as itm
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.encoders.skip_thought import SkipThoughtEncoder
from itm_tutorial.errors import ItmError
from itm_tutorial.models import Batch, FeatureSpec, build_model
from itm_tutorial.pretraining.skip_thought import train_skip_thought

WORDS = ["a", "dog", "cat", "runs", "red"]
TEXT = [[["a", "dog", "runs"], ["a", "red", "dog"], ["cat", "runs"], ["a", "cat"]]] * 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An encoder of five words, trained for a moment."""
    encoder, _ = train_skip_thought(TEXT, word_dim=2, dim=3, steps=3)
    encoder.save(tmp_path_factory.mktemp("encoder"))
    return str(tmp_path_factory.getbasetemp() / "encoder0")


def corpus_of(captions, image_of, drawn=False):
    images = torch.zeros(max(image_of) + 1, 3, 8, 8, dtype=torch.uint8)
    split = Split("train", list(images), captions, torch.tensor(image_of))
    return Corpus("made-up", {"train": split, "val": split, "test": split}, drawn=drawn)


DOGS = corpus_of(["a dog runs", "a red dog", "a cat", "cat runs"], [0, 0, 1, 1])


def unit(vector):
    length = math.sqrt(sum(x * x for x in vector))
    return [x / length for x in vector]


def affine(layer, vector):
    rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
    return [b + sum(w * x for w, x in zip(row, vector, strict=True)) for row, b in rows]


@settings(max_examples=10)
@given(st.integers(2, 4), st.integers(1, 3), st.integers(0, 10_000))
def test_the_loss_equals_the_loop_over_pairs(n_images, n_each, seed):
    torch.manual_seed(seed)
    sizes = {"word_dim": 3, "sentence_dim": 4, "embed_size": 5}
    model = build_model("skip_thought", Vocabulary(WORDS), FeatureSpec("global", "precomputed", 6), **sizes).double()
    image_of = torch.arange(n_images).repeat_interleave(n_each)
    captions = [" ".join(WORDS[i] for i in torch.randint(0, 5, (1 + seed % 4 + i % 2,))) for i in range(len(image_of))]
    batch = Batch(torch.rand(n_images, 6).double(), model.tokenize(captions), image_of)
    frozen, expected = model.text_encoder.frozen, 0.0
    images = [unit(affine(model.image_encoder.project, unit(row))) for row in batch.images.tolist()]
    texts = []
    for caption in captions:  # one at a time, without padding
        ids = torch.tensor([[model.vocabulary.index[word] for word in caption.split()] + [2]])
        sentence = frozen.gru(frozen.words(ids))[0][0, -1].tolist()  # the state after <end>
        texts.append(unit(affine(model.text_encoder.project, unit(sentence))))
    scores = [[sum(x * y for x, y in zip(image, text, strict=True)) for text in texts] for image in images]
    for c, i in enumerate(image_of.tolist()):
        others = [k for k in range(len(texts)) if image_of[k] != i]
        expected += sum(max(0.0, 0.2 - scores[i][c] + scores[i][k]) for k in others)
        expected += sum(max(0.0, 0.2 - scores[i][c] + scores[k][c]) for k in range(n_images) if k != i)
    assert model.loss(batch).item() == pytest.approx(expected, abs=1e-10)


def test_the_encoder_reads_the_token_that_ends_a_sentence_and_no_start(folder):
    model = itm.create_model("skip_thought", DOGS, encoder=folder)
    tokens = model.tokenize(["a dog", "cat"])
    vocabulary = model.vocabulary.index
    assert tokens.ids.tolist() == [[vocabulary["a"], vocabulary["dog"], 2], [vocabulary["cat"], 2, 0]]
    assert tokens.lengths.tolist() == [3, 2]
    without = tokens.ids[:1, :-1]  # as the released code encodes sentences
    frozen = model.text_encoder.frozen
    assert not torch.allclose(frozen(without, torch.tensor([2])), frozen(tokens.ids[:1], torch.tensor([3])))


def test_only_the_two_maps_are_trained(folder, tiny, instant_features):
    model = itm.create_model("skip_thought", tiny, embed_size=8)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    itm.fit(model, tiny, epochs=1, batch_size=20, device="cpu", progress=False)
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {
        f"{side}.project.{part}" for side in ("image_encoder", "text_encoder") for part in ("weight", "bias")
    }


def test_expansion_gives_words_that_the_stories_lack_vectors_of_their_own(tiny):
    expanded = itm.create_model("skip_thought", tiny, embed_size=8).eval()
    plain = itm.create_model("skip_thought", tiny, embed_size=8, expansion=False).eval()
    assert "cow" in expanded.vocabulary and "cow" not in plain.vocabulary and "dog" in plain.vocabulary
    with torch.no_grad():
        first, second = (model.encode_captions(["a cow", "a barn", "a dog"]) for model in (expanded, plain))
    assert not torch.allclose(first[0], first[1]) and torch.equal(second[0], second[1])
    assert not torch.allclose(second[0], second[2])
    own = len(plain.vocabulary)
    assert torch.equal(expanded.text_encoder.frozen.words.weight[:own], plain.text_encoder.frozen.words.weight)


def test_photographs_get_an_encoder_of_their_own_captions(tmp_path, monkeypatch):
    monkeypatch.setenv("ITM_CACHE", str(tmp_path))
    model = itm.create_model("skip_thought", DOGS, embed_size=8)
    assert set(model.vocabulary.words[4:]) == set(WORDS) and model.options.get("encoder") is None
    with pytest.raises(ItmError, match="no image has two captions: give encoder=FOLDER"):
        itm.create_model("skip_thought", corpus_of(["a dog", "a cat"], [0, 1]))


def test_an_encoder_of_another_text_is_refused_with_the_remedy(folder):
    other = corpus_of(["zwei Hunde laufen", "a dog"], [0, 0])
    with pytest.raises(ItmError, match="skip_thought: 60 % of the words.*give encoder='captions'"):
        itm.create_model("skip_thought", other, encoder=folder)


def test_words_expand_the_vocabulary_and_are_refused_without_expansion(folder):
    words = WordVectors([*WORDS, "puppy"], torch.rand(6, 2))
    assert "puppy" in itm.create_model("skip_thought", DOGS, encoder=folder, words=words).vocabulary
    with pytest.raises(ItmError, match="skip_thought without expansion.*leave words out"):
        itm.create_model("skip_thought", DOGS, encoder=folder, words=words, expansion=False)
    with pytest.raises(ItmError, match="nor is it a folder"):
        itm.create_model("skip_thought", DOGS, encoder="storys")


def test_a_model_is_loaded_where_the_encoder_is_gone(tmp_path, monkeypatch):
    encoder, _ = train_skip_thought(TEXT, word_dim=2, dim=3, steps=3)
    encoder.save(tmp_path / "encoder")
    model = itm.create_model("skip_thought", DOGS, encoder=str(tmp_path / "encoder"), embed_size=4).eval()
    itm.save_model(model, tmp_path / "model")
    (tmp_path / "encoder").rename(tmp_path / "elsewhere")
    again = itm.load_model(tmp_path / "model")
    assert torch.equal(again.encode_captions(["a red cat"]), model.encode_captions(["a red cat"]))
    assert isinstance(again.text_encoder.frozen, SkipThoughtEncoder)
