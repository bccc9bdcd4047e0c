"""A toy space of two dimensions: one picture, captions on a circle, and the forces of a loss on them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Wedge
from torch import Tensor

from itm_tutorial.show.canvas import ACCENT, BLUE, GREEN, GREY, INK, PALE, described, new_figure, to_html

IMAGE, POSITIVE, NEGATIVES = 0.0, 20.0, (-12.0, 32.0, 36.0, 40.0, 80.0, -100.0, 150.0)  # degrees
LOSSES = {"sum": len(NEGATIVES), "max": 1, "top 2": 2}  # how many of the largest hinges count
STYLES = (
    ("s", BLUE, "the picture", 11),
    ("o", GREEN, "its caption", 11),
    ("X", ACCENT, "the nearest negative", 12),
    ("X", INK, "other negatives", 9),
)
RATE = 0.02  # radians per step, for a force of 1


def toy_angles() -> Tensor:
    """The angles at the start, in radians: the image, the positive caption, the negative captions."""
    return torch.tensor([IMAGE, POSITIVE, *NEGATIVES]).deg2rad()


def toy_hinges(angles: Tensor, margin: float) -> Tensor:
    """Computes the hinge of each negative caption: [margin - cos to the positive + cos to the negative]+.

    Args:
        angles: [2 + n_negatives], as ``toy_angles`` returns them.
        margin: by how much the positive caption must win.

    Returns:
        [n_negatives].
    """
    scores = (angles[1:] - angles[0]).cos()
    return (margin - scores[0] + scores[1:]).clamp(min=0)


def toy_forces(angles: Tensor, margin: float, loss: str) -> Tensor:
    """Computes the force on each point, minus the gradient of the loss; anticlockwise where positive.

    Args:
        angles: [2 + n_negatives], in radians.
        margin: of the hinge.
        loss: one of ``LOSSES``.

    Returns:
        [2 + n_negatives].
    """
    angles = angles.detach().requires_grad_()
    added = toy_hinges(angles, margin).topk(LOSSES[loss]).values.sum()
    return -torch.autograd.grad(added, angles)[0]


def toy_after(margin: float, loss: str, steps: int) -> Tensor:
    """The angles after some steps of gradient descent, in radians, [2 + n_negatives]."""
    angles = toy_angles()
    for _ in range(steps):
        angles = angles + RATE * toy_forces(angles, margin, loss)
    return angles


def forces(
    margin: float = 0.2, losses: Sequence[str] = ("sum", "max"), steps: int = 0, figure: Figure | None = None
) -> Figure:
    """Draws one picture and its captions on a circle, one panel per loss; arrows are the forces.

    Args:
        margin: of the hinge, from 0 to 2.
        losses: some of "sum", "max", "top 2".
        steps: of gradient descent before the drawing.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text says where the picture turns.
    """
    figure = figure or new_figure(5.2 * len(losses), 4.7)
    parts = []
    for axes, loss in zip(figure.subplots(1, len(losses), squeeze=False)[0], losses, strict=True):
        angles = toy_after(margin, loss, steps)
        pushes, hinges = toy_forces(angles, margin, loss), toy_hinges(angles, margin)
        _draw_circle(axes, angles, pushes, margin)
        turn = _turn(pushes[0].item())
        pushed = min(LOSSES[loss], int((hinges > 0).sum()))
        title = f"{loss}: {pushed} of {len(hinges)} negatives pushed\nthe picture {turn}"
        axes.set_title(title, fontsize=10, color=INK)
        costs = ", ".join(f"{cost:.2f}" for cost in sorted(hinges.tolist(), reverse=True) if cost > 0) or "none"
        parts.append(f"{title.replace(chr(10), '; ')}, with a force of {abs(pushes[0]):.2f}; hinges: {costs}")
    moved = f" after {steps} steps" if steps else ""
    return described(
        figure,
        f"A circle{moved} with one picture, its own caption {POSITIVE:.0f} degrees to one side, the "
        f"nearest negative caption {abs(NEGATIVES[0]):.0f} degrees to the other and {len(NEGATIVES) - 1} more; margin "
        f"{margin:.2f}. {'. '.join(parts)}.",
    )


def _turn(force: float) -> str:
    if abs(force) < 1e-4:
        return "stays"
    return "turns to its own caption" if force > 0 else "turns to the nearest negative"


def _draw_circle(axes: Axes, angles: Tensor, pushes: Tensor, margin: float) -> None:
    image, positive = angles[0].item(), angles[1].item()
    reach = math.degrees(math.acos(max(-1.0, math.cos(positive - image) - margin)))
    zone = (math.degrees(image) - reach, math.degrees(image) + reach)
    axes.add_patch(Wedge((0, 0), 1.0, *zone, facecolor=PALE, edgecolor="none", zorder=0))
    ring = torch.linspace(0, 2 * math.pi, 200)
    axes.plot(ring.cos(), ring.sin(), color=GREY, linewidth=1, zorder=1)
    points = list(zip(angles.tolist(), pushes.tolist(), strict=True))
    for n, (angle, push) in enumerate(points):
        marker, colour, name, size = STYLES[min(n, len(STYLES) - 1)]
        named = {"label": name} if n < len(STYLES) else {}
        named |= {"markersize": size, "markeredgecolor": "w", "zorder": 4}
        axes.plot(math.cos(angle), math.sin(angle), marker, color=colour, **named)
        _draw_force(axes, angle, 0.42 * push, colour)
    axes.legend(loc="center", bbox_to_anchor=(0.27, 0.5), frameon=False, fontsize=9, labelcolor=INK)
    axes.set(xlim=(-1.1, 1.4), ylim=(-1.1, 1.1), aspect="equal")
    axes.axis("off")


def _draw_force(axes: Axes, angle: float, length: float, colour: str) -> None:
    """An arrow along the tangent, just outside the circle."""
    if abs(length) < 1e-3:
        return
    x, y = 1.09 * math.cos(angle), 1.09 * math.sin(angle)
    end = (x - length * math.sin(angle), y + length * math.cos(angle))
    style = {"arrowstyle": "-|>", "mutation_scale": 13, "linewidth": 2.2, "shrinkA": 0, "shrinkB": 0}
    axes.add_patch(FancyArrowPatch((x, y), end, color=colour, zorder=3, **style))


def explorer_of_forces(margin: float = 0.2, loss: str = "max"):
    """Makes sliders for the margin and for steps of training, and a choice of losses, over the toy space.

    Args:
        margin: where the slider starts.
        loss: one of ``LOSSES``, chosen at first.

    Returns:
        The widget. ``forces(margin, (loss,))`` is its default state.
    """
    import ipywidgets as widgets

    slider = widgets.FloatSlider(value=margin, min=0, max=1, step=0.05, description="Margin", continuous_update=False)
    choice = widgets.ToggleButtons(options=list(LOSSES), value=loss, description="Loss")
    steps = widgets.IntSlider(value=0, min=0, max=60, step=2, description="Steps", continuous_update=False)
    view = widgets.HTML()

    def show(change=None) -> None:
        view.value = to_html(forces(slider.value, (choice.value,), steps.value))

    for control in (slider, choice, steps):
        control.observe(show, names="value")
    show()
    return widgets.VBox([widgets.HBox([slider, steps]), choice, view])
