"""Where words look, in pictures: a panel a word, or one word or region of a caption at a time."""

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
from itm_tutorial.show.canvas import ACCENT, BLUE, GREY, INK, PALE, RIGHT, described, new_figure

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
    """A picture with its regions, then a panel a word: the picture stays clear only where the word looks.

    Where it is known which box a word names, this box is dashed, and a tick says that the middle of the region with
    the largest weight lies in it, as the pointing game asks.

    Args:
        seen: what ``attend`` gave.
        split: where from.
        i: the caption's place among those attended.
        words: some of the caption's, or their places in it; by default its content words, at most 9.
        grid: whether regions are the squares of a grid, drawn as one smooth map; found out by default.
        backbone: the model's, ``model.features.backbone``: which middle square of a photograph it saw.
        columns: panels a row, at most.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text says where each word looks.

    Raises:
        ItmError: no such caption or word, or ``grid`` for regions that are none.
    """
    attended = AttentionView.of(seen, split, i, grid, backbone)
    chosen = attended.places_of(words)
    n = 1 + len(chosen)
    rows = -(-n // columns)
    columns = -(-n // rows)  # no row much shorter than the others
    width = max(2.2 * columns, 5)
    title = textwrap.fill(attended.caption, round(12 * width))
    key = textwrap.fill(_key(attended, chosen), round(14 * width))
    figure = figure or new_figure(width, 2.5 * rows + 0.25 * (2 + title.count("\n") + key.count("\n")))
    places = figure.subplots(rows, columns, squeeze=False).flat
    for axes in places[n:]:
        axes.axis("off")
    draw_regions(places[0], attended)
    places[0].set_title(f"{attended.n} {attended.noun}s", fontsize=10, color=INK)
    for axes, word in zip(places[1:], chosen, strict=False):
        draw_word(axes, attended, word)
    figure.suptitle(title, fontsize=11, color=INK)
    figure.supxlabel(key, fontsize=9, color=INK)
    return described(figure, _summary(attended, chosen))


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
    """One word and the regions that it looks at, or one region and the words that look at it.

    Args:
        seen: what ``attend`` gave.
        split: where from.
        i: the caption's place among those attended.
        word: its place in the caption; by default the first content word, where no region is given either.
        region: its place among the regions, from 0; the figure counts from 1.
        grid: whether regions are the squares of a grid; found out by default.
        backbone: the model's, ``model.features.backbone``.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text lists what has more than a fair share of attention.

    Raises:
        ItmError: a word and a region at once, or one that is not there.
    """
    if word is not None and region is not None:
        raise ItmError(f"attention_of: word {word} and region {region} at once; give one of them")
    attended = AttentionView.of(seen, split, i, grid, backbone)
    if region is not None and not 0 <= region < attended.n:
        raise ItmError(f"attention_of: no region {region}; they go from 0 to {attended.n - 1}")
    figure = figure or new_figure(10.4, 4.5)
    picture, bars = figure.subplots(1, 2, width_ratios=(1, 1.15))
    figure.suptitle(textwrap.fill(attended.caption, 110), fontsize=11, color=INK)
    if region is None:
        word = attended.places_of(None if word is None else [word])[0]
        draw_word(picture, attended, word, numbered=True)
        description = f"{attended.description(word)}. {_regions_of_word(bars, attended, word)}"
    else:
        draw_region(picture, attended, region)
        description = _words_of_region(bars, attended, region)
    return described(figure, f"A picture beside the caption “{attended.caption}”, and bars. {description}")


class AttentionView:
    """One caption beside its picture, ready to be drawn: what ``attend`` gave, with the truth where it is known.

    Attributes:
        caption: as it stands in the split.
        image: uint8 [3, side, side], as the model saw it, at the resolution it has.
        words: of the caption.
        weights: float32 [n_regions, n_words].
        boxes: float32 [n_regions, 4], in [0, 1].
        side: cells a side, where regions are the squares of a grid; else 0.
        named: word -> the boxes it names, float32 [n, 4]; empty where nobody knows.
    """

    def __init__(self, caption: str, image: Tensor, words: list[str], weights: Tensor, boxes: Tensor, side: int = 0):
        self.caption, self.image, self.words = caption, image, words
        self.weights, self.boxes, self.side = weights, boxes, side
        self.named: dict[int, Tensor] = {}
        self.n, self.noun = len(boxes), "square" if side else "region"

    @classmethod
    def of(cls, seen: Attention, split: Split, i: int, grid: bool | None, backbone: str) -> AttentionView:
        """Takes caption i out of what was attended, and looks up what its words name."""
        if not 0 <= i < len(seen):
            raise ItmError(f"no caption {i} among those attended; they go from 0 to {len(seen) - 1}")
        caption, image = int(seen.captions[i]), int(seen.images[i])
        boxes = seen.boxes[i]
        side = grid_side(boxes) if grid is not False else 0
        if grid and not side:
            raise ItmError(f"grid=True, but the {len(boxes)} regions are not the squares of a grid; leave grid out")
        picture = seen_square(split.images[image], backbone)
        attended = cls(split.captions[caption], picture, seen.words[i], seen.weights[i], boxes, side)
        own = int(split.image_of[caption]) == image  # beside another picture, its words name nothing
        if own and split.groundings is not None and split.boxes is not None:
            for word, box in split.groundings[caption]:
                one = split.boxes[image][box][None]
                attended.named[word] = torch.cat([attended.named[word], one]) if word in attended.named else one
        return attended

    def top(self, word: int) -> tuple[int, float]:
        """The region with the largest weight, and this weight."""
        weight, region = self.weights[:, word].max(0)
        return int(region), float(weight)

    def hit(self, word: int) -> bool | None:
        """Whether the middle of the top region lies in a box that the word names; None where it names none."""
        return self.names(word, self.top(word)[0])

    def names(self, word: int, region: int) -> bool | None:
        """Whether the middle of a region lies in a box that the word names; None where it names none."""
        if word not in self.named:
            return None
        middle, boxes = (self.boxes[region, :2] + self.boxes[region, 2:]) / 2, self.named[word]
        return bool(((middle > boxes[:, :2]) & (middle < boxes[:, 2:])).all(1).any())

    def places_of(self, words: Sequence[str | int] | None) -> list[int]:
        """Words, or their places, as places; of content words, those that name a box come first where many are."""
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
        """Where a word looks, in a sentence without its stop."""
        region, weight = self.top(word)
        hit = self.hit(word)
        several = len(self.named.get(word, ())) > 1
        inside = "a box it names" if several else "the box it names"
        outside = "the boxes it names" if several else "the box it names"
        truth = "" if hit is None else f", inside {inside}" if hit else f", outside {outside}"
        return f"“{self.words[word]}” looks at the {self.noun} {place_of(self.boxes[region])} ({weight:.2f}){truth}"


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


def draw_regions(axes: Axes, attended: AttentionView) -> None:
    """The picture with the outlines of all regions, numbered from 1; a grid only has its lines."""
    show_pixels(axes, attended.image.permute(1, 2, 0) / 255)
    if attended.side:
        lines = [n / attended.side for n in range(1, attended.side)]
        axes.hlines(lines, 0, 1, color="w", linewidth=0.7)
        axes.vlines(lines, 0, 1, color="w", linewidth=0.7)
        return
    for box in attended.boxes:
        _outline(axes, box, INK, 0.9)
    for region in range(attended.n):
        _number(axes, attended.boxes[region], f"{region + 1}", size=7)


def draw_word(axes: Axes, attended: AttentionView, word: int, numbered: bool = False) -> None:
    """The picture, clear where one word looks; its top region with its weight, and dashed what the word names.

    Args:
        axes: drawn on.
        attended: the caption with its attention.
        word: its place.
        numbered: whether regions with more than a fair share have their number before their weight.
    """
    weights = attended.weights[:, word]
    top, most = attended.top(word)
    if attended.side:
        _heat(axes, attended, weights)
    else:
        show_pixels(axes, spotlit(attended.image, light(attended.boxes, weights, attended.image.shape[1])))
    regions = (weights > 1 / attended.n).nonzero().flatten().tolist() if not attended.side else [top]
    for region in sorted({*regions, top}, key=lambda r: weights[r].item()):
        _outline(axes, attended.boxes[region], INK, 1 if attended.side else 0.5 + 5 * weights[region].item())
    for box in attended.named.get(word, ()):
        _outline(axes, box, ACCENT, 1.8, dashed=True)
    for region in sorted({*regions, top} if numbered else {top}, key=lambda r: weights[r].item()):
        before = f"{region + 1}: " if numbered else ""
        _number(axes, attended.boxes[region], f"{before}{weights[region]:.2f}", bold=region == top)
    hit = attended.hit(word)
    style = {"color": RIGHT if hit else INK, "fontweight": "bold" if hit else "normal"}
    axes.set_title(f"{SIGNS[hit]}{attended.words[word]}", fontsize=11, pad=4, **style)


def draw_region(axes: Axes, attended: AttentionView, region: int) -> None:
    """The picture, clear in one region."""
    one = torch.zeros(attended.n)
    one[region] = 1
    show_pixels(axes, spotlit(attended.image, light(attended.boxes, one, attended.image.shape[1])))
    _outline(axes, attended.boxes[region], INK, 3)
    _number(axes, attended.boxes[region], f"{region + 1}", bold=True)
    axes.set_title(f"{attended.noun} {region + 1}, {place_of(attended.boxes[region])}", fontsize=11, pad=4, color=INK)


def show_pixels(axes: Axes, pixels: Tensor) -> None:
    """An image [H, W, 3] in [0, 1] on the unit square, whose corner (0, 0) is the picture's upper left."""
    axes.imshow(pixels.numpy(), interpolation="bicubic", extent=(0, 1, 1, 0))
    axes.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(1, 0))
    axes.spines[:].set(color=GREY, linewidth=0.6)


def _heat(axes: Axes, attended: AttentionView, weights: Tensor) -> None:
    """A grid's weights as a smooth map over a dark grey picture; a line runs at half of the highest."""
    size = attended.image.shape[1]
    cells = weights.view(1, 1, attended.side, attended.side).float()
    heat = interpolate(cells, size=(size, size), mode="bicubic", align_corners=False)[0, 0].clamp(min=0)
    heat = heat / heat.max().clamp(min=1e-9)
    under = 0.5 * grey_of(attended.image.permute(1, 2, 0) / 255)[..., None]
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


def _key(attended: AttentionView, chosen: list[int]) -> str:
    """How to read the panels."""
    clear = "clear and thickly framed: where a word looks"
    if attended.side:
        clear = "the lighter, the more a word looks there; line: half of the highest"
    if not any(word in attended.named for word in chosen):
        return f"{clear}; number: largest weight"
    return f"{clear}; number: largest weight; dashed: what the word names; ✓ it looks there, ✗ it does not"


def _summary(attended: AttentionView, chosen: list[int]) -> str:
    known = [attended.hit(word) for word in chosen if word in attended.named]
    counted = f" {sum(known)} of {len(known)} words look into a box that they name." if known else ""
    listed = "; ".join(attended.description(word) for word in chosen)
    return (
        f"A picture with {attended.n} {attended.noun}s and {len(chosen)} panels, one a word of “{attended.caption}”."
        f"{counted} {listed}."
    )


def _regions_of_word(axes: Axes, attended: AttentionView, word: int) -> str:
    """Bars of a word's largest weights, hatched inside what it names; and what they say."""
    weights = attended.weights[:, word]
    order = weights.argsort(descending=True, stable=True)[:MOST_BARS].tolist()
    names = [f"{region + 1}, {place_of(attended.boxes[region])}" for region in order]
    marked = [bool(attended.names(word, region)) for region in order]
    _bars(axes, names, weights[order].tolist(), marked, 1 / attended.n)
    hatched = "\nhatched: inside what it names" if word in attended.named else ""
    first = f"the first {len(order)} of " if len(order) < attended.n else ""
    axes.set_title(
        f"“{attended.words[word]}” looks at {first}{attended.n} {attended.noun}s{hatched}", fontsize=10, color=INK
    )
    return _listed(f"Its {attended.noun}s above a fair share", names, weights[order].tolist(), 1 / attended.n)


def _words_of_region(axes: Axes, attended: AttentionView, region: int) -> str:
    """Bars of the weights that words give a region, in the caption's order, hatched where they name it."""
    weights = attended.weights[region]
    order = sorted(weights.argsort(descending=True, stable=True)[: 2 * MOST_BARS].tolist())
    names, values = [attended.words[word] for word in order], weights[order].tolist()
    marked = [bool(attended.names(word, region)) for word in order]
    _bars(axes, names, values, marked, 1 / attended.n)
    hatched = "\nhatched: they name it" if any(marked) else ""
    axes.set_title(f"how much each word looks at {attended.noun} {region + 1}{hatched}", fontsize=10, color=INK)
    where = f"{attended.noun.capitalize()} {region + 1}, {place_of(attended.boxes[region])}"
    return _listed(f"{where}: words above a fair share", names, values, 1 / attended.n)


def _bars(axes: Axes, names: list[str], values: list[float], marked: list[bool], fair: float) -> None:
    """Bars with their values, the first at the top, and a dashed line at a fair share."""
    for y, (value, mark) in enumerate(zip(values, marked, strict=True)):
        style = {"facecolor": PALE if mark else BLUE, "edgecolor": BLUE, "hatch": "////" if mark else None}
        axes.barh(y, value, 0.7, linewidth=1, **style)
        axes.annotate(_amount(value, fair), (max(value, fair), y), (4, 0), textcoords="offset points", va="center",
                      fontsize=8.5, color=INK)  # fmt: skip
    axes.axvline(fair, color=ACCENT, linestyle="--", linewidth=1.5)
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.set(ylim=(len(names) - 0.4, -0.6), xlim=(0, 1.15 * max(*values, 3 * fair)))
    axes.set_xlabel(f"weight; dashed: a fair share, {_amount(fair, fair)}", fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _amount(value: float, fair: float) -> str:
    """A weight, with a digit more where many regions share."""
    return f"{value:.2f}" if fair >= 0.05 else f"{value:.3f}"


def _listed(what: str, names: list[str], values: list[float], fair: float) -> str:
    above = [f"{name} ({_amount(value, fair)})" for name, value in zip(names, values, strict=True) if value > fair]
    return f"{what}, {_amount(fair, fair)}: {'; '.join(above) or 'none'}."
