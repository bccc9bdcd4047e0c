"""The results page of a chapter as data: which kept results it shows, and the text around them.

Each chapter with claims has a file ``page.py`` with one ``Page``; ``course.result_pages`` writes the page from it.

Line breaks in a text mean nothing. Texts may hold placeholders, so that no sentence can say another number than the
kept results:

- ``{effect: NAME}``: mean and standard error of an effect, such as "+11.0, standard error 1.4";
- ``{holds: NAME}``, ``{does not hold: NAME}``, ``{too close to say: NAME}``: the same numbers, and an error if the
  kept verdict is another one, because then the sentence around them is wrong;
- ``{value: CLAIM / RUN / PATH}``: mean and standard deviation of a metric, such as "452.0 ± 9.6".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ROW = "{row}"  # stands for the name of a table's row


@dataclass(frozen=True)
class Column:
    """One column of a results table.

    Attributes:
        header: as it is printed.
        path: keys that lead to the value in a kept row, joined by "/", such as "minimal_pairs/binding".
        run: the "model" of the kept rows that are read; "{row}" is replaced by the name of the table's row.
        where: other keys of the kept rows and the values that they must have, such as ``{"batch_size": 32}``.
        best: the path of the best possible value, which is printed in brackets; empty for none.
        decimals: of mean and deviation; more than one for fractions.
    """

    header: str
    path: str
    run: str = ROW
    where: Mapping[str, Any] = field(default_factory=dict)
    best: str = ""
    decimals: int = 1


@dataclass(frozen=True)
class Table:
    """One table of kept results: mean and standard deviation over the seeds.

    Attributes:
        title: the heading above it.
        claim: the name of the claim whose results it shows.
        head: the header of the first column.
        columns: the other columns.
        rows: name of the row in the kept results -> label in the table.
        text: a paragraph between heading and table.
        after: a paragraph below the table.
    """

    title: str
    claim: str
    head: str
    columns: tuple[Column, ...]
    rows: Mapping[str, str]
    text: str = ""
    after: str = ""


@dataclass(frozen=True)
class Page:
    """The results page of one chapter.

    Attributes:
        title: of the page.
        claims: the claims whose verdicts stand on the page.
        paragraphs: what was measured and how; may hold placeholders.
        tables: in their order.
        notes: sentences with numbers that no claim keeps, such as timings; the page marks them as written by hand.
        headlines: one-line results for README.md; may hold placeholders.
    """

    title: str
    claims: tuple[str, ...]
    paragraphs: tuple[str, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()
    headlines: tuple[str, ...] = ()


MINIMAL_PAIRS = (  # the four kinds of minimal pairs of drawn scenes, in percent
    Column("colours swapped", "minimal_pairs/binding"),
    Column("one object replaced", "minimal_pairs/object"),
    Column("count", "minimal_pairs/count"),
    Column("sides changed", "minimal_pairs/relation"),
)
