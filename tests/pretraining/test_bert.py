"""BERT: frozen, independent of padding, rebuilt from plain data, trained on masked words; safe loading of others."""

import json
import random
import subprocess
import sys
from collections import Counter

import pytest
import torch

import itm_tutorial.pretraining.bert as bert_training
from itm_tutorial.data.text import Vocabulary, WordPieces
from itm_tutorial.encoders.bert import BertWords
from itm_tutorial.encoders.lstm import MaxLSTM
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.models import Matching, create_model
from itm_tutorial.models._bert_pieces import BertPieces
from itm_tutorial.pretraining.bert import MASK_ID, MINI, hide_words, load_bert, train_masked_words, write_text
from itm_tutorial.training.checkpoints import load_model, save_model

TOY = {**MINI, "hidden_size": 32, "num_hidden_layers": 1, "intermediate_size": 64, "max_position_embeddings": 12}
CAPTIONS = ["a red car", "two dogs on the grass in the rain"]


class Reader(Matching):
    """The smallest model that uses BERT."""

    text_input = BertPieces()
    similarity = staticmethod(cosine)

    def __init__(self, vocabulary, features, image_dim, *, bert, bert_config):
        super().__init__(vocabulary, features)
        self.image_encoder = torch.nn.Linear(image_dim, 6)
        self.bert = BertWords(bert_config)
        self.lstm = MaxLSTM(self.bert.dim, 6)

    def text_encoder(self, ids, lengths):
        return self.lstm(self.bert(ids, lengths), lengths)


class Wordless(Matching):
    """A variant that could use BERT, but does not."""

    text_input = BertPieces()

    def __init__(self, vocabulary, features, image_dim, *, bert="mini", bert_config=None):
        super().__init__(vocabulary, features)


def grammar(n, seed):
    """Captions in which colour and thing predict each other, and the first and last word predict nothing."""
    rng = random.Random(seed)
    pairs = [("red", "fire"), ("blue", "sky"), ("green", "leaf"), ("white", "snow")]
    return [
        f"{rng.choice(('this', 'that'))} {colour} {thing} {'is ' * rng.randint(1, 3)}here{rng.randint(0, 49)}"
        for colour, thing in (rng.choice(pairs) for _ in range(n))
    ]


@pytest.fixture
def quick_mini(tmp_path, monkeypatch):
    """A separate cache, and a mini BERT that trains quickly."""

    def train(seed=0):
        module, vocabulary, metrics = train_masked_words(CAPTIONS + grammar(64, 0), ["a new red car"], TOY, 1, seed)
        return module, vocabulary, {**metrics, "seconds": 0.0, "seed": seed}

    monkeypatch.setenv("ITM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(bert_training, "MINI", TOY)
    monkeypatch.setattr(bert_training, "train_bert", train)


@pytest.fixture
def published(tmp_path):
    """A folder as saved by transformers, with a tiny BERT and its word pieces."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "car", "dog", "##s", "two", "on", "the", "grass"]
    (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    folder = tmp_path / "tiny-bert"
    torch.manual_seed(3)
    BertModel(BertConfig(vocab_size=len(words), **TOY)).save_pretrained(folder, safe_serialization=True)
    BertTokenizerFast(vocab=str(tmp_path / "vocab.txt")).save_pretrained(folder)
    return folder


def test_a_bert_is_frozen_and_does_not_depend_on_padding():
    module = BertWords({"vocab_size": 20, **TOY, "hidden_dropout_prob": 0.5}).train()
    assert not module.training and not any(part.training for part in module.modules())
    assert not any(parameter.requires_grad for parameter in module.parameters())
    ids, lengths = torch.randint(1, 20, (3, 7)), torch.tensor([7, 2, 4])
    vectors = module(ids, lengths)
    assert vectors.shape == (3, 7, module.dim) and module.dim == 32 and not vectors.requires_grad
    other = ids.masked_fill(torch.arange(7)[None] >= lengths[:, None], 5)
    other = torch.cat([other, torch.full((3, 3), 5)], 1)
    for row in range(3):
        n = int(lengths[row])
        assert torch.allclose(module(other, lengths)[row, :n], vectors[row, :n], atol=1e-5)
        assert torch.allclose(module(ids[row : row + 1, :n], lengths[row : row + 1])[0], vectors[row, :n], atol=1e-5)


def test_a_word_vector_depends_on_its_neighbours():
    module = BertWords({"vocab_size": 20, **TOY})
    vectors = module(torch.tensor([[7, 8, 9], [7, 8, 10]]), torch.tensor([3, 3]))
    assert not torch.allclose(vectors[0, 0], vectors[1, 0], atol=1e-6)


def test_a_caption_longer_than_the_positions_is_refused():
    module = BertWords({"vocab_size": 20, **TOY})
    with pytest.raises(ItmError, match="caption 1 has 13 words .* reads at most 12"):
        module(torch.ones(2, 13, dtype=torch.int64), torch.tensor([3, 13]))


def test_words_are_hidden_by_the_fractions_of_the_paper():
    torch.manual_seed(0)
    ids = torch.randint(0, 50, (400, 500))
    shown, chosen = hide_words(ids, 50)
    real = ids > MASK_ID
    assert not chosen[~real].any() and torch.equal(shown[~chosen], ids[~chosen])
    assert chosen[real].float().mean().item() == pytest.approx(0.15, abs=0.005)
    fates = Counter(
        "mask" if s == MASK_ID else "same" if s == w else "other"
        for s, w in zip(shown[chosen].tolist(), ids[chosen].tolist(), strict=True)
    )
    n = int(chosen.sum())
    assert fates["mask"] / n == pytest.approx(0.8, abs=0.015)
    assert fates["other"] / n == pytest.approx(0.1 * 44 / 45, abs=0.01)
    assert shown[chosen].min() >= MASK_ID


def test_a_toy_language_is_learned_and_leaves_the_callers_randomness_alone():
    state = torch.random.get_rng_state()
    with torch.inference_mode():
        module, vocabulary, metrics = train_masked_words(grammar(800, 0), grammar(400, 1), TOY, steps=160)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert vocabulary.words[MASK_ID] == "<mask>" and "fire" in vocabulary
    assert metrics["n_hidden"] > 50 and metrics["accuracy"] > metrics["most_frequent"] + 0.2
    assert not any(parameter.requires_grad for parameter in module.parameters())


def test_training_repeats_itself():
    one, same, other = (train_masked_words(grammar(99, 0), grammar(99, 1), TOY, 2, seed)[0] for seed in (1, 1, 2))
    weights = [module.bert.embeddings.word_embeddings.weight for module in (one, same, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_bad_text_is_refused():
    with pytest.raises(ItmError, match="also a training caption"):
        train_masked_words(["a b", "c d"], ["a b"], TOY)
    with pytest.raises(ItmError, match="the longest has 22 words .* 12 positions"):
        train_masked_words(["a b"], [" ".join("c" * 20)], TOY)


def test_the_text_is_of_all_worlds_and_repeats_itself():
    text = write_text(0, fraction=0.004)
    assert text == write_text(0, fraction=0.004) != write_text(1, fraction=0.004)
    words = {word for caption in text for word in caption.lower().split()}
    assert {"bird", "flower", "wearing", "left"} <= words


def test_the_mini_is_trained_once(quick_mini, monkeypatch):
    state = torch.random.get_rng_state()
    first = load_bert()
    assert torch.equal(torch.random.get_rng_state(), state)
    monkeypatch.setattr(bert_training, "train_bert", None)
    again = load_bert("mini")
    tokens = again.vocabulary.encode(CAPTIONS)
    assert again.config == first.config and again.vocabulary == first.vocabulary
    assert torch.equal(first.module(tokens.ids, tokens.lengths), again.module(tokens.ids, tokens.lengths))
    assert json.dumps(again.config)


def test_a_model_gets_the_bert_and_comes_back_from_disk_without_it(quick_mini, tiny, tmp_path, monkeypatch, register):
    register(chapter="04", name="reader")(Reader)
    model = create_model("reader", tiny).eval()
    bert = load_bert()
    assert model.vocabulary == bert.vocabulary and model.options == {"bert": "mini", "bert_config": bert.config}
    tokens = model.tokenize(CAPTIONS)
    assert torch.equal(model.bert(tokens.ids, tokens.lengths), bert.module(tokens.ids, tokens.lengths))
    save_model(model, tmp_path / "model")
    monkeypatch.setattr(bert_training, "load_bert", None)
    again = load_model(tmp_path / "model")
    assert torch.equal(again.encode_captions(CAPTIONS), model.encode_captions(CAPTIONS))
    caption_embeddings = model.train().encode_captions(CAPTIONS)
    caption_embeddings.sum().backward()
    assert all(parameter.grad is None for parameter in model.bert.parameters())


def test_a_model_may_do_without_bert(tiny, monkeypatch, register):
    monkeypatch.setattr(bert_training, "load_bert", None)
    register(chapter="04", name="with_words", variants={"wordless": {"bert": None}})(Wordless)
    model = create_model("wordless", tiny)
    assert model.options == {"bert": None}
    assert model.vocabulary == Vocabulary.from_captions(tiny.train.captions)


def test_a_published_bert_is_read_from_its_folder(published):
    from transformers import AutoTokenizer, BertModel

    bert = load_bert(str(published))
    theirs, tokenizer = BertModel.from_pretrained(published).eval(), AutoTokenizer.from_pretrained(published)
    captions = ["A red car.", "Two dogs on the grass"]
    tokens, expected = bert.vocabulary.encode(captions), tokenizer(captions, padding=True, return_tensors="pt")
    assert torch.equal(tokens.ids, expected["input_ids"])
    assert torch.equal(tokens.lengths, expected["attention_mask"].sum(1))
    with torch.no_grad():
        vectors = theirs(**expected).last_hidden_state
    real = expected["attention_mask"].bool()
    assert torch.allclose(bert.module(tokens.ids, tokens.lengths)[real], vectors[real], atol=1e-5)
    assert bert.vocabulary.decode(tokens.ids[1]) == "two dogs on the grass"
    assert "dogs" in bert.vocabulary and "zebra" not in bert.vocabulary
    with pytest.raises(ItmError, match="caption 1 has no word"):
        bert.vocabulary.encode(["a dog", " "])


def test_a_model_on_a_published_bert_comes_back_without_its_folder(published, tiny, tmp_path, register):
    register(chapter="04", name="reader")(Reader)
    model = create_model("reader", tiny, bert=str(published)).eval()
    save_model(model, tmp_path / "model")
    published.rename(published.with_name("gone"))
    again = load_model(tmp_path / "model")
    assert isinstance(again.vocabulary, WordPieces) and again.vocabulary == model.vocabulary
    assert again.vocabulary != Vocabulary(["a"]) and Vocabulary(["a"]) != again.vocabulary
    assert torch.equal(again.encode_captions(CAPTIONS), model.encode_captions(CAPTIONS))


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        ("config.json", r"tiny-bert has no config.json"),
        ("model.safetensors", r"tiny-bert has no weights as safetensors \(model.safetensors"),
        ("tokenizer.json", r"tiny-bert has no tokenizer \(tokenizer.json or vocab.txt\)"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused(published, gone, message):
    (published / gone).unlink()
    with pytest.raises(ItmError, match=message):
        load_bert(str(published))


def test_weights_as_a_pickle_are_never_read(published):
    from safetensors.torch import load_file

    torch.save(load_file(published / "model.safetensors"), published / "pytorch_model.bin")
    (published / "model.safetensors").unlink()
    with pytest.raises(ItmError, match="no weights as safetensors"):
        load_bert(str(published))


def rewrite(file, **changes):
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def test_what_does_not_fit_is_refused(published):
    from safetensors.torch import load_file, save_file

    weights = load_file(published / "model.safetensors")
    save_file({k: v for k, v in weights.items() if "layer.0" not in k}, published / "model.safetensors")
    with pytest.raises(ItmError, match="its weights lack encoder.layer.0"):
        load_bert(str(published))
    (published / "model.safetensors").write_bytes(b"cut short")
    with pytest.raises(ItmError, match="cannot be loaded"):
        load_bert(str(published))
    for kind, as_shown in (("distilbert", "'distilbert'"), ("a\nb", r"'a\\nb'")):  # one line, whatever the file says
        rewrite(published / "config.json", model_type=kind)
        with pytest.raises(ItmError, match=f"is of the type {as_shown}: use one"):
            load_bert(str(published))


def shapes(published, **changes):
    """Another configuration than that of the weights."""
    rewrite(published / "config.json", **changes)


def tokenizer(published, change):
    file = published / "tokenizer.json"
    value = json.loads(file.read_text(encoding="utf-8"))
    change(value)
    file.write_text(json.dumps(value), encoding="utf-8")


HOSTILE = {  # what is done to a folder -> the file and the part that are named
    "a network of the size of a city": (lambda f: shapes(f, hidden_size=100_000), "word_embeddings.weight is"),
    "a million layers": (lambda f: shapes(f, num_hidden_layers=10**6), r"config.json: \['num_hidden_layers'\]"),
    "two layers": (lambda f: shapes(f, num_hidden_layers=2), "its weights lack encoder.layer.1"),
    "a text for a size": (lambda f: shapes(f, hidden_size="32"), r"config.json: \['hidden_size'\]"),
    "no heads": (lambda f: shapes(f, num_attention_heads=0), r"config.json: \['num_attention_heads'\]"),
    "heads that do not divide": (lambda f: shapes(f, num_attention_heads=3), "cannot be loaded"),
    "no such function": (lambda f: shapes(f, hidden_act="x"), "cannot be loaded"),
    "NaN": (lambda f: shapes(f, layer_norm_eps=float("nan")), r"config.json: \['layer_norm_eps'\]"),
    "a list": (lambda f: (f / "config.json").write_text("[1]"), "config.json: "),
    "deep": (lambda f: (f / "config.json").write_text("[" * 100_000), "config.json: broken JSON"),
    "a large id": (
        lambda f: tokenizer(f, lambda t: t["model"]["vocab"].update(car=2**31)),
        r"tokenizer.json: \['model'\]",
    ),
    "no words": (
        lambda f: tokenizer(f, lambda t: t["model"].update(vocab={})),
        "tokenizer.json: its vocabulary is empty",
    ),
    "no separator": (
        lambda f: tokenizer(f, lambda t: t["post_processor"]["special_tokens"].pop("[SEP]")),
        r"tokenizer.json: its post_processor puts '\[SEP\]'",
    ),
    "an id beyond the weights": (lambda f: tokenizer(f, lambda t: t["model"]["vocab"].update(car=99)), "counts to 99"),
    "odd settings": (
        lambda f: rewrite(f / "tokenizer_config.json", added_tokens_decoder={"2147483648": {}}),
        "tokenizer_config.json",
    ),
}


@pytest.mark.parametrize("kind", list(HOSTILE))
def test_a_hostile_folder_is_refused_before_a_library_reads_it(published, kind):
    damage, message = HOSTILE[kind]
    damage(published)
    with pytest.raises(ItmError, match=message) as caught:
        load_bert(str(published))
    assert "\n" not in str(caught.value) and str(published) in str(caught.value)


@pytest.mark.parametrize("file", ["config.json", "vocabulary.json", "weights.safetensors"])
def test_a_damaged_mini_bert_names_the_folder_to_delete(quick_mini, file):
    load_bert()
    kept = bert_training.bert_folder() / file
    kept.write_bytes(b'["<mask>", "a"]' if file == "vocabulary.json" else b"{}")
    with pytest.raises(ItmError, match=f"{kept.parent}.*make it again"):
        load_bert()


@pytest.mark.parametrize("name", ["/no/such/folder", "./nowhere", "~/nowhere at all", "a/b/c"])
def test_a_path_that_is_no_folder_is_refused(name):
    with pytest.raises(ItmError, match="is not a folder"):
        load_bert(name)


def test_no_network_is_reported_clearly(monkeypatch):
    from transformers import AutoConfig

    def offline(*args, **options):
        raise OSError("We couldn't connect to 'https://huggingface.co'\nand more")

    monkeypatch.setattr(AutoConfig, "from_pretrained", offline)
    with pytest.raises(
        ItmError, match=r"bert 'someone/bert' cannot be loaded \(We couldn't connect .*or give a folder"
    ):
        load_bert("someone/bert")


def test_a_broken_tokenizer_is_reported_clearly():
    with pytest.raises(ItmError, match="word pieces: no tokenizer"):
        WordPieces('{"half": ')


def test_transformers_is_imported_by_nothing_but_a_bert():
    code = (
        "import sys, itm_tutorial as itm, itm_tutorial.pretraining.bert, itm_tutorial.models as m; "
        "[m.model_class(name) for name in m.list_models()]; print('transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


@pytest.mark.slow
def test_the_worlds_language_is_learned(cache):
    bert = load_bert()
    metrics = json.loads((bert_training.bert_folder() / "figures.json").read_text(encoding="utf-8"))
    assert metrics["accuracy"] >= 0.42 > 2 * metrics["most_frequent"]
    assert bert.module.dim == 128 and len(bert.vocabulary) > 500
    tokens = bert.vocabulary.encode(["a red car on the grass", "this bird has a red head"])
    assert bert.module(tokens.ids, tokens.lengths).shape == (2, 8, 128)
