"""The search widget; it carries its first state as a picture too, for pages without a kernel."""

from __future__ import annotations

import difflib
import html
from collections.abc import Mapping, Sequence

from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.statements import Statement
from itm_tutorial.models import Matching
from itm_tutorial.show.canvas import wrapped


def explorer(model: Matching | Mapping[str, Matching], split: Split, queries: Sequence[str], k: int = 6):
    """Makes a search box with buttons for ready-made queries, and a second box for a changed query to compare with.

    Pictures appear in the order of their scores, one row per query. For drawn scenes, each statement of the query is
    marked as true or false under each picture. The widget names each word that the model never learned, and leaves it
    out of the search.

    Args:
        model: a trained model, or several by name, to switch between.
        split: the split to search.
        queries: one or more captions, a button each; the images that a caption belongs to are marked as correct.
        k: pictures per row.

    Returns:
        The widget. It starts with the first query and, where the query names sides, the same query with its sides
        exchanged.

    Raises:
        ItmError: there is no model or no query.
    """
    models = dict(model) if isinstance(model, Mapping) else {"": model}
    queries = list(dict.fromkeys(queries))
    if not models or not queries:
        raise ItmError(f"explorer needs a model and a query: it was given {len(models)} and {len(queries)}")
    from itm_tutorial.show.search_box import SearchBox

    return SearchBox(models, split, queries, k)


def marked(stated: Sequence[Statement], true: frozenset) -> str:
    """Marks each statement as true or false of a picture.

    Args:
        stated: the statements of a text.
        true: every fact that is true of the picture.

    Returns:
        Lines, one per thing with its number and attributes, then one per relation, place and light.
    """
    lines: dict[str, list[str]] = {}
    for number, statement in enumerate(stated):
        mark = f"{'✓' if statement.fact in true else '✗'} {statement.words}"
        lines.setdefault(statement.subject or f"{number}", []).append(mark)
    return "\n".join(wrapped(" ".join(marks), 28) for marks in lines.values())


def unknown_words(strange: list[str], known: list[str]) -> str:
    """Names the words that the model does not know, with the nearest that it knows, as HTML; "" if it knows all."""
    if not strange:
        return ""
    named = []
    for word in strange:
        near = difflib.get_close_matches(word, known, n=1, cutoff=0.75)
        named.append(
            f"<b>{html.escape(word)}</b>" + (f" (did you mean <b>{html.escape(near[0])}</b>?)" if near else "")
        )
    words, them = ("word", "it") if len(named) == 1 else ("words", "them")
    return f"<p>No training caption has the {words} {', '.join(named)}: the search leaves {them} out.</p>"
