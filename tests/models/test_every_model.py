"""What every registered model must do, on a tiny corpus: a new model file is tested here without a change."""

import copy
from functools import cache as remembered
from types import SimpleNamespace

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.course.model_cards import card, card_names
from itm_tutorial.errors import ItmError
from itm_tutorial.models import Batch, Recipe, build_model, create_model, method_of, model_class
from itm_tutorial.training.loop import _load
from itm_tutorial.training.samplers import SAMPLERS

WORLDS = ("scenes", "people", "objects")  # the first that gives a model what it needs is taken
SETTINGS = {"epochs": 2, "batch_size": 10, "device": "cpu", "progress": False}
every_model = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(f"model {name}")) for name in itm.list_models()]
)


@pytest.fixture(scope="module")
def corpora(cache):
    """Tiny drawn corpora, by name."""
    return {name: itm.load_corpus(name, size="tiny") for name in WORLDS}


@pytest.fixture(scope="module")
def train(corpora, cheap_features):
    """A model's name -> what came of two epochs; each model is trained once, and copied for whoever changes it."""

    @remembered
    @torch.inference_mode(False)  # the first to ask may be a test without gradients
    @torch.enable_grad()
    def trained(name):
        for corpus in corpora.values():
            try:
                model = create_model(name, corpus)
                break
            except ItmError:  # it needs identities or classes
                continue
        else:
            raise AssertionError(f"{name} can be made for none of {WORLDS}")
        untrained = copy.deepcopy(model)
        history = itm.fit(model, corpus, **SETTINGS)
        return SimpleNamespace(corpus=corpus, model=model, untrained=untrained, history=history)

    return trained


@torch.no_grad()
def loss_of(model, batch):
    """The loss that moves the encoders, of one batch, as in training; an adversary's own part is left out."""
    with torch.random.fork_rng():
        torch.manual_seed(0)  # dropout hides the same numbers before and after
        loss = model.train().loss(batch)
    return sum(v for k, v in loss.items() if k != "adversary") if isinstance(loss, dict) else loss


def whole(model, split):
    """A split's first sixty captions as one batch."""
    (batch,) = _load(model, split, torch.device("cpu")).batches([torch.arange(60)])
    return batch


def parts_of(embeddings):
    """An embedding as tensors, whether it is one or a named tuple of several."""
    return [embeddings] if isinstance(embeddings, torch.Tensor) else list(embeddings)


@every_model
def test_two_epochs_of_training_lower_the_loss(train, name):
    run = train(name)
    assert [row["epoch"] for row in run.history.epochs] == [1, 2]
    first = SimpleNamespace(model=run.model, train=None, epoch=0, epochs=2, generator=torch.Generator())
    before, after = copy.deepcopy(run.untrained), copy.deepcopy(run.model)
    for model in (before, after):  # both by the loss of the first epoch: a later one may be another loss
        for part in (model, getattr(model, "loss_function", None)):
            if hasattr(part, "on_epoch"):
                part.on_epoch(first)
    batch = whole(run.model, run.corpus.train)
    assert loss_of(after, batch) < loss_of(before, batch)


@every_model
def test_the_same_seed_gives_the_same_weights(train, name):
    run = train(name)
    again = create_model(name, run.corpus)
    itm.fit(again, run.corpus, **SETTINGS)
    ours, theirs = run.model.state_dict(), again.state_dict()
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)
    other = create_model(name, run.corpus, seed=1)
    assert any(not torch.equal(w, other.state_dict()[key]) for key, w in run.untrained.state_dict().items())


@every_model
def test_a_saved_model_gives_the_same_scores(train, name, tmp_path):
    run = train(name)
    itm.save_model(run.model, tmp_path)
    again = itm.load_model(tmp_path)
    assert (again.name, again.options) == (run.model.name, run.model.options)
    assert torch.equal(itm.score(again, run.corpus.val), itm.score(run.model, run.corpus.val))


@every_model
def test_any_chunk_size_gives_the_same_scores(train, name):
    run = train(name)
    scores = itm.score(run.model, run.corpus.val)
    assert scores.isfinite().all() and scores.shape == (len(run.corpus.val.images), len(run.corpus.val.captions))
    for chunk in (7, 1000):
        assert torch.allclose(itm.score(run.model, run.corpus.val, chunk=chunk), scores, atol=1e-5)


@every_model
@torch.inference_mode()
def test_a_caption_embedding_does_not_depend_on_its_batch_or_its_padding(train, name):
    run = train(name)
    model, captions = run.model.eval(), run.corpus.val.captions[:12]
    image = model.encode_images(whole(model, run.corpus.train).images[:3])
    together = model.similarity(image, model.encode_captions(captions))  # [3, 12]
    alone = torch.cat([model.similarity(image, model.encode_captions([caption])) for caption in captions], 1)
    assert torch.allclose(alone, together, atol=1e-5)
    turned = model.similarity(image, model.encode_captions(captions[::-1]))
    assert torch.allclose(turned.flip(1), together, atol=1e-5)


@every_model
@torch.inference_mode()
def test_an_image_embedding_does_not_depend_on_its_neighbours(train, name):
    run = train(name)
    model, images = run.model.eval(), whole(run.model, run.corpus.train).images[:6]
    caption = model.encode_captions(run.corpus.val.captions[:3])
    together = model.similarity(model.encode_images(images), caption)  # [6, 3]
    alone = torch.cat([model.similarity(model.encode_images(image[None]), caption) for image in images])
    assert torch.allclose(alone, together, atol=1e-5)


@every_model
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_gradients_are_finite(train, name, precision):
    run = train(name)
    model = copy.deepcopy(run.untrained).train()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        loss = model.loss(whole(model, run.corpus.train))
    sum(loss.values() if isinstance(loss, dict) else [loss]).backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert gradients and all(gradient.isfinite().all() for gradient in gradients)
    assert any(gradient.abs().sum() > 0 for gradient in gradients)


@every_model
def test_a_free_text_query_finds_images(train, name):
    run = train(name)
    query = run.corpus.test.captions[0]
    hits = itm.search(run.model, run.corpus.test, query, k=4)
    scores = itm.score(run.model, run.corpus.test, captions=[query])[:, 0]
    assert torch.allclose(torch.tensor(hits.scores), scores.topk(4).values, atol=1e-5)


@every_model
def test_its_recipes_are_valid(train, name):
    run, recipes = train(name), model_class(name).recipes
    assert "drawn" in recipes and set(recipes) <= {"drawn", "flickr8k", "paper"}
    for recipe in recipes.values():
        assert isinstance(recipe, Recipe) and recipe.sampler in SAMPLERS
        assert recipe.epochs >= 1 and recipe.batch_size >= 2 and 0 < recipe.learning_rate < 1
        assert 0 < recipe.drop_at <= 1 and recipe.clip > 0 and recipe.weight_decay >= 0
    for kind in recipes:
        assert create_model(name, run.corpus, recipe=kind).recipe is recipes[kind]
    with pytest.raises(ItmError, match=f"unknown recipe of {name} 'drwn': did you mean 'drawn'"):
        create_model(name, run.corpus, recipe="drwn")


@every_model
def test_its_card_says_what_it_is(name):
    method = method_of(name)
    assert name in card_names()[method.name]
    assert f"itm.create_model('{name}', corpus)" in card(method.name)


@every_model
def test_an_unknown_option_is_refused_with_the_nearest_name(train, name):
    run = train(name)
    with pytest.raises(ItmError, match=f"{name}: unknown option 'lables_or_dmi'"):
        create_model(name, run.corpus, lables_or_dmi=3)
    if run.model.options:
        option = sorted(run.model.options)[0]
        with pytest.raises(ItmError, match=f"did you mean .*'{option}'"):
            build_model(name, run.model.vocabulary, run.model.features, **{option + "x": 1})


def test_the_checks_can_fail(train):
    """Each check above is worth something only if a wrong model fails it."""
    run = train("bow")
    leaky = copy.deepcopy(run.model).eval()
    encode = leaky.text_encoder.forward
    leaky.text_encoder.forward = lambda ids, lengths: encode(ids, lengths) + encode(ids, lengths).mean(0)
    captions = run.corpus.val.captions[:5]
    with torch.inference_mode():
        together, alone = leaky.encode_captions(captions), leaky.encode_captions(captions[:1])
    assert not torch.allclose(together[:1], alone, atol=1e-5)
    batch = whole(run.model, run.corpus.train)
    assert isinstance(batch, Batch) and loss_of(run.model, batch) < loss_of(copy.deepcopy(run.untrained), batch)
