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
NAMES = "abcdefg"  # of the negatives
STYLES = (
    ("s", BLUE, "the picture", 11),
    ("o", GREEN, "its caption", 11),
    ("X", ACCENT, "the nearest negative (a)", 12),
    ("X", INK, "other negatives", 9),
)
RATE = 0.02  # radians per step, for a force of 1
LAST_STEP, STRIDE = 60, 3  # of the explorer


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


def toy_turns(angles: Tensor, margin: float, loss: str) -> Tensor:
    """Computes by how much each negative caption rotates the picture; they add up to the force on the picture.

    Args:
        angles: [2 + n_negatives], in radians.
        margin: of the hinge.
        loss: one of ``LOSSES``.

    Returns:
        [n_negatives]; positive towards larger angles, 0 where the loss leaves the negative out.
    """
    hinges = toy_hinges(angles, margin)
    chosen = torch.zeros_like(hinges)
    chosen[hinges.topk(LOSSES[loss]).indices] = 1
    sines = (angles[1:] - angles[0]).sin()
    return chosen * (hinges > 0) * (sines[0] - sines[1:])


def forces(
    margin: float = 0.2, losses: Sequence[str] = ("sum", "max"), steps: int = 0, figure: Figure | None = None
) -> Figure:
    """Draws one picture and its captions on a circle, and below it how each caption rotates the picture.

    The thick curved arrow is the rotation of the picture, the thin arrows are the forces on the captions.

    Args:
        margin: of the hinge, from 0 to 2.
        losses: some of "sum", "max", "top 2"; one column each.
        steps: of gradient descent before the drawing.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text says where the picture rotates, and what each negative adds to it.
    """
    figure = figure or new_figure(5.2 * len(losses), 6.2)
    parts, rows = [], figure.subplots(2, len(losses), squeeze=False, height_ratios=(1, 0.36))
    for circle, bars, loss in zip(*rows, losses, strict=True):
        angles = toy_after(margin, loss, steps)
        pushes, hinges, turns = (f(angles, margin, loss) for f in (toy_forces, _hinges_of, toy_turns))
        scores = (angles[1:] - angles[0]).cos()
        _draw_circle(circle, angles, pushes, margin)
        counted = min(LOSSES[loss], int((hinges > 0).sum()))
        cosines = f"cosine: own caption {scores[0]:.2f}, hardest negative {scores[1:].max():.2f}"
        title = f"{loss}: {counted} of {len(hinges)} negatives count, loss {_loss(hinges, loss):.2f}\n{cosines}"
        circle.set_title(title, fontsize=10, color=INK)
        _draw_turns(bars, turns)
        listed = ", ".join(f"{name} {turn:+.2f}" for name, turn in zip(NAMES, turns.tolist(), strict=True) if turn)
        parts.append(
            f"{title.replace(chr(10), '; ')}. The picture {_turn(pushes[0].item())} with a force of "
            f"{abs(pushes[0]):.2f}; by negative: {listed or 'none'}"
        )
    circle = rows[0][0].get_legend_handles_labels()
    figure.legend(*circle, loc="outside lower center", ncols=len(STYLES) + 1, frameon=False, fontsize=9, labelcolor=INK)
    moved = f" after {steps} steps" if steps else ""
    return described(
        figure,
        f"A circle{moved} with one picture, its own caption {POSITIVE:.0f} degrees to one side, the "
        f"nearest negative caption (a) {abs(NEGATIVES[0]):.0f} degrees to the other and {len(NEGATIVES) - 1} more; "
        f"margin {margin:.2f}. {'. '.join(parts)}.",
    )


def _hinges_of(angles: Tensor, margin: float, loss: str) -> Tensor:
    return toy_hinges(angles, margin)


def _loss(hinges: Tensor, loss: str) -> float:
    return hinges.topk(LOSSES[loss]).values.sum().item()


def _turn(force: float) -> str:
    if abs(force) < 1e-4:
        return "stays where it is"
    return "rotates towards its own caption" if force > 0 else "rotates away from its own caption"


def _draw_circle(axes: Axes, angles: Tensor, pushes: Tensor, margin: float) -> None:
    image, positive = angles[0].item(), angles[1].item()
    reach = math.degrees(math.acos(max(-1.0, math.cos(positive - image) - margin)))
    zone = (math.degrees(image) - reach, math.degrees(image) + reach)
    axes.add_patch(Wedge((0, 0), 1.0, *zone, facecolor=PALE, edgecolor="none", zorder=0, label="within the margin"))
    ring = torch.linspace(0, 2 * math.pi, 200)
    axes.plot(ring.cos(), ring.sin(), color=GREY, linewidth=1, zorder=1)
    axes.plot([0, math.cos(image)], [0, math.sin(image)], color=BLUE, linewidth=2, zorder=2)
    points = list(zip(angles.tolist(), pushes.tolist(), strict=True))
    for n, (angle, push) in enumerate(points):
        marker, colour, name, size = STYLES[min(n, len(STYLES) - 1)]
        named = {"label": name} if n < len(STYLES) else {}
        named |= {"markersize": size, "markeredgecolor": "w", "zorder": 4, "linestyle": "none"}
        axes.plot(math.cos(angle), math.sin(angle), marker, color=colour, **named)
        if n:
            _draw_force(axes, angle, 0.3 * push)
        if n > 1:
            inside = 0.76 if n % 2 == 0 and n > 2 else 0.88  # neighbours at two distances, so that they do not overlap
            words = {"ha": "center", "va": "center", "fontsize": 9.5, "color": INK, "zorder": 6}
            axes.text(inside * math.cos(angle), inside * math.sin(angle), NAMES[n - 2], **words)
    _draw_rotation(axes, image, pushes[0].item())
    axes.set(xlim=(-1.2, 1.55), ylim=(-1.15, 1.15), aspect="equal")
    axes.axis("off")


def _draw_force(axes: Axes, angle: float, length: float) -> None:
    """A thin arrow along the tangent, just outside the circle."""
    if abs(length) < 1e-3:
        return
    x, y = 1.09 * math.cos(angle), 1.09 * math.sin(angle)
    end = (x - length * math.sin(angle), y + length * math.cos(angle))
    style = {"arrowstyle": "-|>", "mutation_scale": 8, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
    axes.add_patch(FancyArrowPatch((x, y), end, color=GREY, zorder=3, **style))


def _draw_rotation(axes: Axes, image: float, force: float) -> None:
    """A thick curved arrow around the centre: the direction and the size of the picture's rotation."""
    if abs(force) < 1e-3:
        return
    turn, radius = math.copysign(0.35 + 0.7 * min(abs(force), 2.0), force), 0.62
    start, end = ((radius * math.cos(a), radius * math.sin(a)) for a in (image, image + turn))
    style = {"arrowstyle": "-|>", "mutation_scale": 22, "linewidth": 4, "shrinkA": 0, "shrinkB": 0}
    bend = f"arc3,rad={math.tan(turn / 4):.3f}"
    axes.add_patch(FancyArrowPatch(start, end, color=BLUE, connectionstyle=bend, zorder=5, **style))


def _draw_turns(axes: Axes, turns: Tensor) -> None:
    """Bars: what each negative adds to the picture's rotation, and their sum."""
    values = [*turns.tolist(), turns.sum().item()]
    places = [*range(len(turns)), len(turns) + 0.6]
    colours = [ACCENT, *[INK] * (len(turns) - 1), BLUE]
    axes.bar(places, values, color=colours, width=0.7)
    axes.axhline(0, color=GREY, linewidth=1)
    for place, value in zip(places, values, strict=True):
        value += 0.0  # no minus zero
        above = {"va": "bottom" if value >= 0 else "top", "ha": "center", "fontsize": 8.5, "color": INK}
        axes.text(place, value + math.copysign(0.04, value), f"{value:+.2f}" if abs(value) >= 5e-3 else "0", **above)
    axes.set_xticks(places, [*NAMES[: len(turns)], "all"])
    axes.tick_params(length=0)
    high = max(0.85, 1.4 * max(abs(value) for value in values))
    axes.set(ylim=(-high, high), yticks=[-0.7 * high, 0.7 * high])
    axes.set_yticklabels(["away", "to own\ncaption"], fontsize=8.5)
    axes.set_xlabel("rotation of the picture by each negative, and by all", fontsize=9.5)
    axes.spines[:].set_visible(False)


def explorer_of_forces(margin: float = 0.2):
    """Makes a slider for the margin and one for steps of training with a play button; two losses stand side by side.

    Args:
        margin: where the slider starts.

    Returns:
        The widget. ``forces(margin)`` is its default state.
    """
    import ipywidgets as widgets

    slow = {"continuous_update": False}  # a figure is drawn for each value that arrives
    slider = widgets.FloatSlider(value=margin, min=0, max=1, step=0.05, description="Margin", **slow)
    steps = widgets.IntSlider(value=0, min=0, max=LAST_STEP, step=STRIDE, description="Steps", **slow)
    play = widgets.Play(value=0, min=0, max=LAST_STEP, step=STRIDE, interval=700, description="Train")
    choice = widgets.ToggleButtons(options=["max", "top 2"], description="Right")
    view = widgets.HTML()
    widgets.link((play, "value"), (steps, "value"))

    def show(change=None) -> None:
        view.value = to_html(forces(slider.value, ("sum", choice.value), steps.value))

    for control in (slider, choice, steps):
        control.observe(show, names="value")
    show()
    return widgets.VBox([widgets.HBox([slider, choice]), widgets.HBox([play, steps]), view])
