"""The state of a run after each epoch, so that a run that was killed can continue."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any, NotRequired

import torch
from pydantic import Field, FiniteFloat
from torch import Tensor
from torch.optim import Optimizer

from itm_tutorial.data.options import Int64
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.errors import ItmError, shown
from itm_tutorial.evaluation.retrieval_metrics import Recall, Report
from itm_tutorial.models import Matching
from itm_tutorial.storage import checked, file_digest, read_json, read_tensors, write_json, write_tensors
from itm_tutorial.training.checkpoints import Described, check_fit, check_format, describe, fill
from itm_tutorial.training.schedule import same_rates

FILE = "training.json"
OF_ROWS = {"epoch", "loss", "seconds", *Report(*[Recall(0, 0, 0, 0, 0)] * 2).as_dict()}
LATER = ("settings.precision",)  # settings that runs of earlier versions did not write down
OWN = ("epochs", "batch_size", "learning_rate", "sampler")  # of a recipe; a run has these as settings of its own


class RunFile(Described):
    """The content of training.json.

    Attributes:
        settings: of ``fit``; see there.
        epochs: a row of ``History`` per epoch that is done.
        vocabulary: a digest; a run of an earlier version has a file instead.
        state: the SHA-256 of the file with the tensors.
        asks_epochs: whether a stage or a warm-up depends on the number of epochs.
    """

    settings: dict[str, Any]
    epochs: Annotated[list[dict[str, Int64 | FiniteFloat]], Field(min_length=1)]
    vocabulary: NotRequired[str]
    state: NotRequired[str]
    asks_epochs: NotRequired[bool]


def write_training_state(
    folder: Path,
    model: Matching,
    optimizers: dict[str, Optimizer],
    settings: dict[str, Any],
    epochs: list[dict[str, Any]],
    best: dict[str, Tensor],
    asks_epochs: bool = True,
) -> None:
    """Saves everything that a killed run needs to continue; a new state replaces the previous one in one step.

    Args:
        folder: of the run.
        model, optimizers: as they are after the last epoch.
        settings: those that must be the same when the run continues.
        epochs: a row per epoch that is done.
        best: the best weights so far.
        asks_epochs: whether anything besides the learning rate depends on the number of epochs.

    Raises:
        ItmError: the folder cannot be written to.
    """
    tensors = {f"model/{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"best/{name}": value for name, value in best.items()}
    for group, optimizer in optimizers.items():
        for index, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{group}/{index}/{name}": torch.as_tensor(v) for name, v in state.items()}
    file = _state_file(folder, len(epochs))
    write_tensors(file, {name: value.clone() for name, value in tensors.items()})
    about = {**describe(model), "settings": settings, "epochs": epochs, "asks_epochs": asks_epochs}
    about |= {"vocabulary": _digest(model.vocabulary), "state": file_digest(file)}
    write_json(folder / FILE, about)
    for older in (*folder.glob("epoch-*.safetensors"), *folder.glob("epoch-*.safetensors.part-*")):
        if older != file:
            older.unlink(missing_ok=True)


def _state_file(folder: Path, done: int) -> Path:
    return folder / f"epoch-{done}.safetensors"


def _digest(vocabulary: Vocabulary) -> str:
    with tempfile.TemporaryDirectory() as place:
        vocabulary.save(Path(place) / "vocabulary.json")
        return file_digest(Path(place) / "vocabulary.json")


def read_training_state(
    folder: Path, model: Matching, optimizers: dict[str, Optimizer], settings: dict[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, Tensor], bool]:
    """Restores the state of a run that was killed.

    A run may continue with another number of epochs if the finished epochs would have been the same: the learning rate
    had not dropped, or dropped in the same epochs, and neither the model nor the loss read the number of epochs.

    Args:
        folder: of the run.
        model, optimizers: get the state.
        settings: of the new run.

    Returns:
        The rows of the epochs that are done, the best weights so far, and whether anything besides the learning rate
        depends on the number of epochs; empty and False if there is no saved state.

    Raises:
        ItmError: the saved state is damaged, or of another model, vocabulary or setting.
    """
    if not (folder / FILE).exists():
        return [], {}, False
    about = read_json(folder / FILE)
    check_format(about, folder / FILE)
    remedy = f"delete {folder} and train again"
    about = checked(about, RunFile, f"{folder / FILE}", remedy)
    _check_same_run(folder, about, model, settings)
    for number, row in enumerate(about["epochs"], start=1):
        if row.get("epoch") != number or not row.keys() >= OF_ROWS:
            raise ItmError(f"{folder / FILE}: epochs[{number - 1}] is no row of epoch {number}; {remedy}")
    file = _state_file(folder, len(about["epochs"]))
    tensors = read_tensors(file)
    if about.get("state", file_digest(file)) != file_digest(file):
        raise ItmError(f"{file} is damaged, or of another run than {FILE}: {remedy}")
    _restore(model, optimizers, tensors, file)
    best = {name.removeprefix("best/"): value for name, value in tensors.items() if name.startswith("best/")}
    return about["epochs"], best, about.get("asks_epochs", True)


def _restore(model: Matching, optimizers: dict[str, Optimizer], tensors: dict[str, Tensor], file: Path) -> None:
    """Gives a model and its optimizers their state, after all of it has been checked."""
    weights = model.state_dict()
    expected = {f"{part}/{name}": value for part in ("model", "best") for name, value in weights.items()}
    states: dict[str, dict[int, dict[str, Tensor]]] = {}
    for group, optimizer in optimizers.items():
        parameters = [parameter for one in optimizer.param_groups for parameter in one["params"]]
        states[group] = {}
        for index, parameter in enumerate(parameters):
            form = {"step": torch.tensor(0.0), "exp_avg": parameter, "exp_avg_sq": parameter}
            names = {name: f"optimizer/{group}/{index}/{name}" for name in form}
            if any(name in tensors for name in names.values()):  # one that never had a gradient has no state
                expected |= {names[name]: value for name, value in form.items()}
                states[group][index] = {name: tensors.get(names[name]) for name in form}
    check_fit(expected, tensors, file)
    prefix = "model/"
    fill(model, {name.removeprefix(prefix): v for name, v in tensors.items() if name.startswith(prefix)}, file)
    for group, optimizer in optimizers.items():
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": states[group], "param_groups": groups})


def _check_same_run(folder: Path, about: RunFile, model: Matching, settings: dict[str, Any]) -> None:
    """Refuses another model, vocabulary or setting; the message names the first that differs, with both values."""
    ours = {**json.loads(json.dumps(describe(model))), "settings": json.loads(json.dumps(settings))}
    for key in ("name", "options", "features", "settings"):
        there, here = _flat(about[key], key), _flat(ours[key], key)
        for name in sorted(there.keys() | here.keys(), key=lambda name: (name.startswith("settings.corpus"), name)):
            same = name in there and name in here and there[name] == here[name]
            if same or (name in there and name == "settings.epochs") or (name not in there and name in LATER):
                continue
            found, asked = (shown(one[name]) if name in one else "left out" for one in (there, here))
            raise ItmError(f"{folder} holds a run with {name} {found}, not {asked}: use another folder or delete it")
    if "vocabulary" in about:
        same = about["vocabulary"] == _digest(model.vocabulary)
    else:
        same = Vocabulary.load(folder / "vocabulary.json") == model.vocabulary
    if not same:
        raise ItmError(f"{folder} holds a run with another vocabulary: use another folder or delete it")
    _check_epochs(folder, about, settings)


def _check_epochs(folder: Path, about: RunFile, settings: dict[str, Any]) -> None:
    before, now, done = about["settings"].get("epochs"), settings["epochs"], len(about["epochs"])
    if type(before) is not int or not done <= before < 2**31:
        raise ItmError(
            f"{folder / FILE}: settings.epochs is {shown(before)} with {done} epochs done; "
            f"delete {folder} and train again"
        )
    drop_at = settings["recipe"]["drop_at"]
    if before == now or (same_rates(done, before, now, drop_at) and not about.get("asks_epochs", True)):
        return
    if done > now:
        why = f"{done} are done"
    elif not same_rates(done, before, now, drop_at):
        why = f"with {now} the learning rate of an epoch that is done would have been another"
    else:
        why = "a warm-up or a stage of its training depends on that number"
    raise ItmError(
        f"{folder} holds a run with settings.epochs {before}, not {now}, and {why}: give epochs={before}, "
        "use another folder or delete it"
    )


def _flat(value: Any, name: str) -> dict[str, Any]:
    """Nested dictionaries as one: "settings.recipe.clip" -> 2.0. What a run has apart from its recipe is left out."""
    if not isinstance(value, dict):
        return {name: value}
    inside = {key: one for key, one in value.items() if name != "settings.recipe" or key not in OWN}
    return (
        {name: {}}
        if not inside
        else {k: v for key, one in inside.items() for k, v in _flat(one, f"{name}.{key}").items()}
    )
