"""Figures of person search: galleries of results, what CMPM compares, embeddings before and after training."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor
from torch.nn.functional import normalize

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.text import tokenize
from itm_tutorial.errors import ItmError
from itm_tutorial.models import Matching
from itm_tutorial.retrieval.search import Hits, search
from itm_tutorial.show.canvas import ACCENT, BLUE, GREEN, INK, PALE, axes_of, described, new_figure, to_html

MATRIX_WITH_NUMBERS = 12  # rows or columns, at most, for numbers in the cells
ATTRIBUTES = (  # of the explorer; a description names ticked attributes in this order
    ("man", "woman"),
    ("red top", "blue top", "black top", "white top"),
    ("trousers", "jeans", "shorts", "skirt"),
    ("backpack", "handbag"),
    ("hat", "cap", "umbrella"),
)


def worlds(splits: Mapping[str, Split], n: int = 6, figure: Figure | None = None) -> Figure:
    """Draws one row per world: two pictures of each of its first identities, with a number for each.

    Args:
        splits: name of a world -> one of its splits.
        n: pictures per row.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives the first caption of each row.

    Raises:
        ItmError: no split, or one that does not say who is shown.
    """
    if not splits or any(split.identity is None for split in splits.values()):
        raise ItmError("splits: give at least one, each with an identity for its pictures")
    figure = figure or new_figure(1.5 * n, 2.1 * len(splits))
    parts = []
    for row, (name, split) in zip(figure.subplots(len(splits), n, squeeze=False), splits.items(), strict=True):
        known = split.identity.unique()[: -(-n // 2)]
        first = [i for who in known for i in (split.identity == who).nonzero().flatten()[:2].tolist()][:n]
        numbers = split.identity[first].unique(return_inverse=True)[1].tolist()
        for axes in row[len(first) :]:
            axes.axis("off")
        for axes, image, number in zip(row, first, numbers, strict=False):
            axes.imshow(split.images[image].permute(1, 2, 0).numpy(), interpolation="bicubic")
            axes.set(xticks=[], yticks=[])
            axes.set_title(f"{name}, no. {number + 1}", fontsize=9, color=INK)
            axes.spines[:].set_visible(False)
        counts = ", ".join(f"{numbers.count(k)} of no. {k + 1}" for k in sorted(set(numbers)))
        parts.append(f"{name}: {counts}; the first is described as: {split.captions_of(first[0])[0].rstrip('.')}")
    return described(figure, f"{len(splits)} rows of drawn pictures. {'. '.join(parts)}.")


def identity_gallery(
    split: Split, found: Sequence[Hits], people: Sequence[int], figure: Figure | None = None
) -> Figure:
    """Draws one row of pictures per description, best first; the described person has a tick and a frame.

    Args:
        split: the split that was searched; it says who is shown.
        found: the results of ``search``, one per description.
        people: the identity that each description is of.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives the ranks of the described person.

    Raises:
        ItmError: no description, another number of people, or a split that does not say who is shown.
    """
    if split.identity is None:
        raise ItmError(f"split {split.name!r} does not say who is shown: take one of a corpus of people or classes")
    if not found or len(found) != len(people):
        raise ItmError(f"{len(found)} descriptions for {len(people)} people: give one person each, and at least one")
    columns = max(len(hits.indices) for hits in found)
    height, width = split.images[found[0].indices[0]].shape[1:]
    wide = 1.05 * columns
    rows_high = 0.92 * wide / columns * height / width + 0.85
    figure = figure or new_figure(max(wide, 6), rows_high * len(found))
    listed = []
    parts = [figure] if len(found) == 1 else figure.subfigures(len(found), 1, squeeze=False).flat
    for part, hits, who in zip(parts, found, people, strict=True):
        part.suptitle(textwrap.fill(hits.query, round(12 * max(wide, 6))), fontsize=9, color=INK)
        shown = split.identity[hits.indices].tolist()
        for rank, axes in enumerate(part.subplots(1, columns, squeeze=False).flat):
            if rank >= len(shown):
                axes.axis("off")
            else:
                _paint_person(axes, split.images[hits.indices[rank]], rank + 1, shown[rank] == who)
        ranks = [str(rank) for rank, one in enumerate(shown, start=1) if one == who]
        at = f"a right one at rank {', '.join(ranks)}" if ranks else "no right one is among them"
        listed.append(f"“{hits.query}”: {at}, of {len(shown)} shown")
    return described(figure, f"Galleries for {len(found)} descriptions, best first. {'; '.join(listed)}.")


def _paint_person(axes: Axes, image: Tensor, rank: int, correct: bool) -> None:
    axes.imshow(image.permute(1, 2, 0).numpy(), interpolation="bicubic")
    style = {"color": GREEN if correct else INK, "fontweight": "bold" if correct else "normal"}
    axes.set_title(f"✓ {rank}" if correct else f"{rank}", fontsize=9, pad=3, **style)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=correct, color=GREEN, linewidth=4)


def projection_weights(probabilities: Tensor, match: Tensor, figure: Figure | None = None) -> Figure:
    """Draws what CMPM compares, side by side: the probabilities of captions for each image, and their targets.

    Args:
        probabilities: [n_images, n_captions], each row sums to 1.
        match: bool [n_images, n_captions]; True where both are of one person.
        figure: drawn on; a new one by default.

    Returns:
        The figure; cells that match are framed in both panels.

    Raises:
        ItmError: another shape of match.
    """
    if probabilities.shape != match.shape:
        raise ItmError(
            f"match is {list(match.shape)} and probabilities {list(probabilities.shape)}: give one mask for the matrix"
        )
    n_images, n_captions = probabilities.shape
    targets = match / match.sum(1, keepdim=True).clamp(min=1)  # [n_images, n_captions]
    numbered = max(n_images, n_captions) <= MATRIX_WITH_NUMBERS
    figure = figure or new_figure(9.4, 1.3 + 0.32 * min(n_images, MATRIX_WITH_NUMBERS))
    panels = (("softmax of the projections, p", probabilities), ("targets, q", targets))
    for axes, (title, values) in zip(figure.subplots(1, 2), panels, strict=True):
        axes.imshow(values.float().numpy(), cmap="Greys", vmin=0, vmax=1, aspect="auto")
        axes.set(xlabel="caption", ylabel="image")
        axes.set_title(title, fontsize=10, color=INK)
        axes.tick_params(length=0)
        if numbered:
            axes.set(xticks=range(n_captions), yticks=range(n_images))
            _write_numbers(axes, values)
        _frame(axes, match, 2.0 if numbered else 1.2)
    positive = 100 * (probabilities * match).sum(1).mean().item()
    return described(
        figure,
        f"Two matrices of {n_images} images by {n_captions} captions. Of an image's weight {positive:.0f} % lies on "
        f"captions of its person, as a mean; it should be 100 %, divided evenly among {match.sum(1).min():.0f} to "
        f"{match.sum(1).max():.0f} right captions.",
    )


def _write_numbers(axes: Axes, values: Tensor) -> None:
    for row, line in enumerate(values.tolist()):
        for column, value in enumerate(line):
            if value >= 0.005:  # smaller ones are left blank
                ink = "w" if value > 0.55 else INK
                axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7.5, color=ink)


def _frame(axes: Axes, match: Tensor, width: float) -> None:
    for row, column in match.nonzero().tolist():
        place = (column - 0.46, row - 0.46)
        axes.add_patch(Rectangle(place, 0.92, 0.92, fill=False, edgecolor=ACCENT, linewidth=width))


def embedding_map(
    stages: Mapping[str, tuple[Tensor, Tensor]],
    groups: tuple[Tensor, Tensor] | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Draws embeddings of both modalities on their two main directions, one panel per stage of training.

    Args:
        stages: name -> embeddings of images [n_images, dim] and of captions [n_captions, dim]; they get length 1.
        groups: int64 [n_images] and [n_captions], whom each is of; the embeddings of a few people then have numbers.
        figure: drawn on; a new one by default.

    Returns:
        The figure: circles for images, crosses for captions. Each panel has its own directions.

    Raises:
        ItmError: no stage.
    """
    if not stages:
        raise ItmError("stages: give the embeddings of at least one stage")
    figure = figure or new_figure(4.3 * len(stages), 3.9)
    parts = []
    for axes, (name, sides) in zip(figure.subplots(1, len(stages), squeeze=False).flat, stages.items(), strict=True):
        images, captions = (normalize(side.detach().cpu().float(), dim=1) for side in sides)
        places, explained = _two_directions(torch.cat([images, captions]))
        of_images, of_captions = places.split([len(images), len(captions)])
        axes.scatter(*of_images.T.numpy(), s=14, facecolors="none", edgecolors=BLUE, linewidths=0.8, label="images")
        axes.scatter(*of_captions.T.numpy(), s=14, marker="x", color=ACCENT, linewidths=0.8, label="captions")
        if groups is not None:
            _number_people(axes, of_images, of_captions, groups)
        gap = (images.mean(0) - captions.mean(0)).norm().item()
        axes.set_title(f"{name}: gap {gap:.2f}\ntwo directions hold {100 * explained:.0f} %", fontsize=10, color=INK)
        axes.set(xticks=[], yticks=[])
        axes.legend(fontsize=8, loc="best", framealpha=0.8)
        parts.append(
            f"{name}: the middles lie {gap:.2f} apart, two directions hold {100 * explained:.0f} % of the variance"
        )
    return described(
        figure,
        f"Embeddings of {len(images)} images and {len(captions)} captions, one panel per stage. {'; '.join(parts)}.",
    )


def _two_directions(embeddings: Tensor) -> tuple[Tensor, float]:
    """[n, dim] -> places on the first two principal directions, [n, 2], and the fraction of variance they hold."""
    centred = embeddings - embeddings.mean(0)
    _, sizes, directions = torch.linalg.svd(centred, full_matrices=False)
    for column in directions[:2]:  # the sign of a direction is chance: the largest entry is positive
        column *= column[column.abs().argmax()].sign()
    return centred @ directions[:2].T, (sizes[:2].square().sum() / sizes.square().sum().clamp(min=1e-12)).item()


def _number_people(axes: Axes, images: Tensor, captions: Tensor, groups: tuple[Tensor, Tensor]) -> None:
    """Numbers 1 to 4 at the embeddings of the first four people."""
    people = list(dict.fromkeys(groups[0].tolist()))[:4]
    for number, who in enumerate(people, start=1):
        for places, group, colour in ((images, groups[0], BLUE), (captions, groups[1], ACCENT)):
            for x, y in places[group == who].tolist():
                axes.annotate(f"{number}", (x, y), (3, 3), textcoords="offset points", fontsize=9, fontweight="bold",
                              color=colour)  # fmt: skip


def loss_ablation(
    values: Mapping[str, Sequence[float]], metric: str = "R@1", axes: Axes | None = None
) -> Figure | Axes:
    """Draws one bar per variant, the mean over seeds, with one dot per seed and a line of two standard errors.

    Args:
        values: name of a variant -> its metric for each seed.
        metric: the name of the metric.
        axes: drawn on; a new figure by default.

    Returns:
        The axes it was given, or else the new figure.

    Raises:
        ItmError: no variant, or one without a number.
    """
    if not values or not all(len(some) for some in values.values()):
        raise ItmError("values: give at least one variant, and a number for each")
    axes, drawn = axes_of(axes, 7.6, 1.1 + 0.5 * len(values))
    labels, most = [], max(max(some) for some in values.values())
    for y, some in enumerate(values.values()):
        numbers = torch.tensor(some, dtype=torch.float64)
        mean, n = numbers.mean().item(), len(some)
        spread = 2 * numbers.std().item() / math.sqrt(n) if n > 1 else 0.0
        axes.barh(y, mean, 0.6, facecolor=PALE, edgecolor=BLUE, hatch="//" if y % 2 else None)
        if n > 1:
            axes.errorbar(mean, y, xerr=spread, color=INK, capsize=4, linewidth=1.5)
        axes.plot(some, [y] * n, "o", color=ACCENT, markersize=4)
        written = f"{mean:.1f} ± {spread:.1f}" if n > 1 else f"{mean:.1f}, one seed"
        axes.text(1.08 * most, y, written, va="center", fontsize=9, color=INK)
        labels.append(written)
    axes.set_yticks(range(len(values)), list(values))
    axes.set(xlim=(0, 1.32 * most or 1), ylim=(len(values) - 0.4, -0.6), xlabel=f"{metric}; dots: seeds")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    listed = "; ".join(f"{name}: {written}" for name, written in zip(values, labels, strict=True))
    return described(drawn, f"{metric} of {len(values)} variants, mean ± two standard errors over seeds. {listed}.")


def described_by(ticked: Sequence[str]) -> str:
    """A description from ticked attributes, such as "a woman, a red top, jeans"; empty if none is ticked."""
    order = [name for group in ATTRIBUTES for name in group]
    chosen = sorted(ticked, key=order.index)
    return ", ".join(name if name in ("trousers", "jeans", "shorts") else f"a {name}" for name in chosen).replace(
        "a umbrella", "an umbrella"
    )


def person_explorer(model: Matching, split: Split, ticked: Sequence[str] = ("woman", "blue top", "jeans"), k: int = 8):
    """Makes ticks and a text field to describe a person, with the gallery of people found.

    Args:
        model: a trained model.
        split: the split to search.
        ticked: attributes to begin with, of ``ATTRIBUTES``.
        k: pictures shown.

    Returns:
        The widget: buttons of attributes, the text that they make, and the gallery below. Its default state is
        ``person_gallery(model, split, ticked)``.

    Raises:
        ItmError: an attribute that has no button.
    """
    import ipywidgets as widgets

    known = [name for group in ATTRIBUTES for name in group]
    if strange := [name for name in ticked if name not in known]:
        raise ItmError(f"{strange[0]!r} is no attribute of the explorer: choose of {', '.join(known)}")
    boxes = {
        name: widgets.Checkbox(value=name in ticked, description=name, indent=False, layout=widgets.Layout(width="8em"))
        for name in known
    }
    text = widgets.Text(
        value=described_by(ticked),
        description="Who",
        placeholder="Tick above, or type a description and press Enter",
        continuous_update=False,
        layout=widgets.Layout(width="90%"),
    )
    view = widgets.HTML()

    def show(change=None) -> None:
        words = [word for word in tokenize(text.value) if word in model.vocabulary]
        left_out = [word for word in dict.fromkeys(tokenize(text.value)) if word not in model.vocabulary]
        note = f"<p>Never learned, and left out: {html.escape(', '.join(left_out))}.</p>" if left_out else ""
        if not words:
            view.value = f"{note}<p>Nothing is left to search for: tick an attribute, or describe the person.</p>"
        else:
            query = " ".join(words) if left_out else text.value.strip()
            view.value = note + to_html(person_gallery(model, split, query, k))

    def from_ticks(change=None) -> None:
        text.value = described_by([name for name, box in boxes.items() if box.value])

    for box in boxes.values():
        box.observe(from_ticks, names="value")
    text.observe(show, names="value")
    show()
    rows = [widgets.HBox([boxes[name] for name in group]) for group in ATTRIBUTES]
    return widgets.VBox([*rows, text, view])


def person_gallery(model: Matching, split: Split, asked: str | Sequence[str], k: int = 8) -> Figure:
    """Draws the people found for a description or for ticked attributes; no picture is marked as correct.

    Args:
        model: a trained model.
        split: the split to search.
        asked: a description, or attributes of ``ATTRIBUTES``.
        k: pictures shown.

    Returns:
        The figure: the default state of ``person_explorer``.
    """
    query = asked if isinstance(asked, str) else described_by(asked)
    hits = search(model, split, query, k)
    drawn = identity_gallery(split, [hits], [_nobody(split)])
    captions = [split.captions_of(i)[0] for i in hits.indices[:4]]
    return described(
        drawn, f"{len(hits.indices)} people found for “{hits.query}”, best first. They show: {' '.join(captions)}"
    )


def _nobody(split: Split) -> int:
    return int(split.identity.min()) - 1
