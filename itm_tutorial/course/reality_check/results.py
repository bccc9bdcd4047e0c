"""The kept results of the reality check: one JSON file with a part per model, checked when it is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, FiniteFloat
from typing_extensions import TypedDict

from itm_tutorial.errors import ItmError
from itm_tutorial.storage import one_at_a_time, read_json, write_json

if TYPE_CHECKING:
    from itm_tutorial.course.reality_check.protocol import Plan, Point, Setup

_RSum = Annotated[float, Field(ge=0, le=600)]
_Percent = Annotated[float, Field(ge=0, le=100)]
Outcome = Literal["trained", "failed"]


class Measured(TypedDict):
    """What is measured on a test split, in percent; rsum is a sum of six recalls."""

    rsum: _RSum
    i2t_r1: _Percent
    t2i_r1: _Percent
    minimal_pairs: dict[str, _Percent]
    minimal_pair_queries: dict[str, int]


class Training(TypedDict):
    """A training on one of the seeds that are measured."""

    seed: int
    outcome: Outcome
    message: str
    seconds: FiniteFloat
    test: Measured | None


class Tried(TypedDict):
    """A training on the tuning seed; rsum on the validation split, None where it failed."""

    rate: FiniteFloat
    epochs: int
    rsum: _RSum | None
    message: str


class Model(TypedDict):
    """A model that has been through the whole protocol, or why it could not."""

    features: str
    embed_size: int | None
    tried: Annotated[list[Tried], Field(min_length=1)]
    rate: FiniteFloat | None
    epochs: int | None
    gain: FiniteFloat | None
    still_rising: bool
    failed: str
    parameters: int | None
    trainings: list[Training]
    provenance: dict[str, Any]


class Protocol(TypedDict):
    """The settings of the protocol, as ``protocol`` names them."""

    corpus: str
    size: str
    embed_size: int
    tuning_seed: int
    rate_factors: list[FiniteFloat]
    doublings: Annotated[int, Field(ge=0, le=10)]
    least_gain: FiniteFloat


class Check(TypedDict):
    """The whole file."""

    protocol: Protocol
    lines: dict[str, dict[Literal["ceiling", "chance"], Measured]]
    left_out: dict[str, str]
    models: dict[str, Model]


def empty(protocol: Mapping[str, Any]) -> dict[str, Any]:
    """The results before any model has been trained."""
    return {"protocol": dict(protocol), "lines": {}, "left_out": {}, "models": {}}


def read_check(file: Path) -> dict[str, Any]:
    """Reads kept results.

    Args:
        file: as ``keep`` writes it.

    Returns:
        Plain data; see ``Check``.

    Raises:
        ItmError: the file is missing or damaged; the message names the place.
    """
    return read_json(file, Check, f"delete it and run `itm reality --out {file}`, which trains nothing twice")


def keep(
    file: Path,
    protocol: Mapping[str, Any],
    found: Mapping[str, Mapping[str, Any]],
    known: Sequence[str],
    lock: Path,
) -> None:
    """Puts results into a file, beside those of other models.

    Args:
        file: JSON, made if it is not there.
        protocol: under which the results were found.
        found: "lines", "left_out" and "models", to be added.
        known: every registered name; models that are no more are taken out.
        lock: a path in an existing folder; another process that writes results waits for its lock.

    Raises:
        ItmError: the file is damaged, was made under another protocol, or cannot be written.
    """
    with one_at_a_time(lock, "writes"):
        kept = read_check(file) if file.exists() else empty(protocol)
        check_protocol(file, kept, protocol)
        for part, values in found.items():
            kept[part] |= values
        for name in found.get("models", ()):
            kept["left_out"].pop(name, None)
        for name in found.get("left_out", ()):
            kept["models"].pop(name, None)
        for part in ("models", "left_out"):
            kept[part] = {name: kept[part][name] for name in known if name in kept[part]}
        write_json(file, kept)


def check_protocol(file: Path, kept: Mapping[str, Any], protocol: Mapping[str, Any]) -> None:
    """Refuses to put results under different protocols into one file.

    Raises:
        ItmError: the file was made under another protocol, such as another size; the message names the difference.
    """
    for name, value in protocol.items():
        if kept["protocol"].get(name) != value:
            was = kept["protocol"].get(name)
            raise ItmError(f"{file} was made with {name} {was!r}, this run has {value!r}: give another --out")


def model_part(
    setup: Setup, plan: Plan, seeds: Sequence[int], record_of: Callable[[Point], Mapping[str, Any]]
) -> dict[str, Any]:
    """The part of a model that has been through the protocol.

    Args:
        setup: of the model.
        plan: finished.
        seeds: that were measured.
        record_of: a training -> its record.

    Returns:
        Plain data; see ``Model``.
    """
    tried = [(point, record_of(point)) for point in plan.tuning]
    finals = [] if plan.failed else [(seed, record_of(plan.final(seed))) for seed in seeds]
    sizes = [record["parameters"] for _, record in [*tried, *finals] if record["parameters"]]
    last = max((record for _, record in [*tried, *finals]), key=lambda record: record["finished"])
    return {
        "features": setup.features,
        "embed_size": next(iter(setup.options.values()), None),
        "tried": [
            {"rate": point.rate, "epochs": point.epochs, "rsum": max(record["validation"], default=None)}
            | {"message": record["message"]}
            for point, record in tried
        ],
        "rate": plan.rate,
        "epochs": plan.epochs,
        "gain": plan.gain if plan.gain is not None and math.isfinite(plan.gain) else None,
        "still_rising": plan.still_rising,
        "failed": plan.failed,
        "parameters": sizes[-1] if sizes else None,
        "trainings": [
            {"seed": seed, **{name: record[name] for name in ("outcome", "message", "seconds", "test")}}
            for seed, record in finals
        ],
        "provenance": {"date": last["finished"][:10], **last["machine"], **last["made_by"]},
    }
