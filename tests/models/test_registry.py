"""The registry: a file in models/ is a model, and nothing else has to change for it."""

import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.errors import ItmError
from itm_tutorial.models import Matching, _registry, create_model, list_methods, method_of, model_class, start_model
from itm_tutorial.storage import cache_dir

PACKAGE = Path(itm.__file__).parent
TOY = '''"""A toy method."""

from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.encoders.text import BagOfWords
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import Matching
from itm_tutorial.models._registry import register_model


@register_model(chapter="10", variants={"toy_wide": {"dim": 32}})
class Toy(Matching):
    """The mean of words against a linear map."""

    similarity = staticmethod(cosine)

    def __init__(self, vocabulary, features, image_dim, *, dim: int = 16):
        super().__init__(vocabulary, features)
        self.image_encoder = GlobalProjection(image_dim, dim)
        self.text_encoder = BagOfWords(len(vocabulary), 8, dim)
        self.loss_function = create_loss("infonce")
'''
USE = """
import sys
import torch
import itm_tutorial as itm
from itm_tutorial.course.model_cards import card
from itm_tutorial.training import loop
from itm_tutorial.retrieval import scoring

assert itm.__file__.startswith(sys.argv[1]), itm.__file__
features = lambda split, spec: torch.stack([i.float().mean((1, 2)) for i in split.images]).repeat(1, 171)[:, :512]
loop.split_features = scoring.split_features = features
assert {"toy", "toy_wide"} <= set(itm.list_models("10")) and "toy" in itm.list_models()
corpus = itm.load_corpus("scenes", size="tiny")
model = itm.create_model("toy_wide", corpus)
assert model.image_encoder.project.out_features == 32
itm.fit(model, corpus, epochs=1, batch_size=50, progress=False)
itm.save_model(model, sys.argv[2])
scores = itm.score(itm.load_model(sys.argv[2]), corpus.val)
assert torch.equal(scores, itm.score(model, corpus.val)) and scores.std() > 0
assert "itm.create_model('toy', corpus)" in card("toy")
print("all is well")
"""


def digests(folder):
    return {f: hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(folder.rglob("*")) if f.is_file()}


def test_a_method_is_one_new_file_and_nothing_else(cache, tmp_path):
    copied = tmp_path / "copy" / "itm_tutorial"
    shutil.copytree(PACKAGE, copied, ignore=shutil.ignore_patterns("__pycache__"))
    before = digests(copied)
    (copied / "models" / "toy.py").write_text(TOY)
    words = [sys.executable, "-B", "-c", USE, str(copied.parent), str(tmp_path / "kept")]
    environment = {"PYTHONPATH": str(copied.parent), "ITM_CACHE": str(cache_dir()), "PATH": "", "ITM_PROGRESS": "0"}
    ran = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "all is well\n"), ran.stderr
    after = digests(copied)
    assert set(after) - set(before) == {copied / "models" / "toy.py"}
    assert all(after[file] == digest for file, digest in before.items())


def test_models_stand_by_chapter_and_variants_behind_their_method():
    names = itm.list_models()
    assert len(names) == len(set(names)) and names.index("bow") < names.index("vsepp") < names.index("timam")
    assert itm.list_models("03") == ["scan", "scan_i2t", "scan_both"]
    chapters = [method_of(name).chapter for name in names]
    assert chapters == sorted(chapters)
    with pytest.raises(ItmError, match="unknown chapter '3': did you mean '13' or '03'"):
        itm.list_models("3")
    with pytest.raises(ItmError, match="unknown model 'vsep': did you mean 'vsepp'"):
        create_model("vsep", None)


def test_the_source_says_what_the_class_says():
    for method in list_methods():
        cls = model_class(method.name)
        assert cls.method == method and cls.__module__.rpartition(".")[2] == method.name


def test_listing_imports_no_model_and_no_torch():
    code = "import itm_tutorial as itm, sys; itm.list_models(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
    code = (
        "import sys; from itm_tutorial.models import model_class; model_class('bow'); "
        "print([m for m in sys.modules if m.startswith('itm_tutorial.models.') and '._' not in m])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == (
        "['itm_tutorial.models.bow']\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@register_model(chapter=CHAPTER)\nclass A: ...\n", r"models/odd.py line 1: register_model cannot be read"),
        ("@register_model(chapter='1', colour='red')\nclass A: ...\n", r"chapter at least"),
        ("@register_model(paper='x')\nclass A: ...\n", r"odd.py line 1"),
        ("class A(:\n", r"models/odd.py line 1: invalid syntax"),
        (
            "@register_model(chapter='1')\nclass A: ...\n@register_model(chapter='1')\nclass B: ...\n",
            "line 3: a second",
        ),
        ("@register_model(chapter='1', variants={'vsepp': {}})\nclass A: ...\n", "both name 'vsepp'"),
    ],
)
def test_a_file_that_cannot_be_listed_is_named(tmp_path, monkeypatch, text, message):
    for file in _registry.FOLDER.glob("[a-z]*.py"):
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "odd.py").write_text(text)
    monkeypatch.setattr(_registry, "FOLDER", tmp_path)
    with pytest.raises(ItmError, match=message):
        itm.list_models()


def test_a_file_that_changes_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(_registry, "FOLDER", tmp_path)
    (tmp_path / "blocks.py").write_text("class NoModel: ...\n")
    assert itm.list_models() == []
    (tmp_path / "one.py").write_text("@register_model(chapter='1')\nclass A: ...\n")
    assert itm.list_models() == ["one"]
    time.sleep(0.01)
    (tmp_path / "one.py").write_text("@register_model(chapter='1', variants={'two': {}})\nclass A: ...\n")
    assert itm.list_models() == ["one", "two"]


def test_a_class_in_a_notebook_gives_its_name(register):
    class Mine(Matching):
        pass

    with pytest.raises(ItmError, match="Mine is in no file of models/: give register_model a name="):
        register(chapter="02")(Mine)
    with pytest.raises(ItmError, match="the name 'vse0' is taken"):
        register(chapter="02", name="mine", variants={"vse0": {}})(Mine)
    register(chapter="02", name="mine")(Mine)
    assert "mine" in itm.list_models("02") and model_class("mine") is Mine


def test_a_model_goes_on_only_from_those_that_its_method_names(tiny):
    vsepp = create_model("vsepp", tiny, sentence="bow", features="regions")
    scan = start_model("scan", vsepp, smooth=2.0)
    assert (scan.name, scan.options["smooth"]) == ("scan", 2.0)
    assert start_model("scan", vsepp, recipe="flickr8k").recipe is model_class("scan").recipes["flickr8k"]
    with pytest.raises(ItmError, match="vse cannot start from vsepp: it starts from no other model"):
        start_model("vse", vsepp)


def test_a_model_may_read_further_tensors_of_a_caption(register, tiny, instant_features, tmp_path):
    """A text input that adds characters: they are cut with the words, trained on, kept and read again."""
    from itm_tutorial.data.text import Tokens
    from itm_tutorial.encoders.image import GlobalProjection
    from itm_tutorial.interaction.cosine import cosine
    from itm_tutorial.losses import create_loss
    from itm_tutorial.models._text_input import LearnedWords

    seen = []

    class WithLetters(LearnedWords):
        def encode(self, model, captions):
            tokens = super().encode(model, captions)
            letters = torch.zeros(*tokens.ids.shape, 4, dtype=torch.int64)
            for row, caption in enumerate(captions):
                for place, word in enumerate(caption.split()[: letters.shape[1]]):
                    letters[row, place, : len(word[:4])] = torch.tensor([ord(c) % 32 for c in word[:4]])
            counts = torch.tensor([[len(caption)] for caption in captions])
            return Tokens(tokens.ids, tokens.lengths, {"letters": letters}, {"n_letters": counts})

    class Letters(Matching):
        text_input = WithLetters()
        similarity = staticmethod(cosine)

        def __init__(self, vocabulary, features, image_dim):
            super().__init__(vocabulary, features)
            self.image_encoder, self.letters = GlobalProjection(image_dim, 8), torch.nn.Embedding(33, 8)
            self.loss_function = create_loss("infonce")

        def text_encoder(self, ids, lengths, letters, n_letters):
            assert letters.shape[:2] == ids.shape and n_letters.shape == (len(ids), 1)
            seen.append(letters.shape[1])
            return torch.nn.functional.normalize(self.letters(letters).mean((1, 2)) * letters.shape[1], dim=1)

    register(chapter="10", name="letters")(Letters)
    model = create_model("letters", tiny)
    itm.fit(model, tiny, epochs=1, batch_size=30, progress=False, device="cpu")
    assert len(set(seen)) > 1  # padding of a batch, not of the whole split
    itm.save_model(model, tmp_path)
    assert torch.equal(itm.score(itm.load_model(tmp_path), tiny.val), itm.score(model, tiny.val))


def test_a_model_may_read_parsed_captions(register, tiny, instant_features, tmp_path):
    """The words are weighed by their distance to the root of the parse; a phrase counts more than its words."""
    from itm_tutorial.data.parsing import WorldParser
    from itm_tutorial.encoders.image import GlobalProjection
    from itm_tutorial.interaction.cosine import cosine
    from itm_tutorial.losses import create_loss
    from itm_tutorial.models._parsed_words import ParsedWords

    class Trees(Matching):
        text_input = ParsedWords()
        similarity = staticmethod(cosine)

        def __init__(self, vocabulary, features, image_dim, *, parser: str):
            super().__init__(vocabulary, features)
            self.image_encoder, self.words = GlobalProjection(image_dim, 8), torch.nn.Embedding(len(vocabulary), 8)
            self.loss_function = create_loss("infonce")

        def text_encoder(self, ids, lengths, heads, noun_phrases, noun_phrase_mask, **rest):
            assert heads.shape == ids.shape and noun_phrases.shape[:2] == noun_phrase_mask.shape
            words = self.words(ids)  # [n_captions, seq_len, 8]
            governed = words + words.gather(1, heads[..., None].expand_as(words))  # each word with its head
            there = torch.arange(ids.shape[1], device=ids.device) < lengths.to(ids.device)[:, None]
            starts = words.gather(1, noun_phrases[..., :1].expand(-1, -1, 8)) * noun_phrase_mask[..., None]
            return torch.nn.functional.normalize((governed * there[..., None]).sum(1) + starts.sum(1), dim=1)

    register(chapter="10", name="trees")(Trees)
    model = create_model("trees", tiny)
    assert model.options == {"parser": "scenes"}
    itm.fit(model, tiny, epochs=1, batch_size=30, progress=False, device="cpu")
    itm.save_model(model, tmp_path)
    again = itm.load_model(tmp_path)
    assert torch.equal(itm.score(again, tiny.val), itm.score(model, tiny.val))
    captions = tiny.val.captions[:6]
    alone = torch.cat([again.encode_captions([caption]) for caption in captions])
    assert torch.allclose(again.encode_captions(captions), alone, atol=1e-6)
    assert itm.search(again, tiny.val, "a man that no grammar writes", k=2).indices
    tree = WorldParser("scenes")([captions[0]])[0]
    assert again.tokenize(captions[:1]).per_word["heads"][0, 1:-1].tolist() == [head + 1 for head in tree.heads]


def test_a_model_may_read_boxes(register, tiny, made_up_regions, monkeypatch, tmp_path):
    """Boxes and confidence come with the features in training, in scoring and in search."""
    from itm_tutorial.encoders.text import BagOfWords
    from itm_tutorial.interaction.cosine import cosine
    from itm_tutorial.losses import create_loss

    class Places(Matching):
        feature_kind, reads_boxes = "regions", True
        similarity = staticmethod(cosine)

        def __init__(self, vocabulary, features, image_dim):
            super().__init__(vocabulary, features)
            self.place = torch.nn.Linear(image_dim + 4, 8)
            self.text_encoder, self.loss_function = BagOfWords(len(vocabulary), 8, 8), create_loss("infonce")

        def image_encoder(self, features, boxes, confidence):
            assert features.shape[:2] == confidence.shape and boxes.shape == (*confidence.shape, 4)
            read = self.place(torch.cat([features, boxes], 2)) * confidence[..., None]  # [n_images, n_regions, 8]
            return torch.nn.functional.normalize(read.mean(1), dim=1)

    register(chapter="10", name="places")(Places)
    model = create_model("places", tiny)
    itm.fit(model, tiny, epochs=1, batch_size=30, progress=False, device="cpu")
    scores = itm.score(model, tiny.val)
    assert torch.allclose(itm.score(model, tiny.val, chunk=7), scores, atol=1e-6)
    hits = itm.search(model, tiny.val, tiny.val.captions[0], k=3)
    assert torch.allclose(torch.tensor(hits.scores), scores[:, 0].topk(3).values, atol=1e-6)
