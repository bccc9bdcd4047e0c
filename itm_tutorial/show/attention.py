"""Attention drawn on pictures: one panel per word, or one word or region of a caption at a time."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from torch import Tensor
from torch.nn.functional import interpolate

from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.show.attention_pixels import grey_of, grid_side, light, seen_square, spotlit
from itm_tutorial.show.canvas import ACCENT, BLUE, GREEN, GREY, INK, PALE, described, new_figure

if TYPE_CHECKING:
    from itm_tutorial.evaluation.grounding import Attention

MOST_WORDS, MOST_BARS = 9, 14
_OFTEN = """a an the is are was be there here this that these those it its and or of in on at to by for with from as
into his her their he she they has have who which while some very"""
FUNCTION_WORDS = frozenset(_OFTEN.split())
HEAT = "cividis"  # even steps of lightness, for grey print too, and readable for colour-blind people
SIGNS = {True: "✓ ", False: "✗ ", None: ""}


def attention(
    seen: Attention,
    split: Split,
    i: int = 0,
    words: Sequence[str | int] | None = None,
    grid: bool | None = None,
    backbone: str = "mini",
    columns: int = 5,
    figure: Figure | None = None,
) -> Figure:
    """Draws a picture with its regions, then one panel per word, clear only where the word attends.

    Where it is known which box a word names, this box is dashed. A tick says that the centre of the region with the
    largest weight lies in that box, as in the pointing game.

    Args:
        seen: what ``attend`` returned.
        split: the split that the captions are from.
        i: the place of the caption in ``seen``.
        words: some words of the caption, or their places in it; by default its content words, at most 9.
        grid: whether regions are the squares of a grid, drawn as one smooth map; read from the boxes by default.
        backbone: the model's, ``model.features.backbone``: it decides which centre crop of a photograph is drawn.
        columns: panels per row, at most.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text says which region each word attends to most.

    Raises:
        ItmError: no such caption or word, or ``grid=True`` for regions that are not a grid.
    """
    view = AttentionView.of(seen, split, i, grid, backbone)
    chosen = view.places_of(words)
    n = 1 + len(chosen)
    rows = -(-n // columns)
    columns = -(-n // rows)  # no row much shorter than the others
    width = max(2.2 * columns, 5)
    title = textwrap.fill(view.caption, round(12 * width))
    key = textwrap.fill(_key(view, chosen), round(14 * width))
    figure = figure or new_figure(width, 2.5 * rows + 0.25 * (2 + title.count("\n") + key.count("\n")))
    places = figure.subplots(rows, columns, squeeze=False).flat
    for axes in places[n:]:
        axes.axis("off")
    draw_regions(places[0], view)
    places[0].set_title(f"{view.n} {view.noun}s", fontsize=10, color=INK)
    for axes, word in zip(places[1:], chosen, strict=False):
        draw_word(axes, view, word)
    figure.suptitle(title, fontsize=11, color=INK)
    figure.supxlabel(key, fontsize=9, color=INK)
    return described(figure, _alt(view, chosen))


def attention_of(
    seen: Attention,
    split: Split,
    i: int = 0,
    word: int | None = None,
    region: int | None = None,
    grid: bool | None = None,
    backbone: str = "mini",
    figure: Figure | None = None,
) -> Figure:
    """Draws one word and the regions that it attends to, or one region and the words that attend to it.

    Args:
        seen: what ``attend`` returned.
        split: the split that the captions are from.
        i: the place of the caption in ``seen``.
        word: its place in the caption; by default the first content word, where no region is given either.
        region: its place among the regions, from 0; the figure counts from 1.
        grid: whether regions are the squares of a grid; read from the boxes by default.
        backbone: the model's, ``model.features.backbone``.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text lists the weights above uniform attention.

    Raises:
        ItmError: both a word and a region, or one that is not there.
    """
    if word is not None and region is not None:
        raise ItmError(f"attention_of: word {word} and region {region} at once; give one of them")
    view = AttentionView.of(seen, split, i, grid, backbone)
    if region is not None and not 0 <= region < view.n:
        raise ItmError(f"attention_of: no region {region}; they go from 0 to {view.n - 1}")
    figure = figure or new_figure(10.4, 4.5)
    picture, bars = figure.subplots(1, 2, width_ratios=(1, 1.15))
    figure.suptitle(textwrap.fill(view.caption, 110), fontsize=11, color=INK)
    if region is None:
        word = view.places_of(None if word is None else [word])[0]
        draw_word(picture, view, word, numbered=True)
        description = f"{view.description(word)}. {_regions_of_word(bars, view, word)}"
    else:
        draw_region(picture, view, region)
        description = _words_of_region(bars, view, region)
    return described(figure, f"A picture beside the caption “{view.caption}”, and bars. {description}")


class AttentionView:
    """The attention between one caption and one picture, with the true boxes where they are known.

    Attributes:
        caption: as it stands in the split.
        image: uint8 [3, side, side], the crop that the model saw, at full resolution.
        words: of the caption.
        weights: float32 [n_regions, n_words].
        boxes: float32 [n_regions, 4], in [0, 1].
        side: cells per side, where regions are the squares of a grid; else 0.
        named: word -> the boxes it names, float32 [n, 4]; empty where this is not known.
    """

    def __init__(self, caption: str, image: Tensor, words: list[str], weights: Tensor, boxes: Tensor, side: int = 0):
        self.caption, self.image, self.words = caption, image, words
        self.weights, self.boxes, self.side = weights, boxes, side
        self.named: dict[int, Tensor] = {}
        self.n, self.noun = len(boxes), "square" if side else "region"

    @classmethod
    def of(cls, seen: Attention, split: Split, i: int, grid: bool | None, backbone: str) -> AttentionView:
        """Selects caption i of ``seen``, and adds the boxes that its words name."""
        if not 0 <= i < len(seen):
            raise ItmError(f"no caption {i} among those attended; they go from 0 to {len(seen) - 1}")
        caption, image = int(seen.captions[i]), int(seen.images[i])
        boxes = seen.boxes[i]
        side = grid_side(boxes) if grid is not False else 0
        if grid and not side:
            raise ItmError(f"grid=True, but the {len(boxes)} regions are not the squares of a grid; leave grid out")
        picture = seen_square(split.images[image], backbone, seen.fit)
        view = cls(split.captions[caption], picture, seen.words[i], seen.weights[i], boxes, side)
        own = int(split.image_of[caption]) == image  # beside another picture, its words name nothing
        if own and split.groundings is not None and split.boxes is not None:
            for word, box in split.groundings[caption]:
                one = split.boxes[image][box][None]
                view.named[word] = torch.cat([view.named[word], one]) if word in view.named else one
        return view

    def top(self, word: int) -> tuple[int, float]:
        """The region with the largest weight, and this weight."""
        weight, region = self.weights[:, word].max(0)
        return int(region), float(weight)

    def hit(self, word: int) -> bool | None:
        """Whether the centre of the top region lies in a box that the word names; None where it names none."""
        return self.names(word, self.top(word)[0])

    def names(self, word: int, region: int) -> bool | None:
        """Whether the centre of a region lies in a box that the word names; None where it names none."""
        if word not in self.named:
            return None
        middle, boxes = (self.boxes[region, :2] + self.boxes[region, 2:]) / 2, self.named[word]
        return bool(((middle > boxes[:, :2]) & (middle < boxes[:, 2:])).all(1).any())

    def places_of(self, words: Sequence[str | int] | None) -> list[int]:
        """Words or places -> places; by default content words, and of too many those that name a box first."""
        if words is None:
            content = [w for w, text in enumerate(self.words) if text not in FUNCTION_WORDS] or range(len(self.words))
            return sorted(sorted(content, key=lambda w: w not in self.named)[:MOST_WORDS])
        places = []
        for word in words:
            found = [w for w, text in enumerate(self.words) if word in (w, text)]
            if not found:
                raise unknown(f"word of “{self.caption}”", str(word), self.words)
            places += found
        return places

    def description(self, word: int) -> str:
        """Which region a word attends to most, as a sentence without its full stop."""
        region, weight = self.top(word)
        hit = self.hit(word)
        several = len(self.named.get(word, ())) > 1
        inside = "a box it names" if several else "the box it names"
        outside = "the boxes it names" if several else "the box it names"
        truth = "" if hit is None else f", inside {inside}" if hit else f", outside {outside}"
        return f"“{self.words[word]}” attends to the {self.noun} {place_of(self.boxes[region])} ({weight:.2f}){truth}"


def place_of(box: Tensor) -> str:
    """Where a box lies in the picture, in words: "at the lower left"."""
    x, y = ((box[:2] + box[2:]) / 2).tolist()
    across = "left" if x < 1 / 3 else "right" if x > 2 / 3 else ""
    down = "upper" if y < 1 / 3 else "lower" if y > 2 / 3 else ""
    if across and down:
        return f"at the {down} {across}"
    if not across and not down:
        return "in the middle"
    return f"at the {across or {'upper': 'top', 'lower': 'bottom'}[down]}"


def draw_regions(axes: Axes, view: AttentionView) -> None:
    """The picture with the outlines of all regions, numbered from 1; a grid only has its lines."""
    show_pixels(axes, view.image.permute(1, 2, 0) / 255)
    if view.side:
        lines = [n / view.side for n in range(1, view.side)]
        axes.hlines(lines, 0, 1, color="w", linewidth=0.7)
        axes.vlines(lines, 0, 1, color="w", linewidth=0.7)
        return
    for box in view.boxes:
        _outline(axes, box, INK, 0.9)
    for region in range(view.n):
        _number(axes, view.boxes[region], f"{region + 1}", size=7)


def draw_word(axes: Axes, view: AttentionView, word: int, numbered: bool = False) -> None:
    """Draws the picture, clear where one word attends, with its top region and weight; true boxes are dashed.

    Args:
        axes: drawn on.
        view: the caption with its attention.
        word: its place.
        numbered: whether regions above uniform attention have their number before their weight.
    """
    weights = view.weights[:, word]
    top, most = view.top(word)
    if view.side:
        _heat(axes, view, weights)
    else:
        show_pixels(axes, spotlit(view.image, light(view.boxes, weights, view.image.shape[1])))
    regions = (weights > 1 / view.n).nonzero().flatten().tolist() if not view.side else [top]
    for region in sorted({*regions, top}, key=lambda r: weights[r].item()):
        _outline(axes, view.boxes[region], INK, 1 if view.side else 0.5 + 5 * weights[region].item())
    for box in view.named.get(word, ()):
        _outline(axes, box, ACCENT, 1.8, dashed=True)
    for region in sorted({*regions, top} if numbered else {top}, key=lambda r: weights[r].item()):
        before = f"{region + 1}: " if numbered else ""
        _number(axes, view.boxes[region], f"{before}{weights[region]:.2f}", bold=region == top)
    hit = view.hit(word)
    style = {"color": GREEN if hit else INK, "fontweight": "bold" if hit else "normal"}
    axes.set_title(f"{SIGNS[hit]}{view.words[word]}", fontsize=11, pad=4, **style)


def draw_region(axes: Axes, view: AttentionView, region: int) -> None:
    """The picture, clear in one region."""
    one = torch.zeros(view.n)
    one[region] = 1
    show_pixels(axes, spotlit(view.image, light(view.boxes, one, view.image.shape[1])))
    _outline(axes, view.boxes[region], INK, 3)
    _number(axes, view.boxes[region], f"{region + 1}", bold=True)
    axes.set_title(f"{view.noun} {region + 1}, {place_of(view.boxes[region])}", fontsize=11, pad=4, color=INK)


def show_pixels(axes: Axes, pixels: Tensor) -> None:
    """An image [H, W, 3] in [0, 1] on the unit square, whose corner (0, 0) is the picture's upper left."""
    axes.imshow(pixels.numpy(), interpolation="bicubic", extent=(0, 1, 1, 0))
    axes.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(1, 0))
    axes.spines[:].set(color=GREY, linewidth=0.6)


def _heat(axes: Axes, view: AttentionView, weights: Tensor) -> None:
    """A grid's weights as a smooth map over a dark grey picture; a line runs at half of the highest."""
    size = view.image.shape[1]
    cells = weights.view(1, 1, view.side, view.side).float()
    heat = interpolate(cells, size=(size, size), mode="bicubic", align_corners=False)[0, 0].clamp(min=0)
    heat = heat / heat.max().clamp(min=1e-9)
    under = 0.5 * grey_of(view.image.permute(1, 2, 0) / 255)[..., None]
    over = torch.from_numpy(colormaps[HEAT](heat.numpy())[..., :3]).float()
    cover = 0.25 + 0.5 * heat[..., None]
    show_pixels(axes, (1 - cover) * under + cover * over)
    if heat.min() < 0.5:  # an even map has no such line
        middles = ((torch.arange(size) + 0.5) / size).numpy()
        axes.contour(middles, middles, heat.numpy(), levels=[0.5], colors="w", linewidths=1.6)


def _outline(axes: Axes, box: Tensor, colour: str, width: float, dashed: bool = False) -> None:
    """A box with a white halo, to be seen on any ground."""
    x0, y0, x1, y1 = box.tolist()
    halo = [withStroke(linewidth=width + 1.6, foreground="w")]
    style = {"linestyle": (0, (3, 2)) if dashed else "-", "linewidth": width, "edgecolor": colour}
    axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, path_effects=halo, **style))


def _number(axes: Axes, box: Tensor, text: str, size: float = 8.5, bold: bool = False) -> None:
    """A number above a box, below one at the top edge: a small box is not to be covered."""
    x0, y0, _, y1 = box.tolist()
    y, stands = (y0 - 0.02, "bottom") if y0 > 0.12 else (y1 + 0.02, "top") if y1 < 0.88 else (0.03, "top")
    label = {"facecolor": "w", "edgecolor": "none", "pad": 1, "alpha": 0.9}
    weight = "bold" if bold else "normal"
    x = min(max(x0, 0.02), 0.98 - 0.055 * len(text))
    axes.text(x, y, text, fontsize=size, color=INK, fontweight=weight, va=stands, bbox=label)


def _key(view: AttentionView, chosen: list[int]) -> str:
    """How to read the panels."""
    clear = "clear and thickly framed: where a word attends"
    if view.side:
        clear = "lighter: more attention; line: half of the highest"
    if not any(word in view.named for word in chosen):
        return f"{clear}; number: largest weight"
    return f"{clear}; number: largest weight; dashed: what the word names; ✓ it attends there, ✗ it does not"


def _alt(view: AttentionView, chosen: list[int]) -> str:
    known = [view.hit(word) for word in chosen if word in view.named]
    counted = f" {sum(known)} of {len(known)} words attend to a box that they name." if known else ""
    listed = "; ".join(view.description(word) for word in chosen)
    return (
        f"A picture with {view.n} {view.noun}s and {len(chosen)} panels, one per word of “{view.caption}”."
        f"{counted} {listed}."
    )


def _regions_of_word(axes: Axes, view: AttentionView, word: int) -> str:
    """Draws a word's largest weights as bars, hatched inside what it names; returns them in words."""
    weights = view.weights[:, word]
    order = weights.argsort(descending=True, stable=True)[:MOST_BARS].tolist()
    names = [f"{region + 1}, {place_of(view.boxes[region])}" for region in order]
    marked = [bool(view.names(word, region)) for region in order]
    _bars(axes, names, weights[order].tolist(), marked, 1 / view.n)
    hatched = "\nhatched: inside what it names" if word in view.named else ""
    first = f"the first {len(order)} of " if len(order) < view.n else ""
    axes.set_title(f"“{view.words[word]}” attends to {first}{view.n} {view.noun}s{hatched}", fontsize=10, color=INK)
    return _listed(f"Its {view.noun}s above uniform attention", names, weights[order].tolist(), 1 / view.n)


def _words_of_region(axes: Axes, view: AttentionView, region: int) -> str:
    """Draws the weights that words give a region, in the caption's order, hatched where they name it."""
    weights = view.weights[region]
    order = sorted(weights.argsort(descending=True, stable=True)[: 2 * MOST_BARS].tolist())
    names, values = [view.words[word] for word in order], weights[order].tolist()
    marked = [bool(view.names(word, region)) for word in order]
    _bars(axes, names, values, marked, 1 / view.n)
    hatched = "\nhatched: they name it" if any(marked) else ""
    axes.set_title(f"how much each word attends to {view.noun} {region + 1}{hatched}", fontsize=10, color=INK)
    where = f"{view.noun.capitalize()} {region + 1}, {place_of(view.boxes[region])}"
    return _listed(f"{where}: words above uniform attention", names, values, 1 / view.n)


def _bars(axes: Axes, names: list[str], values: list[float], marked: list[bool], even: float) -> None:
    """Draws bars with their values, the first at the top, and a dashed line at uniform attention."""
    for y, (value, mark) in enumerate(zip(values, marked, strict=True)):
        style = {"facecolor": PALE if mark else BLUE, "edgecolor": BLUE, "hatch": "////" if mark else None}
        axes.barh(y, value, 0.7, linewidth=1, **style)
        axes.annotate(_amount(value, even), (max(value, even), y), (4, 0), textcoords="offset points", va="center",
                      fontsize=8.5, color=INK)  # fmt: skip
    axes.axvline(even, color=ACCENT, linestyle="--", linewidth=1.5)
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.set(ylim=(len(names) - 0.4, -0.6), xlim=(0, 1.15 * max(*values, 3 * even)))
    axes.set_xlabel(f"weight; dashed: uniform, {_amount(even, even)}", fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _amount(value: float, even: float) -> str:
    """A weight in two digits, or in three where there are many regions."""
    return f"{value:.2f}" if even >= 0.05 else f"{value:.3f}"


def _listed(what: str, names: list[str], values: list[float], even: float) -> str:
    above = [f"{name} ({_amount(value, even)})" for name, value in zip(names, values, strict=True) if value > even]
    return f"{what}, {_amount(even, even)}: {'; '.join(above) or 'none'}."
