"""A widget for attention: any caption with any picture, and one of its words or regions at a time."""

from __future__ import annotations

import html
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import torch

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.text import tokenize
from itm_tutorial.errors import ItmError, visible
from itm_tutorial.evaluation.grounding import attend
from itm_tutorial.extraction.features import split_features
from itm_tutorial.models import Matching
from itm_tutorial.show.attention import attention_of
from itm_tutorial.show.attention_view import AttentionView, place_of
from itm_tutorial.show.canvas import to_html

OWN = -1  # in place of the number of a picture: the caption's own
NO_REGION = -1  # a value of its own: the browser shows an empty list for None


def attention_explorer(model: Matching, split: Split, captions: Sequence[int], grid: bool | None = None):
    """Makes a list of captions, a field for a caption of one's own, a list of pictures, buttons for words, and regions.

    All of it works by keyboard: Tab goes from control to control, arrows choose from a list, Enter presses a button.

    Args:
        model: a trained model with attention.
        split: the split that the captions are from.
        captions: indices of the captions to choose from; their pictures can be chosen too.
        grid: whether regions are the squares of a grid; read from the boxes by default.

    Returns:
        The widget. ``attention_of(attend(model, split, captions), split)`` is the figure it begins with.

    Raises:
        ItmError: no caption is given, or the model has no attention.
    """
    import ipywidgets as widgets

    captions = list(captions)
    if not captions:
        raise ItmError("attention_explorer: no caption; give the indices of one or more")
    wide = {"layout": widgets.Layout(width="95%"), "style": {"description_width": "6em"}}
    listed = [(_short(split.captions[c]), c) for c in captions]
    caption = widgets.Dropdown(options=_distinct(listed), description="Caption", **wide)
    typed = widgets.Text(
        placeholder="type a caption and press Enter", description="Your own", continuous_update=False, **wide
    )
    pictures = [(f"the picture of: {name}", int(split.image_of[c])) for name, c in listed]
    picture = widgets.Dropdown(
        options=_distinct([("the caption's own picture", OWN), *pictures]), description="Picture", **wide
    )
    word = widgets.ToggleButtons(
        description="Word", style={"button_width": "auto", "description_width": wide["style"]["description_width"]}
    )
    region = widgets.Dropdown(description="Region", **{**wide, "layout": widgets.Layout(width="24em")})
    view = widgets.HTML()
    state: dict = {}

    def show() -> None:
        chosen = None if region.value == NO_REGION else region.value
        drawn = attention_of(state["seen"], state["split"], 0, word.value, chosen, grid, model.features.backbone)
        view.value = state["note"] + to_html(drawn)

    def choose(change) -> None:
        if change["new"] in (None, NO_REGION):  # nothing was chosen
            return
        if change["owner"] is word:
            _set(region, choose, value=NO_REGION)
        else:
            _set(word, choose, value=None)
        show()

    def turn(change=None) -> None:
        """Computes the attention of the chosen caption in the chosen picture, and offers its words and regions."""
        if change and change["owner"] is caption and typed.value:
            _set(typed, turn, value="")
        if typed.value.strip() and not tokenize(typed.value):
            view.value = "<p>This caption has no word: type a few.</p>"
            return
        state.update(_attended(model, split, caption.value, typed.value.strip(), picture.value))
        seen = state["seen"]
        first = AttentionView.of(seen, state["split"], 0, grid, model.features.backbone).first_word()
        numbers = [(f"{r + 1}, {place_of(box)}", r) for r, box in enumerate(seen.boxes[0])]
        _set(
            word,
            choose,
            options=_distinct(list(zip(seen.words[0], range(len(seen.words[0])), strict=True))),
            value=first,
        )
        _set(region, choose, options=[("choose a region", NO_REGION), *numbers], value=NO_REGION)
        show()

    for control in (word, region):
        control.observe(choose, names="value")
    for control in (caption, typed, picture):
        control.observe(turn, names="value")
    turn()
    return widgets.VBox([caption, typed, picture, word, region, view])


def _set(control, observer, **values) -> None:
    """Sets properties of a control without telling one observer; those of the widget itself inform the browser."""
    control.unobserve(observer, names="value")
    for name, value in values.items():
        setattr(control, name, value)
    control.observe(observer, names="value")


def _attended(model: Matching, split: Split, caption: int, typed: str, picture: int) -> dict:
    """The attention of one caption in one picture, the split that it refers to, and a note with its score, as HTML."""
    own = int(split.image_of[caption])
    image = own if picture == OWN else picture
    if typed:  # as the only caption of a split with the same images; which boxes its words name is not known
        split = replace(split, captions=[typed], image_of=torch.tensor([image]), groundings=None, facts=None)
        caption, own = 0, image
    seen = attend(model, split, [caption], [image])
    text = split.captions[caption]
    note = f"Score of this caption with this picture: {_score(model, split, text, image):.2f}"
    if image != own:
        note += f"; with its own picture: {_score(model, split, text, own):.2f}"
    strange = [w for w in dict.fromkeys(seen.words[0]) if w not in model.vocabulary]
    unknown = f" Training had no caption with: {html.escape(visible(', '.join(strange)))}." if strange else ""
    return {"seen": seen, "split": split, "note": f"<p>{note}.{unknown}</p>"}


@torch.no_grad()
def _score(model: Matching, split: Split, text: str, image: int) -> float:
    """The score of one caption with one picture."""
    training = model.training
    model.eval()
    try:
        image_emb = model.encode_images(split_features(split, model.features)[[image]])
        return model.similarity(image_emb, model.encode_captions([text])).item()
    finally:
        model.train(training)


def _short(text: str) -> str:
    return textwrap.shorten(visible(text), 110, placeholder=" …")


def _distinct(options: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Gives repeated names a number, since the browser tells options apart by their text."""
    named: Counter[str] = Counter()
    distinct = []
    for name, value in options:
        named[name] += 1
        distinct.append((name if named[name] == 1 else f"{name} ({named[name]})", value))
    return distinct
