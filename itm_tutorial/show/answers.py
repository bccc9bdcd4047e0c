"""Answers that a notebook folds: the reader opens one after thinking about the question."""

from __future__ import annotations

import html
import re

from itm_tutorial.errors import ItmError, visible

_MARKS = ((r"\*\*(.+?)\*\*", r"<strong>\1</strong>"), (r"\*(.+?)\*", r"<em>\1</em>"), (r"`(.+?)`", r"<code>\1</code>"))


class Answer:
    """A text that a notebook shows behind the word "Answer".

    Attributes:
        text: with ``**bold**``, ``*italics*`` and ```code```; an empty line starts a new paragraph.
    """

    def __init__(self, text: str):
        if not isinstance(text, str) or not text.strip():
            raise ItmError(f"an answer is a text, and this is {text!r}: give answer(...) one or more sentences")
        self.text = visible(text.strip(), keep="\n")

    def _repr_html_(self) -> str:
        paragraphs = "".join(f"<p>{_marked(part)}</p>" for part in re.split(r"\n\s*\n", self.text))
        return f"<details><summary>Answer</summary>{paragraphs}</details>"

    def __repr__(self) -> str:
        return f"Answer: {self.text}"


def answer(text: str) -> Answer:
    """Folds an answer that speaks of this run, with numbers that were computed.

    Args:
        text: one or more sentences with ``**bold**``, ``*italics*`` and ```code```; nothing else in it is markup.

    Returns:
        What a notebook shows as a folded answer, and a terminal as plain text.

    Raises:
        ItmError: the text is empty or not a text.
    """
    return Answer(text)


def _marked(text: str) -> str:
    """HTML of a paragraph: its marks as tags, everything else as it is written."""
    marked = html.escape(" ".join(text.split()), quote=True)
    for pattern, tag in _MARKS:
        marked = re.sub(pattern, tag, marked)
    return marked
