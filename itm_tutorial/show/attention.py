"""Attention drawn on pictures: one panel per word, or one word or region of a caption at a time."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError
from itm_tutorial.show.attention_drawing import draw_region, draw_regions, draw_word
from itm_tutorial.show.attention_view import AttentionView, place_of
from itm_tutorial.show.canvas import ACCENT, BLUE, INK, PALE, described, new_figure

if TYPE_CHECKING:
    from itm_tutorial.evaluation.grounding import Attention

MOST_BARS = 14
PANEL = {1: 2.7, 2: 2.1}  # rows of words -> inches per panel; more rows have smaller panels
SMALL = 1.75


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
    """Draws a picture with its words at the regions they attend to most, and one panel per word with its attention.

    Attention above uniform is a transparent colour over the picture. Where it is known which box a word names, this box
    is dashed. A tick says that the centre of the region with the largest weight lies in that box, as in the pointing
    game; a word whose largest weight is below twice uniform attention has neither a tick nor a cross.

    Args:
        seen: what ``attend`` returned.
        split: the split that the captions are from.
        i: the place of the caption in ``seen``.
        words: some words of the caption, or their places in it; by default its content words, at most 9.
        grid: whether regions are the squares of a grid, drawn as one smooth map; read from the boxes by default.
        backbone: the model's, ``model.features.backbone``: it decides which centre crop of a photograph is drawn.
        columns: panels of words per row, at most.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text says which region each word attends to most.

    Raises:
        ItmError: no such caption or word, or ``grid=True`` for regions that are not a grid.
    """
    view = AttentionView.of(seen, split, i, grid, backbone)
    chosen = view.places_of(words)
    n = len(chosen)
    rows = max(round(n**0.5), -(-n // columns))
    columns = -(-n // rows)
    side = PANEL.get(rows, SMALL)
    width = side * (rows + columns)
    title = textwrap.fill(view.caption, round(9 * width))
    key = textwrap.fill(_key(view, chosen), round(14 * width))
    height = side * rows + 0.3 * rows + 0.22 * (2 + title.count("\n") + key.count("\n"))
    figure = figure or new_figure(width, height)
    grid_spec = figure.add_gridspec(rows, rows + columns)
    picture = figure.add_subplot(grid_spec[:, :rows])
    draw_regions(picture, view, chosen, side * rows)
    name = f"{view.n} {view.noun}s, each word at the one it attends to most"
    picture.set_title(textwrap.fill(name, round(13 * side * rows)), fontsize=10, color=INK)
    for place, word in enumerate(chosen):
        row, column = divmod(place, columns)
        draw_word(figure.add_subplot(grid_spec[row, rows + column]), view, word, side)
    figure.suptitle(title, fontsize=13, color=INK)
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
    """Draws one word and the regions it attends to, or one region and the words that attend to it.

    Args:
        seen: what ``attend`` returned.
        split: the split that the captions are from.
        i: the place of the caption in ``seen``.
        word: its place in the caption; by default the first that names a box, else the first content word.
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
    figure = figure or new_figure(10.4, 4.7)
    picture, bars = figure.subplots(1, 2, width_ratios=(1, 1.15))
    figure.suptitle(textwrap.fill(view.caption, 95), fontsize=12, color=INK)
    if region is None:
        word = view.first_word() if word is None else view.places_of([word])[0]
        draw_word(picture, view, word, 4.4, numbered=True)
        description = f"{view.description(word)}. {_regions_of_word(bars, view, word)}"
    else:
        draw_region(picture, view, region)
        description = _words_of_region(bars, view, region)
    return described(figure, f"A picture beside the caption “{view.caption}”, and bars. {description}")


def _key(view: AttentionView, chosen: list[int]) -> str:
    """How to read the panels."""
    scale = "; the strongest colour is the word's largest weight" if view.side else ""
    key = f"colour: attention above uniform (1/{view.n}{scale}); number: largest weight"
    if not any(word in view.named for word in chosen):
        return key
    hits = {view.hit(word) for word in chosen}
    signs = {"inside": "✓ the word attends there", "outside": "✗ it attends elsewhere"}
    signs["spread"] = "○ no weight is twice uniform"
    return "; ".join([key, "dashed: what the word names", *(text for hit, text in signs.items() if hit in hits)])


def _alt(view: AttentionView, chosen: list[int]) -> str:
    hits = [view.hit(word) for word in chosen if word in view.named]
    known = f" {hits.count('inside')} of {len(hits)} words attend to a box that they name." if hits else ""
    n = hits.count("spread")
    spread = f" {n} of them {'has' if n == 1 else 'have'} no weight of twice uniform attention." if n else ""
    listed = "; ".join(view.description(word) for word in chosen)
    return (
        f"A picture with {view.n} {view.noun}s and {len(chosen)} panels, one per word of “{view.caption}”."
        f"{known}{spread} {listed}."
    )


def _regions_of_word(axes: Axes, view: AttentionView, word: int) -> str:
    """Draws a word's largest weights as bars, hatched inside what it names; returns them in words."""
    weights = view.weights[:, word]
    order = weights.argsort(descending=True, stable=True)[:MOST_BARS].tolist()
    names = [f"{region + 1}, {place_of(view.boxes[region])}" for region in order]
    marked = [bool(view.names(word, region)) for region in order]
    _bars(axes, names, weights[order].tolist(), marked, 1 / view.n)
    hatched = "\nhatched: centre in a box that it names" if word in view.named else ""
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
    hatched = "\nhatched: the word names it" if any(marked) else ""
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
