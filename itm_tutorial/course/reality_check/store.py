"""Keeps the trainings of the reality check: one file each, with a digest of the sources that its numbers depend on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import FiniteFloat
from typing_extensions import TypedDict

from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.dependencies import digest
from itm_tutorial.chapters.verdict import provenance
from itm_tutorial.course.reality_check import protocol
from itm_tutorial.course.reality_check.protocol import FAILED, Point
from itm_tutorial.course.reality_check.results import Measured, Outcome
from itm_tutorial.errors import ItmError
from itm_tutorial.storage import disk_errors, read_json, write_json

_MACHINE = ("machine", "system", "cores")
_NOT_MADE_BY = (*_MACHINE, "date")


class Record(TypedDict):
    """What is kept of one training."""

    made_by: dict[str, Any]
    machine: dict[str, Any]
    finished: str
    outcome: Outcome
    message: str
    validation: list[FiniteFloat]
    seconds: FiniteFloat
    parameters: int | None
    test: Measured | None


@dataclass
class Store:
    """The trainings of one size in a folder.

    Attributes:
        folder: a subfolder per model.
        retry: whether trainings that failed before this store was made count as not done.
    """

    folder: Path
    retry: bool = False
    _begun: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    _made_by: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def unfinished(self) -> Path:
        """The folder for locks, and for notes of what is being trained."""
        return self.folder / "unfinished"

    def file(self, point: Point) -> Path:
        """Where the record of a training is."""
        return self.folder / point.model / f"{point.stem}.json"

    def made_by(self, model: str) -> dict[str, Any]:
        """The digest of a model's sources and the versions that its numbers depend on."""
        if model not in self._made_by:
            versions = {name: value for name, value in provenance().items() if name not in _NOT_MADE_BY}
            self._made_by[model] = {"sources": sources(model), **versions}
        return self._made_by[model]

    def found(self, point: Point) -> dict[str, Any] | None:
        """The record of a training; None where there is none, a damaged one, or one by other sources or versions."""
        return self.current(self.file(point), point.model)

    def current(self, file: Path, model: str) -> dict[str, Any] | None:
        """The record in a file, as ``found`` gives it."""
        try:
            record = read_json(file, Record)
        except ItmError:
            return None
        old_failure = self.retry and record["outcome"] == FAILED and record["finished"] < self._begun
        return None if record["made_by"] != self.made_by(model) or old_failure else record

    def keep(self, point: Point, outcome: str, message: str, measured: Mapping[str, Any]) -> None:
        """Writes the record of a training."""
        about = provenance()
        nothing = {"validation": [], "seconds": 0.0, "parameters": None, "test": None}
        record = {"made_by": self.made_by(point.model), "machine": {name: about[name] for name in _MACHINE}}
        record |= {"finished": datetime.now(UTC).isoformat(), "outcome": outcome, "message": message}
        write_json(self.file(point), {**record, **nothing, **measured})

    @contextmanager
    def lock(self, point: Point) -> Iterator[bool]:
        """Holds the lock of a training, if no other process does -> whether it is held."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.unfinished / f"{point.model}-{point.stem}.lock", mode=0o666)
        try:
            with disk_errors(self.folder):
                lock.acquire(blocking=False)
        except Timeout:
            yield False
            return
        except NotImplementedError:  # a file system without locks
            yield True
            return
        try:
            yield True
        finally:
            lock.release()

    @contextmanager
    def started(self, point: Point) -> Iterator[int]:
        """Notes that a training has started -> how many times it was started and killed before."""
        note = self.unfinished / f"{point.model}-{point.stem}.started"
        try:
            kills = read_json(note, int) if note.exists() else 0
        except ItmError:  # damaged by a kill
            kills = 1
        write_json(note, kills + 1)
        try:
            yield kills
        finally:
            with disk_errors(note):
                note.unlink(missing_ok=True)


def sources(model: str) -> str:
    """A digest of the code that a model's results depend on, the protocol among it.

    Args:
        model: a registered name.
    """
    return digest(claim_of(model))


def claim_of(model: str) -> Claim:
    """A model's part of the check in the form of a claim, whose sources can be listed.

    Args:
        model: a registered name.
    """
    arm = Arm(model, model, protocol.setup_of(model).options)
    return Claim(f"reality_{model}", protocol.CORPUS, (arm,), (protocol.train,), ())
