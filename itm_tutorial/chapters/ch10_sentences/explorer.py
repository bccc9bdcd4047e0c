"""The widget of chapter 10: a sentence, its parse, and what each encoder puts nearest."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import normalize

from itm_tutorial.chapters.ch10_sentences.reading_figures import arc_height, draw_tree, tree_text
from itm_tutorial.data.corpus import Split
from itm_tutorial.data.parsing import Parse, Parser
from itm_tutorial.data.text import tokenize
from itm_tutorial.errors import ItmError, visible
from itm_tutorial.extraction.features import split_features
from itm_tutorial.models import Matching
from itm_tutorial.show.canvas import GREY, INK, described, new_figure, to_html, wrapped

SHOWN, CHUNK, LONGEST = 5, 500, 24  # images per encoder; captions encoded at a time; words of a sentence


def sentence_explorer(models: Mapping[str, Matching], split: Split, parse: Parser, captions: Sequence[str]):
    """Makes a list of sentences and a field for one of one's own; below, its tree and what each encoder finds.

    All of it works by keyboard: Tab goes from control to control, arrows choose from a list, Enter searches.

    Args:
        models: name -> a trained model with one vector per image and per caption.
        split: whose images and captions are searched.
        parse: of captions.
        captions: to choose from.

    Returns:
        The widget.

    Raises:
        ItmError: no model, or no caption.
    """
    import ipywidgets as widgets

    if not models or not captions:
        raise ItmError("sentence_explorer: give one model or more, and one caption or more")
    gallery = {name: _Gallery(model, split) for name, model in models.items()}
    wide = {"layout": widgets.Layout(width="95%"), "style": {"description_width": "7em"}}
    ready = widgets.Dropdown(options=list(dict.fromkeys(captions)), description="Sentence", **wide)
    typed = widgets.Text(
        placeholder="type a sentence and press Enter", description="Your own", continuous_update=False, **wide
    )
    view = widgets.HTML()

    def show(change=None) -> None:
        if change and change["owner"] is ready and typed.value:
            typed.value = ""  # which shows the chosen one
            return
        text = typed.value.strip() or ready.value
        n = len(tokenize(text))
        if not 0 < n <= LONGEST:
            problem = "has no word" if not n else f"has {n} words"
            view.value = f"<p>This sentence {problem}: type 1 to {LONGEST}.</p>"
            return
        (tree,) = parse([text])
        found = {name: of.nearest(text) for name, of in gallery.items()}
        view.value = _note(models, text) + to_html(nearest(tree, found, split)) + _captions(found, split)

    for control in (ready, typed):
        control.observe(show, names="value")
    show()
    return widgets.VBox([ready, typed, view])


class _Gallery:
    """The embeddings of a split by one model."""

    @torch.inference_mode()
    def __init__(self, model: Matching, split: Split):
        self.model, self.split = model.eval(), split
        self.images = model.encode_images(split_features(split, model.features))
        parts = [model.encode_captions(split.captions[at : at + CHUNK]) for at in range(0, len(split.captions), CHUNK)]
        self.captions = normalize(torch.cat(parts), dim=1)

    @torch.inference_mode()
    def nearest(self, text: str) -> tuple[list[int], int]:
        """The images with the best scores, and the caption with other words that lies nearest."""
        query = self.model.encode_captions([text])
        scores: Tensor = self.model.similarity(self.images, query)[:, 0]
        order = (self.captions @ normalize(query, dim=1)[0]).argsort(descending=True).tolist()
        words = tokenize(text)
        other = next((c for c in order if tokenize(self.split.captions[c]) != words), order[0])
        return scores.topk(min(SHOWN, len(scores))).indices.tolist(), other


def nearest(parse: Parse, found: Mapping[str, tuple[list[int], int]], split: Split) -> Figure:
    """Draws the tree of a sentence, and below it one row of pictures per encoder, best first.

    Args:
        parse: of the sentence.
        found: encoder -> images, best first, and one caption.
        split: that the images are from.

    Returns:
        The figure; its alt text gives the tree and a caption of each best image.
    """
    rows, columns = len(found), max(len(images) for images, _ in found.values())
    tall = arc_height(parse) + 0.9
    figure = new_figure(10.4, tall + 1.5 * rows)
    top, below = figure.subfigures(2, 1, height_ratios=[tall, 1.5 * rows])
    draw_tree(top.subplots(), parse)
    panels = below.subplots(rows, columns, squeeze=False)
    told = []
    for row, (name, (images, _)) in zip(panels, found.items(), strict=True):
        for place, axes in enumerate(row):
            axes.set(xticks=[], yticks=[])
            if place >= len(images):
                axes.axis("off")
                continue
            axes.imshow(split.display(images[place]).permute(1, 2, 0).numpy())
            axes.spines[:].set(color=GREY, linewidth=0.6)
        row[0].set_ylabel(wrapped(name, 14), fontsize=10, color=INK, rotation=0, ha="right", va="center")
        told.append(f"{name}: first “{next(iter(split.captions_of(images[0])), '')}”")
    return described(figure, f"The tree: {tree_text(parse)}. The nearest images of {'; '.join(told)}.")


def _captions(found: Mapping[str, tuple[list[int], int]], split: Split) -> str:
    """The nearest caption of each encoder, as HTML."""
    rows = [
        f"<li>{html.escape(name)}: {html.escape(visible(split.captions[caption]))}</li>"
        for name, (_, caption) in found.items()
    ]
    return f"<p>The nearest other caption of the test split, by encoder:</p><ul>{''.join(rows)}</ul>"


def _note(models: Mapping[str, Matching], text: str) -> str:
    """Says which words no training caption had, for the encoders that read words."""
    strange = [word for word in dict.fromkeys(tokenize(text)) if any(word not in m.vocabulary for m in models.values())]
    if not strange:
        return ""
    listed = html.escape(visible(", ".join(strange)))
    return f"<p>No training caption has: {listed}. An encoder of characters still reads the letters.</p>"
