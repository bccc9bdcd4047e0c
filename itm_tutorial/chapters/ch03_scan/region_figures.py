"""A figure of the regions of a detector beside the true boxes."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor
from torchvision.ops import box_iou

from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError
from itm_tutorial.show.canvas import ACCENT, INK, described, new_figure

FOUND = 0.5  # intersection over union of a true box and a region, at least


def regions_found(split: Split, regions: Tensor, indices: Sequence[int], figure: Figure | None = None) -> Figure:
    """Draws pictures with the true boxes, thick and dark, and the regions of a detector, thin and orange.

    Args:
        split: of a world that knows its boxes.
        regions: [n_images, n_regions, 4] (x0, y0, x1, y1) in [0, 1], as ``itm.features(...).boxes.test``.
        indices: of the images.
        figure: drawn on; a new one by default.

    Returns:
        The figure; above each picture, and in the alt text, how many of its things have a region.

    Raises:
        ItmError: the split has no true boxes, or no image is asked for.
    """
    indices = list(indices)
    if split.boxes is None or not indices:
        raise ItmError("regions_found: give a split of a drawn world, which knows its boxes, and at least one image")
    figure = figure or new_figure(2.9 * len(indices), 3.3)
    parts = []
    for axes, i in zip(figure.subplots(1, len(indices), squeeze=False)[0], indices, strict=True):
        image, true = split.display(i), split.boxes[i]
        found = int((box_iou(true, regions[i]) >= FOUND).any(1).sum()) if len(true) else 0
        axes.imshow(image.permute(1, 2, 0).numpy(), extent=(0, 1, 1, 0), interpolation="bicubic")
        for boxes, style in ((true, (INK, 2.6)), (regions[i], (ACCENT, 1.2))):
            for x0, y0, x1, y1 in boxes.tolist():
                colour, width = style
                axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=colour, linewidth=width))
        axes.set(xticks=[], yticks=[], aspect=image.shape[1] / image.shape[2])
        axes.spines[:].set_visible(False)
        axes.set_title(f"{found} of {len(true)} things have a region", fontsize=9, color=INK)
        parts.append(f"{found} of {len(true)}")
    return described(
        figure,
        f"{len(indices)} pictures with true boxes thick and {regions.shape[1]} detected regions thin. "
        f"Things with a region that overlaps by half: {', '.join(parts)}.",
    )
