"""The measures of SDT-RNN's claim: recall, agreement of captions of one image, and trees with shuffled words."""

from __future__ import annotations

from collections import defaultdict
from itertools import permutations
from typing import Any

import torch
from torch import LongTensor, Tensor
from torch.nn.functional import normalize

from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.chapters.runner import Trained
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.data.text import Tokens
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.models import Matching, create_model
from itm_tutorial.models._fixed_parsed_words import FixedParsedWords
from itm_tutorial.worlds.streams import stream

CHUNK = 500  # captions compared with all others at a time


def ranks(trained: Trained) -> dict[str, Any]:
    """rsum, and R@1, R@10 and the mean rank of both directions on the test split."""
    report = evaluate(trained.scores, trained.corpus.test.image_of)
    sides = {"i2t": report.i2t, "t2i": report.t2i}
    return {
        "rsum": report.rsum,
        **{name: {"r1": s.r1, "r10": s.r10, "mean_rank": s.mean_rank} for name, s in sides.items()},
    }


@torch.inference_mode()
def agreement(trained: Trained) -> dict[str, float]:
    """How near captions of one image are to each other, by the cosine of their embeddings; lower ranks are better.

    Returns:
        "same_image": for each caption, the rank of the nearest other caption of its image, among the captions of all
        other images; "reordered": the rank of a caption with the same facts in another order, and "reordered_pairs",
        how many such (query, caption) pairs there are. Ranks start at 1 and are means over the queries.
    """
    split, model = trained.corpus.test, trained.model
    parts = [model.encode_captions(split.captions[at : at + CHUNK]) for at in range(0, len(split.captions), CHUNK)]
    embeddings = normalize(torch.cat(parts), dim=1)  # [n_captions, dim]
    query, answer = reordered(split)
    found = {
        "same_image": _ranks_of_nearest(embeddings, split.image_of).double().mean().item(),
        "reordered_pairs": len(query),
    }
    if len(query):
        found["reordered"] = _ranks_of(embeddings, split.image_of, query, answer).double().mean().item()
    return found


def _ranks_of_nearest(embeddings: Tensor, image_of: LongTensor) -> LongTensor:
    """For each caption the rank of the nearest other caption of its image, int64 [n_captions]."""
    found, every = [], torch.arange(len(image_of))
    for queries in every.split(CHUNK):
        near = embeddings[queries] @ embeddings.T  # [n_queries, n_captions]
        same = image_of[queries, None] == image_of
        best = near.masked_fill(~same | (queries[:, None] == every), -torch.inf).amax(1, keepdim=True)
        found.append(1 + ((near >= best) & ~same).sum(1))
    return torch.cat(found)


def _ranks_of(embeddings: Tensor, image_of: LongTensor, queries: LongTensor, answers: LongTensor) -> LongTensor:
    """For each query the rank of one given caption of the same image, int64 [n_queries]."""
    found = []
    for some, answer in zip(queries.split(CHUNK), answers.split(CHUNK), strict=True):
        near = embeddings[some] @ embeddings.T  # [n, n_captions]
        found.append(1 + ((near >= near.gather(1, answer[:, None])) & (image_of[some, None] != image_of)).sum(1))
    return torch.cat(found)


def reordered(split: Split) -> tuple[LongTensor, LongTensor]:
    """Pairs of captions of one image that state the same facts in another order of their content words.

    Args:
        split: of the drawn scenes, which know what each word means.

    Returns:
        Indices of captions, int64 [n_pairs] twice; every pair stands in both directions.
    """
    alike: dict[tuple, list[int]] = defaultdict(list)
    for caption, (image, facts) in enumerate(zip(split.image_of.tolist(), split.facts.of_caption, strict=True)):
        alike[image, facts].append(caption)
    meant = [[word.meaning for word in truth.words if word.meaning is not None] for truth in split.facts.truths]
    pairs = [pair for group in alike.values() for pair in permutations(group, 2) if meant[pair[0]] != meant[pair[1]]]
    return torch.tensor(pairs, dtype=torch.int64).view(-1, 2).unbind(1)


class ShuffledTrees(FixedParsedWords):
    """The control: each caption keeps the shape of its tree, but its words take random places in it.

    A word keeps its relation, so that what is lost is only which word hangs on which.
    """

    about = "fixed word vectors, and trees in which the words have changed places"

    def encode(self, model: Matching, captions: list[str]) -> Tokens:
        """As ``FixedParsedWords.encode``; a caption is shuffled alike whenever it is read."""
        tokens = super().encode(model, captions)
        heads = tokens.per_word["heads"].clone()
        for row, caption, length in zip(heads, captions, tokens.lengths.tolist(), strict=True):
            words = range(1, length - 1)  # without <start> and <end>
            places = [*words]
            stream("shuffled tree", caption).shuffle(places)
            new = dict(zip(words, places, strict=True))
            above = row.tolist()
            for word in words:
                row[new[word]] = new[above[word]]
        return Tokens(tokens.ids, tokens.lengths, {**tokens.per_word, "heads": heads}, tokens.per_caption)


def with_shuffled_trees(arm: Arm, corpus: Corpus, seed: int, before: Matching | None) -> Matching:
    """A model that reads ``ShuffledTrees`` in training and in the test."""
    model = create_model(arm.model, corpus, seed=seed, **arm.options)
    model.text_input = ShuffledTrees()
    return model
