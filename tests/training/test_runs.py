"""A run's state: what is damaged is named, another setting is named alone, and more epochs are trained where sound."""

import json
import os
import signal
from dataclasses import replace

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.errors import ItmError
from itm_tutorial.models import Recipe
from itm_tutorial.storage import file_digest, read_json, read_tensors, write_json, write_tensors
from itm_tutorial.training.loop import fit
from itm_tutorial.training.schedule import rate_of_epoch, same_rates

N = 16


def made_up_corpus():
    """Sixteen pairs that bring random features."""
    images = torch.randn(N, 5, generator=torch.Generator().manual_seed(0)).numpy()
    captions = [f"picture number{i % 4} line{i}" for i in range(N)]
    parts = {"images": [None] * N, "captions": captions, "image_of": torch.arange(N), "precomputed": images}
    return Corpus("made up", {n: Split(n, **parts, fingerprint=f"made-up/{n}") for n in ("train", "val")}, drawn=True)


def run(folder=None, epochs=2, drop_at=0.5, name="bow", options=(), recipe=None, **settings):
    """A short run -> the model and its history."""
    corpus, sizes = made_up_corpus(), {"dim": 4} if name == "bow" else {"embed_size": 4}
    model = itm.create_model(name, corpus, word_dim=4, **sizes, **dict(options))
    model.recipe = recipe or Recipe(drop_at=drop_at, batch_size=4, learning_rate=0.01)
    return model, fit(model, corpus, epochs=epochs, folder=folder, progress=False, device="cpu", **settings)


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def without_seconds(history):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history.epochs]


@pytest.mark.parametrize(
    ("done", "epochs", "other", "drop_at", "expected"),
    [(2, 2, 4, 1.0, True), (2, 2, 4, 0.5, False), (1, 2, 4, 0.5, True), (2, 4, 8, 0.5, True), (3, 4, 8, 0.5, False)]
    + [(2, 2, 4, 0.0, True), (3, 4, 2, 1.0, False), (0, 2, 3, 0.5, True)],
)
def test_the_same_rates_under_another_number_of_epochs(done, epochs, other, drop_at, expected):
    by_loop = done <= min(epochs, other)
    for epoch in range(done):
        by_loop &= rate_of_epoch(1, epoch, epochs, drop_at) == rate_of_epoch(1, epoch, other, drop_at)
    assert same_rates(done, epochs, other, drop_at) == by_loop == expected


@pytest.mark.parametrize("drop_at", [0.0, 1.0])
def test_a_run_goes_on_with_more_epochs_where_the_rate_was_the_same(tmp_path, drop_at):
    run(tmp_path, epochs=2, drop_at=drop_at)
    more, history = run(tmp_path, epochs=4, drop_at=drop_at)
    whole, expected = run(epochs=4, drop_at=drop_at)
    assert same(more, whole) and without_seconds(history) == without_seconds(expected)
    assert read_json(tmp_path / "training.json")["settings"]["epochs"] == 4


def test_another_number_of_epochs_is_refused_where_the_rate_had_dropped(tmp_path):
    run(tmp_path, epochs=2)
    with pytest.raises(
        ItmError, match="settings.epochs 2, not 4, and with 4 the learning rate .*: give epochs=2"
    ) as error:
        run(tmp_path, epochs=4)
    assert len(str(error.value)) < 350 and "recipe" not in str(error.value)
    with pytest.raises(ItmError, match="settings.epochs 2, not 1, and 2 are done"):
        run(tmp_path, epochs=1)
    assert len(run(tmp_path, epochs=2)[1].epochs) == 2


def test_another_number_of_epochs_is_refused_where_a_warm_up_depends_on_it(tmp_path):
    run(tmp_path / "with", drop_at=1.0, name="vsepp", options={"warmup": 0.5})
    with pytest.raises(ItmError, match="settings.epochs 2, not 4, and a warm-up or a stage"):
        run(tmp_path / "with", epochs=4, drop_at=1.0, name="vsepp", options={"warmup": 0.5})
    run(tmp_path / "without", drop_at=1.0, name="vsepp")
    more, _ = run(tmp_path / "without", epochs=4, drop_at=1.0, name="vsepp")
    assert same(more, run(epochs=4, drop_at=1.0, name="vsepp")[0])


def test_what_the_recipe_says_of_the_number_of_epochs_is_no_setting(tmp_path):
    recipe = Recipe(drop_at=1.0, batch_size=4, learning_rate=0.01, epochs=2)
    run(tmp_path, recipe=recipe)
    assert len(run(tmp_path, epochs=3, recipe=replace(recipe, epochs=3))[1].epochs) == 3
    with pytest.raises(ItmError, match="settings.recipe.clip 2.0, not 1.0: use another"):
        run(tmp_path, epochs=3, recipe=replace(recipe, clip=1.0))
    with pytest.raises(ItmError, match="settings.precision '32-true', not '64-true'"):
        run(tmp_path, epochs=3, recipe=recipe, precision="64-true")
    with pytest.raises(ItmError, match="options.margin left out, not 0.3"):
        run(tmp_path, epochs=3, recipe=recipe, options={"margin": 0.3})


def test_a_run_of_an_earlier_version_goes_on(tmp_path):
    """It has no digests and no precision, and its vocabulary in a file."""
    whole, _ = run(epochs=2)
    model, _ = run(tmp_path, epochs=2)
    about = read_json(tmp_path / "training.json")
    for key in ("vocabulary", "state", "asks_epochs"):
        about.pop(key)
    about["settings"].pop("precision")
    write_json(tmp_path / "training.json", about)
    again, history = run(tmp_path, epochs=2)
    assert same(again, whole) and len(history.epochs) == 2
    model.vocabulary.words.append("other")
    model.vocabulary.save(tmp_path / "vocabulary.json")
    with pytest.raises(ItmError, match="another vocabulary"):
        run(tmp_path, epochs=2)


@pytest.fixture
def stopped(tmp_path):
    """A folder with a run of three epochs of which two are done."""

    class Stopped(Exception):
        pass

    def stop(model, row):
        if row["epoch"] == 2:
            raise Stopped

    with pytest.raises(Stopped):
        run(tmp_path, epochs=3, callbacks=[stop])
    return tmp_path


ODD = [0, True, "x", [], None, 1.5, float("nan"), {"a": 1}, [[1]], 10**30]


@pytest.mark.parametrize("value", ODD, ids=[repr(value)[:8] for value in ODD])
def test_a_damaged_training_json_is_one_sentence_that_names_it(stopped, value):
    file = stopped / "training.json"
    whole = read_json(file)
    rows = whole["epochs"]
    damaged = {"": value} | {key: {**whole, key: value} for key in whole if key not in ("versions", "format")}
    damaged |= {
        f"without {key}": {k: v for k, v in whole.items() if k != key} for key in ("epochs", "settings", "name")
    }
    damaged |= {
        f"row {key}": {**whole, "epochs": [rows[0], {**rows[1], key: value}]} for key in ("epoch", "loss", "rsum")
    }
    damaged |= {
        f"row without {key}": {**whole, "epochs": [{k: v for k, v in row.items() if k != key} for row in rows]}
        for key in ("epoch", "rsum", "t2i_median_rank")
    }
    damaged |= {"settings of epochs": {**whole, "settings": {**whole["settings"], "epochs": value}}}
    damaged |= {
        "a row": {**whole, "epochs": [rows[0], value]},
        "rows in another order": {**whole, "epochs": rows[::-1]},
    }
    harmless = {"asks_epochs": [True]} | dict.fromkeys(("row loss", "row rsum"), [ODD[0], ODD[5], ODD[-1]])  # numbers
    for what, about in damaged.items():
        file.write_text(json.dumps(about), encoding="utf-8")
        if what in harmless and any(value is one for one in harmless[what]):
            continue
        with pytest.raises(ItmError) as error:
            run(stopped, epochs=3)
        message = str(error.value)
        assert str(stopped) in message and "\n" not in message and len(message) < 500, (what, message)
    write_json(file, whole)
    assert same(run(stopped, epochs=3)[0], run(epochs=3)[0])  # no refusal harmed it


def renamed(tensors, old, new):
    return {new if name == old else name: value for name, value in tensors.items()}


ADAM = "optimizer/main/0/exp_avg"
WEIGHT = "sentence_encoder.words.weight"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: renamed(t, ADAM, ADAM + "x"), "exp_avg"),
        (lambda t: renamed(t, ADAM, "optimizer/main/x/exp_avg"), "exp_avg"),
        (lambda t: renamed(t, ADAM, "optimizer/other/0/exp_avg"), "exp_avg"),
        (lambda t: {n: v for n, v in t.items() if n != "optimizer/main/2/step"}, "2/step is absent"),
        (lambda t: {n: v for n, v in t.items() if n != "best/text_encoder.words.weight"}, "words.weight is absent"),
        (lambda t: {**t, ADAM: t[ADAM][:1]}, "exp_avg is"),
        (lambda t: {**t, ADAM: t[ADAM].int()}, "int32"),
        (lambda t: {**t, "optimizer/main/0/step": torch.ones(3)}, "step is"),
        (lambda t: {**t, "more": torch.ones(1)}, "more is"),
        (lambda t: {n: v.double() for n, v in t.items()}, "float64"),
        (lambda t: {}, "absent"),
    ],
)
def test_odd_tensors_of_a_state_are_named(stopped, change, message):
    file = stopped / "epoch-2.safetensors"
    write_tensors(file, change(read_tensors(file)))
    with pytest.raises(ItmError, match="epoch-2.safetensors is damaged, or of another run"):
        run(stopped, epochs=3)
    about = {**read_json(stopped / "training.json"), "state": file_digest(file)}  # as whoever made it would
    write_json(stopped / "training.json", about)
    with pytest.raises(ItmError, match=f"epoch-2.safetensors does not fit this model: .*{message}"):
        run(stopped, epochs=3)


def test_a_state_that_is_cut_short_or_missing_is_named(stopped):
    file = stopped / "epoch-2.safetensors"
    whole = file.read_bytes()
    for content in (whole[:-1], whole[:100], b"", os.urandom(300)):
        file.write_bytes(content)
        with pytest.raises(ItmError, match="epoch-2.safetensors is cut short or damaged"):
            run(stopped, epochs=3)
    file.unlink()
    with pytest.raises(ItmError, match="epoch-2.safetensors does not exist"):
        run(stopped, epochs=3)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_run_that_is_killed_anywhere_in_its_writing_goes_on_to_the_same_weights(tmp_path):
    whole, expected = run(epochs=2)
    step, killed = 0, True
    while killed:
        step += 3
        folder = tmp_path / str(step)
        child = os.fork()
        if not child:
            left = [step]

            def counted(change, left=left):
                def call(*arguments, **options):
                    left[0] -= 1
                    if left[0] <= 0:
                        os.kill(os.getpid(), signal.SIGKILL)
                    return change(*arguments, **options)

                return call

            torch.set_num_threads(1)
            for name in ("mkdir", "rename", "replace", "unlink", "fsync"):
                setattr(os, name, counted(getattr(os, name)))
            try:
                run(folder, epochs=2)
            finally:
                os._exit(0)
        killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        model, history = run(folder, epochs=2)
        assert same(model, whole) and without_seconds(history) == without_seconds(expected), step
        assert same(itm.load_model(folder), whole)
    assert step > 20
