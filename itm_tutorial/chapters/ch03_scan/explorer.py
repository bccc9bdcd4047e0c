"""A widget for attention: choose a caption, then a word to see its regions, or a region to see its words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError
from itm_tutorial.show.attention import attention_of
from itm_tutorial.show.attention_view import FUNCTION_WORDS
from itm_tutorial.show.canvas import to_html

if TYPE_CHECKING:
    from itm_tutorial.evaluation.grounding import Attention


def attention_explorer(seen: Attention, split: Split, grid: bool | None = None, backbone: str = "mini"):
    """Makes a slider of captions, one button per word and one per region; the last one pressed is shown.

    All of it works by keyboard: Tab goes from control to control, arrows move the slider, Enter presses a button.

    Args:
        seen: what ``attend`` returned.
        split: the split that the captions are from.
        grid: whether regions are the squares of a grid; read from the boxes by default.
        backbone: the model's, ``model.features.backbone``.

    Returns:
        The widget. ``attention_of(seen, split)`` is its default state.

    Raises:
        ItmError: no caption was attended.
    """
    import ipywidgets as widgets

    if not len(seen):
        raise ItmError("attention_explorer: no caption was attended; give attend() one or more")
    caption = widgets.IntSlider(value=0, min=0, max=len(seen) - 1, description="Caption", continuous_update=False)
    word, region = (
        widgets.ToggleButtons(description=name, style={"button_width": "auto"}) for name in ("Word", "Region")
    )
    view = widgets.HTML()

    def show() -> None:
        view.value = to_html(attention_of(seen, split, caption.value, word.value, region.value, grid, backbone))

    def choose(change) -> None:
        if change["new"] is None:  # deselected, since the other was pressed
            return
        other = region if change["owner"] is word else word
        other.value = None
        show()

    def turn(change=None) -> None:
        """Offers the words and regions of the caption, and begins with its first content word."""
        words = seen.words[caption.value]
        first = next((w for w, text in enumerate(words) if text not in FUNCTION_WORDS), 0)
        for control, options, value in ((word, _labels(words), first), (region, _numbers(seen, caption.value), None)):
            control.unobserve(choose, names="value")  # the observers of the widget itself inform the browser, and stay
            control.options = options
            control.value = value
            control.observe(choose, names="value")
        show()

    for control in (word, region):
        control.observe(choose, names="value")
    caption.observe(turn, names="value")
    turn()
    return widgets.VBox([caption, word, region, view])


def _labels(words: list[str]) -> list[tuple[str, int]]:
    """Words as buttons; the browser distinguishes buttons by their text, so that a repeated word gets a number."""
    seen_so_far: Counter[str] = Counter()
    labels = []
    for place, word in enumerate(words):
        seen_so_far[word] += 1
        labels.append((word if seen_so_far[word] == 1 else f"{word} ({seen_so_far[word]})", place))
    return labels


def _numbers(seen: Attention, i: int) -> list[tuple[str, int]]:
    return [(f"{region + 1}", region) for region in range(len(seen.boxes[i]))]
