"""Widgets: each has a default state that is drawn as a plain figure too, for pages without a kernel."""

from __future__ import annotations

from itm_tutorial.data.corpus import Split
from itm_tutorial.models.base import Matching
from itm_tutorial.retrieval import search
from itm_tutorial.show.figures import ranked, to_html


def explorer(model: Matching, split: Split, queries: list[str], k: int = 6):
    """A search box with ready-made queries; pictures appear in the order of their scores.

    Args:
        model: a trained model.
        split: where to search.
        queries: captions to choose from; the image a caption belongs to is marked as right.
        k: pictures shown.

    Returns:
        The widget. ``ranked(split, search(model, split, queries[0], k))`` is its default state.
    """
    import ipywidgets as widgets

    image_of = dict(zip(split.captions, split.image_of.tolist(), strict=True))
    wide = widgets.Layout(width="90%")
    text = widgets.Combobox(
        value=queries[0], options=queries, description="Query", continuous_update=False, layout=wide
    )
    view = widgets.HTML()

    def show(change=None) -> None:
        query = text.value.strip()
        if not any(letter.isalnum() for letter in query):
            view.value = "<p>Type what the picture should show, then press Enter.</p>"
            return
        right = [image_of[query]] if query in image_of else []
        view.value = to_html(ranked(split, search(model, split, query, k), right))

    text.observe(show, names="value")
    show()
    return widgets.VBox([text, view])
