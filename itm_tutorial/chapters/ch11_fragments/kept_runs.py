"""How often the methods of the chapter point at what is named: one's own run, and the kept claims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from itm_tutorial.chapters import experiment
from itm_tutorial.chapters.ch11_fragments.measures.pointing import FOREIGN
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.data.parsing import parser_for
from itm_tutorial.errors import unknown
from itm_tutorial.evaluation.phrase_grounding import (
    GroundedPhrases,
    PhraseReport,
    choose_regions,
    compare_regions,
    grounded_phrases,
)
from itm_tutorial.extraction.features import split_boxes
from itm_tutorial.models import Matching


@dataclass(frozen=True)
class Shown:
    """How a method points, and which value of its claim stands in the figure.

    Attributes:
        claim: the name of the claim, which is that of the method.
        arm: the arm of the claim.
        label: of the bar.
        kind: "noun" where nouns point, "all" where whole noun phrases do.
        pooling: of the words of a phrase; see ``choose_regions``.
        controls: control in the results -> label of its bar.
    """

    claim: str
    arm: str
    label: str
    kind: str = "all"
    pooling: str = "mean"
    controls: dict[str, str] = field(default_factory=dict)


OF_DVSA = {FOREIGN: "DVSA, regions of another image", "untrained": "DVSA, untrained"}
SHOWN = (
    Shown("defrag", "both objectives", "DeFrag", kind="noun"),
    Shown("dvsa", "best region", "DVSA", kind="noun", controls=OF_DVSA),
    Shown("align2ground", "matched regions", "Align2Ground"),
    Shown("info_ground", "plausible nouns", "InfoGround", pooling="max"),
    Shown("cite", "four, chosen", "CITE, trained with boxes"),
)
Bars = dict[str, list[float]]  # label -> percent, one value per seed


def localised(model: Matching, corpus: Corpus, method: str) -> PhraseReport:
    """Where a model points on the test split, measured as the claim of its method does.

    Args:
        model: one of the chapter's five methods.
        corpus: of a drawn world.
        method: which of them it is.

    Returns:
        The report on all nouns or noun phrases whose boxes are known.

    Raises:
        ItmError: ``method`` is none of the chapter's.
    """
    by_claim = {one.claim: one for one in SHOWN}
    if method not in by_claim:
        raise unknown("method of chapter 11", method, by_claim)
    phrases, shown = grounded_phrases(corpus.test, parser_for(corpus)), by_claim[method]
    phrases = _nouns(phrases, corpus.test) if shown.kind == "noun" else phrases
    chosen = choose_regions(model, corpus.test, phrases, shown.pooling)
    return compare_regions(chosen, split_boxes(corpus.test, model.features), corpus.test, phrases)


def _nouns(phrases: GroundedPhrases, split: Split) -> GroundedPhrases:
    """The last words alone, of the phrases that end with a noun."""
    ends = phrases.spans[:, 1].tolist()
    last = [split.facts.truths[row].words[end - 1] for row, end in zip(phrases.row.tolist(), ends, strict=True)]
    kept = [n for n, word in enumerate(last) if word.word_class == "noun"]
    end = phrases.spans[kept, 1]
    return GroundedPhrases(
        phrases.row[kept],
        phrases.number[kept],
        torch.stack([end - 1, end], 1),
        [phrases.kind[n] for n in kept],
        [phrases.noun[n] for n in kept],
        phrases.named[kept],
    )


def kept_pointing(kept: Callable[[str], dict[str, Any] | None] | None = None) -> tuple[Bars, Bars, list[str]]:
    """The pointing game of the chapter's methods over the seeds of their claims.

    DeFrag and DVSA point for nouns, the other three for the noun phrases that end with them. The true boxes are the
    same, but for a few phrases that end with a relation, such as "to the left".

    Args:
        kept: claim -> its kept results, or None; by default those of the course.

    Returns:
        Methods, controls, and the labels of the methods whose claims are not kept yet.
    """
    kept = kept or (lambda name: experiment.results(name) if experiment.was_run(name) else None)
    methods: Bars = {}
    controls: Bars = {}
    missing = []
    for one in SHOWN:
        results = kept(one.claim)
        if results is None:
            missing.append(one.label)
            continue
        rows = [row["pointing"] for row in results["figures"] if row["model"] == one.arm]
        methods[one.label] = [row["model"][one.kind] for row in rows]
        for control, label in one.controls.items():
            controls[label] = [row[control][one.kind] for row in rows]
    return methods, controls, missing
