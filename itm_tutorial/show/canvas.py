"""What every figure is drawn on: a matplotlib Figure made without pyplot, shown as an image with alt text."""

from __future__ import annotations

import base64
import html
import io
import unicodedata

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter

from itm_tutorial.errors import visible
from itm_tutorial.show.fonts import drawable

# Wong's palette: colour-blind readers can distinguish its colours.
# Nothing depends on colour alone, so that grey print is enough.
INK, PALE, GREY = "#2b2f33", "#e9edf1", "#8a9299"
BLUE, GREEN, ACCENT = "#0072b2", "#007a5a", "#d55e00"
FORMULA = "formula"  # the gid of a text that is mathematics between dollars; any other text stands as it is written


class CourseFigure(Figure):
    """A Figure that a notebook shows as an HTML image with alt text, and never a second time as a bare PNG."""

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display({"text/html": to_html(self), "text/plain": alt_text(self)}, raw=True)

    def _repr_html_(self) -> str:
        return to_html(self)


def new_figure(width: float, height: float) -> CourseFigure:
    """An empty figure of a size in inches; it opens no window and leaves pyplot unused."""
    return CourseFigure(figsize=(width, height), layout="constrained")


def axes_of(axes: Axes | None, width: float, height: float) -> tuple[Axes, Axes | Figure]:
    """The axes to draw on, and what the figure function returns: the given axes, or else a new figure."""
    if axes is not None:
        return axes, axes
    figure = new_figure(width, height)
    return figure.subplots(), figure


def counted(n: int, thing: str) -> str:
    """A number with its noun, in the plural where needed: "1 query", "3 queries"."""
    return f"{n} {thing if n == 1 else thing.replace('query', 'querie') + 's'}"


def wrapped(text: str, width: int, most: int | None = None) -> str:
    """Breaks a text into lines that are about equally wide when drawn, whatever its script.

    Args:
        text: any text; its own line breaks count as spaces.
        width: of a line, in Latin letters; a Chinese character is as wide as two of them.
        most: lines at most; the last one then ends with an ellipsis. None for all.

    Returns:
        The text with line breaks; a word longer than a line is broken too.
    """
    lines, line, space = [], "", 0.0
    for word in text.split():
        if line and space + 1 + _width(word) <= width:
            line, space = f"{line} {word}", space + 1 + _width(word)
            continue
        lines += [line] if line else []
        line, space = "", 0.0
        for character in word:
            if line and space + _width(character) > width:
                lines, line, space = [*lines, line], "", 0.0
            line, space = line + character, space + _width(character)
    lines += [line] if line else []
    if most is not None and len(lines) > most:
        last = lines[most - 1]
        while last and _width(last) + 2 > width:
            last = last.rpartition(" ")[0] if " " in last else last[:-1]
        lines = [*lines[: most - 1], f"{last} …"]
    return "\n".join(lines)


def _width(text: str) -> float:
    """How wide a text is drawn, in Latin letters."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1.6 if c > "\u08ff" else 1 for c in text)


def described(drawn, alt: str):
    """Sets the alt text of a Figure or Axes, makes its texts stand as they are written, and returns it.

    Every function that draws ends with it, so that a caption or a file name is text wherever it is drawn: a "$" is a
    dollar and not mathematics, a control character is escaped, and a letter that the default font lacks comes from
    another font. Only a text whose ``gid`` is ``FORMULA`` is read as mathematics.

    Args:
        drawn: the Figure or Axes, complete.
        alt: the text for a reader who cannot see it.
    """
    drawn.alt_text = visible(alt, keep="\n")
    numbers = {
        id(label) for axes in drawn.findobj(Axes) for axis in (axes.xaxis, axes.yaxis) for label in _numbers(axis)
    }
    for text in drawn.findobj(Text):
        if text.get_gid() != FORMULA and id(text) not in numbers:
            _as_written(text)
    return drawn


def _numbers(axis: Axis) -> list[Text]:
    """The labels of a scale that matplotlib writes itself: the powers of ten of a logarithmic one are mathematics.

    Names on an axis are no such labels; matplotlib writes them again whenever it draws, so they are made drawable here.
    """
    formatter, locator = axis.get_major_formatter(), axis.get_major_locator()
    ticks = axis.minorTicks
    if isinstance(formatter, FixedFormatter | FuncFormatter) and isinstance(locator, FixedLocator):
        names = [formatter(place, i) for i, place in enumerate(locator.locs)]
        drawn = [drawable(visible(name, keep="\n"))[0] for name in names]
        if drawn != names:
            axis.set_ticklabels(drawn)
    else:
        ticks = [*ticks, *axis.majorTicks]
    return [axis.offsetText, *(label for tick in ticks for label in (tick.label1, tick.label2))]


def _as_written(text: Text) -> None:
    """Makes a text stand as it is written."""
    shown, families = drawable(visible(text.get_text(), keep="\n"))
    text.set_parse_math(False)
    if shown != text.get_text():
        text.set_text(shown)
    if families:
        text.set_fontfamily([*text.get_fontfamily(), *families])


def alt_text(drawn: Figure | Axes) -> str:
    """The text for a reader who cannot see the figure."""
    return getattr(drawn, "alt_text", "")


def to_html(figure: Figure) -> str:
    """The figure as an HTML image with its alt text, sharp on fine screens and never wider than the page."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    data = base64.b64encode(buffer.getvalue()).decode()
    width = round(90 * figure.get_figwidth())
    alt = html.escape(alt_text(figure), quote=True)
    return f'<img alt="{alt}" width="{width}" style="max-width: 100%" src="data:image/png;base64,{data}">'
