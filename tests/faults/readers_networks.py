"""Readers of trained things: word vectors, weights, BERTs, models, training states, and the cache's copies of them."""

from __future__ import annotations

import os
import struct
from functools import partial
from pathlib import Path

import torch
from readers import register

import itm_tutorial.pretraining.backbone as backbones
import itm_tutorial.pretraining.bert as berts
import itm_tutorial.pretraining.detector as detectors
import itm_tutorial.pretraining.word_vectors as words
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.data.word_vectors import WordVectors, read_glove, read_word2vec, read_word_vectors
from itm_tutorial.encoders.skip_thought import SkipThoughtEncoder
from itm_tutorial.models import FeatureSpec, build_model, create_model
from itm_tutorial.pretraining.skip_thought_encoder import SkipThought
from itm_tutorial.storage import write_json, write_tensors
from itm_tutorial.training.checkpoints import kept_seed, load_model, save_model
from itm_tutorial.training.loop import fit

LINES = [
    "the 0.1 -0.2 3e-2 4",
    "a 1 2 3 4",
    "new york 0.5 0.25 -1 0",
    "größe -0.1 0.2 0.3 0.4",
    "the 9 9 9 9",
    "dog 1 0 0 1",
]
VOCABULARY = ["a", "red", "car", "dog", "on", "the", "grass", "two"]
TOY = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
TOY |= {"max_position_embeddings": 12}


def make_glove(folder: Path) -> None:
    (folder / "vectors.txt").write_text("\n".join(LINES) + "\n", encoding="utf-8")


@register("word vectors: GloVe", make_glove)
def glove(folder):
    read_word_vectors(folder / "vectors.txt")
    read_glove(folder / "vectors.txt", words={"dog", "new york"})


def make_word2vec(folder: Path) -> None:
    (folder / "vectors.txt").write_text(f"{len(LINES)} 4\n" + "\n".join(LINES) + "\n", encoding="utf-8")


@register("word vectors: word2vec, text", make_word2vec)
def word2vec(folder):
    read_word_vectors(folder / "vectors.txt")
    read_word2vec(folder / "vectors.txt", words=["dog"])


def make_binary(folder: Path) -> None:
    rows = [word.encode() + b" " + struct.pack("<4f", 1, -2, 0.5, 3) + b"\n" for word in ("the", "größe", "dog")]
    (folder / "vectors.bin").write_bytes(b"3 4\n" + b"".join(rows))


@register("word vectors: word2vec, binary", make_binary)
def binary(folder):
    read_word_vectors(folder / "vectors.bin").unit()


def make_kept_vectors(folder: Path) -> None:
    WordVectors(["a", "b", "größe"], torch.randn(3, 5)).save(folder)


@register("word vectors kept by the course", make_kept_vectors)
def kept_vectors(folder):
    WordVectors.load(folder)


def make_bert(folder: Path) -> None:
    from transformers import BertConfig, BertModel, BertTokenizerFast

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *VOCABULARY, "##s"]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    BertModel(BertConfig(vocab_size=len(pieces), **TOY)).save_pretrained(folder, safe_serialization=True)
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    (folder / "vocab.txt").unlink()


def _read_bert(folder):
    bert = berts.load_bert(str(folder))
    tokens = bert.vocabulary.encode(["a red car", "two dogs on the grass"])
    bert.module(tokens.ids, tokens.lengths)


register("published BERT: folder", make_bert)(_read_bert)
register("published BERT: tokenizer", make_bert, damaged=("tokenizer*.json", "special*.json"))(_read_bert)


def make_old_bert(folder: Path) -> None:
    make_bert(folder)
    for file in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (folder / file).unlink(missing_ok=True)
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *VOCABULARY, "##s"]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")


@register("published BERT: vocab.txt", make_old_bert, damaged=("vocab.txt", "config.json"))
def read_old_bert(folder):
    _read_bert(folder)


def _make_dual_encoder(kind: str, folder: Path) -> None:
    from importlib.util import module_from_spec, spec_from_file_location

    file = Path(__file__).parents[1] / "models" / "published_networks.py"
    networks = module_from_spec(spec_from_file_location("published_networks", file))
    networks.__spec__.loader.exec_module(networks)
    networks.MAKE[kind](folder)


def _read_dual_encoder(folder):
    from itm_tutorial.pretraining.dual_encoder import load_dual_encoder

    loaded = load_dual_encoder(str(folder))
    tokens = loaded.vocabulary.encode(["a red car", "a dog on the grass"])
    loaded.module.encode_captions(tokens.ids, tokens.lengths)
    loaded.module.encode_images(loaded.module.fitted(torch.zeros(3, 20, 30, dtype=torch.uint8))[None])


for _kind in ("clip", "siglip"):
    register(f"published {_kind}: folder", partial(_make_dual_encoder, _kind))(_read_dual_encoder)
    described = ("config.json", "preprocessor_config.json", "tokenizer*.json")
    register(f"published {_kind}: descriptions", partial(_make_dual_encoder, _kind), damaged=described)(
        _read_dual_encoder
    )


def make_backbone(folder: Path) -> None:
    from torchvision import models

    small = partial(models.mobilenet_v2, width_mult=0.1, num_classes=10)
    models.mobilenet_v2 = small  # the same layers, and 14 MB less to damage each time
    from itm_tutorial.encoders.kept_weights import weights_file

    os.environ["TORCH_HOME"] = str(folder)
    weights_file("mobilenet_v2").parent.mkdir(parents=True)
    torch.save(small(weights=None).state_dict(), weights_file("mobilenet_v2"))


@register("published weights of a backbone", make_backbone)
def read_backbone(folder):
    from itm_tutorial.encoders.backbones import create_backbone

    os.environ["TORCH_HOME"] = str(folder)
    os.environ["ITM_CACHE"] = str(folder)  # where torchvision may write
    create_backbone("mobilenet_v2")


def _in(folder: Path) -> None:
    os.environ["ITM_CACHE"] = str(folder / "cache")


def make_mini(folder: Path) -> None:
    _in(folder)
    write_tensors(backbones.mini_folder() / "weights.safetensors", backbones.MiniBackbone().state_dict())


@register("cache: mini backbone", make_mini)
def read_mini(folder):
    _in(folder)
    backbones.load_mini()


def make_detector(folder: Path) -> None:
    _in(folder)
    detector = detectors.new_detector(backbones.MiniBackbone())
    write_tensors(detectors.detector_folder() / "weights.safetensors", detector.state_dict())


@register("cache: detector of drawn scenes", make_detector)
def read_detector(folder):
    _in(folder)
    detectors.load_detector()


def make_mini_bert(folder: Path) -> None:
    _in(folder)
    berts.MINI = {**berts.MINI, **TOY}
    vocabulary, kept = Vocabulary(["<mask>", *VOCABULARY]), berts.bert_folder()
    config = {**berts.MINI, "vocab_size": len(vocabulary)}
    write_tensors(kept / "weights.safetensors", berts.BertWords(config).state_dict())
    vocabulary.save(kept / "vocabulary.json")
    write_json(kept / "config.json", config)


@register("cache: mini BERT", make_mini_bert)
def read_mini_bert(folder):
    _in(folder)
    berts.load_bert()


def make_skip_thought(folder: Path) -> None:
    vocabulary = Vocabulary(VOCABULARY)
    SkipThought(SkipThoughtEncoder(len(vocabulary), 4, 6), vocabulary, len(vocabulary)).save(folder)


@register("skip-thought encoder", make_skip_thought)
def read_skip_thought(folder):
    found = SkipThought.load(folder)
    tokens = found.vocabulary.encode(["a red car", "two dogs on the grass"])
    found.module(tokens.ids, tokens.lengths)


def make_world_words(folder: Path) -> None:
    _in(folder)
    make_kept_vectors(words.words_folder())


@register("cache: word vectors of the drawn world", make_world_words)
def read_world_words(folder):
    _in(folder)
    words.world_words()


def make_pictures(folder: Path) -> None:
    _in(folder)
    read_pictures(folder)


@register("cache: drawn pictures", make_pictures, damaged=("**/*.safetensors",))
def read_pictures(folder):
    from itm_tutorial.data.loading import load_corpus

    _in(folder)
    load_corpus("scenes", size="tiny", image_size=32)


def _split() -> Split:
    images = [torch.full((3, 128, 128), 40 * i, dtype=torch.uint8) for i in range(3)]
    return Split("val", images, ["a", "b", "c"], torch.arange(3), fingerprint="toy/val")


def make_features(folder: Path) -> None:
    _in(folder)
    backbones.train_mini = lambda seed=0: (backbones.MiniBackbone().eval(), {})
    read_features(folder)


@register("cache: features", make_features, damaged=("**/features.safetensors",))
def read_features(folder):
    from itm_tutorial.extraction.features import split_features

    _in(folder)
    split_features(_split(), FeatureSpec("global", "mini"))


def _model(name: str, **options):
    spec = FeatureSpec("regions" if name == "scan" else "grid" if name in ("cmpl", "timam") else "global", "mini")
    return build_model(name, Vocabulary(VOCABULARY), spec, **options)


SMALL = {
    "bow": {"dim": 8, "word_dim": 6},
    "vsepp": {"embed_size": 8, "word_dim": 6},
    "scan": {"embed_size": 8, "word_dim": 6},
    "cmpl": {"embed_size": 8, "word_dim": 6, "identities": [0, 1, 2]},
}


def make_model(name: str, folder: Path) -> None:
    save_model(_model(name, **SMALL[name]), folder, metrics={"rsum": 100.0}, seed=3)


def read_model(folder: Path) -> None:
    kept_seed(folder)
    load_model(folder).encode_captions(["a red car"])


for _name in SMALL:
    register(f"checkpoint: {_name}", partial(make_model, _name))(read_model)


def _fit(folder: Path) -> None:
    """One epoch on eight images; a run that finds its state in the folder goes on from there."""
    generator = torch.Generator().manual_seed(0)
    splits = {}
    for name in ("train", "val"):
        captions = [f"a {'red' if i % 2 else 'big'} {'car' if i % 3 else 'dog'}" for i in range(8)]
        features = torch.randn(8, 4, generator=generator).numpy()
        splits[name] = Split(name, list(range(8)), captions, torch.arange(8), precomputed=features)
    corpus = Corpus("toy", splits, drawn=False, about="eight images")
    model = create_model("bow", corpus, dim=4, word_dim=3, min_count=1)
    fit(model, corpus, epochs=1, batch_size=4, device="cpu", folder=folder, progress=False)


register("training state", _fit, writes=("*",))(_fit)


def make_vocabulary(folder: Path) -> None:
    Vocabulary(VOCABULARY).save(folder / "vocabulary.json")


@register("vocabulary", make_vocabulary)
def read_vocabulary(folder):
    Vocabulary.load(folder / "vocabulary.json").encode(["a red car"])
