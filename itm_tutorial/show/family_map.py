"""A map of a family of methods: one row per method, one column per part, and in colour what a method does anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from itm_tutorial.errors import ItmError
from itm_tutorial.show.canvas import BLUE, GREY, INK, PALE, described, new_figure, wrapped

LETTERS, NAME_LETTERS = 18, 13  # per line of a cell, and of a name
LINE = 0.2  # inches per line of text
NAMES, CELL = 1.5, 1.75  # inches: the column of names, and every other one


def family_map(
    methods: Mapping[str, Mapping[str, str]], new: Collection[tuple[str, str]], figure: Figure | None = None
) -> Figure:
    """Draws what each part of each method is; parts that a method introduces are framed and bold.

    Args:
        methods: name -> part -> what it is, in a few words; all with the same parts in the same order.
        new: (method, part) pairs.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text names the new parts of every method.

    Raises:
        ItmError: no method, methods with different parts, or a new part that is not there.
    """
    names = list(methods)
    parts = list(methods[names[0]]) if names else []
    if not parts or any(list(of) != parts for of in methods.values()):
        raise ItmError(f"family_map: give one or more methods with the same parts, not {parts} for {names}")
    if unknown := [pair for pair in new if pair[0] not in methods or pair[1] not in parts]:
        raise ItmError(f"family_map: {unknown[0]} is no method and part of this map; the parts are {parts}")
    texts = {(name, part): wrapped(methods[name][part], LETTERS) for name in names for part in parts}
    heights = [
        0.3 + LINE * max(texts[name, part].count("\n") + 1 for part in parts) for name in names
    ]  # inches per row
    width, height = NAMES + CELL * len(parts), 0.5 + sum(heights)
    figure = figure or new_figure(width, height)
    axes = figure.subplots()
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    for column, part in enumerate(parts):
        axes.text(NAMES + CELL * (column + 0.5), 0.25, part, ha="center", va="center", fontsize=11, color=INK,
                  fontweight="bold")  # fmt: skip
    top = 0.5
    for name, tall in zip(names, heights, strict=True):
        axes.text(
            0.05, top + tall / 2, wrapped(name, NAME_LETTERS), va="center", fontsize=11, color=INK, fontweight="bold"
        )
        for column, part in enumerate(parts):
            is_new = (name, part) in new
            x = NAMES + CELL * column
            box = FancyBboxPatch(
                (x + 0.08, top + 0.07),
                CELL - 0.16,
                tall - 0.14,
                boxstyle="round,pad=0,rounding_size=0.06",
                facecolor=PALE if is_new else "w",
                edgecolor=BLUE if is_new else GREY,
                linewidth=2 if is_new else 0.7,
            )
            axes.add_patch(box)
            axes.text(x + CELL / 2, top + tall / 2, texts[name, part], ha="center", va="center", fontsize=9.5,
                      color=INK, fontweight="bold" if is_new else "normal")  # fmt: skip
        top += tall
    told = []
    for name in names:
        own = [f"{part}: {methods[name][part]}" for part in parts if (name, part) in new]
        told.append(f"{name}, new: {'; '.join(own)}" if own else f"{name}, nothing new here")
    return described(figure, f"A map of {len(names)} methods by {', '.join(parts)}. {'. '.join(told)}.")
