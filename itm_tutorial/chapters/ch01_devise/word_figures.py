"""Chapter 01's figures of words: the tree of kinds, pictures and labels in one space, word vectors in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from torch import Tensor

from itm_tutorial.data.corpus import ClassTree, Split
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.show.canvas import ACCENT, BLUE, FORMULA, GREEN, GREY, INK, PALE, described, new_figure

LINE, GAP, ROW = 17.5, 0.5, 1.75  # of the tree: pictures per line, gap between families, height of a line
GROUP_STYLES = (("o", BLUE), ("^", GREEN), ("s", ACCENT), ("D", GREY), ("v", INK), ("P", BLUE), ("X", GREEN))
PERPLEXITY, STEPS = 8.0, 600  # of the neighbour map


def families_of(classes: ClassTree) -> dict[str, list[str]]:
    """Family -> its kinds, families of one group together, in the order in which the tree names them."""
    found: dict[str, dict[str, list[str]]] = {}
    for name in classes.names:
        family, group = group_of(classes, name)
        found.setdefault(group, {}).setdefault(family, []).append(name)
    return {family: kinds for families in found.values() for family, kinds in families.items()}


def group_of(classes: ClassTree, name: str) -> tuple[str, str]:
    """A kind's family and the group above it; the family stands for both where the tree is lower."""
    above = classes.ancestors(name)
    return above[0], above[min(1, len(above) - 1)]


def class_tree(classes: ClassTree, splits: Sequence[Split], figure: Figure | None = None) -> Figure:
    """Draws a picture of every kind, grouped by family; hidden kinds have a dashed frame.

    Args:
        classes: the tree.
        splits: the pictures of each kind come from the first split that shows it.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text lists the families and the hidden kinds.
    """
    lines = _packed(families_of(classes))
    widest = max(sum(len(kinds) + GAP for _, kinds in line) - GAP for line in lines)
    figure = figure or new_figure(max(5.0, 0.66 * widest), 0.66 * ROW * len(lines))
    axes = figure.subplots()
    for row, line in enumerate(lines):
        column = 0.0
        for family, kinds in line:
            group = group_of(classes, kinds[0])[1]
            title = f"{family} ({group})" if len(kinds) > 2 else family
            axes.text(column, ROW * row - 0.1, title, **_small(8.5, True))
            for kind in kinds:
                _thumbnail(axes, column, ROW * row, kind, classes, splits)
                column += 1
            column += GAP
    axes.set(xlim=(-0.15, widest + 0.15), ylim=(ROW * len(lines) - 0.3, -0.5), aspect="equal")
    axes.axis("off")
    hidden = [name for name in classes.names if name not in classes.seen]
    listed = "; ".join(f"{family}: {', '.join(kinds)}" for family, kinds in families_of(classes).items())
    return described(
        figure,
        f"A picture of each of {len(classes.names)} kinds, in {len(families_of(classes))} families. {listed}. "
        f"A dashed frame marks the {len(hidden)} hidden kinds, which training never shows: {', '.join(hidden)}.",
    )


def _packed(families: Mapping[str, list[str]]) -> list[list[tuple[str, list[str]]]]:
    """Families side by side, as many as fit a line."""
    lines: list[list[tuple[str, list[str]]]] = []
    room = 0.0
    for family, kinds in families.items():
        if not lines or len(kinds) > room:
            lines.append([])
            room = LINE
        lines[-1].append((family, kinds))
        room -= len(kinds) + GAP
    return lines


def _thumbnail(axes: Axes, x: float, y: float, kind: str, classes: ClassTree, splits: Sequence[Split]) -> None:
    """The first picture of a kind, or an empty frame, with its name below."""
    seen, number = kind in classes.seen, classes.names.index(kind)
    place = (x + 0.03, x + 0.97, y + 0.97, y + 0.03)
    for split in splits:
        shown = (split.identity == number).nonzero().flatten()
        if len(shown):
            image = split.display(int(shown[0]), 160)
            axes.imshow(image.permute(1, 2, 0).numpy(), extent=place, interpolation="bicubic")
            break
    style = {"edgecolor": PALE, "linewidth": 1} if seen else {"edgecolor": ACCENT, "linewidth": 2, "linestyle": "--"}
    axes.add_patch(Rectangle((x + 0.03, y + 0.03), 0.94, 0.94, fill=False, zorder=3, **style))
    axes.text(x + 0.5, y + 1.06, kind, ha="center", va="top", **_small(7.5, False, INK if seen else ACCENT))


def _small(size: float, bold: bool, color: str = INK) -> dict:
    return {"fontsize": size, "color": color, "fontweight": "bold" if bold else "normal"}


def one_word_space(classes: ClassTree, split: Split, kind: str = "owl", figure: Figure | None = None) -> Figure:
    """Draws the plan of DeViSE: a text places the words, a linear map places a picture, and the nearest word wins.

    Args:
        classes: the tree; kinds of the picture's family become its neighbours.
        split: pictures of hidden kinds.
        kind: a hidden kind; the kind of the first picture if the split does not show this one.
        figure: drawn on; a new one by default.

    Returns:
        The figure; the positions of its points are made up.
    """
    figure = figure or new_figure(10.8, 4.0)
    axes = figure.subplots()
    axes.set(xlim=(0, 10.8), ylim=(0.2, 4.2))
    axes.axis("off")
    image = next((i for i, c in enumerate(split.identity.tolist()) if classes.names[c] == kind), 0)
    kind = classes.names[int(split.identity[image])]
    same_family = _seen_like(classes, kind, near=True)[:2]
    strangers = _seen_like(classes, kind, near=False)[:3]
    _box(axes, 0.95, 3.5, f"a text:\n“{_a(kind)} looks\nlike {_a(same_family[0])}”", GREY)
    _box(axes, 3.2, 3.5, "skip-gram", ACCENT)
    _box(axes, 3.2, 1.2, "network of\na classifier", BLUE)
    _box(axes, 5.3, 1.2, "linear\nmap $M$", BLUE, gid=FORMULA)
    picture = axes.inset_axes([0.3, 0.55, 1.3, 1.3], transform=axes.transData)
    picture.imshow(split.display(image).permute(1, 2, 0).numpy())
    picture.set(xticks=[], yticks=[])
    _arrow(axes, (1.85, 3.5), (2.4, 3.5))
    _arrow(axes, (4.0, 3.5), (6.55, 3.5), "one unit vector $t$ per word, [50];\nfixed from now on", FORMULA)
    _arrow(axes, (1.7, 1.2), (2.4, 1.2))
    _arrow(axes, (4.0, 1.2), (4.6, 1.2), "$v$ [512]", FORMULA)
    _arrow(axes, (6.0, 1.2), (6.55, 1.2), "$Mv$", FORMULA)
    rule = (
        "the loss, on pictures of seen kinds: the right word\nmust score higher than every other seen word, by a margin"
    )
    axes.text(0.3, 2.4, rule, ha="left", va="center", fontsize=9, color=INK, style="italic")
    axes.text(4.55, 2.4, "$t \\cdot Mv$", ha="left", va="center", fontsize=12, color=INK, gid=FORMULA)
    _space(axes, kind, same_family, strangers)
    return described(
        figure,
        f"The plan: two ways into one space. Above, a text goes through skip-gram, which gives one unit vector of 50 "
        f"numbers per word; these stay fixed. Below, a picture of {_a(kind)} goes through the network of a classifier, "
        f"512 numbers, and a linear map. A star marks where it should land: near the hollow point {kind}, which "
        f"training never shows, near the filled points of its family, {' and '.join(same_family)}, and far from "
        f"{', '.join(strangers)}.",
    )


def _a(noun: str) -> str:
    """A noun with its article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _seen_like(classes: ClassTree, kind: str, near: bool) -> list[str]:
    """Seen kinds of the same family, or one of each other group."""
    family, group = group_of(classes, kind)
    if near:
        return [name for name in classes.names if name in classes.seen and group_of(classes, name)[0] == family]
    firsts = {group_of(classes, name)[1]: name for name in reversed(classes.names) if name in classes.seen}
    return [name for other, name in sorted(firsts.items()) if other != group]


def _space(axes: Axes, kind: str, same_family: list[str], strangers: list[str]) -> None:
    """The word space with made-up positions: the family near the hidden kind, others far off, the picture a star."""
    frame = FancyBboxPatch((6.65, 0.3), 4.0, 3.75, boxstyle="round,pad=0,rounding_size=0.15", facecolor="w")
    frame.set(edgecolor=GREY, linewidth=1.2)
    axes.add_patch(frame)
    axes.text(8.65, 3.78, "the word space", ha="center", va="center", fontsize=9, color=INK)
    hidden, star = (9.0, 2.05), (8.62, 1.75)
    places = [(7.5, 2.35), (8.3, 2.75)][: len(same_family)]
    far = [(7.3, 0.75), (10.0, 0.75), (10.0, 3.35)][: len(strangers)]
    for (x, y), name in zip(places + far, same_family + strangers, strict=True):
        axes.plot(x, y, "o", markersize=9, color=BLUE)
        axes.text(x, y + 0.16, name, ha="center", va="bottom", fontsize=9, color=INK)
    axes.plot(*hidden, "o", markersize=11, markerfacecolor="w", markeredgecolor=ACCENT, markeredgewidth=2.2)
    axes.text(9.2, 2.05, f"{kind}\n(hidden)", ha="left", va="center", fontsize=9, color=ACCENT)
    axes.plot(*star, "*", markersize=19, color=GREEN, markeredgecolor="w")
    axes.text(8.62, 1.5, "the picture should land here", ha="center", va="top", fontsize=9, color=GREEN)
    axes.plot([star[0], hidden[0]], [star[1], hidden[1]], color=GREEN, linestyle=":", linewidth=1.8, zorder=0)


def _box(axes: Axes, x: float, y: float, words: str, colour: str, gid: str | None = None) -> None:
    wide = 1.7 if "“" in words else 1.5 if x < 5 else 1.3
    box = FancyBboxPatch((x - wide / 2, y - 0.5), wide, 1.0, boxstyle="round,pad=0,rounding_size=0.1", facecolor="w")
    box.set(edgecolor=colour, linewidth=2)
    axes.add_patch(box)
    axes.text(x, y, words, ha="center", va="center", fontsize=9, color=INK, gid=gid)


def _arrow(axes: Axes, start: tuple, end: tuple, words: str = "", gid: str | None = None) -> None:
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=14, color=GREY, linewidth=1.8))
    axes.text((start[0] + end[0]) / 2, start[1] + 0.1, words, ha="center", va="bottom", fontsize=8, color=INK, gid=gid)


def word_space(
    snapshots: Mapping[str, WordVectors], classes: ClassTree, named: Sequence[str] = (), figure: Figure | None = None
) -> Figure:
    """Draws the words of the kinds at several moments of training, as maps that keep neighbours near each other.

    A line joins each kind to the centre of its family: the shorter the lines, the closer the kinds of a family are.

    Args:
        snapshots: title of a map -> the vectors; the last map is the largest and names the families.
        classes: the tree of the kinds.
        named: kinds whose points bear their names on the last map; those that the tree lacks are left out.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text says how many kinds have one of their family as the nearest.
    """
    figure = figure or new_figure(11, 6)
    grid = figure.add_gridspec(max(1, len(snapshots) - 1), 2, width_ratios=(1, 2.1))
    titles = []
    for n, (title, vectors) in enumerate(snapshots.items(), start=1):
        last = n == len(snapshots)
        axes = figure.add_subplot(grid[:, 1] if last else grid[n - 1, 0])
        units = vectors.unit().matrix(classes.names)  # [n_classes, dim]
        _draw_map(
            axes, neighbour_map(units), classes, [kind for kind in named if kind in classes.names] if last else None
        )
        titles.append(
            f"{title}: for {_near_family(units, classes)} of {len(classes.names)} kinds, the nearest is of their family"
        )
        axes.set_title(titles[-1].replace(": ", "\n", 1), fontsize=9, color=INK)
    families = families_of(classes)
    return described(
        figure,
        f"{len(snapshots)} maps of {len(classes.names)} words, each joined to the centre of its family. The "
        f"{len(families)} families: {', '.join(families)}. {'; '.join(titles)}.",
    )


def _near_family(units: Tensor, classes: ClassTree) -> int:
    """The number of kinds whose nearest other kind is of the same family."""
    family = [group_of(classes, name)[0] for name in classes.names]
    nearest = (units @ units.T).fill_diagonal_(-2).argmax(1).tolist()
    return sum(family[i] == family[j] for i, j in enumerate(nearest))


def _draw_map(axes: Axes, places: Tensor, classes: ClassTree, named: Sequence[str] | None) -> None:
    """Draws one map; with a list of kinds, which may be empty, it is the large one, with names and a legend."""
    large = named is not None
    row = {name: places[i].tolist() for i, name in enumerate(classes.names)}
    groups = list(dict.fromkeys(group_of(classes, name)[1] for name in classes.names))
    middles = {}
    for family, kinds in families_of(classes).items():
        group = group_of(classes, kinds[0])[1]
        marker, colour = GROUP_STYLES[groups.index(group) % len(GROUP_STYLES)]
        middle = places[[classes.names.index(kind) for kind in kinds]].mean(0).tolist()
        for kind in kinds:
            axes.plot(*zip(middle, row[kind], strict=True), color=colour, linewidth=0.9, alpha=0.55, zorder=1)
            inside = colour if kind in classes.seen else "w"
            axes.plot(
                *row[kind],
                marker,
                color=colour,
                markerfacecolor=inside,
                markersize=7 if large else 5,
                label=f"_{group}",
            )
        middles[family] = (*middle, min(row[kind][1] for kind in kinds))
    axes.set(xticks=[], yticks=[])
    (left, low), (right, high) = places.amin(0).tolist(), places.amax(0).tolist()
    side, above = 0.12 * (right - left), 0.12 * (high - low)
    axes.set(xlim=(left - side, right + side), ylim=(low - above, high + above))
    axes.spines[:].set_color(GREY)
    if large:
        taken = _name_families(axes, middles, (high - low + 2 * above) / 40)
        _name_kinds(axes, row, named, taken, (high - low + 2 * above) / 40)
        _name_groups(axes, groups)


def _name_families(
    axes: Axes, middles: dict[str, tuple[float, float, float]], step: float
) -> list[tuple[float, float, float]]:
    """Writes each family's name below its kinds; of two names that would overlap, the lower one moves down."""
    wide = (axes.get_xlim()[1] - axes.get_xlim()[0]) / 75  # width of a letter
    taken: list[tuple[float, float, float]] = []  # centre, height, half of the width
    for family, (x, _, lowest) in sorted(middles.items(), key=lambda item: -item[1][2]):
        half, y = wide * (len(family) + 1) / 2, lowest - step
        x = min(max(x, axes.get_xlim()[0] + half), axes.get_xlim()[1] - half)
        for other_x, other_y, other_half in sorted(taken, key=lambda place: -place[1]):
            if abs(x - other_x) < half + other_half and abs(y - other_y) < 1.6 * step:
                y = other_y - 1.7 * step
        taken.append((x, y, half))
        style = {"fontweight": "bold", "fontsize": 9, "color": INK, "zorder": 5}
        axes.text(x, y, family, ha="center", va="top", clip_on=False, **style)
    lowest = min(y for _, y, _ in taken) - 2 * step
    axes.set_ylim(min(lowest, axes.get_ylim()[0]), axes.get_ylim()[1])
    return taken


def _name_kinds(axes: Axes, row: dict[str, list[float]], named: Sequence[str], taken: list, step: float) -> None:
    """Writes the names of a few kinds near their points, where neither a point nor another name is."""
    wide = (axes.get_xlim()[1] - axes.get_xlim()[0]) / 82  # width of a letter
    names = [(x - half, y - 1.4 * step, x + half, y) for x, y, half in taken]
    points = {kind: (x - 0.9 * wide, y - 0.7 * step, x + 0.9 * wide, y + 0.7 * step) for kind, (x, y) in row.items()}
    for kind in named:
        (x, y), half = row[kind], wide * len(kind) / 2
        others = names + [box for other, box in points.items() if other != kind]
        ways = [(dx, dy) for far in (2, 3) for dx, dy in _around(half + far * wide, 1.1 * far * step)]
        tried = [(x + dx - half, y + dy - 0.6 * step, x + dx + half, y + dy + 0.6 * step) for dx, dy in ways]
        box = min(tried, key=lambda one: _covered(row[kind], one, others))  # of equals the nearest
        names.append(box)
        axes.plot(*zip(row[kind], _nearest(row[kind], box), strict=True), color=INK, linewidth=0.8, zorder=0.5)
        style = {"fontsize": 8.5, "color": INK, "style": "italic", "zorder": 6}
        axes.text((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, kind, ha="center", va="center", clip_on=False, **style)


def _nearest(point: Sequence[float], box: tuple) -> tuple[float, float]:
    """The point of a box (x0, y0, x1, y1) that is nearest to a point."""
    return tuple(min(max(value, box[i]), box[i + 2]) for i, value in enumerate(point))


def _covered(point: Sequence[float], box: tuple, others: Sequence[tuple]) -> float:
    """How many of the other boxes a name in this box, or the line from its point to it, would cover."""
    end = _nearest(point, box)
    line = [tuple(a + n / 10 * (b - a) for a, b in zip(point, end, strict=True)) for n in range(11)]
    return sum(
        (min(box[2], x1) > max(box[0], x0) and min(box[3], y1) > max(box[1], y0))
        or any(x0 < x < x1 and y0 < y < y1 for x, y in line)
        for x0, y0, x1, y1 in others
    )


def _around(across: float, up: float) -> list[tuple[float, float]]:
    """Eight steps around a point: to the sides, above and below, and between these."""
    return [(x * across, y * up) for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))]


def _name_groups(axes: Axes, groups: list[str]) -> None:
    from matplotlib.lines import Line2D

    plain = {"linestyle": "none", "markersize": 7}
    handles = [
        Line2D([], [], marker=marker, color=colour, label=group, **plain)
        for group, (marker, colour) in zip(groups, GROUP_STYLES, strict=False)
    ]
    handles.append(Line2D([], [], marker="o", color=INK, markerfacecolor="w", label="hollow: hidden", **plain))
    axes.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=len(handles), frameon=False,
        fontsize=8.5, columnspacing=1.2, handletextpad=0.2,
    )  # fmt: skip


def neighbour_map(vectors: Tensor) -> Tensor:
    """Places points on a plane so that neighbours stay neighbours: t-SNE.

    It keeps which points are near each other. Distances between far points and sizes of clusters mean nothing.

    Args:
        vectors: float [n, dim].

    Returns:
        float [n, 2], the same for the same vectors.

    Van der Maaten and Hinton 2008, "Visualizing Data using t-SNE".
    """
    vectors = vectors - vectors.mean(0)
    if len(vectors) < 5:  # too few to have neighbourhoods
        return torch.linalg.svd(vectors, full_matrices=False)[0][:, :2]
    wanted = _neighbour_probabilities(torch.cdist(vectors, vectors).square())  # [n, n]
    axes = torch.linalg.svd(vectors, full_matrices=False)[2][:2]  # [2, dim]
    places = vectors @ axes.T
    places = 0.01 * places / places.std().clamp(min=1e-12)  # [n, 2]
    speed = torch.zeros_like(places)
    for step in range(STEPS):
        near = (1 + torch.cdist(places, places).square()).reciprocal().fill_diagonal_(0)
        pull = ((4 if step < STEPS // 4 else 1) * wanted - near / near.sum()) * near  # early exaggeration
        force = 4 * (pull.sum(1, keepdim=True) * places - pull @ places)
        speed = (0.5 if step < STEPS // 3 else 0.8) * speed - 20 * force
        places = places + speed
    return places


def _neighbour_probabilities(distances: Tensor) -> Tensor:
    """Squared distances [n, n] -> the probability of each pair to be neighbours; all n * n of them sum to 1."""
    n = len(distances)
    others = distances.masked_fill(torch.eye(n, dtype=torch.bool), torch.inf)
    others = others - others.amin(1, keepdim=True)
    wanted = torch.tensor(min(PERPLEXITY, (n - 1) / 2)).log()
    low, high = torch.full((n, 1), 1e-4), torch.full((n, 1), 1e6)
    for _ in range(60):  # bisection for the width of the Gaussian of each point
        narrow = (low * high).sqrt()
        probabilities = (-others * narrow).softmax(1)  # [n, n]
        spread = -torch.special.xlogy(probabilities, probabilities).sum(1, keepdim=True)
        low, high = torch.where(spread > wanted, narrow, low), torch.where(spread > wanted, high, narrow)
    return (probabilities + probabilities.T) / (2 * n)
