"""What the claim of CITE measures: localisation of phrases with common and rare nouns, and the number of weights."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch

from itm_tutorial.chapters.ch11_fragments.measures.localisation import figures
from itm_tutorial.chapters.runner import Trained
from itm_tutorial.data.parsing import parser_for
from itm_tutorial.data.text import tokenize
from itm_tutorial.evaluation.phrase_grounding import choose_regions, compare_regions, grounded_phrases
from itm_tutorial.extraction.features import split_boxes


def localisation_by_rarity(trained: Trained) -> dict[str, Any]:
    """Localisation, and IoU 0.5 of the half of the phrases whose noun training has seen less often, and of the rest."""
    corpus, model = trained.corpus, trained.model
    phrases = grounded_phrases(corpus.test, parser_for(corpus))
    chosen = choose_regions(model, corpus.test, phrases)
    report = compare_regions(chosen, split_boxes(corpus.test, model.features), corpus.test, phrases)
    seen = Counter(word for caption in corpus.train.captions for word in tokenize(caption))
    counts = torch.tensor([seen[noun] for noun in phrases.noun])
    rare = counts < counts.median()
    covered = report.hits[:, 1].float()
    halves = {"rare": 100 * covered[rare].mean().item(), "common": 100 * covered[~rare].mean().item()}
    return {**figures(report), "halves": halves, "rare_minus_common": halves["rare"] - halves["common"]}


def weights(trained: Trained) -> dict[str, int]:
    """How many numbers are learned."""
    return {"weights": sum(p.numel() for p in trained.model.parameters())}
