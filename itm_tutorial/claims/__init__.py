"""What each method is remembered for, as an experiment with a verdict.

``itm claims NAME`` runs one; ``claims/results.json`` keeps the figures with seeds, versions and machine.
"""

from __future__ import annotations

from importlib import import_module

from itm_tutorial.claims.verdict import Effect, effect
from itm_tutorial.errors import unknown

_CLAIMS = ("start_here",)  # one file a chapter


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
    return import_module(f"{__name__}.{name}").run(seeds, size)


__all__ = ["Effect", "effect", "list_claims", "run"]
