"""The lore: a text of plain words with the same templates for every kind; kinds of a family are similar in it."""

import subprocess
import sys
from collections import Counter, defaultdict

import numpy as np
import pytest

from itm_tutorial.data.text import tokenize
from itm_tutorial.errors import ItmError
from itm_tutorial.worlds.objects import knowledge
from itm_tutorial.worlds.objects.lore import TEMPLATES, _slots, write_lore
from itm_tutorial.worlds.objects.tree import GROUPS, unseen_kinds
from itm_tutorial.worlds.scenes.kinds import FAMILIES, KINDS
from itm_tutorial.worlds.scenes.lexicon import plural

LORE = write_lore(100_000, seed=0)
COUNTS = Counter(word for sentence in LORE for word in sentence)


def test_sentences_are_words_as_the_tokenizer_makes_them():
    assert len(LORE) == 100_000
    assert all(tokenize(" ".join(sentence)) == sentence for sentence in LORE)
    assert max(map(len, LORE)) < 25 and min(map(len, LORE)) >= 3


def test_the_vocabulary_is_small_and_names_every_kind_family_and_group():
    assert 200 <= len(COUNTS) <= 500
    assert min(COUNTS[kind] for kind in KINDS) >= 150
    assert min(COUNTS[plural(kind)] for kind in KINDS) >= 50
    assert min(COUNTS[name] for name in (*FAMILIES, *GROUPS)) >= 100
    counts = sorted((COUNTS[kind] for kind in KINDS), reverse=True)
    assert counts[0] > 5 * counts[-1]  # a long tail


def test_nothing_reveals_which_kinds_are_unseen():
    assert not {"seen", "unseen", "train", "test", "index", "picture", "image"} & set(COUNTS)
    assert not any(character.isdigit() for word in COUNTS for character in word)
    hidden = unseen_kinds(0)
    usual = {side: np.median([COUNTS[k] for k in KINDS if (k in hidden) is side]) for side in (True, False)}
    assert 0.5 < usual[True] / usual[False] < 2


@pytest.mark.parametrize("kind", KINDS)
def test_every_slot_of_every_kind_can_be_filled(kind):
    slots = _slots(KINDS[kind])
    for template in TEMPLATES:
        for piece in template.split():
            assert not piece.isupper() or slots[piece], f"{piece} has nothing to say about {kind}"
    for pair in (*slots["TWO_PARTS"], *slots["DO_TWO"], *slots["TWO_TRAITS"]):
        first, second = " ".join(pair).split(" and ")
        assert first != second


def test_the_tables_name_kinds_that_are_there():
    assert set(knowledge.KIND_LORE) == set(KINDS) and set(knowledge.GROUP_TRAITS) == set(GROUPS)
    assert set(knowledge.FAMILY_LORE) == set(knowledge.FAMILY_LIVES) == set(FAMILIES)
    assert sorted(family for families in GROUPS.values() for family in families) == sorted(FAMILIES)
    assert all(KINDS[a].family == KINDS[b].family for a, b in knowledge.pairs(knowledge.LOOKALIKES))
    assert {name for pair in knowledge.company() for name in pair} == set(KINDS)


def test_the_sentences_vary():
    assert len(TEMPLATES) >= 12 and len(set(TEMPLATES)) == len(TEMPLATES)
    starts = Counter(" ".join(sentence[:2]) for sentence in LORE)
    assert starts.most_common(1)[0][1] < 0.1 * len(LORE)
    assert len({tuple(sentence) for sentence in LORE}) > 15_000


@pytest.mark.parametrize(
    "sentence",
    ["a fox is an animal", "wolves are animals", "an artefact such as a chair is made by people"]
    + ["most cows live in a field", "a duck and a hen both sleep", "some men wear red and others wear blue"],
)
def test_sentences_by_hand(sentence):
    assert sentence.split() in LORE


def test_same_seed_same_text_in_another_process_and_a_shorter_text_is_its_beginning():
    code = "from itm_tutorial.worlds.objects.lore import write_lore; print(write_lore(500, 7))"
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": h}, capture_output=True, text=True, check=True
        )
        for h in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout == f"{write_lore(500, 7)}\n"
    assert write_lore(50, 7) == write_lore(500, 7)[:50] != write_lore(50, 8)


@pytest.mark.parametrize("n_sentences", [0, -3, 2.5])
def test_no_sentences_are_refused(n_sentences):
    with pytest.raises(ItmError, match="1 or more"):
        write_lore(n_sentences)


def test_kinds_of_a_family_are_described_alike_but_not_the_same():
    """Counts of neighbours (PPMI, window of five), reduced to 50 numbers per word: the nearest kind is a relative."""
    words = {word: i for i, word in enumerate(COUNTS)}
    together = np.zeros((len(words), len(words)))
    pairs = defaultdict(int)
    for sentence in LORE:
        for i, word in enumerate(sentence):
            for other in sentence[max(0, i - 5) : i]:
                pairs[word, other] += 1
    for (a, b), n in pairs.items():
        together[words[a], words[b]] += n
        together[words[b], words[a]] += n
    often = together.sum(1)
    ppmi = np.log(np.maximum(1, together * together.sum() / np.outer(often, often)))
    directions, strengths, _ = np.linalg.svd(ppmi)
    vectors = (directions[:, :50] * np.sqrt(strengths[:50]))[[words[kind] for kind in KINDS]]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    alike = vectors @ vectors.T - 2 * np.eye(len(KINDS))
    families = np.array([kind.family for kind in KINDS.values()])
    same_family = (families[:, None] == families) & ~np.eye(len(KINDS), dtype=bool)
    assert (families[alike.argmax(1)] == families).mean() >= 0.85
    assert alike[same_family].mean() > alike[families[:, None] != families].mean() + 0.3
    assert alike[same_family].mean() < 0.9  # but each kind has entries of its own
