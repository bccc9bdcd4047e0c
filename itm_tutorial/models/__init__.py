"""One file a published method, and the factory that makes them by name."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import torch

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.text import Vocabulary, tokenize
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.encoders.sentence import WordAverage
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.models.base import FeatureSpec, Matching

# A new method is one file and one row here; a published variant is one more name for its class (``Matching.rows``).
_CLASSES = {
    "bow": "bow.BOW",
    "vse": "vse.VSE",
    "softmax": "softmax.Softmax",
    "devise": "devise.DeViSE",
    "dem": "dem.DEM",
    "devise_retrieval": "devise_retrieval.DeViSERetrieval",
    "vsepp": "vsepp.VSEPP",
    "vse0": "vsepp.VSEPP",
    "order": "order.Order",
    "order0": "order.Order",
    "orderpp": "order.Order",
}


def list_models() -> list[str]:
    """The names that ``create_model`` knows, in the order of the course."""
    return list(_CLASSES)


def model_class(name: str) -> type[Matching]:
    """The class behind a name.

    Raises:
        ItmError: no model has this name; the message gives the nearest ones.
    """
    if name not in _CLASSES:
        raise unknown("model", name, _CLASSES)
    module, _, cls = _CLASSES[name].rpartition(".")
    return getattr(import_module(f"{__name__}.{module}"), cls)


def create_model(
    name: str,
    corpus: Corpus,
    *,
    backbone: str | None = None,
    min_count: int | None = None,
    seed: int = 0,
    words: WordVectors | None = None,
    **options: Any,
) -> Matching:
    """Makes an untrained model that fits a corpus.

    Args:
        name: one of ``list_models()``.
        corpus: its training captions give the vocabulary.
        backbone: what the images are seen through; "mini" for drawn worlds, "mobilenet_v2" for photographs.
        min_count: rarer words become <unk>; 1 for drawn worlds, 4 for photographs.
        seed: of the weights it starts from; the caller's random numbers are left alone.
        words: the vectors of a model that reads fixed ones; by default those of the drawn world's own text.
        options: the model's own, named as in its class.

    Returns:
        The model, on the CPU, in training mode.

    Raises:
        ItmError: unknown model, backbone or option; photographs without word vectors, or a corpus without classes,
            for a model that needs them.
    """
    cls = model_class(name)
    spec = FeatureSpec(cls.feature_kind, backbone or ("mini" if corpus.drawn else "mobilenet_v2"))
    options = {**cls.options_from(corpus), **options}
    if words is not None and not cls.reads_words:
        raise ItmError(f"{name} learns its own word vectors: leave words out, or choose a model that reads them")
    if cls.reads_words:
        words = words or _own_words(name, corpus)
        words.matrix(options.get("labels", []))  # refuses a label none of whose words has a vector
        known = [i for i, word in enumerate(words.words) if tokenize(word) == [word]]  # what captions can hold
        vocabulary = Vocabulary(words.words[i] for i in known)
        options["word_dim"] = words.dim
    else:
        vocabulary = Vocabulary.from_captions(corpus.train.captions, min_count or (1 if corpus.drawn else 4))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_model(name, vocabulary, spec, **options)
    if cls.reads_words:
        encoder = next(module for module in model.modules() if isinstance(module, WordAverage))
        encoder.use(words.vectors[known])
    return model


def _own_words(name: str, corpus: Corpus) -> WordVectors:
    if not corpus.drawn:
        raise ItmError(f"{name} needs word vectors for {corpus.name}: give words=itm.read_word_vectors(FILE)")
    from itm_tutorial.word_training import world_words

    return world_words()


def build_model(name: str, vocabulary: Vocabulary, features: FeatureSpec, **options: Any) -> Matching:
    """Makes an untrained model from its parts, without a corpus (a checkpoint needs this).

    Args:
        name: one of ``list_models()``.
        vocabulary: the words it knows.
        features: which visual features it reads.
        options: the model's own.

    Returns:
        The model; ``model.name`` and ``model.options`` say how to make it again.
    """
    from itm_tutorial.encoders.backbones import feature_dim

    cls = model_class(name)
    known = [
        p.name for p in inspect.signature(cls.__init__).parameters.values() if p.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    for option in options:
        if option not in known:
            raise ItmError(f"{name}: {unknown('option', option, known)}")
    model = cls(vocabulary, features, feature_dim(features), **{**cls.rows.get(name, {}), **options})
    model.name, model.options = name, options
    return model
