"""The search box that ``explorer`` makes: two queries, the pictures that they find, and a switch between models."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets as widgets

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.text import tokenize
from itm_tutorial.evaluation.query_changes import CHANGES
from itm_tutorial.evaluation.statements import has_statements, statements
from itm_tutorial.models import Matching
from itm_tutorial.retrieval.search import Hits, search
from itm_tutorial.show.canvas import to_html
from itm_tutorial.show.figures import ranked
from itm_tutorial.show.widgets import marked, unknown_words

BUTTONS = {  # kind of minimal pair -> the button that changes a query in this way
    "relation": "exchange sides",
    "binding": "swap colours",
    "count": "change the number",
    "object": "replace an object",
}
HOW_TO = "<p>Type what the picture should show and press Enter, or press one of the buttons above.</p>"


class SearchBox(widgets.VBox):
    """The widget of ``explorer``.

    Attributes:
        models: the switch between the models; None if there is one alone.
        ready: a button per ready-made query.
        text, twin: the boxes of the query and of the changed query.
        changes: kind of minimal pair -> the button that changes the query.
        view: what the search found.
    """

    def __init__(self, models: Mapping[str, Matching], split: Split, queries: list[str], k: int):
        self._by_name, self._split, self._k = models, split, k
        self._change = "relation"  # the last one that was asked for: it is applied to the next query too
        self._described_by: dict[tuple[str, ...], set[int]] = {}  # the same words may be a caption of several images
        for caption, image in zip(split.captions, split.image_of.tolist(), strict=True):
            self._described_by.setdefault(tuple(tokenize(caption)), set()).add(image)
        self.models = widgets.ToggleButtons(options=list(models), description="Model") if len(models) > 1 else None
        self.ready = [_button(query, "49%", f"Search for: {query}") for query in queries]
        self.text, self.twin = _box("Query"), _box("Compare")
        self.changes = {kind: _button(label, "auto", f"Compare: {label}") for kind, label in BUTTONS.items()}
        self.view = widgets.HTML()
        rows = [
            widgets.HBox(self.ready, layout=widgets.Layout(flex_flow="row wrap")),
            self.text,
            widgets.HBox(list(self.changes.values()), layout=widgets.Layout(flex_flow="row wrap")),
            self.twin,
            self.view,
        ]
        super().__init__([self.models, *rows] if self.models else rows)
        self.text.value = queries[0]
        self._set_changes()
        self.twin.value = self._changed()
        for button, query in zip(self.ready, queries, strict=True):
            button.on_click(lambda _, query=query: self._ask(query))
        for kind, button in self.changes.items():
            button.on_click(lambda _, kind=kind: self._apply(kind))
        self.text.observe(lambda _: self._follow(), names="value")
        self.twin.observe(lambda _: self._typed(), names="value")
        if self.models:
            self.models.observe(lambda _: self._show(), names="value")
        self._show()

    def _repr_mimebundle_(self, **kwargs) -> dict:
        """What a notebook shows; a page without a kernel shows the pictures of this moment instead."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/html"] = self.view.value
        return bundle

    def _ask(self, query: str) -> None:
        """Puts a query into the first box."""
        self.text.value = query

    def _apply(self, kind: str) -> None:
        """Puts the query with one kind of change into the second box."""
        self._change = kind
        self._follow()

    def _typed(self) -> None:
        """Keeps a second query that was typed when the first one changes."""
        if self.twin.value != self._changed():
            self._change = ""
        self._show()

    def _changed(self) -> str:
        """The query with the last change that was asked for; empty where there is nothing to change."""
        query = self.text.value.strip()
        changed = CHANGES[self._change](query) if self._change else self.twin.value
        return "" if changed == query else changed

    def _follow(self) -> None:
        """Changes the second query along with the first one."""
        self._set_changes()
        changed = self._changed()
        if self.twin.value == changed:
            self._show()
        else:
            self.twin.value = changed  # whose observer shows both

    def _set_changes(self) -> None:
        """Turns off the buttons of changes that the query does not allow."""
        for kind, button in self.changes.items():
            button.disabled = CHANGES[kind](self.text.value) == self.text.value

    def _show(self) -> None:
        name = self.models.value if self.models else next(iter(self._by_name))
        parts = [self._row(self._by_name[name], self.text.value)]
        if self.twin.value.strip():
            parts.append(self._row(self._by_name[name], self.twin.value))
        self.view.value = "".join(parts)

    def _row(self, model: Matching, query: str) -> str:
        """What a search finds, as HTML."""
        words = tokenize(query)
        strange = [word for word in dict.fromkeys(words) if word not in model.vocabulary]
        known = [word for word in words if word in model.vocabulary]
        note = unknown_words(strange, model.vocabulary.words)
        if not words:
            return HOW_TO
        if not known:
            return f"{note}<p>No word is left to search for.</p>"
        hits = search(model, self._split, " ".join(known) if strange else query.strip(), self._k)
        right = sorted(self._described_by.get(tuple(words), ()))
        return note + to_html(ranked(self._split, hits, right, notes=self._truths(hits)))

    def _truths(self, hits: Hits) -> list[str]:
        """Which statements of a query are true of each picture; nothing where no fact is known."""
        stated = statements(hits.query) if has_statements(self._split) else []
        return [marked(stated, self._split.facts.of_image[image]) for image in hits.indices] if stated else []


def _box(description: str) -> widgets.Text:
    return widgets.Text(
        placeholder="Type a query and press Enter",
        description=description,
        continuous_update=False,
        layout=widgets.Layout(width="98%"),
    )


def _button(words: str, width: str, tooltip: str) -> widgets.Button:
    return widgets.Button(description=words, tooltip=tooltip, layout=widgets.Layout(width=width))
