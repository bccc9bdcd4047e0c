"""Devices and precisions of training: an unsupported choice is refused before anything is trained."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch

from itm_tutorial.data.options import check_options
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.models import Batch, Matching

PRECISIONS = {  # name -> the type of the weights; None leaves them as they are
    "auto": None,
    "32-true": torch.float32,
    "64-true": torch.float64,
    "bf16-true": torch.bfloat16,
    "bf16-mixed": torch.float32,
}
SHORT = {"32": "32-true", "64": "64-true", "16": "16-mixed", "bf16": "bf16-mixed"}  # as Fabric has them
REFUSED = {  # of Fabric's others
    "16-mixed": "float16 needs gradients to be scaled, which fit does not do: give 'bf16-mixed'",
    "16-true": "the squares of gradients that Adam keeps vanish in float16: give 'bf16-true'",
    "transformer-engine": "fit does not exchange layers for those of that library: give 'bf16-mixed'",
    "transformer-engine-float16": "fit does not exchange layers for those of that library: give 'bf16-mixed'",
}


class Precision(NamedTuple):
    """The device and precision of a run.

    Attributes:
        fabric: Lightning Fabric's object, with its device and its casting of operations.
        name: of the precision, one of Fabric's.
        dtype: of the weights; None leaves them as they are.
    """

    fabric: object
    name: str
    dtype: torch.dtype | None


def choose_precision(device: str, precision: str | int) -> Precision:
    """The device and the precision of a run.

    Args:
        device: "auto", "cpu", "cuda", or another that Lightning Fabric knows.
        precision: one of ``PRECISIONS``; "auto" is bf16-mixed on a GPU, and the type of the weights elsewhere.

    Raises:
        ItmError: the device does not exist, or the precision is unknown or cannot be trained in.
    """
    types = {"device": str, "precision": str | int}
    check_options("fit", types, {"device": device, "precision": precision})
    name = SHORT.get(str(precision), str(precision))
    if name in REFUSED:
        raise ItmError(f"precision {precision!r} cannot be used: {REFUSED[name]}")
    if name not in PRECISIONS:
        raise unknown("precision", precision, PRECISIONS)
    dtype = PRECISIONS[name]
    with _not_imported("torchmetrics"):  # Fabric loads it where it is installed, and with it transformers: seconds
        from lightning_fabric import Fabric

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "auto":
        name = "bf16-mixed" if device == "cuda" else "32-true"
    try:
        fabric = Fabric(accelerator=device, devices=1, precision=name)
    except Exception as error:  # Fabric raises what its accelerators raise
        raise ItmError(f"device {device!r} with precision {name!r} cannot be used: {error}; try 'auto'") from error
    return Precision(fabric, name, dtype)


def convert(model: Matching, chosen: Precision) -> None:
    """Moves a model to the device of a run and converts its weights.

    Raises:
        ItmError: the device has no numbers of this type.
    """
    try:
        model.to(chosen.fabric.device, chosen.dtype)
    except (RuntimeError, TypeError) as error:
        device = chosen.fabric.device
        raise ItmError(f"{device} cannot hold weights in {chosen.name} ({error}); give precision='32-true'") from error


def check_step(model: Matching, batch: Batch, chosen: Precision) -> None:
    """Tries one step and one score of a copy of the model, where its weights are of another type than float32.

    Raises:
        ItmError: a part of the model cannot be computed or differentiated in this type.
    """
    if chosen.dtype in (None, torch.float32):
        return
    trial, device = copy.deepcopy(model).train(), chosen.fabric.device
    convert(trial, chosen)
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            with chosen.fabric.autocast():
                loss = trial.loss(batch)
            sum(loss.values() if isinstance(loss, dict) else [loss]).backward()
            with torch.no_grad():  # as after every epoch
                trial.eval().similarity(trial.encode_images(batch), trial.encode_captions(batch))
    except (RuntimeError, NotImplementedError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        name = getattr(model, "name", type(model).__name__)
        raise ItmError(f"{name} cannot be trained in {chosen.name} ({reason}); give precision='32-true'") from error


@contextmanager
def _not_imported(name: str) -> Iterator[None]:
    """Keeps a library that others try to import from being loaded; one that is loaded already stays."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # Python's way to make an import fail
    try:
        yield
    finally:
        del sys.modules[name]
