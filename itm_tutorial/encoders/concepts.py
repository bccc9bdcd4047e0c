"""Concepts: the words of training captions that stand for what pictures show, and which of them a caption names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
from torch import LongTensor, Tensor

from itm_tutorial.data.text import Vocabulary

if TYPE_CHECKING:
    from itm_tutorial.data.parsing import Parse

SORTS = ("NOUN", "ADJ", "VERB")  # objects, attributes, actions
PREPOSITION = ("case", "fixed")  # relations of the words of a preposition, such as "to the left of"


def count_concepts(parses: Iterable[Parse]) -> dict[str, Counter[str]]:
    """How often each noun, adjective and verb occurs outside of prepositions.

    Args:
        parses: of training captions; those of a validation or test split would tell what is to be predicted.

    Returns:
        Part of speech -> word -> count.
    """
    counts: dict[str, Counter[str]] = {sort: Counter() for sort in SORTS}
    for parse in parses:
        for word, sort, relation in zip(parse.words, parse.parts_of_speech, parse.relations, strict=True):
            if sort in counts and relation not in PREPOSITION:
                counts[sort][word] += 1
    return counts


def commonest(counts: Counter[str], most: int) -> list[str]:
    """At most ``most`` words, the commonest first; equally common ones in the order of the alphabet."""
    return sorted(counts, key=lambda word: (-counts[word], word))[:most]


def mine_concepts(parses: Iterable[Parse], most: int) -> list[str]:
    """The commonest nouns, adjectives and verbs together, as ``count_concepts`` and ``commonest``."""
    return commonest(sum(count_concepts(parses).values(), Counter()), most)


def concept_numbers(concepts: list[str], vocabulary: Vocabulary) -> LongTensor:
    """int64 [n_words]: the concept of each word of a vocabulary; ``len(concepts)`` where it is none."""
    number = {word: i for i, word in enumerate(concepts)}
    return torch.tensor([number.get(word, len(concepts)) for word in vocabulary.words])


def named_concepts(ids: LongTensor, concept_of: LongTensor, n_concepts: int) -> Tensor:
    """Which concepts captions name.

    Args:
        ids: int64 [n_captions, seq_len].
        concept_of: int64 [n_words], the concept of each word of the vocabulary; ``n_concepts`` where it is none.
        n_concepts: how many there are.

    Returns:
        [n_captions, n_concepts], 1 or 0.
    """
    named = torch.zeros(len(ids), n_concepts + 1, device=ids.device)
    return named.scatter_(1, concept_of[ids], 1.0)[:, :n_concepts]
