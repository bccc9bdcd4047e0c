"""Probes: what can be read from embeddings, and the loss of a probe whose softmax is applied twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from itm_tutorial.chapters.ch10_sentences.probes import double_softmax_floor
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.probing import ProbeResult
from itm_tutorial.show.canvas import ACCENT, BLUE, GREY, INK, PALE, described, new_figure


def probes(
    results: Mapping[str, Mapping[str, ProbeResult]], losses: Mapping[str, Sequence[float]], n_classes: int
) -> Figure:
    """Draws probes beside their two baselines, and the training of a probe with one softmax and with two.

    Args:
        results: task -> encoder -> result.
        losses: "once" and "twice" -> the loss at each step.
        n_classes: of the task whose losses these are; with two softmax functions they decide the lowest loss.

    Returns:
        The figure; its alt text gives every accuracy and the last losses.

    Raises:
        ItmError: no task, or losses without a step.
    """
    if not results or set(losses) != {"once", "twice"} or not all(map(len, losses.values())):
        raise ItmError("probes: give one task or more, and the losses of “once” and “twice”")
    n, floor = sum(map(len, results.values())), double_softmax_floor(n_classes)
    figure = new_figure(11, 1.3 + 0.36 * n)
    bars, curves = figure.subplots(1, 2, width_ratios=[1.7, 1])
    labels, told = [], []
    for task, by_encoder in results.items():
        for encoder, found in by_encoder.items():
            y = len(labels)
            trained = "untrained" not in encoder
            style = {"color": BLUE} if trained else {"facecolor": PALE, "edgecolor": GREY, "hatch": "////"}
            bars.barh(y, found.accuracy, 0.66, **style)
            first = not labels
            bars.plot(found.majority, y, "|", color=ACCENT, markersize=17, markeredgewidth=3,
                      label="most common label" if first else None)  # fmt: skip
            bars.plot(found.control, y, "D", color=INK, markersize=5, label="random labels" if first else None)
            bars.text(max(found.accuracy, found.majority, found.control) + 2, y, f"{found.accuracy:.0f}", va="center",
                      fontsize=9.5, color=INK)  # fmt: skip
            labels.append(f"{task}: {encoder}")
            told.append(
                f"{task}, {encoder}: {found.accuracy:.0f} %, most common label {found.majority:.0f}, random labels "
                f"{found.control:.0f}"
            )
    bars.set_yticks(range(len(labels)), labels, fontsize=9.5)
    bars.set(xlim=(0, 108), ylim=(len(labels) - 0.5, -0.6))
    bars.set_xlabel("accuracy of a linear probe, in percent", fontsize=10)
    bars.tick_params(axis="y", length=0)
    bars.spines[["top", "right", "left"]].set_visible(False)
    bars.legend(frameon=False, fontsize=9, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    for name, style in (("once", {"color": BLUE}), ("twice", {"color": ACCENT, "linestyle": "--"})):
        curves.plot(range(1, len(losses[name]) + 1), losses[name], label=f"softmax {name}", linewidth=2, **style)
    curves.axhline(floor, color=INK, linestyle=":", linewidth=1.4)
    curves.text(len(losses["once"]), floor, f"floor {floor:.2f}", ha="right", va="bottom", fontsize=9, color=INK)
    curves.set_xlabel("training step", fontsize=10)
    curves.set_ylabel("loss", fontsize=10)
    curves.set_ylim(0, None)
    curves.legend(frameon=False, fontsize=9)
    curves.spines[["top", "right"]].set_visible(False)
    last = ", ".join(f"softmax {name} {values[-1]:.2f}" for name, values in losses.items())
    return described(figure, f"Linear probes. {'; '.join(told)}. Loss at the end: {last}; floor of two: {floor:.2f}.")
