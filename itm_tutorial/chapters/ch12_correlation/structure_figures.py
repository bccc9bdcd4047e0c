"""Structure in pictures: the six methods side by side, distances between captions, and the variance of a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from itm_tutorial.errors import ItmError
from itm_tutorial.show.canvas import ACCENT, BLUE, GREEN, GREY, INK, PALE, axes_of, counted, described, new_figure
from itm_tutorial.show.family_map import family_map

METHODS = {  # name -> part -> what it is there
    "DCCA (2015)": {
        "sentence": "tf-idf through a network",
        "score": "cosine of canonical directions",
        "negatives": "none",
        "against collapse": "whitening of both sides",
    },
    "FV (2015)": {
        "sentence": "Fisher vector of its words",
        "score": "cosine of canonical directions",
        "negatives": "none",
        "against collapse": "whitening of both sides",
    },
    "SPE (2016)": {
        "sentence": "two layers",
        "score": "distance",
        "negatives": "the ten worst, also among captions",
        "against collapse": "negatives",
    },
    "2WayNet (2017)": {
        "sentence": "a network that runs both ways",
        "score": "correlation of the middle layers",
        "negatives": "none",
        "against collapse": "prediction, batch norm, penalties",
    },
    "RRF-Net (2017)": {
        "sentence": "one layer applied four times",
        "score": "cosine",
        "negatives": "the fifty worst, also within a view",
        "against collapse": "negatives",
    },
    "Two-Branch (2019)": {
        "sentence": "two layers",
        "score": "distance, or a network per pair",
        "negatives": "the ten worst, or random ones",
        "against collapse": "negatives",
    },
}
NEW = {
    ("DCCA (2015)", "sentence"),
    ("FV (2015)", "sentence"),
    ("SPE (2016)", "negatives"),
    ("2WayNet (2017)", "sentence"),
    ("2WayNet (2017)", "against collapse"),
    ("RRF-Net (2017)", "sentence"),
    ("Two-Branch (2019)", "score"),
}
LINES = {
    0: (BLUE, "o", "-"),
    1: (ACCENT, "s", "--"),
    2: (GREEN, "^", ":"),
    3: (INK, "D", "-."),
    4: (GREY, "v", (0, (5, 1))),
}


def methods() -> Figure:
    """Draws the map of the six methods of the chapter."""
    return family_map(METHODS, NEW)


def caption_distances(embeddings: Mapping[str, Tensor], image_of: Tensor) -> Figure:
    """Draws how far apart captions of one image are, and captions of two images, one panel per model.

    Args:
        embeddings: model -> unit vectors [n_captions, dim].
        image_of: int64 [n_captions].

    Returns:
        The figure; its alt text gives the mean distances of each model.

    Raises:
        ItmError: no model, or not one embedding per caption.
    """
    if not embeddings or any(len(given) != len(image_of) for given in embeddings.values()):
        counts = {name: len(given) for name, given in embeddings.items()}
        raise ItmError(f"caption_distances: {counts} embeddings for {len(image_of)} captions; give one per caption")
    figure, told = new_figure(4.1 * len(embeddings), 3.1), []
    bins = [i / 20 for i in range(41)]
    panels = figure.subplots(1, len(embeddings), squeeze=False, sharey=True)[0]
    for axes, (name, given) in zip(panels, embeddings.items(), strict=True):
        same, other = distances_by_image(given, image_of)
        axes.hist(other, bins, density=True, facecolor=PALE, edgecolor=GREY, hatch="////", linewidth=0.8,
                  label="two images")  # fmt: skip
        axes.hist(same, bins, density=True, histtype="step", color=BLUE, linewidth=2, label="one image")
        means = same.mean().item(), other.mean().item()
        axes.set_title(f"{name}\nmeans {means[0]:.2f} and {means[1]:.2f}", fontsize=10.5, color=INK)
        axes.set(xlim=(0, 2), xticks=(0, 0.5, 1, 1.5), yticks=[])
        axes.set_xlabel("distance of two captions", fontsize=10)
        axes.spines[["top", "right", "left"]].set_visible(False)
        told.append(f"{name}: {means[0]:.2f} within an image, {means[1]:.2f} between images")
    figure.axes[0].legend(fontsize=9.5, frameon=False, loc="upper left")
    return described(figure, f"Distances of {len(image_of)} captions to each other, means: {'; '.join(told)}.")


def distances_by_image(embeddings: Tensor, image_of: Tensor) -> tuple[Tensor, Tensor]:
    """Distances of pairs of captions: of one image, and of two, [n_pairs] each.

    Args:
        embeddings: [n_captions, dim].
        image_of: int64 [n_captions].
    """
    apart = torch.pdist(embeddings.float())  # [n (n - 1) / 2]
    first, second = torch.triu_indices(len(embeddings), len(embeddings), offset=1)
    together = image_of[first] == image_of[second]
    return apart[together], apart[~together]


def variance_curves(curves: Mapping[str, Sequence[float]], axes: Axes | None = None) -> Figure | Axes:
    """Draws the variance of a layer over the epochs, one line per model, on a scale of powers of ten.

    Args:
        curves: model -> a positive number before training and after each epoch.
        axes: drawn on; a new figure by default.

    Returns:
        The figure, or the axes; the alt text gives the first and the last value of each line.

    Raises:
        ItmError: no line, one without a number, or more than four.
    """
    if not 0 < len(curves) <= len(LINES) or not all(curves.values()):
        raise ItmError(f"variance_curves: give one to {len(LINES)} lines of one or more numbers, not {list(curves)}")
    axes, drawn = axes_of(axes, 7.6, 3.4)
    told = []
    for (name, values), (colour, mark, line) in zip(curves.items(), LINES.values(), strict=False):
        axes.plot(range(len(values)), values, color=colour, marker=mark, linestyle=line, linewidth=1.8,
                  markersize=5, label=name)  # fmt: skip
        told.append(f"{name}: from {values[0]:.3g} to {values[-1]:.3g}")
    axes.set_yscale("log")
    longest = max(len(values) for values in curves.values())
    axes.set_xticks(range(longest))
    axes.set_xlabel("epochs of training", fontsize=10)
    axes.set_ylabel("variance of h", fontsize=10)
    axes.legend(fontsize=9.5, frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
    axes.spines[["top", "right"]].set_visible(False)
    return described(drawn, f"Variance of the middle layer over {counted(longest - 1, 'epoch')}. {'; '.join(told)}.")
