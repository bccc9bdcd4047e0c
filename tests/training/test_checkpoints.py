"""Kept models: replaced whole, checked by content, and refused in words where they are damaged or of other versions."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.errors import ItmError
from itm_tutorial.storage import read_json, read_tensors, write_tensors
from itm_tutorial.training import checkpoints
from itm_tutorial.training.checkpoints import FORMAT, kept_seed, load_model, save_model


def corpus_of(*words):
    """A corpus whose captions have these words; equal numbers of words give models of equal sizes."""
    images = torch.rand(8, 5, generator=torch.Generator().manual_seed(0)).numpy()
    captions = [f"{words[i % len(words)]} {words[i // 2 % len(words)]}" for i in range(8)]
    split = Split("train", [None] * 8, captions, torch.arange(8), fingerprint="made up", precomputed=images)
    return Corpus("made up", {"train": split, "val": split}, drawn=True)


def made(*words, seed=0, **options):
    return itm.create_model("bow", corpus_of(*words), seed=seed, dim=4, word_dim=4, **options)


@pytest.fixture
def kept(tmp_path):
    """A folder with an untrained model."""
    return save_model(made("red", "blue"), tmp_path / "kept", metrics={"rsum": 1.0}, seed=5)


def change(file, **changes):
    about = json.loads(file.read_text(encoding="utf-8"))
    about.update(changes)
    file.write_text(json.dumps({name: value for name, value in about.items() if value is not None}), encoding="utf-8")


@pytest.mark.parametrize("found", [None, 1, FORMAT + 1, "x" * 1000, [[]]])
def test_a_model_of_another_version_is_refused(kept, found):
    assert load_model(kept).name == "bow"
    change(kept / "model.json", format=found)
    with pytest.raises(ItmError, match=r"another version of the course .format .*; this one reads 2") as error:
        load_model(kept)
    assert len(str(error.value)) < 400


def test_a_run_of_another_version_is_refused(tiny, tmp_path, instant_features):
    settings = {"epochs": 1, "batch_size": 30, "device": "cpu", "progress": False, "folder": tmp_path}
    itm.fit(itm.create_model("bow", tiny), tiny, **settings)
    change(tmp_path / "training.json", format=None)
    with pytest.raises(ItmError, match="training.json was saved by another version of the course"):
        itm.fit(itm.create_model("bow", tiny), tiny, **settings)


def content(model):
    """Everything about a model that a mixture would mix up."""
    weights = {name: value.tolist() for name, value in model.state_dict().items()}
    return model.vocabulary.words, model.options, weights


STEPS = ("mkdir", "rename", "replace", "unlink", "fsync", "chmod")


def killed_at(step, act):
    """Runs ``act`` in a process of its own that is killed before its n-th change of the disk -> whether it was."""
    child = os.fork()
    if not child:
        left = [step]

        def counted(change):
            def call(*arguments, **options):
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return change(*arguments, **options)

            return call

        for name in STEPS:
            setattr(os, name, counted(getattr(os, name)))
        try:
            act()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("earlier", [False, True], ids=["with digests", "of an earlier version"])
def test_a_saving_that_is_killed_leaves_the_old_model_or_the_new_one(tmp_path, earlier):
    old, new = made("red", "blue"), made("two", "cars", seed=1, margin=0.3)  # of equal sizes: shapes tell nothing
    start, folder = tmp_path / "start", tmp_path / "kept"
    save_model(old, start)
    if earlier:
        change(start / "model.json", digests=None)
    seen, step, killed = [], 0, True
    while killed:
        step += 1
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(start, folder)
        killed = killed_at(step, lambda: save_model(new, folder))
        seen.append(content(load_model(folder)))
        assert seen[-1] in (content(old), content(new)), step
        again = made("a", "b", seed=2)
        save_model(again, folder)  # over what the kill left
        assert content(load_model(folder)) == content(again)
        assert sorted(file.name for file in folder.iterdir() if ".part-" not in file.name) == [
            "model.json",
            "model.json.lock",
            "vocabulary.json",
            "weights.safetensors",
        ]
    assert step > 12 and content(old) in seen[:-1] and content(new) in seen[:-1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_second_kill_while_the_first_is_cleared_up_loses_nothing(tmp_path):
    old, new, third = made("red", "blue"), made("two", "cars", seed=1), made("a", "b", seed=2)
    known = [content(model) for model in (old, new, third)]
    folder = tmp_path / "kept"
    for first in (10, 15, 18, 20, 22, 24, 26):
        save_model(old, folder)
        killed_at(first, lambda: save_model(new, folder))
        for second in (2, 5, 9, 14, 19, 23):
            killed_at(second, lambda: save_model(third, folder))
            assert content(load_model(folder)) in known, (first, second)


def test_a_model_of_an_earlier_version_without_digests_still_loads(kept):
    change(kept / "model.json", digests=None)
    assert content(load_model(kept)) == content(made("red", "blue"))
    write_tensors(
        kept / "weights.safetensors", {n: v.half() for n, v in read_tensors(kept / "weights.safetensors").items()}
    )
    assert load_model(kept).dtype == torch.float32


@pytest.mark.parametrize("file", ["weights.safetensors", "vocabulary.json"])
def test_a_file_of_another_model_of_equal_size_is_refused(kept, tmp_path, file):
    other = save_model(made("two", "cars", seed=1), tmp_path / "other")
    shutil.copy(other / file, kept / file)
    with pytest.raises(ItmError, match=f"{file} is not the file that model.json was saved with"):
        load_model(kept)


def test_a_model_that_is_saved_while_it_is_loaded_is_one_or_the_other(kept, monkeypatch):
    new, load = made("two", "cars", seed=1), checkpoints.build_model
    saved = []

    def build(*parts, **options):
        if not saved:
            saved.append(save_model(new, kept))
        return load(*parts, **options)

    monkeypatch.setattr(checkpoints, "build_model", build)
    assert content(load_model(kept)) == content(new) and saved


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_model_keeps_the_type_of_its_weights(tmp_path, dtype):
    model = made("red", "blue").to(dtype)
    again = load_model(save_model(model, tmp_path))
    assert again.dtype == dtype and content(again) == content(model)


ODD = [0, True, "x", [], None, 1.5, {"a": 1}, [[1]], 10**30]


@pytest.mark.parametrize("part", ["", "name", "options", "features", "digests", "versions", "seed", "metrics"])
@pytest.mark.parametrize("value", ODD, ids=[repr(value)[:8] for value in ODD])
def test_a_damaged_model_json_is_one_sentence_that_names_it(kept, part, value):
    file = kept / "model.json"
    if part:
        file.write_text(json.dumps({**read_json(file), part: value}), encoding="utf-8")
    else:
        file.write_text(json.dumps(value), encoding="utf-8")
    for read in (load_model, kept_seed):
        try:
            read(kept)
        except ItmError as error:
            assert str(file) in str(error) or "weights.safetensors" in str(error)
            assert "\n" not in str(error) and len(str(error)) < 900
        else:
            harmless = {"": (), "seed": (0, None), "metrics": ({"a": 1},), "name": ("x",), "options": ({"a": 1},)}
            harmless |= {"features": ({"a": 1},), "digests": ({"a": 1},)}
            assert value in harmless.get(part, ()), (part, value)


def test_the_seed_of_a_kept_model(kept):
    assert kept_seed(kept) == 5 and read_json(kept / "model.json")["metrics"] == {"rsum": 1.0}
    change(kept / "model.json", seed=None)
    assert kept_seed(kept) is None
    (kept / "model.json").write_text("[1]")
    with pytest.raises(ItmError, match="model.json is no model of this course"):
        kept_seed(kept)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (lambda w: {**w, "more": torch.ones(1)}, r"more is \[1\] there and absent here"),
        (lambda w: {n: v for n, v in w.items() if n != "image_encoder.project.bias"}, "bias is absent there"),
        (lambda w: {**w, "image_encoder.project.bias": torch.ones(5)}, r"bias is \[5\] there and \[4\] here"),
        (
            lambda w: {**w, "image_encoder.project.bias": torch.ones(4).int()},
            r"bias is \[4\] int32 there and \[4\] here",
        ),
    ],
)
def test_weights_that_do_not_fit_are_named(kept, weights, message):
    file = kept / "weights.safetensors"
    write_tensors(file, weights(read_tensors(file)))
    change(kept / "model.json", digests=None)
    with pytest.raises(ItmError, match=message):
        load_model(kept)


def test_arguments_of_save_model_are_refused_by_name(tmp_path):
    model = made("red", "blue")
    for argument, value in (("seed", 10**23), ("seed", "1"), ("metrics", [1]), ("metrics", {"a": torch.ones(1)})):
        with pytest.raises(
            ItmError, match=argument if isinstance(value, int | str | list) else "model.json cannot hold"
        ):
            save_model(model, tmp_path / "kept", **{argument: value})
    with pytest.raises(ItmError, match="folder is ''"):
        save_model(model, "")
    with pytest.raises(ItmError, match="folder is '~nobody_here/a'"):
        load_model("~nobody_here/a")
    assert not (tmp_path / "kept" / "model.json").exists()


def test_a_path_may_begin_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert save_model(made("red", "blue"), "~/kept") == Path(tmp_path) / "kept"
    assert load_model("~/kept").name == "bow"
