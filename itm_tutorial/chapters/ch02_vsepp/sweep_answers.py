"""The answers of the labs of chapter 02: what a training curve and a sweep show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from itm_tutorial.chapters.ch02_vsepp.answers import joined

if TYPE_CHECKING:
    import pandas as pd

    from itm_tutorial.training.history import History

NEAR = 0.05  # a mean loss of the last epoch that differs from the plateau by no more counts as standing on it
STILL = 0.01  # a run that adds less than this fraction of its best rsum in its last quarter has stopped improving


def about_budget(history: History) -> str:
    """Answers whether a run would have gained from more epochs.

    Args:
        history: what ``fit`` returned.
    """
    rsums = history.frame().rsum.tolist()
    before = max(rsums[: max(1, 3 * len(rsums) // 4)])
    gain = max(rsums) - before
    if gain > STILL * max(rsums):
        said = f"**Yes, probably.** The last quarter of the run added {gain:.1f} points of rsum to {before:.1f}."
    else:
        said = f"**Hardly.** The last quarter of the run added only {max(gain, 0):.1f} points of rsum to {before:.1f}."
    return (
        f"{said}\n\nAll points of the grid get the same number of epochs, so a batch of 512 gets a sixteenth of the "
        "steps of a batch of 32. A sweep compares settings *at a budget*."
    )


def about_sweep(points: pd.DataFrame, value: str = "rsum") -> str:
    """Answers what a heat map of margin by negatives shows, for each batch size.

    Args:
        points: one row per run, as ``read_sweep`` returns them.
        value: the metric of the map; the highest is taken for the best.

    Returns:
        One paragraph per batch size, and one on the lowest cell.
    """
    cells = points.groupby(["batch_size", "negatives", "margin"], observed=True)[value].mean()
    parts, moved = [], False
    for batch in cells.index.unique("batch_size"):
        own = cells[batch]
        best = {loss: own[loss].idxmax() for loss in own.index.unique("negatives")}
        listed = joined([f"{margin} for the {_name(loss)} ({own[loss][margin]:.1f})" for loss, margin in best.items()])
        moved = moved or len(set(best.values())) > 1
        text = f"**Batch size {batch}.** The best margin is {listed}."
        if {"sum_of_hinges", "max_of_hinges"} <= set(best):
            gain = (own["max_of_hinges"] - own["sum_of_hinges"]).dropna()
            steps = joined([f"{step:+.1f} at margin {margin}" for margin, step in gain.items()])
            fair = own["max_of_hinges"].max() - own["sum_of_hinges"].max()
            text += f" The maximum minus the sum is {steps}; with the best margin of each loss it is {fair:+.1f}."
        parts.append(text)
    fair = (
        "The best margin is not the same everywhere, so a comparison of losses at one margin is unfair to one of them."
        if moved
        else "One margin is best for all losses, so that comparing them at this margin is fair."
    )
    batch, loss, margin = cells.idxmin()
    lowest = f"The lowest cell is the {_name(loss)} at margin {margin} and batch size {batch}, with {cells.min():.1f}."
    return "\n\n".join([*parts, f"{fair} {lowest}{_collapsed(points)}"])


def _collapsed(points: pd.DataFrame) -> str:
    """A sentence on the runs with the maximum whose last loss is that of equal embeddings, if there are some."""
    if "loss" not in points.columns:
        return ""
    runs = points[points["negatives"] == "max_of_hinges"]
    stuck = runs[(runs["loss"] / (2 * runs["batch_size"] * runs["margin"]) - 1).abs() < NEAR]
    if stuck.empty:
        return " No run with the maximum ends with the loss of a collapse, 2 × batch size × margin."
    sizes = joined([str(size) for size in sorted(stuck["batch_size"].unique())])
    return (
        f" Of the {len(runs)} runs with the maximum, {len(stuck)} end within {100 * NEAR:.0f} % of 2 × batch size × "
        f"margin (batch size {sizes}): their embeddings have **collapsed**. These runs have no warm-up."
    )


def _name(loss: str) -> str:
    return loss.replace("_", " ").replace("top k", "top-k")
