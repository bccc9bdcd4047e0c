"""What the claim about word order measures: whether a model prefers a true caption to one with the same words."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import torch

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.data.text import tokenize
from itm_tutorial.encoders.embeddings import join, pick
from itm_tutorial.evaluation.query_changes import exchange_sides, swap_colours
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.extraction.features import split_features
from itm_tutorial.retrieval.scoring import CHUNK, encode_in_chunks, score

PAIRS = 64  # captions at a time, each beside its image
MOST = 600  # changed captions of a sort


def shuffled(caption: str) -> str:
    """The words of a caption in random order, the same order in every run."""
    words = tokenize(caption)
    Random(caption).shuffle(words)
    return " ".join(words)


CHANGES: dict[str, Callable[[str], str]] = {
    "colours swapped": swap_colours,  # a red car and a blue dog -> a blue car and a red dog
    "sides exchanged": exchange_sides,  # left of -> right of: another word, not another order
    "words shuffled": shuffled,
}


@torch.inference_mode()
def same_words(trained: Trained) -> dict[str, Any]:
    """How often the true caption beats its changed version on its own image, in percent; a tie counts against it.

    ``prefers``: by sort of change; ``changed``: how many captions were asked, the first ones that the change alters.
    """
    model, split = trained.model, trained.corpus.test
    image_emb = join(list(encode_in_chunks(model.encode_images, split_features(split, model.features), CHUNK)))
    prefers, asked = {}, {}
    for name, change in CHANGES.items():
        altered = [c for c, text in enumerate(split.captions) if change(text).lower() != text.lower()][:MOST]
        true, changed = [], []
        for at in range(0, len(altered), PAIRS):
            some = altered[at : at + PAIRS]
            own = pick(image_emb, split.image_of[some])
            for texts, found in (
                ([split.captions[c] for c in some], true),
                ([change(split.captions[c]) for c in some], changed),
            ):
                found.append(model.similarity(own, model.encode_captions(texts)).diagonal())
        asked[name] = len(altered)
        if altered:
            # beyond rounding: a bag of words gives both captions one score
            prefers[name] = 100 * (torch.cat(true) > torch.cat(changed) + 1e-5).double().mean().item()
    return {"prefers": prefers, "changed": asked}


def shuffled_retrieval(trained: Trained) -> dict[str, float]:
    """rsum on the test split where the words of every caption stand in random order."""
    split = trained.corpus.test
    scores = score(trained.model, split, captions=[shuffled(text) for text in split.captions])
    return {"shuffled_rsum": evaluate(scores, split.image_of).rsum}
