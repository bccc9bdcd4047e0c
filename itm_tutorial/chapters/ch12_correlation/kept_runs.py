"""What the kept claims of the chapter say, in a sentence for an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from itm_tutorial.chapters import experiment
from itm_tutorial.chapters.family import Member, measured_text

Kept = Callable[[str], dict[str, Any] | None]


def kept_sentence(claim: str, effects: Sequence[str], kept: Kept | None = None) -> str:
    """Says what a claim measured over its seeds, or that it has not been run yet.

    Args:
        claim: its name, which is that of a model too.
        effects: names of its effects.
        kept: claim -> its kept results, or None; by default those of the course.

    Raises:
        ItmError: the claim has no such effect.
    """
    kept = kept or (lambda name: experiment.results(name) if experiment.was_run(name) else None)
    results = kept(claim)
    if results is None:
        return f"The course has not measured this over several seeds yet (claim `{claim}`), so one run decides nothing."
    row = Member(claim, "loss", "", "", claim, tuple(effects))
    return f"Over the seeds of the kept claim `{claim}`: {measured_text(results['effects'], row)}."
