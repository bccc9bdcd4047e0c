"""The loop: same seed same weights, a killed run resumes, and what is wrong is said in words."""

import importlib
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

import itm_tutorial as itm
from itm_tutorial.errors import ItmError
from itm_tutorial.storage import read_json
from itm_tutorial.training.checkpoints import load_model, save_model
from itm_tutorial.training.loop import _load, fit
from itm_tutorial.training.precision import _not_imported
from itm_tutorial.training.samplers import shuffled_captions

pytestmark = pytest.mark.usefixtures("instant_features")
ROOT = Path(__file__).parents[2]
SMALL = {"dim": 16, "word_dim": 8}


def trained(corpus, name="vse", epochs=3, **options):
    torch.manual_seed(0)
    model = itm.create_model(name, corpus, **SMALL)
    history = fit(model, corpus, epochs=epochs, batch_size=30, **options)
    return model, history


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_a_library_that_is_not_imported_can_be_loaded_afterwards(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "heavy_metrics.py").write_text("value = 1\n")
    with pytest.raises(ImportError), _not_imported("heavy_metrics"):
        importlib.import_module("heavy_metrics")
    assert importlib.import_module("heavy_metrics").value == 1
    with _not_imported("heavy_metrics"):  # it is loaded by now, and stays
        assert importlib.import_module("heavy_metrics").value == 1
    assert sys.modules.pop("heavy_metrics").value == 1


def test_training_learns_and_repeats(tiny):
    model, history = trained(tiny, epochs=8)
    assert history.epochs[-1]["loss"] < 0.9 * history.epochs[0]["loss"]
    assert same(model, trained(tiny, epochs=8)[0])
    assert not same(model, trained(tiny, epochs=8, seed=1)[0])
    assert history.frame().shape[0] == 8


def test_training_works_where_the_caller_has_turned_gradients_off(tiny):
    with torch.no_grad():
        without, _ = trained(tiny, epochs=1)
    assert same(without, trained(tiny, epochs=1)[0])
    model = itm.create_model("vse", tiny, **SMALL)
    with torch.inference_mode():
        fit(model, tiny, epochs=1, batch_size=30)
    assert all(not weight.is_inference() for weight in model.parameters())


def test_a_killed_run_resumes_and_ends_with_the_same_weights(tiny, tmp_path):
    class Killed(Exception):
        pass

    def kill(model, row):
        if row["epoch"] == 2:
            raise Killed

    whole, _ = trained(tiny, epochs=4)
    with pytest.raises(Killed):
        trained(tiny, epochs=4, folder=tmp_path, callbacks=[kill])
    resumed, history = trained(tiny, epochs=4, folder=tmp_path)
    assert [row["epoch"] for row in history.epochs] == [1, 2, 3, 4]
    assert same(whole, resumed)


def test_a_folder_with_another_run_is_refused(tiny, tmp_path):
    trained(tiny, epochs=1, folder=tmp_path)
    with pytest.raises(ItmError, match="holds a run with settings.seed 0, not 1: use another folder or delete it"):
        trained(tiny, epochs=1, seed=1, folder=tmp_path)
    with pytest.raises(ItmError, match="holds a run with name 'vse', not 'bow'"):
        trained(tiny, "bow", epochs=1, folder=tmp_path)


def test_best_weights_are_kept(tiny):
    model, history = trained(tiny, epochs=5)
    report = itm.evaluate(itm.score(model, tiny.val), tiny.val.image_of)
    assert report.rsum == pytest.approx(max(row["rsum"] for row in history.epochs))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 10_000}, "batch_size"),
        ({"epochs": -1}, "epochs"),
        ({"sampler": "caption"}, "captions"),
        ({"device": "gpux"}, "gpux"),
    ],
)
def test_bad_arguments_are_refused_in_words(tiny, options, message):
    with pytest.raises(ItmError, match=message):
        fit(itm.create_model("bow", tiny, **SMALL), tiny, **{"batch_size": 30, "epochs": 1, **options})


def test_a_loss_that_is_no_number_is_told(tiny):
    model = itm.create_model("bow", tiny, **SMALL)
    model.loss = lambda batch: model.encode_images(batch).sum() * float("nan")
    with pytest.raises(ItmError, match="epoch 1, step 1.*learning_rate"):
        fit(model, tiny, epochs=1, batch_size=30)


def test_groups_are_stepped_apart(tiny):
    model = itm.create_model("bow", tiny, **SMALL)
    adversary = torch.nn.Linear(16, 1)
    model.adversary = adversary
    own = set(adversary.parameters())
    model.parameter_groups = lambda: {"main": [p for p in model.parameters() if p not in own], "adversary": list(own)}
    inner = model.loss
    model.loss = lambda batch: {"ranking": inner(batch), "adversary": adversary(model.encode_images(batch)).sum()}
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fit(model, tiny, epochs=1, batch_size=30)
    assert all(not torch.equal(before[n], v) for n, v in model.state_dict().items() if n.endswith("weight"))


def test_a_model_comes_back_from_disk(tiny, tmp_path):
    model, _ = trained(tiny, epochs=1)
    again = load_model(save_model(model, tmp_path / "m"))
    assert torch.equal(itm.score(model, tiny.test), itm.score(again, tiny.test))


def test_a_checkpoint_says_what_it_came_from(tiny, tmp_path):
    model, history = trained(tiny, epochs=2, seed=7, folder=tmp_path)
    about = read_json(tmp_path / "model.json")
    assert (about["name"], about["options"], about["seed"]) == ("vse", SMALL, 7)
    assert about["metrics"]["rsum"] == max(row["rsum"] for row in history.epochs)
    assert set(about["versions"]) == {"itm_tutorial", "python", "torch"}


def test_damaged_or_foreign_checkpoints_are_refused(tiny, tmp_path):
    folder = save_model(trained(tiny, epochs=1)[0], tmp_path / "m")
    (folder / "vocabulary.json").write_text('["red"]', encoding="utf-8")
    with pytest.raises(ItmError, match="another vocabulary"):
        load_model(folder)
    file = folder / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(ItmError, match="cut short"):
        load_model(folder)
    with pytest.raises(ItmError, match="does not exist"):
        load_model(tmp_path / "nowhere")


@given(st.integers(1, 150))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_score_does_not_depend_on_the_chunk(tiny, chunk):
    model = itm.create_model("vse", tiny, **SMALL)
    assert torch.allclose(itm.score(model, tiny.val, chunk=chunk), itm.score(model, tiny.val), atol=1e-6)


def test_other_texts_are_scored_than_the_splits_own(tiny):
    model = itm.create_model("bow", tiny, **SMALL)
    texts = tiny.val.captions[7:9]
    assert torch.allclose(itm.score(model, tiny.val, captions=texts), itm.score(model, tiny.val)[:, 7:9], atol=1e-6)


def test_search_agrees_with_score(tiny):
    model = itm.create_model("bow", tiny, **SMALL)
    scores = itm.score(model, tiny.val)
    assert itm.search(model, tiny.val, tiny.val.captions[3], k=5).indices == scores[:, 3].topk(5).indices.tolist()
    assert itm.search(model, tiny.val, tiny.val.images[2], k=3).indices == scores[2].topk(3).indices.tolist()


class Sent(TorchDispatchMode):
    """Counts what goes from one device to another."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        if "copy" in str(function) and isinstance(made, torch.Tensor):
            self.count += len({made.device, *(arg.device for arg in args if isinstance(arg, torch.Tensor))}) > 1
        return made


def test_the_indices_of_an_epoch_go_to_the_device_together(tiny):
    model = itm.create_model("vse", tiny, **SMALL)
    far, near = (_load(model, tiny.train, torch.device(name)) for name in ("meta", "cpu"))
    sampler = list(shuffled_captions(tiny.train.image_of, 30, torch.Generator().manual_seed(0)))
    lengths = model.tokenize(tiny.train.captions).lengths
    with Sent() as sent:
        batches = list(far.batches(sampler))
    assert sent.count == 1 and len(batches) == len(sampler) > 2
    for rows, there, here in zip(sampler, batches, near.batches(sampler), strict=True):
        assert there.images.is_meta and there.captions.ids.is_meta and there.image_of.is_meta
        assert torch.equal(there.captions.lengths, lengths[rows])
        assert here.captions.ids.shape == there.captions.ids.shape == (30, int(lengths[rows].max()))
        images = near.images[tiny.train.image_of[rows]]
        assert torch.equal(here.images[here.image_of], images) and len(here.images) == len(set(here.image_of.tolist()))
    with Sent() as sent:
        one_by_one = [next(far.batches([rows])) for rows in sampler]
    assert sent.count == len(one_by_one)  # what the count is there to find


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_trains_in_bf16(tiny):
    _, history = trained(tiny, epochs=2, device="cuda")
    assert history.epochs[-1]["loss"] < history.epochs[0]["loss"]


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch_size": 0}, {"learning_rate": 0.0}, {"learning_rate": -1.0}])
def test_zero_is_an_error_not_a_default(tiny, wrong):
    with pytest.raises(ItmError, match=next(iter(wrong))):
        fit(itm.create_model("bow", tiny, **SMALL), tiny, **{"batch_size": 30, "epochs": 1, **wrong})


def test_a_run_on_another_corpus_or_plan_is_refused(tiny, tmp_path):
    trained(tiny, epochs=1, folder=tmp_path)
    with pytest.raises(ItmError, match="sampler"):
        trained(tiny, epochs=1, folder=tmp_path, sampler="images")
    train = replace(tiny.train, captions=tiny.train.captions[::-1])  # the same words, so the same vocabulary
    with pytest.raises(ItmError, match="corpus"):
        trained(replace(tiny, splits={**tiny.splits, "train": train}), epochs=1, folder=tmp_path)


def test_a_finished_run_is_ready_for_use(tiny, tmp_path):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(0)
    model = itm.create_model("bow", tiny, **SMALL)
    torch.manual_seed(3)
    fit(model, tiny, epochs=1, batch_size=30, folder=tmp_path)
    assert torch.equal(torch.rand(1), expected)  # the caller's random numbers are untouched
    assert not model.training
    assert same(model, load_model(tmp_path))
    assert len(fit(model, tiny, epochs=1, batch_size=30, folder=tmp_path).epochs) == 1  # nothing is trained again


def test_a_diverged_step_is_named_and_moves_nothing(tiny):
    model = itm.create_model("bow", tiny, **SMALL)
    inner, seen = model.loss, []

    def loss(batch):
        seen.append(batch)
        return inner(batch) * (float("nan") if len(seen) == 2 else 1)

    model.loss = loss
    with pytest.raises(ItmError, match="epoch 1, step 2"):
        fit(model, tiny, epochs=1, batch_size=30)
    assert all(value.isfinite().all() for value in model.state_dict().values())


def test_a_scalar_loss_moves_every_group(tiny):
    model = itm.create_model("vse", tiny, **SMALL)
    groups = {"main": list(model.image_encoder.parameters()), "text": list(model.text_encoder.parameters())}
    model.parameter_groups = lambda: groups
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fit(model, tiny, epochs=1, batch_size=30)
    assert not any(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_a_part_moves_its_own_group_alone(tiny):
    model = itm.create_model("vse", tiny, **SMALL)
    groups = {"main": list(model.image_encoder.parameters()), "text": list(model.text_encoder.parameters())}
    model.parameter_groups, inner = lambda: groups, model.loss
    model.loss = lambda batch: {"text": inner(batch), "ranking": 0 * inner(batch)}
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fit(model, tiny, epochs=1, batch_size=30)
    moved = {name.split(".")[0] for name, value in model.state_dict().items() if not torch.equal(before[name], value)}
    assert moved == {"text_encoder"}


KILLED = """
import os, signal, sys, torch, itm_tutorial as itm
from itm_tutorial.retrieval import scoring
from itm_tutorial.training import loop
torch.set_num_threads(1)

def flat(split, spec):
    return torch.stack([split.images[i][:, ::8, ::8].flatten()[:512] for i in range(len(split.images))]) / 255.0

scoring.split_features = loop.split_features = flat
corpus = itm.load_corpus("scenes", size="tiny")
torch.manual_seed(0)
model = itm.create_model("vse", corpus, dim=16, word_dim=8, dropout=0.2)

def kill(model, row):
    if row["epoch"] == 2 and sys.argv[2] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)

history = itm.fit(model, corpus, epochs=4, batch_size=30, folder=sys.argv[1], device="cpu", callbacks=[kill])
assert len(history.epochs) == 4
"""


@pytest.mark.slow
def test_a_run_killed_by_the_system_ends_with_the_same_weights(tiny, tmp_path):
    def run(folder, kill):
        return subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / folder), kill], cwd=ROOT).returncode

    assert run("whole", "no") == 0
    assert run("killed", "kill") == -signal.SIGKILL
    assert run("killed", "no") == 0
    assert same(load_model(tmp_path / "whole"), load_model(tmp_path / "killed"))


def collapsing(corpus, share: float = 0.0):
    """A model whose scores are all equal, but for a fraction of a random number."""
    model = itm.create_model("vsepp", corpus, embed_size=8, word_dim=8)
    inner = model.similarity
    model.similarity = lambda images, captions: (1 - share) + (share + 1e-4) * inner(images, captions)
    return model


def test_a_collapse_is_told_in_words_within_fifty_steps(tiny):
    with pytest.warns(UserWarning, match="step 30: .* stood at 12.0, which is 2 x 30 pairs x margin.*warmup"):
        fit(collapsing(tiny), tiny, epochs=4, batch_size=30, sampler=lambda *a: list(shuffled_captions(*a)) * 5)


def test_a_run_that_learns_is_not_told_of_a_collapse(tiny, recwarn):
    model = itm.create_model("vsepp", tiny, embed_size=16, word_dim=8, warmup=0.3)
    fit(model, tiny, epochs=4, batch_size=30, sampler=lambda *a: list(shuffled_captions(*a)) * 5)
    fit(itm.create_model("vse0", tiny, embed_size=16, word_dim=8), tiny, epochs=2, batch_size=30)
    assert not [w for w in recwarn if "collapse" in str(w.message) or "one point" in str(w.message)]


@pytest.mark.parametrize("name", ["vsepp", "vse0", "order0", "orderpp"])
def test_published_rows_are_names_of_models_and_come_back_from_disk(tiny, tmp_path, name):
    model = itm.create_model(name, tiny, embed_size=16, word_dim=8)
    history = fit(model, tiny, epochs=5, batch_size=30)
    assert history.epochs[-1]["loss"] < history.epochs[0]["loss"]
    again = load_model(save_model(model, tmp_path))
    assert again.name == name
    assert torch.equal(itm.score(model, tiny.test), itm.score(again, tiny.test))
