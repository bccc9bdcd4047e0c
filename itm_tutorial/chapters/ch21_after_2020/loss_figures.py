"""From DeViSE to CLIP, what a loss asks of each score, recall by batch size, and how an embedding space forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from itm_tutorial.chapters.ch21_after_2020.live import Space
from itm_tutorial.errors import ItmError
from itm_tutorial.losses.contrastive import InfoNCE
from itm_tutorial.losses.hardest_bce import HardestNegativeBCE
from itm_tutorial.losses.pairwise_sigmoid import PairwiseSigmoid
from itm_tutorial.losses.ranking import MaxOfHinges, SumOfHinges
from itm_tutorial.show.canvas import ACCENT, BLUE, GREEN, GREY, INK, PALE, described, new_figure, wrapped

HEADS = ("data", "loss", "batch", "image encoder", "text encoder", "score")
HISTORY = {  # system -> a cell per head; facts from the papers
    "DeViSE, 2013": (
        "photographs with class labels",
        "hinge, margin 0.1",
        "one image, and labels in random order",
        "trained on the same labels",
        "word vectors of the labels",
        "dot product",
    ),
    "VSE++, 2018": (
        "photographs with five captions each",
        "the largest hinge, margin 0.2",
        "128 pairs",
        "pretrained on labels, then trained too",
        "recurrent network (GRU)",
        "dot product",
    ),
    "CLIP, 2021": (
        "400 million pairs from the web",
        "softmax in both directions, learned temperature",
        "32,768 pairs",
        "from scratch: ResNet or transformer",
        "transformer",
        "dot product",
    ),
    "SigLIP, 2023": (
        "pairs from the web",
        "a sigmoid per pair, learned bias",
        "up to 32,768; more adds little",
        "transformer",
        "transformer",
        "dot product",
    ),
}
LETTERS = 17  # of a line in a cell
EIGHT: Mapping[str, nn.Module] = {
    "sum of hinges": SumOfHinges(),
    "largest hinge": MaxOfHinges(),
    "largest hinge, margin 0.1": MaxOfHinges(margin=0.1),
    "softmax, temperature 0.5": InfoNCE(temperature=0.5),
    "softmax, temperature 0.1": InfoNCE(temperature=0.1),
    "softmax, temperature 0.01": InfoNCE(temperature=0.01),
    "sigmoid, scale 10": PairwiseSigmoid(scale=10.0),
    "hardest negative, cross-entropy": HardestNegativeBCE(),
}
STYLES = {
    "sum of hinges": (GREY, "o"),
    "max of hinges": (INK, "s"),
    "softmax": (BLUE, "D"),
    "sigmoid": (ACCENT, "^"),
}


def from_devise_to_clip() -> Figure:
    """Draws what changed from DeViSE to SigLIP, part by part; a cell that differs from the one above is shaded.

    Returns:
        The figure; its alt text lists the cells.
    """
    figure = new_figure(11.0, 0.55 + 1.02 * len(HISTORY))
    axes, told = figure.subplots(), []
    axes.set(xlim=(-1.0, len(HEADS)), ylim=(len(HISTORY), -0.45))
    axes.axis("off")
    for column, head in enumerate(HEADS):
        axes.text(column + 0.5, -0.22, head, ha="center", va="center", fontsize=10.5, fontweight="bold", color=INK)
    before: Sequence[str] = ()
    for row, (name, cells) in enumerate(HISTORY.items()):
        axes.text(-0.06, row + 0.5, name, ha="right", va="center", fontsize=10.5, fontweight="bold", color=INK)
        for column, cell in enumerate(cells):
            changed = bool(before) and cell != before[column]
            colour = "#cfe3f1" if changed else "white"
            axes.add_patch(_cell(column, row, colour))
            axes.text(
                column + 0.5, row + 0.5, wrapped(cell, LETTERS), ha="center", va="center", fontsize=9.5, color=INK
            )
        told.append(f"{name}: " + "; ".join(f"{head} {cell}" for head, cell in zip(HEADS, cells, strict=True)))
        before = cells
    return described(figure, f"Shaded where it differs from the row above. {'. '.join(told)}.")


def _cell(column: int, row: int, colour: str):
    from matplotlib.patches import Rectangle

    return Rectangle((column + 0.03, row + 0.04), 0.94, 0.92, facecolor=colour, edgecolor=GREY, linewidth=0.8)


def gradients(scores: Tensor, losses: Mapping[str, nn.Module] | None = None) -> dict[str, tuple[float, Tensor]]:
    """The value of each loss on one score matrix, and its gradient with respect to the scores.

    Args:
        scores: float [n, n]; pair i stands on the diagonal.
        losses: name -> a loss of scores and positives; by default eight of the package.

    Returns:
        Name -> the value, and the gradient [n, n]: positive where a step of training lowers the score.
    """
    found = {}
    for name, loss in (EIGHT if losses is None else losses).items():
        given = scores.clone().requires_grad_()
        value = loss(given, torch.eye(len(scores), dtype=torch.bool))
        (gradient,) = torch.autograd.grad(value, given)
        found[name] = (value.item(), gradient)
    return found


def loss_gradients(scores: Tensor, losses: Mapping[str, nn.Module] | None = None) -> Figure:
    """Draws what several losses ask of one score matrix: which scores they lower, which they raise, and how strongly.

    Args:
        scores: float [n, n]; pair i stands on the diagonal.
        losses: name -> a loss of scores and positives; by default eight of the package.

    Returns:
        The figure; its alt text lists the gradients.

    Raises:
        ItmError: the scores are no square matrix.
    """
    if scores.ndim != 2 or scores.shape[0] != scores.shape[1]:
        raise ItmError(f"loss_gradients: scores is {list(scores.shape)}; give a square matrix, one caption per image")
    found = gradients(scores, losses)
    columns = min(4, len(found))
    rows = -(-len(found) // columns)
    figure = new_figure(2.5 * columns, 2.75 * rows)
    panels, told = figure.subplots(rows, columns, squeeze=False).flatten(), []
    for axes in panels[len(found) :]:
        axes.axis("off")
    for axes, (name, (value, gradient)) in zip(panels, found.items(), strict=False):
        most = gradient.abs().max().clamp(min=1e-9)
        axes.imshow((gradient / most).numpy(), cmap="RdBu_r", vmin=-1.4, vmax=1.4)
        for i, row in enumerate(gradient.tolist()):
            for j, one in enumerate(row):
                text = "0" if abs(one) < 5e-4 else f"{one:+.2f}".replace("-", "−")
                axes.text(j, i, text, ha="center", va="center", fontsize=9.5, color=INK)
        axes.set_title(f"{wrapped(name, 26)}\nloss {value:.2f}", fontsize=9.5, color=INK)
        axes.set_xticks(range(len(scores)), [f"t{j + 1}" for j in range(len(scores))], fontsize=9)
        axes.set_yticks(range(len(scores)), [f"v{i + 1}" for i in range(len(scores))], fontsize=9)
        axes.tick_params(length=0)
        told.append(f"{name}, loss {value:.2f}: " + "; ".join(_numbers(row) for row in gradient.tolist()))
    return described(
        figure, "Gradients of the scores, row by row; above zero, the score is lowered. " + ". ".join(told)
    )


def _numbers(row: Sequence[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in row)


def recall_by_batch(found: Mapping[str, Mapping[str, Mapping[int, Sequence[float]]]], what: str = "rsum") -> Figure:
    """Draws recall against the size of the batch, a line per loss.

    Args:
        found: title of a panel -> loss -> size of the batch -> values, one per seed.
        what: the recall, for the axis.

    Returns:
        The figure; its alt text gives the means.

    Raises:
        ItmError: nothing is given.
    """
    if not found or not all(found.values()):
        raise ItmError("recall_by_batch: give one panel or more, each with the values of a loss")
    figure = new_figure(5.2 * len(found) + 0.6, 4.2)
    panels, told = figure.subplots(1, len(found), sharey=True, squeeze=False)[0], []
    for axes, (title, losses) in zip(panels, found.items(), strict=True):
        for loss, sizes in losses.items():
            colour, marker = STYLES.get(loss, (GREEN, "v"))
            batch, means = sorted(sizes), [fmean(sizes[size]) for size in sorted(sizes)]
            spread = [stdev(sizes[size]) if len(sizes[size]) > 1 else 0.0 for size in batch]
            axes.errorbar(batch, means, spread, color=colour, marker=marker, markersize=7, capsize=3, label=loss)
            told.append(f"{title}, {loss}: " + ", ".join(f"{s:,} {m:.0f}" for s, m in zip(batch, means, strict=True)))
        axes.set_xscale("log", base=2)
        axes.set_xticks(batch, [f"{size:,}" for size in batch])
        axes.minorticks_off()
        axes.set_title(title, fontsize=11, color=INK)
        axes.set_xlabel("pairs per batch")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel(what)
    panels[-1].legend(frameon=False, fontsize=9.5)
    return described(figure, f"{what} against the size of the batch. {'. '.join(told)}.")


def space_over_training(record: Sequence[Space]) -> Figure:
    """Draws how cosines of positive and of other pairs move apart during training, and the gap between both sides.

    Args:
        record: one or more moments, in their order.

    Returns:
        The figure: histograms above, the modality gap and the scale below; its alt text gives both for each moment.

    Raises:
        ItmError: nothing was recorded.
    """
    if not record:
        raise ItmError("space_over_training: the record is empty; give it to fit as a callback")
    shown = [record[i] for i in sorted({0, len(record) // 2, len(record) - 1})]
    figure = new_figure(9.8, 5.4)
    grid = figure.add_gridspec(2, 6, height_ratios=(1.15, 1))
    width = 6 // len(shown)
    for number, moment in enumerate(shown):
        axes = figure.add_subplot(grid[0, number * width : (number + 1) * width])
        bins = torch.linspace(-1, 1, 61).numpy()
        for values, colour, label in ((moment.others, GREY, "other pairs"), (moment.positives, BLUE, "positive pairs")):
            axes.hist(values.numpy(), bins, density=True, color=colour, alpha=0.75, label=label)
        axes.set_title(f"after epoch {moment.epoch}" if moment.epoch else "before training", fontsize=10.5, color=INK)
        axes.set(xlim=(-1, 1), yticks=[], xlabel="cosine")
        axes.spines[["top", "right", "left"]].set_visible(False)
        if number == 0:
            axes.legend(frameon=False, fontsize=9, loc="upper left")
    epochs = [moment.epoch for moment in record]
    curves = (("modality gap", [one.gap for one in record], BLUE), ("scale", [one.scale for one in record], ACCENT))
    for number, (name, values, colour) in enumerate(curves):
        axes = figure.add_subplot(grid[1, number * 3 : number * 3 + 3])
        axes.plot(epochs, values, "o-", color=colour)
        axes.set(xlabel="epoch", ylabel=name, xticks=epochs, ylim=(0, 1.15 * max(values)))
        axes.grid(axis="y", color=PALE)
        axes.spines[["top", "right"]].set_visible(False)
    told = "; ".join(
        f"epoch {one.epoch}: positive pairs {one.positives.mean():.2f}, others {one.others.mean():.2f}, "
        f"gap {one.gap:.2f}, scale {one.scale:.1f}"
        for one in record
    )
    return described(figure, f"Mean cosines, modality gap and scale during training. {told}.")
