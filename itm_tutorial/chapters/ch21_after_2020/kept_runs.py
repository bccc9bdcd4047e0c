"""Kept results of chapter 21 in the form that its figures take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from itm_tutorial.chapters import experiment

Kept = Callable[[str], dict[str, Any] | None]
BATCHES = {"contrastive_losses": "3 epochs", "contrastive_losses_long": "12 epochs"}


def _kept(name: str) -> dict[str, Any] | None:
    return experiment.results(name) if experiment.was_run(name) else None


def kept_batches(kept: Kept = _kept) -> dict[str, dict[str, dict[int, list[float]]]]:
    """rsum by loss and size of the batch, over the seeds of the kept claims.

    Args:
        kept: claim -> its kept results, or None; by default those of the course.

    Returns:
        Epochs -> loss -> size of the batch -> values, for ``figures.recall_by_batch``; empty where nothing is kept.
    """
    found: dict[str, dict[str, dict[int, list[float]]]] = {}
    for claim, title in BATCHES.items():
        for row in (kept(claim) or {"figures": ()})["figures"]:
            if "batch_size" in row:
                loss = found.setdefault(title, {}).setdefault(row["model"], {})
                loss.setdefault(row["batch_size"], []).append(row["rsum"])
    return found


def effects(claim: str, kept: Kept = _kept) -> dict[str, dict[str, Any]]:
    """The kept effects of a claim by name; empty where nothing is kept."""
    results = kept(claim)
    return {one["name"]: one for one in results["effects"]} if results else {}
