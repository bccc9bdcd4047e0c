"""Changed captions, and how far they move an embedding; how well captions of one image agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from math import nan
from types import SimpleNamespace

import torch
from torch import Tensor
from torch.nn.functional import normalize

from itm_tutorial.chapters.ch10_sentences.measures import probing
from itm_tutorial.chapters.ch10_sentences.measures.sdt_rnn import agreement
from itm_tutorial.data.corpus import Split
from itm_tutorial.data.parsing import Parse
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.misspelling import misspell
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.models import Matching
from itm_tutorial.retrieval.scoring import score

SUBSTITUTES = 5  # words that take the place of each word, at most


def described_nouns(parse: Parse) -> list[int]:
    """The nouns of a caption that have an attribute, such as "dog" in "a white dog", in their order."""
    return sorted({noun for _, noun in parse.attributes})


def clear_caption(parses: Sequence[Parse], shortest: int = 9, longest: int = 12) -> int:
    """The first caption of medium length that describes two nouns with one attribute each.

    Args:
        parses: of captions, in their order.
        shortest, longest: words.

    Returns:
        Its index.

    Raises:
        ItmError: no caption is like this.
    """
    for number, parse in enumerate(parses):
        if shortest <= len(parse.words) <= longest and len(parse.attributes) == len(described_nouns(parse)) == 2:
            return number
    raise ItmError(f"clear_caption: none of {len(parses)} captions describes two nouns; give more captions")


def substitutes(parses: Sequence[Parse]) -> dict[tuple[str, str], list[str]]:
    """Words by part of speech and relation, the most common first.

    Args:
        parses: of many captions.

    Returns:
        (part of speech, relation) -> words.
    """
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for parse in parses:
        for word, tag, relation in zip(parse.words, parse.parts_of_speech, parse.relations, strict=True):
            counts[tag, relation][word] += 1
    return {use: [word for word, _ in count.most_common()] for use, count in counts.items()}


def exchanged_nouns(parse: Parse) -> str:
    """The caption with its two described nouns in each other's place.

    Raises:
        ItmError: it has not two of them.
    """
    nouns = described_nouns(parse)
    if len(nouns) != 2:
        raise ItmError(f"exchanged_nouns: {' '.join(parse.words)!r} describes {len(nouns)} nouns; give one with two")
    words = list(parse.words)
    words[nouns[0]], words[nouns[1]] = words[nouns[1]], words[nouns[0]]
    return " ".join(words)


@torch.inference_mode()
def distances(model: Matching, caption: str, others: Sequence[str]) -> list[float]:
    """1 - cosine of the embedding of a caption with those of others.

    Args:
        model: encodes the captions.
        caption: the one that the others are compared with.
        others: n captions.

    Returns:
        n numbers, 0 where nothing moves.
    """
    found = normalize(model.eval().encode_captions([caption, *others]).float().cpu(), dim=1)
    return (1 - found[1:] @ found[0]).clamp(min=0).tolist()


def moves(
    models: Mapping[str, Matching], parse: Parse, known: Mapping[tuple[str, str], Sequence[str]]
) -> dict[str, list[float]]:
    """How far each word moves the embedding of its caption: 1 - cosine, a mean over words that take its place.

    Args:
        models: name -> a model.
        parse: of the caption.
        known: (part of speech, relation) -> words, as ``substitutes`` gives them.

    Returns:
        Name -> one distance per word; NaN where no other word is known.
    """
    places, changed = [], []
    for w, (word, tag, relation) in enumerate(zip(parse.words, parse.parts_of_speech, parse.relations, strict=True)):
        for other in [one for one in known.get((tag, relation), ()) if one != word][:SUBSTITUTES]:
            places.append(w)
            changed.append(" ".join([*parse.words[:w], other, *parse.words[w + 1 :]]))
    found = {}
    for name, model in models.items():
        by_word: dict[int, list[float]] = defaultdict(list)
        for w, distance in zip(places, distances(model, " ".join(parse.words), changed), strict=True):
            by_word[w].append(distance)
        found[name] = [sum(by_word[w]) / len(by_word[w]) if by_word[w] else nan for w in range(len(parse.words))]
    return found


def agreements(models: Mapping[str, Matching], split: Split) -> dict[str, dict[str, float]]:
    """How near captions of one image are to each other.

    Args:
        models: name -> a model.
        split: whose captions are compared.

    Returns:
        Name -> mean ranks, see ``measures.sdt_rnn.agreement``.
    """
    seen = SimpleNamespace(test=split)
    return {name: agreement(SimpleNamespace(corpus=seen, model=model.eval())) for name, model in models.items()}


def encoded(model: Matching, captions: list[str]) -> Tensor:
    """The embeddings of captions, float32 [n_captions, dim] on the CPU."""
    return probing.encoded(model.eval().encode_captions, captions)


def misspelt_recall(model: Matching, split: Split, percents: Sequence[int], seed: int = 0) -> dict[float, float]:
    """R@10 from text to image where letters of the captions are replaced.

    Args:
        model: a trained model.
        split: whose captions are the queries.
        percents: of letters that are replaced.
        seed: of the letters.

    Returns:
        Percent -> R@10.
    """
    recalls = {}
    for percent in percents:
        captions = [misspell(caption, percent / 100, seed) for caption in split.captions]
        recalls[percent] = evaluate(score(model, split, captions=captions), split.image_of).t2i.r10
    return recalls
