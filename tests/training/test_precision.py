"""The precision that is asked for is what runs, or it is refused by name before anything is trained."""

import copy
import warnings

import pytest
import torch
from torch import nn

import itm_tutorial as itm
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.errors import ItmError
from itm_tutorial.models import Recipe
from itm_tutorial.training.loop import fit

N = 16


@pytest.fixture(scope="module")
def corpus():
    images = torch.randn(N, 5, generator=torch.Generator().manual_seed(0)).numpy()
    captions = [f"picture number{i % 4} line{i}" for i in range(N)]
    parts = {"images": [None] * N, "captions": captions, "image_of": torch.arange(N), "precomputed": images}
    return Corpus("made up", {n: Split(n, **parts) for n in ("train", "val")}, drawn=True)


def made(corpus, name="vse"):
    model = itm.create_model(name, corpus, dim=4, word_dim=4)
    model.recipe = Recipe(epochs=2, batch_size=8, learning_rate=0.01, drop_at=1.0)
    return model


def trained(corpus, precision, **options):
    """A short run -> the model, its losses by epoch, and the types of the losses of its steps."""
    model, types = made(corpus), []
    inner = model.loss

    def loss(batch):
        value = inner(batch)
        types.append(value.dtype)
        return value

    model.loss = loss
    history = fit(model, corpus, precision=precision, device="cpu", progress=False, **options)
    del model.loss
    return model, [row["loss"] for row in history.epochs], set(types[1:])  # the first may be the trial's


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("64-true", torch.float64), ("bf16-true", torch.bfloat16), ("32-true", torch.float32), ("auto", torch.float32)]
    + [(64, torch.float64), ("32", torch.float32)],
)
def test_weights_inputs_and_losses_have_the_type_that_is_asked_for(corpus, tmp_path, precision, dtype):
    model, losses, types = trained(corpus, precision, folder=tmp_path)
    assert types == {dtype} and {weight.dtype for weight in model.parameters()} == {dtype}
    assert losses[1] < losses[0]
    scores = itm.score(model, corpus.val)
    assert scores.dtype == torch.float32 and torch.equal(itm.score(itm.load_model(tmp_path), corpus.val), scores)


def test_each_precision_gives_numbers_of_its_own(corpus):
    losses = {precision: trained(corpus, precision)[1][-1] for precision in ("32-true", "64-true", "bf16-true")}
    assert losses["64-true"] == pytest.approx(losses["32-true"], rel=1e-5) and losses["64-true"] != losses["32-true"]
    assert losses["bf16-true"] == pytest.approx(losses["32-true"], rel=0.05)
    assert losses["bf16-true"] != losses["32-true"]
    assert losses["64-true"] != torch.tensor(losses["64-true"]).float().item()  # not rounded on its way to the history


def test_auto_leaves_the_weights_as_they_are(corpus):
    model = made(corpus).double()
    fit(model, corpus, device="cpu", progress=False)
    assert model.dtype == torch.float64


def test_mixed_precision_keeps_the_weights_in_float32(corpus):
    model, losses, _ = trained(corpus, "bf16-mixed")
    assert model.dtype == torch.float32 and losses != trained(corpus, "32-true")[1]


def test_a_run_in_another_type_goes_on_in_it(corpus, tmp_path):
    whole, losses, _ = trained(corpus, "64-true")
    trained(corpus, "64-true", epochs=1, folder=tmp_path)
    again, more, types = trained(corpus, "64-true", folder=tmp_path)
    assert types == {torch.float64} and more == losses
    assert all(torch.equal(a, b) for a, b in zip(again.state_dict().values(), whole.state_dict().values(), strict=True))


@pytest.mark.parametrize(
    ("precision", "message"),
    [
        ("16-true", "'16-true' cannot be used: .*give 'bf16-true'"),
        ("16-mixed", "'16-mixed' cannot be used: .*give 'bf16-mixed'"),
        (16, "16 cannot be used"),
        ("transformer-engine", "cannot be used"),
        ("64-treu", "unknown precision '64-treu': did you mean '64-true'"),
        (None, "precision is None; give a text, or a whole number"),
        (True, "precision is True"),
        (float("nan"), "precision is nan"),
    ],
)
def test_what_cannot_be_trained_in_is_refused_by_name(corpus, precision, message):
    model = made(corpus)
    before = copy.deepcopy(model.state_dict())
    with warnings.catch_warnings(), pytest.raises(ItmError, match=message):
        warnings.simplefilter("error")
        fit(model, corpus, precision=precision, device="cpu")
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())


def test_a_model_with_a_part_that_lacks_the_type_is_refused_before_training(corpus):
    model = made(corpus)
    model.similarity = lambda images, captions: -torch.cdist(images, captions)  # none in bfloat16 on a CPU
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ItmError, match="vse cannot be trained in bf16-true .*cdist.*; give precision='32-true'"):
        fit(model, corpus, precision="bf16-true", device="cpu")
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())


def test_the_trial_changes_no_random_number_and_no_buffer(corpus):
    model = made(corpus)
    model.image_encoder = nn.Sequential(model.image_encoder, nn.BatchNorm1d(4, momentum=None))
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    fit(model, corpus, precision="64-true", device="cpu", epochs=1, progress=False)
    assert torch.equal(torch.rand(1), expected)
    assert int(model.image_encoder[1].num_batches_tracked) == 2  # the steps of training, and no other


EVERY = ["2", 2.0, True, float("nan"), [], {"a": 1}, -1, 10**30]


@pytest.mark.parametrize("argument", ["epochs", "batch_size", "learning_rate", "seed", "folder", "progress", "device"])
@pytest.mark.parametrize("value", EVERY, ids=map(repr, EVERY))
def test_an_argument_of_another_type_is_refused_by_name(corpus, argument, value):
    fine = {"learning_rate": (2.0, 10**30), "seed": (-1,), "folder": ("2",), "progress": (True,)}
    if any(value is one or value == one and type(value) is type(one) for one in fine.get(argument, ())):
        return
    with pytest.raises(ItmError, match=argument) as error:
        fit(made(corpus), corpus, **{"epochs": 1, "batch_size": 8, "progress": False, "device": "cpu", argument: value})
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": None}, "fit: seed is None; give a whole number"),
        ({"device": None}, "fit: device is None; give a text"),
        ({"sampler": 5}, "unknown sampler 5"),
        ({"sampler": []}, "unknown sampler"),
        ({"callbacks": 5}, "callbacks is 5; give a list of functions"),
        ({"callbacks": ["x"]}, "callbacks is"),
        ({"folder": ""}, "folder is ''"),
        ({"seed": 10**23}, "seed is 1000"),
    ],
)
def test_other_arguments_too(corpus, arguments, message):
    with pytest.raises(ItmError, match=message):
        fit(made(corpus), corpus, **{"epochs": 1, "batch_size": 8, "progress": False, **arguments})


def test_what_is_no_model_or_no_corpus_is_refused(corpus):
    with pytest.raises(ItmError, match="fit: model is 'vse'; give a Matching"):
        fit("vse", corpus)
    with pytest.raises(ItmError, match="fit: corpus is None; give a Corpus"):
        fit(made(corpus), None)


def test_numpys_numbers_and_large_seeds_are_taken(corpus, tmp_path):
    import numpy as np

    settings = {
        "epochs": np.int64(1),
        "batch_size": np.int32(8),
        "learning_rate": np.float32(0.01),
        "seed": np.int64(3),
    }
    assert len(fit(made(corpus), corpus, folder=tmp_path, progress=False, **settings).epochs) == 1
    for seed in (2**63 - 1, -(2**63), 20260101120000):
        assert len(fit(made(corpus), corpus, epochs=1, seed=seed, progress=False).epochs) == 1


def test_callbacks_of_an_iterator_are_called_after_every_epoch(corpus):
    seen = []
    fit(made(corpus), corpus, callbacks=iter([lambda model, row: seen.append(row["epoch"])]), progress=False)
    assert seen == [1, 2]
