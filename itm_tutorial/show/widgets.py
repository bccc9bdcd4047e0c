"""Widgets: each has a default state that is drawn as a plain figure too, for pages without a kernel."""

from __future__ import annotations

import difflib
import html
from collections.abc import Sequence

from torch import Tensor

from itm_tutorial.data.corpus import ClassTree, Split
from itm_tutorial.data.text import tokenize
from itm_tutorial.models.base import Matching
from itm_tutorial.retrieval import search
from itm_tutorial.show.canvas import to_html
from itm_tutorial.show.figures import ranked
from itm_tutorial.show.labels import labels_over_epochs


def explorer(model: Matching, split: Split, queries: list[str], k: int = 6):
    """A search box with ready-made queries; pictures appear in the order of their scores.

    A word that the model never learned is named and left out of the search.

    Args:
        model: a trained model.
        split: where to search.
        queries: captions to choose from; the images that a caption belongs to are marked as right.
        k: pictures shown.

    Returns:
        The widget: the box, and below it what was found. ``ranked(split, search(model, split, queries[0], k))`` is
        its default state.
    """
    import ipywidgets as widgets

    described_by: dict[tuple[str, ...], set[int]] = {}  # the same words may be a caption of several images
    for caption, image in zip(split.captions, split.image_of.tolist(), strict=True):
        described_by.setdefault(tuple(tokenize(caption)), set()).add(image)
    text = widgets.Combobox(
        value=queries[0],
        options=list(dict.fromkeys(queries)),
        placeholder="Type a query and press Enter, or choose one",
        description="Query",
        continuous_update=False,
        layout=widgets.Layout(width="90%"),
    )
    view = widgets.HTML()

    def show(change=None) -> None:
        words = tokenize(text.value)
        strange = [word for word in dict.fromkeys(words) if word not in model.vocabulary]
        known = [word for word in words if word in model.vocabulary]
        told = _told(strange, model.vocabulary.words)
        if not words:
            view.value = (
                "<p>Type what the picture should show and press Enter. An empty box lists ready-made queries.</p>"
            )
        elif not known:
            view.value = f"{told}<p>No word is left to search for.</p>"
        else:
            query = " ".join(known) if strange else text.value.strip()
            right = sorted(described_by.get(tuple(words), ()))
            view.value = told + to_html(ranked(split, search(model, split, query, k), right))

    text.observe(show, names="value")
    show()
    return widgets.VBox([text, view])


def _told(strange: list[str], known: list[str]) -> str:
    """Which words the model does not know, with the nearest that it does, as HTML; nothing where it knows all."""
    if not strange:
        return ""
    told = []
    for word in strange:
        near = difflib.get_close_matches(word, known, n=1, cutoff=0.75)
        told.append(f"<b>{html.escape(word)}</b>" + (f" (did you mean <b>{html.escape(near[0])}</b>?)" if near else ""))
    words = "word" if len(told) == 1 else "words"
    return f"<p>No training caption has the {words} {', '.join(told)}: left out of the search.</p>"


def explorer_of_labels(split: Split, by_epoch: Sequence[Tensor], classes: ClassTree, images: Sequence[int]):
    """A list of pictures and a slider of epochs; the labels that the chosen picture then has.

    Args:
        split: where the pictures are from.
        by_epoch: scores of the split's images, [n_images, n_classes], before training and after each epoch.
        classes: the tree.
        images: indices of the pictures to choose from.

    Returns:
        The widget. ``labels_over_epochs(split, images[0], by_epoch, classes)`` is its default state.
    """
    import ipywidgets as widgets

    names = [classes.names[int(split.identity[i])] for i in images]
    picture = widgets.Dropdown(
        options=[(f"{n}: {name}", i) for n, (name, i) in enumerate(zip(names, images, strict=True), start=1)],
        value=images[0],
        description="Picture",
    )
    last = len(by_epoch) - 1
    epoch = widgets.IntSlider(value=last, min=0, max=last, description="Epoch", continuous_update=False)
    view = widgets.HTML()

    def show(change=None) -> None:
        view.value = to_html(labels_over_epochs(split, picture.value, by_epoch, classes, epoch.value))

    picture.observe(show, names="value")
    epoch.observe(show, names="value")
    show()
    return widgets.VBox([widgets.HBox([picture, epoch]), view])
