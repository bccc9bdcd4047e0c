"""What the claim of Align2Ground measures beside localisation."""

from __future__ import annotations

from typing import Any

from itm_tutorial.chapters.runner import Trained


def validation_recall(trained: Trained) -> dict[str, Any]:
    """Recall on the validation split, which ``fit`` has measured already: rsum, and R@1 of images for a caption."""
    best = trained.history.epochs[trained.history.best_epoch - 1]
    return {"rsum": best["rsum"], "t2i_r1": best["t2i_r1"]}
