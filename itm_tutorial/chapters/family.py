"""The table of a chapter that treats a family of methods: what each changes, what its paper claimed, what was measured.

A chapter lists its ``Member`` rows in its own file; the numbers come from the kept claims, so that no row can say
another number than the kept one.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from itm_tutorial.chapters import experiment
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.literature import cite
from itm_tutorial.models import method_of

PARTS = ("image encoder", "text encoder", "interaction", "loss", "pretraining", "sampler")  # what a method can change
HEADS = ("method", "part", "what it changes", "what the paper claimed", "what was measured here")
NOT_RUN = "not measured yet"
WIDTH = 100  # letters of a line of the plain text


@dataclass(frozen=True)
class Member:
    """One method of a family.

    Attributes:
        model: a name that ``create_model`` knows.
        part: the part of the model that it changes, one of ``PARTS``.
        change: what it changes, one or two sentences.
        claimed: what its paper claimed, with numbers and data set; where no ablation could be read, the row says so.
        claim: the claim of the course that measured it.
        effects: names of the claim's effects that the row shows, the most important first.

    Raises:
        ItmError: the part is none of ``PARTS``, or there is no effect.
    """

    model: str
    part: str
    change: str
    claimed: str
    claim: str
    effects: tuple[str, ...]

    def __post_init__(self):
        if self.part not in PARTS:
            raise unknown(f"part of {self.model}", self.part, PARTS)
        if not self.effects:
            raise ItmError(f"the row of {self.model} shows no effect: name one or more of the claim {self.claim!r}")


class FamilyTable:
    """A table that a notebook shows as HTML and a terminal as plain text.

    Attributes:
        rows: one per method, with a text for each of ``HEADS``.
    """

    def __init__(self, rows: Sequence[tuple[str, ...]]):
        self.rows = tuple(rows)

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col" style="text-align:left">{name}</th>' for name in HEADS)
        body = "".join(f"<tr>{_cells(row)}</tr>" for row in self.rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def __repr__(self) -> str:
        blocks = []
        for model, part, *rest in self.rows:
            lines = [f"{model} ({part})"]
            for name, text in zip(HEADS[2:], rest, strict=True):
                lines += textwrap.wrap(f"{name}: {text}", WIDTH, initial_indent="  ", subsequent_indent="    ")
            blocks.append("\n".join(lines))
        return "\n".join(blocks)


def family_table(members: Sequence[Member], kept: Callable[[str], dict[str, Any]] | None = None) -> FamilyTable:
    """The table of a family, with the kept results of its claims.

    Args:
        members: one per method, in the order of the table.
        kept: gives the results of a claim; by default those of the course, and "not measured yet" where none are kept.

    Returns:
        The table.

    Raises:
        ItmError: a model, a claim or an effect that a row names does not exist.
    """
    return FamilyTable([_row(member, kept or _kept) for member in members])


def _kept(name: str) -> dict[str, Any] | None:
    return experiment.results(name) if experiment.was_run(name) else None


def _row(member: Member, kept: Callable[[str], dict[str, Any] | None]) -> tuple[str, ...]:
    paper = method_of(member.model).paper
    name = f"{member.model} ({cite(paper)})" if paper else member.model
    results = kept(member.claim)
    measured = NOT_RUN if results is None else measured_text(results["effects"], member)
    return name, member.part, member.change, member.claimed, measured


def measured_text(effects: Sequence[dict[str, Any]], member: Member) -> str:
    """What was measured, one sentence per effect: its name, mean, standard error and verdict.

    Args:
        effects: the kept effects of a claim.
        member: the row that names some of them.

    Raises:
        ItmError: an effect that the row names is not among them.
    """
    by_name = {one["name"]: one for one in effects}
    parts = []
    for name in member.effects:
        if name not in by_name:
            raise ItmError(f"the row of {member.model}: {unknown(f'effect of {member.claim}', name, by_name)}")
        one = by_name[name]
        parts.append(f"{name}: {one['mean']:+.1f}, standard error {one['standard_error']:.1f} ({one['verdict']})")
    return "; ".join(parts)


def _cells(row: tuple[str, ...]) -> str:
    first, *rest = (html.escape(text) for text in row)
    left = 'style="text-align:left; vertical-align:top"'
    return f'<th scope="row" {left}>{first}</th>' + "".join(f"<td {left}>{text}</td>" for text in rest)
