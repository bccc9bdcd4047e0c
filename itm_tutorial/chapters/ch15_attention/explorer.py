"""The widget of chapter 15: one caption, one picture, and a slider over methods."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError, visible
from itm_tutorial.evaluation.grounding import Attention, attend
from itm_tutorial.models import Matching
from itm_tutorial.show.attention import attention
from itm_tutorial.show.attention_view import AttentionView
from itm_tutorial.show.canvas import to_html


def method_explorer(models: Mapping[str, Matching], split: Split, captions: Sequence[int]):
    """Makes a list of captions and a slider over methods; below, where each word looks in the caption's picture.

    The attention of all captions is computed once per method, so that the slider answers at once. All of it works by
    keyboard: Tab goes from control to control, arrows choose a caption and move the slider.

    Args:
        models: name -> a trained model with attention, in the order of the slider.
        split: the split that the captions are from.
        captions: indices of the captions to choose from.

    Returns:
        The widget. ``show.attention(attend(model, split, captions), split)`` is the figure that it begins with.

    Raises:
        ItmError: no model or no caption, one that is not there, or a model without attention.
    """
    import ipywidgets as widgets

    captions = list(dict.fromkeys(captions))
    if not models or not captions:
        raise ItmError("method_explorer: give one model or more, and one caption or more")
    seen = {name: attend(model, split, captions) for name, model in models.items()}
    wide = {"layout": widgets.Layout(width="95%"), "style": {"description_width": "7em"}}
    caption = widgets.Dropdown(
        options=[(f"{c}: {visible(split.captions[c])}", i) for i, c in enumerate(captions)],
        description="Caption",
        **wide,
    )
    method = widgets.SelectionSlider(
        options=list(models), value=next(iter(models)), description="Method", continuous_update=False, **wide
    )
    view = widgets.HTML()

    def show(change=None) -> None:
        backbone = models[method.value].features.backbone
        view.value = page(method.value, seen[method.value], split, caption.value, backbone)

    for control in (caption, method):
        control.observe(show, names="value")
    show()
    return widgets.VBox([caption, method, view])


def page(name: str, seen: Attention, split: Split, i: int, backbone: str = "mini") -> str:
    """What the widget shows: where the words of a caption look by one method, and how many look at what they name.

    Args:
        name: of the method.
        seen: its attention.
        split: the split that the captions are from.
        i: the place of the caption in ``seen``.
        backbone: the model's.

    Returns:
        HTML: a sentence, and the figure with its alt text.
    """
    view = AttentionView.of(seen, split, i, None, backbone)
    hits = [view.hit(word) for word in view.named]
    if hits:
        counts = f"Of {len(hits)} words with known boxes, {hits.count('inside')} look most at a region inside them"
        spread = f", and {hits.count('spread')} look at all regions nearly alike" if "spread" in hits else ""
        truth = f"{counts}{spread}."
    else:
        truth = "For this caption it is not known what its words name."
    return f"<p><b>{html.escape(name)}.</b> {truth}</p>{to_html(attention(seen, split, i, backbone=backbone))}"
