"""The options of every registered model: a value works, or is refused by name; a new model file is tested too."""

import math

import numpy as np
import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.data.options import option_types
from itm_tutorial.errors import ItmError
from itm_tutorial.models import Batch, build_model, create_model, model_class
from itm_tutorial.models._base import Images, Matching

ODD = [[], {}, "", "x", -1, math.nan, math.inf, 10**30, True, None, 2.5]
every_model = pytest.mark.parametrize("name", itm.list_models())


@pytest.fixture(scope="module")
def made(cache):
    """A model's name -> the model, and a batch of ten pairs of random features."""
    corpora = {name: itm.load_corpus(name, size="tiny") for name in ("scenes", "people", "objects")}

    def make(name):
        for corpus in corpora.values():
            try:
                model = create_model(name, corpus)
            except ItmError:
                continue
            images = torch.rand(10, *shape_of(model), generator=torch.Generator().manual_seed(0))
            if model.reads_boxes:
                boxes = torch.tensor([0.0, 0, 1, 1]).expand(*images.shape[:2], 4)
                images = Images(images, boxes, torch.ones(images.shape[:2]))
            identity = None if corpus.train.identity is None else corpus.train.identity[corpus.train.image_of[:10]]
            tokens = model.tokenize(corpus.train.captions)[torch.arange(10)]
            return model, Batch(images, tokens, torch.arange(10), identity)
        raise AssertionError(f"{name} can be made for no corpus")

    return make


def shape_of(model):
    """The shape of one image's features, as the mini backbone gives them."""
    shapes = {"pixels": (3, 64, 64), "global": (512,), "grid": (64, 256), "regions": (12, 256)}
    return shapes[model.features.kind]


@every_model
def test_an_odd_value_of_an_option_works_or_is_refused_by_name(made, name):
    model, batch = made(name)
    refused = 0
    for option in option_types(model_class(name).__init__, keyword_only=True):
        for value in ODD:
            try:
                odd = build_model(name, model.vocabulary, model.features, **{**model.options, option: value})
                loss = odd.train().loss(batch)
            except ItmError as error:
                refused += 1
                assert option in str(error) and len(str(error)) < 500, (option, value)
                continue
            total = sum(loss.values()) if isinstance(loss, dict) else loss
            assert total.isfinite(), (option, value)
    assert refused > 0


@every_model
def test_a_damaged_option_of_a_bert_or_a_list_is_refused(made, name):
    model, _ = made(name)
    for option, values in {
        "labels": (["a", "a"], [1], ["a", None]),
        "seen": (["nobody"], [["a"]]),
        "identities": ([2**70], [1, 1], ["a"], [True]),
        "bert_config": ({"hidden_size": 10**12}, {"num_hidden_layers": "x"}, {"hidden_size": 7}, {"vocab_size": []}),
    }.items():
        if option in option_types(model_class(name).__init__, keyword_only=True):
            for value in values:
                bert = {"bert": "mini"} if option == "bert_config" else {}
                with pytest.raises(ItmError):
                    build_model(name, model.vocabulary, model.features, **{**model.options, **bert, option: value})


def test_what_is_missing_is_named(made):
    model, _ = made("softmax")
    with pytest.raises(ItmError, match="softmax: the option seen is missing"):
        build_model("softmax", model.vocabulary, model.features, labels=["a"])


def test_numpys_numbers_are_taken_as_pythons(tiny):
    model = create_model("bow", tiny, dim=np.int64(8), word_dim=np.int32(4), margin=np.float32(0.5), seed=np.int64(1))
    assert model.options == {"dim": 8, "word_dim": 4, "margin": 0.5}
    assert all(type(value) in (int, float) for value in model.options.values())


@pytest.mark.parametrize(
    ("argument", "value", "allowed"),
    [
        ("seed", 10**23, "fits 64 bits"),
        ("seed", "0", "a whole number"),
        ("seed", True, "a whole number"),
        ("min_count", 0, "from 1 up, or None"),
        ("min_count", 2.0, "a whole number"),
        ("backbone", 5, "a text, or None"),
        ("features", [], "a text, or None"),
        ("words", "glove.txt", "a WordVectors, or None"),
        ("recipe", None, "a text"),
    ],
)
def test_an_argument_of_another_type_is_refused_by_name(tiny, argument, value, allowed):
    with pytest.raises(ItmError, match=f"create_model: {argument} is .*{allowed}"):
        create_model("bow", tiny, **{argument: value})


def test_what_is_no_corpus_and_no_name_is_refused(tiny):
    with pytest.raises(ItmError, match="create_model: corpus is 'scenes'; give a Corpus"):
        create_model("bow", "scenes")
    for name in (None, 5, ["bow"], "x" * 10**6):
        with pytest.raises(ItmError, match="unknown model") as error:
            create_model(name, tiny)
        assert len(str(error.value)) < 1000


def test_a_model_of_a_notebook_is_checked_by_its_plain_annotations(tiny, register):
    class Own(Matching):
        def __init__(self, vocabulary, features, image_dim, *, width: int = 3, depth=1, side: "Nowhere" = None):  # noqa: F821
            super().__init__(vocabulary, features)
            self.image_encoder = torch.nn.Linear(image_dim, width)

    register(chapter="02", name="own")(Own)
    assert create_model("own", tiny, width=5, depth="any", side=[]).options == {"width": 5, "depth": "any", "side": []}
    for value in ("5", 5.0, True, None):
        with pytest.raises(ItmError, match="own: width is .*; give a whole number"):
            create_model("own", tiny, width=value)
    with pytest.raises(ItmError, match="own cannot be made with .*-1"):
        create_model("own", tiny, width=-1)


def test_a_loss_refuses_options_by_name():
    from itm_tutorial.losses import create_loss

    for name, option, value in [
        ("infonce", "temperature", 0),
        ("max_of_hinges", "margin", "x"),
        ("max_of_hinges", "warmup", 2),
        ("top_k_hinges", "k", 0),
        ("top_k_hinges", "mask_same_image", 1),
    ]:
        with pytest.raises(ItmError, match=f"loss '{name}': {option} is {value!r}; give"):
            create_loss(name, **{option: value})
    with pytest.raises(ItmError, match="unknown loss"):
        create_loss([])
