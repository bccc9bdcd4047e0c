"""The figure of a sweep: one metric over two axes of a grid, with one panel per value of a third axis."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.show.canvas import ACCENT, INK, PALE, described, new_figure

if TYPE_CHECKING:
    import pandas as pd

DARK = 0.62  # of the way from the lowest to the highest mean: from here on, white numbers are easier to read


def heat_map(
    frame: pd.DataFrame,
    rows: str = "margin",
    columns: str = "negatives",
    panels: str | None = "batch_size",
    value: str = "rsum",
    figure: Figure | None = None,
) -> Figure:
    """Draws means over seeds in grey, darker is higher; each cell has its mean, spread and number of runs.

    All panels use the same scale, and each frames its highest cell. A combination without a run is hatched.

    Args:
        frame: one row per run, as ``read_sweep`` returns it.
        rows, columns, panels: its columns that span the map; a categorical one keeps its own order. Runs that agree
            in these are averaged.
        value: the column that is averaged.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives every number.

    Raises:
        ItmError: a column that the frame does not have, or no row.
    """
    axes_names = [name for name in (panels, rows, columns) if name is not None]
    for name in (*axes_names, value):
        if name not in frame.columns:
            raise unknown("column", name, frame.columns)
    if frame.empty:
        raise ItmError("frame has no row: run the sweep first")
    cells = frame.groupby(axes_names, observed=True)[value].agg(["mean", "std", "count"])
    low, high = cells["mean"].min(), cells["mean"].max()
    levels = {name: sorted(frame[name].unique(), key=_place(frame[name])) for name in axes_names}
    shown = levels[panels] if panels else [None]
    width = 1.3 + 1.15 * len(levels[columns]) * len(shown)
    figure = figure or new_figure(max(width, 4.5), 1.7 + 0.75 * len(levels[rows]))
    parts = []
    for axes, panel in zip(figure.subplots(1, len(shown), sharey=True, squeeze=False).flat, shown, strict=True):
        cells_of_panel = {
            (row, column): cells.loc[key]
            for row, column in product(levels[rows], levels[columns])
            if (key := (row, column) if panel is None else (panel, row, column)) in cells.index
        }
        _paint(axes, cells_of_panel, levels[rows], levels[columns], low, high)
        title = "" if panel is None else f"{_name(panels)} {panel}"
        axes.set_title(title, fontsize=10, color=INK)
        parts.append(_in_words(title, cells_of_panel, rows, value))
    figure.get_axes()[0].set_ylabel(_name(rows))
    figure.supxlabel(f"{value}: mean ± standard deviation; highest of each panel framed", fontsize=9, color=INK)
    span = f"{_name(value)} over {_name(rows)} and {_name(columns)}"
    alt = f"A heat map of {span}, from {low:.1f} to {high:.1f}, {len(frame)} runs. {' '.join(parts)}"
    return described(figure, alt)


def _place(column: pd.Series):
    """The sort key of a column: the order of its categories if it has some, else the values themselves."""
    if column.dtype == "category":
        return list(column.cat.categories).index
    return lambda level: level


def _name(name: Any) -> str:
    return str(name).replace("_", " ")


def _paint(axes: Axes, cells_of_panel: dict, rows: list, columns: list, low: float, high: float) -> None:
    """Draws one panel: one square per combination, black on light or white on dark."""
    highest = max(cells_of_panel, key=lambda key: cells_of_panel[key]["mean"], default=None)
    for (y, row), (x, column) in product(enumerate(rows), enumerate(columns)):
        place = (x - 0.5, y - 0.5)
        if (row, column) not in cells_of_panel:
            axes.add_patch(Rectangle(place, 1, 1, facecolor="white", edgecolor=PALE, hatch="///", linewidth=0))
            continue
        cell = cells_of_panel[row, column]
        level = (cell["mean"] - low) / (high - low) if high > low else 0.0
        grey = str(0.97 - 0.72 * level)
        axes.add_patch(Rectangle(place, 1, 1, facecolor=grey, edgecolor="white", linewidth=1))
        style = {"ha": "center", "color": "white" if level > DARK else INK}
        weight = "bold" if (row, column) == highest else "normal"
        axes.text(x, y - 0.08, f"{cell['mean']:.1f}", va="center", fontsize=11, fontweight=weight, **style)
        axes.text(x, y + 0.27, _spread(cell), va="center", fontsize=7.5, **style)
        if (row, column) == highest:
            frame = Rectangle((x - 0.46, y - 0.46), 0.92, 0.92, fill=False, edgecolor=ACCENT, linewidth=2.5)
            axes.add_patch(frame)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    axes.set_xticks(range(len(columns)), [_name(column).replace(" of ", "\nof ") for column in columns], fontsize=8.5)
    axes.set_yticks(range(len(rows)), [str(row) for row in rows])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _spread(cell: pd.Series) -> str:
    seeds = f"{cell['count']:.0f} seed{'s' if cell['count'] > 1 else ''}"
    return f"± {cell['std']:.1f}, {seeds}" if cell["count"] > 1 else seeds


def _in_words(title: str, cells_of_panel: dict, rows: str, value: str) -> str:
    """A panel in words: every cell with its numbers, then the highest."""
    if not cells_of_panel:
        return f"{title.capitalize()}: no run."
    cells = [
        f"{_name(column)} at {_name(rows)} {row} {cell['mean']:.1f} ({_spread(cell)})"
        for (row, column), cell in cells_of_panel.items()
    ]
    (row, column), cell = max(cells_of_panel.items(), key=lambda item: item[1]["mean"])
    highest = f"Highest: {_name(column)} at {_name(rows)} {row}, with {cell['mean']:.1f}."
    return f"{title.capitalize() or _name(value)}: {'; '.join(cells)}. {highest}"
