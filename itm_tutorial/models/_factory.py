"""Makes models by name: for a corpus, from their parts, or starting from another trained model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from inspect import Parameter, signature
from typing import Any

import torch
from pydantic import InstanceOf

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.options import PositiveInt, Seed, check_options, option_types
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.encoders.fitting import fit_of
from itm_tutorial.encoders.pixels import PixelBackbone
from itm_tutorial.errors import ItmError, shown, unknown
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import model_class

ARGUMENTS = {  # of ``create_model``
    "corpus": InstanceOf[Corpus],
    "backbone": str | None,
    "features": str | None,
    "min_count": PositiveInt | None,
    "seed": Seed,
    "words": InstanceOf[WordVectors] | None,
    "recipe": str,
}


def create_model(
    name: str,
    corpus: Corpus,
    *,
    backbone: str | None = None,
    features: str | None = None,
    min_count: int | None = None,
    seed: int = 0,
    words: WordVectors | None = None,
    recipe: str = "drawn",
    **options: Any,
) -> Matching:
    """Makes an untrained model that fits a corpus.

    Args:
        name: one of ``list_models()``.
        corpus: its training captions give the vocabulary.
        backbone: the network that extracts features; "mini" for drawn worlds, "mobilenet_v2" for photographs.
        features: another kind of visual features than the model's own, such as "grid"; see ``FeatureSpec``.
        min_count: rarer words become <unk>; 4 for photographs with 5,000 training captions or more, else 1.
        seed: of the weights it starts from; the caller's random numbers are left alone.
        words: the vectors of a model that reads fixed ones; by default those of the drawn world's own text.
        recipe: a name in the model's ``recipes``; its options and features are taken where none are given here, and
            ``fit`` follows the rest.
        options: the model's own, named as in its class; for a model that reads BERT, ``bert`` is "mini", a folder
            or a Hugging Face name, and the vocabulary is that of this BERT; None where it can do without.

    Returns:
        The model, on the CPU, in training mode.

    Raises:
        ItmError: unknown model, backbone, recipe or option; an option of another type or out of range; photographs
            without word vectors, or a corpus without classes, for a model that needs them.
    """
    options = checked_options(name, options)
    given = {"corpus": corpus, "backbone": backbone, "features": features, "min_count": min_count}
    given = check_options("create_model", ARGUMENTS, {**given, "seed": seed, "words": words, "recipe": recipe})
    min_count, seed = given["min_count"], given["seed"]
    cls, variant = model_class(name), variant_options(name)
    if features == "pixels" != cls.feature_kind:
        raise ItmError(f"{name} does not read pixels: train it on features, then itm.unfreeze(model) adds the backbone")
    chosen = recipe_of(name, recipe)
    spec = features_of(corpus, features or chosen.features or cls.feature_kind, backbone)
    of_recipe = {option: value for option, value in chosen.options.items() if option not in variant}
    options = {**cls.options_from(corpus), **of_recipe, **options}
    text = cls.text_input.prepare(name, corpus, {**variant, **options}, words, min_count)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_model(name, text.vocabulary, spec, **{**options, **text.options})
    text.copy_weights(model)
    model.recipe = chosen
    return model


def check_start(name: str, first: Matching) -> None:
    """Refuses a first model from which the method cannot start.

    Raises:
        ItmError: the method does not start from such a model.
    """
    starts = model_class(name).starts
    if first.name not in starts:
        known = f"only from {' or '.join(starts)}" if starts else "from no other model"
        raise ItmError(f"{name} cannot start from {first.name}: it starts {known}")


def recipe_of(name: str, recipe: str) -> Recipe:
    """A recipe of a model.

    Raises:
        ItmError: no model of this name, or no such recipe; the message gives the nearest names.
    """
    recipes = model_class(name).recipes
    if recipe not in recipes:
        raise unknown(f"recipe of {name}", recipe, recipes)
    return recipes[recipe]


def variant_options(name: str) -> Mapping[str, Any]:
    """The options that make a published variant; none for a method's main model.

    Raises:
        ItmError: no model has this name.
    """
    return model_class(name).method.variants.get(name, {})


def start_model(name: str, first: Matching, recipe: str | None = None, **options: Any) -> Matching:
    """Makes a model that starts from another trained model, if the method says how.

    Args:
        name: one of ``list_models()``, such as "scan".
        first: a trained model, such as a "vsepp"; it is left as it is.
        recipe: a name in the new model's ``recipes``; by default what the method makes of the first model's.
        options: of the new model.

    Returns:
        The new model, to be trained further.

    Raises:
        ItmError: the method does not start from such a model.
    """
    check_start(name, first)
    cls = model_class(name)
    chosen = None if recipe is None else recipe_of(name, recipe)
    model = getattr(cls, cls.starts[first.name])(first, **{**(chosen.options if chosen else {}), **options})
    model.recipe = chosen or model.recipe
    return model


def features_of(corpus: Corpus, kind: str, backbone: str | None) -> FeatureSpec:
    """Which features a model reads of a corpus: those of a backbone, or those that the data set comes with.

    Args:
        corpus: any corpus.
        kind: of the features that the model asks for.
        backbone: by default "mini" for drawn worlds and "mobilenet_v2" for photographs.

    Raises:
        ItmError: the data set comes with features of another kind and without images, so that no backbone can be used.
    """
    brought = next(iter(corpus.splits.values())).precomputed  # [n_images, dim] or [n_images, n_regions, dim]
    if brought is None:
        backbone = backbone or ("mini" if corpus.drawn else "mobilenet_v2")
        return FeatureSpec(kind, backbone, fit="" if backbone == "mini" else fit_of(corpus.train.images))
    if backbone is not None:
        raise ItmError(f"{corpus.name} comes with features and without images: leave backbone out")
    if brought.ndim == 2 and kind != "global":
        raise ItmError(
            f"{corpus.name} comes with one feature per image, and this model reads {kind}: take another model"
        )
    return FeatureSpec("regions" if brought.ndim == 3 else "global", "precomputed", brought.shape[-1])


def build_model(name: str, vocabulary: Vocabulary, features: FeatureSpec, **options: Any) -> Matching:
    """Makes an untrained model from its parts, without a corpus (a checkpoint needs this).

    Args:
        name: one of ``list_models()``.
        vocabulary: the words it knows.
        features: which visual features it reads; "pixels" puts the backbone inside a model that was made for features.
        options: the model's own.

    Returns:
        The model; ``model.name`` and ``model.options`` say how to make it again.

    Raises:
        ItmError: unknown model or option, an option of another type or out of range, or options that do not fit
            together.
    """
    from itm_tutorial.encoders.backbones import feature_dim

    options = checked_options(name, options)
    cls, all_options = model_class(name), {**variant_options(name), **options}
    for p in signature(cls.__init__).parameters.values():
        if p.kind is Parameter.KEYWORD_ONLY and p.default is Parameter.empty and p.name not in all_options:
            raise ItmError(f"{name}: the option {p.name} is missing: give it")
    read = replace(features, kind=cls.feature_kind) if features.kind == "pixels" else features
    dim = feature_dim(read)
    try:
        model = cls(vocabulary, read, dim, **all_options)
    except (RuntimeError, ValueError, TypeError, OverflowError, MemoryError) as error:  # of torch, or of a library
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ItmError(f"{name} cannot be made with {shown(all_options, 200)}: {reason}; give other options") from error
    model.name, model.options, model.features = name, options, features
    if read != features:
        model.pixel_backbone = PixelBackbone(read.backbone, read.kind)
    return model


def checked_options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Checks a model's options against the annotations of its class.

    Args:
        name: one of ``list_models()``.
        options: the model's own.

    Returns:
        The options, NumPy's numbers as Python's.

    Raises:
        ItmError: unknown model or option, or a value of another type or out of range.
    """
    types = option_types(model_class(name).__init__, keyword_only=True)
    for option in options:
        if option not in types:
            raise ItmError(f"{name}: {unknown('option', option, types)}")
    return check_options(name, types, options)
