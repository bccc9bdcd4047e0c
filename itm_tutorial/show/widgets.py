"""Widgets: the default state of each can be drawn as a plain figure too, for pages without a kernel."""

from __future__ import annotations

import difflib
import html

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.text import tokenize
from itm_tutorial.models import Matching
from itm_tutorial.retrieval.search import search
from itm_tutorial.show.canvas import to_html
from itm_tutorial.show.figures import ranked


def explorer(model: Matching, split: Split, queries: list[str], k: int = 6):
    """Makes a search box with ready-made queries; pictures appear in the order of their scores.

    The widget names each word that the model never learned, and leaves it out of the search.

    Args:
        model: a trained model.
        split: the split to search.
        queries: captions to choose from; the images that a caption belongs to are marked as correct.
        k: pictures shown.

    Returns:
        The widget: the box, and below it the results. ``ranked(split, search(model, split, queries[0], k))`` is
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
        note = _unknown_words(strange, model.vocabulary.words)
        if not words:
            view.value = (
                "<p>Type what the picture should show and press Enter. An empty box lists ready-made queries.</p>"
            )
        elif not known:
            view.value = f"{note}<p>No word is left to search for.</p>"
        else:
            query = " ".join(known) if strange else text.value.strip()
            right = sorted(described_by.get(tuple(words), ()))
            view.value = note + to_html(ranked(split, search(model, split, query, k), right))

    text.observe(show, names="value")
    show()
    return widgets.VBox([text, view])


def _unknown_words(strange: list[str], known: list[str]) -> str:
    """Names the words that the model does not know, with the nearest that it knows, as HTML; "" if it knows all."""
    if not strange:
        return ""
    named = []
    for word in strange:
        near = difflib.get_close_matches(word, known, n=1, cutoff=0.75)
        named.append(
            f"<b>{html.escape(word)}</b>" + (f" (did you mean <b>{html.escape(near[0])}</b>?)" if near else "")
        )
    words = "word" if len(named) == 1 else "words"
    return f"<p>No training caption has the {words} {', '.join(named)}: left out of the search.</p>"
