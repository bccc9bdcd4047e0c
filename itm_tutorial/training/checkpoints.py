"""Saves and loads models: safetensors for numbers, JSON for the rest; nothing is ever unpickled."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, NotRequired

import torch
from torch import Tensor
from typing_extensions import TypedDict

from itm_tutorial import __version__
from itm_tutorial.data.options import Count, Seed, check_options
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.errors import ItmError, shown
from itm_tutorial.models import FeatureSpec, Matching, build_model
from itm_tutorial.storage import (
    checked,
    disk_errors,
    file_digest,
    flush,
    make_folder,
    one_at_a_time,
    read_json,
    read_tensors,
    user_path,
    write_json,
    write_tensors,
)

FORMAT = 2  # of model.json and weights.safetensors; 1 had other names of parts, such as sentence_encoder
WEIGHTS, VOCABULARY, MODEL = "weights.safetensors", "vocabulary.json", "model.json"
TRIES = 10  # of reading a model that another process keeps saving anew
AGAIN = "save or train the model again"


class Features(TypedDict):
    """A ``FeatureSpec`` in JSON; values that are 0 or empty are left out."""

    kind: NotRequired[str]
    backbone: NotRequired[str]
    dim: NotRequired[Count]


class Described(TypedDict):
    """The result of ``describe``."""

    format: int
    name: str
    options: dict[str, Any]
    features: Features
    versions: NotRequired[dict[str, str]]


class ModelFile(Described):
    """The content of model.json.

    Attributes:
        seed: that the model was trained with.
        metrics: metrics that were saved with it.
        digests: the SHA-256 of the two files beside it; models of an earlier version have none.
    """

    seed: NotRequired[Seed | None]
    metrics: NotRequired[dict[str, Any]]
    digests: NotRequired[dict[str, str]]


def save_model(
    model: Matching, folder: str | Path, metrics: dict[str, Any] | None = None, seed: int | None = None
) -> Path:
    """Saves a model: ``weights.safetensors``, ``vocabulary.json`` and ``model.json``.

    A model that is there already is replaced in one step: a reader gets the old one or the new one, even if the
    process is killed while it saves. ``model.json`` holds a digest of the other two files, and is written last.

    Args:
        model: made by ``create_model``.
        folder: where to; made if missing.
        metrics: metrics to save with it, as plain data.
        seed: it was trained with.

    Returns:
        The folder.

    Raises:
        ItmError: the folder cannot be written to, or ``metrics`` is not plain data.
    """
    folder = user_path(folder, "folder")
    given = check_options(
        "save_model", {"metrics": dict | None, "seed": Seed | None}, {"metrics": metrics, "seed": seed}
    )
    with disk_errors(folder):
        make_folder(folder)
        with one_at_a_time(folder / MODEL, "writes"):
            _finish(folder)
            write_tensors(_new(folder / WEIGHTS), model.state_dict())
            model.vocabulary.save(_new(folder / VOCABULARY))
            digests = {name: file_digest(_new(folder / name)) for name in (WEIGHTS, VOCABULARY)}
            kept = {"seed": given["seed"], "metrics": given["metrics"] or {}, "digests": digests}
            write_json(folder / MODEL, {**describe(model), **kept})  # from now on the new model is the one that is read
            _finish(folder)
    return folder


def _new(file: Path) -> Path:
    """The name of a file of a model that is being saved, until ``model.json`` names its content."""
    return file.with_name(file.name + ".new")


def _finish(folder: Path) -> None:
    """Gives the new files that ``model.json`` names their own names; others are left from a killed run, and go."""
    new = [_new(folder / name) for name in (WEIGHTS, VOCABULARY)]
    if not any(file.exists() for file in new):
        return
    try:
        digests = read_json(folder / MODEL, ModelFile).get("digests", {})
    except ItmError:  # there is no model yet, or a damaged one
        digests = {}
    for file in new:
        if file.exists() and file_digest(file) == digests.get(file.name.removesuffix(".new")):
            os.replace(file, file.with_suffix(""))
        file.unlink(missing_ok=True)
    flush(folder)


def describe(model: Matching) -> dict[str, Any]:
    """All that is needed to build a model again except its vocabulary and weights, as plain data."""
    versions = {"itm_tutorial": __version__, "python": platform.python_version(), "torch": torch.__version__}
    features = {name: value for name, value in asdict(model.features).items() if value}
    return {"format": FORMAT, "name": model.name, "options": model.options, "features": features, "versions": versions}


def load_model(folder: str | Path) -> Matching:
    """Loads a model that ``save_model`` saved.

    Args:
        folder: of the model.

    Returns:
        The model, on the CPU, ready to score; in float64 or bfloat16 if it was trained so.

    Raises:
        ItmError: a file is missing, damaged, or does not fit the others.
    """
    folder = user_path(folder, "folder")
    for _ in range(TRIES):
        before = _stamp(folder)
        try:
            model = _load(folder)
        except ItmError:
            if _stamp(folder) == before:
                raise
            continue  # another process saved a model meanwhile
        if _stamp(folder) == before:
            return model.eval()
    raise ItmError(f"{folder} was saved anew each of the {TRIES} times that it was read: load it again")


def _stamp(folder: Path) -> list[tuple[str, int, int]]:
    """What tells whether a model in a folder was saved anew: its files, by identity and time."""
    found = []
    for name in (WEIGHTS, VOCABULARY, MODEL):
        for file in (folder / name, _new(folder / name)):
            with suppress(OSError):
                about = file.stat()
                found.append((file.name, about.st_ino, about.st_mtime_ns))
    return found


def _load(folder: Path) -> Matching:
    about = read_model_file(folder)
    digests = about.get("digests")
    files = {name: _content(folder / name, digests) for name in (WEIGHTS, VOCABULARY)}
    vocabulary = Vocabulary.load(files[VOCABULARY])
    try:
        model = build_model(about["name"], vocabulary, FeatureSpec(**about["features"]), **about["options"])
    except ItmError as error:
        raise ItmError(f"{folder / MODEL}: {error}") from error
    weights = read_tensors(files[WEIGHTS])
    of_weights = {value.dtype for value in weights.values() if value.is_floating_point()}
    if digests is None:  # of an earlier version, whose models were read as float32
        weights = {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}
    elif len(of_weights) == 1:
        model.to(of_weights.pop())
    fill(model, weights, folder / WEIGHTS)
    return model


def read_model_file(folder: Path) -> ModelFile:
    """The checked content of a model's ``model.json``.

    Raises:
        ItmError: the file is missing, damaged, or of another version of the course.
    """
    about = read_json(folder / MODEL)
    check_format(about, folder / MODEL)
    return checked(about, ModelFile, f"{folder / MODEL} is no model of this course", AGAIN)


def _content(file: Path, digests: dict[str, str] | None) -> Path:
    """Where the content is that ``model.json`` names: in the file, or in the new one of a saving that was killed."""
    if digests is None:
        return file
    for place in (file, _new(file)):
        if place.exists() and file_digest(place) == digests.get(file.name):
            return place
    if file.name == WEIGHTS:
        read_tensors(file)  # says so where it is missing or cut short
    file_digest(file)  # as well
    raise ItmError(
        f"{file} is not the file that model.json was saved with: it is damaged, or of another model or another "
        f"vocabulary; {AGAIN}"
    )


def check_format(about: Any, file: Path) -> None:
    """Refuses a file of another version of the course, in which parts have other names.

    Raises:
        ItmError: the file was saved by another version.
    """
    found = about.get("format", 1) if isinstance(about, dict) else FORMAT
    if found != FORMAT:
        raise ItmError(
            f"{file} was saved by another version of the course (format {shown(found, 20)}; this one reads {FORMAT}): "
            "train the model again, or load it with the version that saved it"
        )


def kept_seed(folder: str | Path) -> int | None:
    """The seed that a saved model was trained with; None if none is recorded.

    Args:
        folder: of the model.

    Raises:
        ItmError: ``model.json`` is missing or damaged.
    """
    return read_model_file(user_path(folder, "folder")).get("seed")


def fill(model: Matching, weights: dict[str, Tensor], file: Path) -> None:
    """Loads weights into a model.

    Raises:
        ItmError: names, shapes or types differ: the weights are of another model, other options or another vocabulary.
    """
    check_fit(model.state_dict(), weights, file)
    model.load_state_dict(weights)


def check_fit(ours: dict[str, Tensor], theirs: dict[str, Tensor], file: Path) -> None:
    """Checks that tensors of a file have the names, shapes and types that they should have.

    Args:
        ours: name -> a tensor of the shape and type that is expected.
        theirs: name -> the tensor of the file.
        file: for the message.

    Raises:
        ItmError: the first name at which they differ.
    """
    here, there = ({name: _form(value) for name, value in some.items()} for some in (ours, theirs))
    odd = sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
    if odd:
        found, expected = there.get(odd[0], "absent"), here.get(odd[0], "absent")
        raise ItmError(
            f"{file} does not fit this model: {odd[0][:80]} is {found} there and {expected} here; it was saved from "
            "another model, other options or another vocabulary"
        )


def _form(tensor: Tensor) -> str:
    kind = str(tensor.dtype).removeprefix("torch.")
    return f"{list(tensor.shape)}" if kind == "float32" else f"{list(tensor.shape)} {kind}"
