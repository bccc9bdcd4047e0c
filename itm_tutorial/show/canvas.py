"""What every figure is drawn on: a matplotlib Figure made without pyplot, shown as an image with alt text."""

from __future__ import annotations

import base64
import html
import io

from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Wong's palette: colour-blind readers can distinguish its colours.
# Nothing depends on colour alone, so that grey print is enough.
INK, PALE, GREY = "#2b2f33", "#e9edf1", "#8a9299"
BLUE, GREEN, ACCENT = "#0072b2", "#007a5a", "#d55e00"


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


def described(drawn, alt: str):
    """Sets the alt text of a Figure or Axes, and returns it."""
    drawn.alt_text = alt
    return drawn


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
