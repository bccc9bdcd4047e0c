"""Models on disk: safetensors for numbers, JSON for the rest; nothing is ever unpickled."""

from __future__ import annotations

import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from itm_tutorial import __version__
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.errors import ItmError
from itm_tutorial.models import FeatureSpec, Matching, build_model
from itm_tutorial.storage import read_json, read_tensors, write_json, write_tensors

FORMAT = 2  # of model.json and weights.safetensors; 1 had other names of parts, such as sentence_encoder


def save_model(
    model: Matching, folder: str | Path, metrics: dict[str, Any] | None = None, seed: int | None = None
) -> Path:
    """Keeps a model: ``weights.safetensors``, ``vocabulary.json`` and ``model.json``.

    Args:
        model: made by ``create_model``.
        folder: where to; made if missing.
        metrics: figures to keep beside it, as plain data.
        seed: it was trained with.

    Returns:
        The folder.

    Raises:
        ItmError: the folder cannot be written to.
    """
    folder = Path(folder)
    write_tensors(folder / "weights.safetensors", model.state_dict())
    model.vocabulary.save(folder / "vocabulary.json")
    write_json(folder / "model.json", {**describe(model), "seed": seed, "metrics": metrics or {}})
    return folder


def describe(model: Matching) -> dict[str, Any]:
    """What it takes to build a model again, but for its vocabulary and weights, as plain data."""
    versions = {"itm_tutorial": __version__, "python": platform.python_version(), "torch": torch.__version__}
    features = {name: value for name, value in asdict(model.features).items() if value}
    return {"format": FORMAT, "name": model.name, "options": model.options, "features": features, "versions": versions}


def load_model(folder: str | Path) -> Matching:
    """Loads what ``save_model`` kept.

    Args:
        folder: of the model.

    Returns:
        The model, on the CPU, ready to score.

    Raises:
        ItmError: a file is missing, cut short, or does not fit the others.
    """
    folder = Path(folder)
    about = read_json(folder / "model.json")
    _check_format(about, folder / "model.json")
    try:
        spec, name, options = FeatureSpec(**about["features"]), about["name"], about["options"]
    except (KeyError, TypeError) as error:
        raise ItmError(f"{folder / 'model.json'} is no model of this course ({error}): save the model again") from error
    model = build_model(name, Vocabulary.load(folder / "vocabulary.json"), spec, **options)
    fill(model, read_tensors(folder / "weights.safetensors"), folder / "weights.safetensors")
    return model.eval()


def _check_format(about: Any, file: Path) -> None:
    """Refuses a file of another version of the course, in which parts have other names."""
    found = about.get("format", 1) if isinstance(about, dict) else FORMAT
    if found != FORMAT:
        raise ItmError(
            f"{file} was saved by another version of the course (format {found}; this one reads {FORMAT}): "
            "train the model again, or load it with the version that saved it"
        )


def kept_seed(folder: str | Path) -> int | None:
    """The seed that a kept model was trained with; None where none is recorded.

    Args:
        folder: of the model.

    Raises:
        ItmError: ``model.json`` is missing or cut short.
    """
    seed = read_json(Path(folder) / "model.json").get("seed")
    return seed if isinstance(seed, int) else None


def fill(model: Matching, weights: dict[str, Tensor], file: Path) -> None:
    """Gives a model its weights.

    Raises:
        ItmError: names or shapes differ: the weights are of another model, other options or another vocabulary.
    """
    ours = {name: list(value.shape) for name, value in model.state_dict().items()}
    theirs = {name: list(value.shape) for name, value in weights.items()}
    if ours != theirs:
        odd = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))[0]
        raise ItmError(
            f"{file} does not fit this model: {odd} is {theirs.get(odd, 'absent')} there and {ours.get(odd, 'absent')} "
            "here; it was saved from another model, other options or another vocabulary"
        )
    model.load_state_dict(weights)


def write_training_state(
    folder: Path, model: Matching, optimizers: dict, settings: dict, epochs: list[dict], best: dict[str, Tensor]
) -> None:
    """Keeps everything that a killed run needs to go on; the newest state replaces the one before it whole."""
    tensors = {f"model/{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"best/{name}": value for name, value in best.items()}
    for group, optimizer in optimizers.items():
        for index, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{group}/{index}/{name}": torch.as_tensor(v) for name, v in state.items()}
    number = len(epochs)
    write_tensors(folder / f"epoch-{number}.safetensors", {name: v.clone() for name, v in tensors.items()})
    model.vocabulary.save(folder / "vocabulary.json")
    write_json(folder / "training.json", {**describe(model), "settings": settings, "epochs": epochs})
    for older in folder.glob("epoch-*.safetensors"):
        if older.name != f"epoch-{number}.safetensors":
            older.unlink(missing_ok=True)


def read_training_state(
    folder: Path, model: Matching, optimizers: dict, settings: dict
) -> tuple[list[dict], dict[str, Tensor]]:
    """Goes back to where a run was killed.

    Returns:
        The rows of the epochs that are done, and the best weights so far; both empty where nothing was kept.

    Raises:
        ItmError: what was kept there is of another model, vocabulary or setting, or is damaged.
    """
    if not (folder / "training.json").exists():
        return [], {}
    about = read_json(folder / "training.json")
    _check_format(about, folder / "training.json")
    expected = {**describe(model), "settings": settings}
    for key in ("name", "options", "features", "settings"):
        if about.get(key) != expected[key]:
            raise ItmError(
                f"{folder} holds a run with {key} {about.get(key)}, not {expected[key]}: "
                "use another folder or delete it"
            )
    if Vocabulary.load(folder / "vocabulary.json") != model.vocabulary:
        raise ItmError(f"{folder} holds a run with another vocabulary: use another folder or delete it")
    file = folder / f"epoch-{len(about['epochs'])}.safetensors"
    tensors = read_tensors(file)

    def under(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}

    fill(model, under("model/"), file)
    for group, optimizer in optimizers.items():
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in under(f"optimizer/{group}/").items():
            index, _, name = key.partition("/")
            state.setdefault(int(index), {})[name] = value
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return about["epochs"], under("best/")
