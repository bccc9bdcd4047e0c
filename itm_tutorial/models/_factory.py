"""One file a published method, and the factory that makes them by name."""

from __future__ import annotations

import inspect
from dataclasses import replace
from importlib import import_module
from typing import Any

import torch

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.text import Vocabulary, tokenize
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.encoders.bert import BertWords
from itm_tutorial.encoders.pixels import PixelBackbone
from itm_tutorial.encoders.text import WordAverage
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.models._base import FeatureSpec, Matching

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
    "scan": "scan.SCAN",
    "scan_i2t": "scan.SCAN",
    "scan_both": "scan.SCAN",
    "cmpl": "cmpl.CMPL",
    "timam": "timam.TIMAM",
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
    return getattr(import_module(f"itm_tutorial.models.{module}"), cls)


def create_model(
    name: str,
    corpus: Corpus,
    *,
    backbone: str | None = None,
    features: str | None = None,
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
        features: another kind of visual features than the model's own, such as "grid"; see ``FeatureSpec``.
        min_count: rarer words become <unk>; 1 for drawn worlds, 4 for photographs.
        seed: of the weights it starts from; the caller's random numbers are left alone.
        words: the vectors of a model that reads fixed ones; by default those of the drawn world's own text.
        options: the model's own, named as in its class; for a model that reads BERT, ``bert`` is "mini", a folder
            or a Hugging Face name, and the vocabulary is that of this BERT; None where it can do without.

    Returns:
        The model, on the CPU, in training mode.

    Raises:
        ItmError: unknown model, backbone or option; photographs without word vectors, or a corpus without classes,
            for a model that needs them.
    """
    cls = model_class(name)
    if features == "pixels" != cls.feature_kind:
        raise ItmError(f"{name} does not read pixels: train it on features, then itm.unfreeze(model) adds the backbone")
    spec = features_of(corpus, features or cls.feature_kind, backbone)
    options = {**cls.options_from(corpus), **options}
    if cls.reads_bert:  # a variant, or the caller, may do without: bert=None
        options.setdefault("bert", cls.rows.get(name, {}).get("bert", "mini"))
    reads_bert = cls.reads_bert and options["bert"] is not None
    if words is not None and not cls.reads_words:
        raise ItmError(f"{name} learns its own word vectors: leave words out, or choose a model that reads them")
    if cls.reads_words:
        words = words or _own_words(name, corpus)
        words.matrix(options.get("labels", []))  # refuses a label none of whose words has a vector
        known = [i for i, word in enumerate(words.words) if tokenize(word) == [word]]  # what captions can hold
        vocabulary = Vocabulary(words.words[i] for i in known)
        options["word_dim"] = words.dim
    elif reads_bert:
        from itm_tutorial.pretraining.bert import load_bert

        bert = load_bert(options["bert"])
        vocabulary, options["bert_config"] = bert.vocabulary, bert.config
    else:
        vocabulary = Vocabulary.from_captions(corpus.train.captions, min_count or (1 if corpus.drawn else 4))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_model(name, vocabulary, spec, **options)
    if cls.reads_words:
        next(module for module in model.modules() if isinstance(module, WordAverage)).use(words.vectors[known])
    if reads_bert:
        encoder = next(module for module in model.modules() if isinstance(module, BertWords))
        encoder.load_state_dict(bert.module.state_dict())
    return model


def features_of(corpus: Corpus, kind: str, backbone: str | None) -> FeatureSpec:
    """Which features a model reads of a corpus: through a backbone or, where the data set brings its own, those.

    Args:
        corpus: any corpus.
        kind: of the features that the model asks for.
        backbone: by default "mini" for drawn worlds and "mobilenet_v2" for photographs.

    Raises:
        ItmError: the data set brings features that are not of this kind, and no pictures to see through a backbone.
    """
    brought = corpus.train.precomputed  # [n_images, dim] or [n_images, n_regions, dim]
    if brought is None:
        return FeatureSpec(kind, backbone or ("mini" if corpus.drawn else "mobilenet_v2"))
    if backbone is not None:
        raise ItmError(f"{corpus.name} brings features and no pictures: leave backbone out")
    if brought.ndim == 2 and kind != "global":
        raise ItmError(f"{corpus.name} brings one feature an image, and this model reads {kind}: take another model")
    return FeatureSpec("regions" if brought.ndim == 3 else "global", "precomputed", brought.shape[-1])


def _own_words(name: str, corpus: Corpus) -> WordVectors:
    if not corpus.drawn:
        raise ItmError(f"{name} needs word vectors for {corpus.name}: give words=itm.read_word_vectors(FILE)")
    from itm_tutorial.pretraining.word_vectors import world_words

    return world_words()


def build_model(name: str, vocabulary: Vocabulary, features: FeatureSpec, **options: Any) -> Matching:
    """Makes an untrained model from its parts, without a corpus (a checkpoint needs this).

    Args:
        name: one of ``list_models()``.
        vocabulary: the words it knows.
        features: which visual features it reads; "pixels" puts the backbone inside a model that was made for features.
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
    read = replace(features, kind=cls.feature_kind) if features.kind == "pixels" else features
    model = cls(vocabulary, read, feature_dim(read), **{**cls.rows.get(name, {}), **options})
    model.name, model.options, model.features = name, options, features
    if read != features:
        model.pixel_backbone = PixelBackbone(read.backbone, read.kind)
    return model
