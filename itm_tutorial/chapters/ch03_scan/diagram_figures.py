"""Attention in one picture: query, keys, weights, values and output, as SCAN and a transformer have them."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from torch import Tensor
from torchvision.transforms.functional import resize

from itm_tutorial.errors import ItmError
from itm_tutorial.show.canvas import ACCENT, BLUE, FORMULA, GREY, INK, PALE, described, new_figure

SHOWN, CROP = 4, 120  # regions, and pixels per side of each
COLUMNS = (  # x, role, in SCAN, in a transformer
    (1.05, "query", "a word, $e_w$", r"a token, $x\,W_Q$"),
    (3.2, "keys", "regions, $v_r$", r"tokens, $x\,W_K$"),
    (5.45, "weights", r"softmax of $\lambda\,\bar{s}_{rw}$", r"softmax of $q \cdot k\,/\sqrt{d}$"),
    (7.6, "values", "the same $v_r$", r"tokens, $x\,W_V$"),
    (9.75, "output", "$a_w$, compared with $e_w$", "the token in the next layer"),
)


def queries_keys_values(
    image: Tensor, boxes: Tensor, weights: Tensor, word: str, figure: Figure | None = None
) -> Figure:
    """Draws the attention of one word as query, keys, weights, values and output, and names them in a transformer.

    Args:
        image: uint8 [3, size, size], the picture.
        boxes: [n_regions, 4], in [0, 1].
        weights: [n_regions], of the word; they sum to one.
        word: the query.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives the weights that are shown.

    Raises:
        ItmError: not one weight per box.
    """
    if weights.ndim != 1 or len(weights) != len(boxes):
        raise ItmError(f"queries_keys_values: weights {list(weights.shape)} for {len(boxes)} boxes; give one per box")
    figure = figure or new_figure(10.6, 4.7)
    axes = figure.subplots()
    axes.set(xlim=(0, 10.8), ylim=(0, 5.3), aspect="equal")
    axes.axis("off")
    order = weights.argsort(descending=True, stable=True)[:SHOWN].tolist()
    crops = {region: _crop(image, boxes[region]) for region in order}
    for row, region in enumerate(order):
        y = 4.35 - 0.82 * row
        for x in (3.2, 7.6):
            _show(axes, crops[region], x, y, 0.68)
        weight = weights[region].item()
        axes.barh(y, 1.25 * weight, 0.3, left=4.8, color=BLUE)
        axes.text(4.86 + 1.25 * weight, y, f"{weight:.2f}", va="center", fontsize=9.5, color=INK)
        _arrow(axes, (1.75, 3.1), (2.8, y))
        _arrow(axes, (8.0, y), (9.15, 3.1))
    rest = len(boxes) - len(order)
    if rest > 0:
        left = 1 - weights[order].sum().item()
        axes.text(4.8, 4.35 - 0.82 * len(order) + 0.22, f"{rest} more regions: {left:.2f}", fontsize=9, color=INK)
    box = FancyBboxPatch(
        (0.35, 2.8), 1.4, 0.6, boxstyle="round,pad=0.05", facecolor=PALE, edgecolor=BLUE, linewidth=1.5
    )
    axes.add_patch(box)
    axes.text(1.05, 3.1, word, ha="center", va="center", fontsize=13, fontweight="bold", color=INK)
    blended = sum(weights[r].item() * crop for r, crop in crops.items()) / max(weights[order].sum().item(), 1e-9)
    _show(axes, blended, 9.75, 3.1, 1.1)
    for x, role, here, there in COLUMNS:
        axes.text(x, 5.0, role, ha="center", fontsize=13, fontweight="bold", color=ACCENT)
        for y, text in ((0.68, here), (0.18, there)):
            axes.text(x, y, text, ha="center", va="center", fontsize=10, color=INK, gid=FORMULA)
    for y, name in ((0.68, "SCAN"), (0.18, "transformer")):
        axes.text(-0.45, y, name, ha="right", va="center", fontsize=10.5, fontweight="bold", color=INK)
    axes.axhline(0.95, color=GREY, linewidth=0.8)
    axes.set_xlim(-1.7, 10.9)
    listed = ", ".join(f"region {region + 1}: {weights[region]:.2f}" for region in order)
    return described(
        figure,
        f"The word “{word}” is the query, regions are keys and values. Its largest weights: {listed}. The output is "
        "the mean of the values by these weights. A transformer makes query, keys and values by three projections.",
    )


def _crop(image: Tensor, box: Tensor) -> Tensor:
    """The square around a box, float32 [CROP, CROP, 3] in [0, 1]."""
    height, width = image.shape[1:]
    x0, y0, x1, y1 = (box * box.new_tensor([width, height, width, height])).tolist()
    side = max(8, round(max(x1 - x0, y1 - y0)))
    left = round(min(max((x0 + x1 - side) / 2, 0), max(width - side, 0)))
    top = round(min(max((y0 + y1 - side) / 2, 0), max(height - side, 0)))
    return resize(image[:, top : top + side, left : left + side], [CROP, CROP], antialias=True).permute(1, 2, 0) / 255


def _show(axes: Axes, pixels: Tensor, x: float, y: float, side: float) -> None:
    """Draws a picture around a point."""
    extent = (x - side / 2, x + side / 2, y - side / 2, y + side / 2)
    axes.imshow(pixels.clamp(0, 1).numpy(), extent=extent, interpolation="bicubic", zorder=2)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": GREY, "linewidth": 1.1})
