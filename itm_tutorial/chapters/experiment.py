"""What each method is remembered for, as an experiment with a verdict.

``itm claims NAME`` runs one; ``results.json`` of its chapter keeps the figures with seeds, versions and machine.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from itm_tutorial.chapters.verdict import Effect, effect, per_model, provenance
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.storage import read_json, write_json

PACKAGE = Path(__file__).parents[1]
_MODULES = {
    "start_here": "ch00_start_here.claims",
    "devise": "ch01_devise.claims",
    "vsepp": "ch02_vsepp.claims",
    "second_stage": "ch02_vsepp.second_stage",
    "scan": "ch03_scan.claims",
    "timam": "ch04_timam.claims",
}
_CLAIMS = tuple(_MODULES)


def list_claims() -> list[str]:
    """The names that ``run`` knows."""
    return list(_CLAIMS)


def run(name: str, seeds: tuple[int, ...] = (0, 1, 2), size: str = "mini", folder: Path | None = None) -> dict:
    """Trains what a claim needs, over every seed, and returns its figures and verdicts.

    Args:
        name: one of ``list_claims()``.
        seeds: at least three for a verdict that means something.
        size: of the drawn corpus.
        folder: where to keep each seed as soon as it is trained. A run that was killed goes on from there, unless code
            of the package or a version has changed since; by default nothing is kept.

    Returns:
        Plain data, as it is kept in JSON: ``figures`` per seed and ``effects`` with mean, spread and verdict.

    Raises:
        ItmError: no claim has this name, or the folder cannot be written to.
    """
    if name not in _CLAIMS:
        raise unknown("claim", name, _CLAIMS)
    claim = import_module(f"itm_tutorial.chapters.{_MODULES[name]}")
    files = [None if folder is None else Path(folder) / f"{name}-{size}-seed-{seed}.json" for seed in seeds]
    figures = [row for seed, file in zip(seeds, files, strict=True) for row in _of_seed(claim, seed, size, file)]
    return {"figures": figures, "effects": claim.effects_of(figures), "provenance": provenance()}


def _of_seed(claim: ModuleType, seed: int, size: str, file: Path | None) -> list[dict[str, Any]]:
    """The figures of a seed: from the file where this very code has written it, else trained now and kept there."""
    if file is None:
        return claim.figures_of_seed(seed, size)
    try:
        record = read_json(file)
    except ItmError:  # not there, or damaged: either way it is made anew
        record = None
    if isinstance(record, dict) and record.get("made_by") == _made_by() and "figures" in record:
        return record["figures"]
    figures = claim.figures_of_seed(seed, size)
    write_json(file, {"made_by": _made_by(), "figures": figures})
    return figures


@cache
def _made_by() -> str:
    """Twelve digits that change with any code of the package and with the versions that a figure depends on."""
    digest = hashlib.sha256(repr({**provenance(), "date": None}).encode())
    for file in sorted(PACKAGE.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def results(name: str) -> dict:
    """The figures that the course's authors kept of a claim, as ``run`` returned them.

    Args:
        name: one of ``list_claims()``.

    Returns:
        Plain data: ``figures``, ``effects`` and ``provenance`` (seeds, versions, machine).

    Raises:
        ItmError: unknown claim, or one that nobody has run yet.
    """
    if name not in _CLAIMS:
        raise unknown("claim", name, _CLAIMS)
    file = results_file(name)
    kept = read_json(file) if file.exists() else {}
    if name not in kept:
        raise ItmError(f"{file} holds no figures of {name}: run `itm claims {name} --out {file}`")
    return kept[name]


def results_file(name: str) -> Path:
    """Where the figures of a claim are kept: ``results.json`` in the folder of its chapter."""
    return Path(__file__).parent / _MODULES[name].partition(".")[0] / "results.json"


def keep(name: str, found: dict, file: Path) -> None:
    """Puts the figures of one claim into a file, beside those of the others."""
    write_json(file, {**(read_json(file) if file.exists() else {}), name: found})


__all__ = ["Effect", "effect", "keep", "list_claims", "per_model", "results", "run"]
