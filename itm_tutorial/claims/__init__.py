"""What each method is remembered for, as an experiment with a verdict.

``itm claims NAME`` runs one; ``claims/results.json`` keeps the figures with seeds, versions and machine.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from itm_tutorial.claims.verdict import Effect, effect, per_model, provenance
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.storage import read_json, write_json

RESULTS = Path(__file__).with_name("results.json")
_CLAIMS = ("start_here", "devise", "vsepp", "second_stage", "scan", "timam")  # one file each


def list_claims() -> list[str]:
    """The names that ``run`` knows."""
    return list(_CLAIMS)


def run(name: str, seeds: tuple[int, ...] = (0, 1, 2), size: str = "mini") -> dict:
    """Trains what a claim needs, over every seed, and returns its figures and verdicts.

    Args:
        name: one of ``list_claims()``.
        seeds: at least three for a verdict that means something.
        size: of the drawn corpus.

    Returns:
        Plain data, as it is kept in JSON: ``figures`` per seed and ``effects`` with mean, spread and verdict.

    Raises:
        ItmError: no claim has this name.
    """
    if name not in _CLAIMS:
        raise unknown("claim", name, _CLAIMS)
    claim = import_module(f"{__name__}.{name}")  # its figures_of_seed and effects_of; no more is asked of a claim
    figures = [row for seed in seeds for row in claim.figures_of_seed(seed, size)]
    return {"figures": figures, "effects": claim.effects_of(figures), "provenance": provenance()}


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
    kept = read_json(RESULTS) if RESULTS.exists() else {}
    if name not in kept:
        raise ItmError(f"{RESULTS} holds no figures of {name}: run `itm claims {name} --out {RESULTS}`")
    return kept[name]


def keep(name: str, found: dict, file: Path = RESULTS) -> None:
    """Puts the figures of one claim into a file, beside those of the others."""
    write_json(file, {**(read_json(file) if file.exists() else {}), name: found})


__all__ = ["RESULTS", "Effect", "effect", "keep", "list_claims", "per_model", "results", "run"]
