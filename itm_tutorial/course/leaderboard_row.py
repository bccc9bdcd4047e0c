"""One run as a row of the leaderboard: its fields, and how a model and its metrics become one."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NotRequired

from pydantic import Field, FiniteFloat
from typing_extensions import TypedDict


class _Features(TypedDict, total=False):
    backbone: str


class _Options(TypedDict, total=False):
    features: _Features | None


class Row(TypedDict):
    """What the table reads of a row; a row may hold more."""

    method: str
    options: _Options
    corpus: str
    about: str
    drawn: bool
    split: str
    metrics: dict[str, FiniteFloat]
    seed: int | None
    seconds: FiniteFloat | None
    device: str
    versions: dict[str, Any]
    commit: str | None
    date: str
    images: NotRequired[Annotated[int, Field(ge=0, le=10**12)]]


FIELDS = tuple(field for field in Row.__annotations__ if field != "images")  # what every row has


def run_row(
    model,
    corpus,
    metrics: dict[str, float],
    split: str,
    seed: int | None = None,
    seconds: float | None = None,
    folds: int = 1,
) -> dict[str, Any]:
    """Describes a run as a row for ``record``.

    Args:
        model: any ``Matching``.
        corpus: the ``Corpus`` on which it was evaluated.
        metrics: name -> value, as from ``Report.as_dict()``.
        split: "val", "test", ...
        seed: of the training.
        seconds: duration of the training.
        folds: over how many equal parts of the split the metrics are means.

    Returns:
        Plain data with the fields ``FIELDS`` and ``images``, the size of the gallery; with the current versions, commit
        and date.
    """
    from itm_tutorial.training.checkpoints import describe  # imports torch, so only where there is a model

    about = describe(model)
    options = {**about["options"], "features": about["features"]}
    more = {"folds": folds} if folds != 1 else {}
    return more | {
        "method": about["name"],
        "options": options,
        "corpus": corpus.name,
        "about": corpus.about,
        "drawn": corpus.drawn,
        "split": split,
        "images": len(getattr(corpus, split).images) // folds,
        "metrics": metrics,
        "seed": seed,
        "seconds": seconds,
        "device": _device(model.device),
        "versions": about["versions"],
        "commit": _commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _device(device) -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _commit() -> str | None:
    """The short hash of the course's commit; None if the package is not in a git checkout of the course."""
    folder = Path(__file__).parent
    output = ""
    for words in (("ls-files", "--error-unmatch", "leaderboard_row.py"), ("rev-parse", "--short", "HEAD")):
        try:  # first ls-files: a package in site-packages may be inside the checkout of another project
            answer = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, timeout=10)
        except (OSError, subprocess.SubprocessError):
            return None
        if answer.returncode:
            return None
        output = answer.stdout.strip()
    return output
