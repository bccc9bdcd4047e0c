"""Tasks for probes on captions of drawn scenes: which object, how many things, and was a word of the caption replaced.

After the three tasks of Lindström et al. 2020. Their captions were changed at the root word, half of them by a coin.
How the new word is chosen decides what the task asks for: see ``changed_task`` and ``swapped_task``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

import torch
from torch import LongTensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.evaluation.probing import count_bins
from itm_tutorial.evaluation.statements import has_statements
from itm_tutorial.worlds.scenes.grammar import CaptionTruth, sentence
from itm_tutorial.worlds.scenes.kinds import FAMILIES, KINDS

COUNT_EDGES = (2, 3, 4, 5)  # a drawn scene has two things or more; the last bin is five and more


@dataclass(frozen=True)
class ProbingTask:
    """Captions with labels.

    Attributes:
        name: "object", "count" or "changed".
        captions: what is encoded, n_items of them.
        labels: int64 [n_items].
        groups: int64 [n_items]; items of one group must stay in one part of a split.
        image_of: int64 [n_items], the image of each caption before any change.
        classes: what each label means.
    """

    name: str
    captions: list[str]
    labels: LongTensor
    groups: LongTensor
    image_of: LongTensor
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.captions)


def object_task(split: Split, family: str = "animal") -> ProbingTask:
    """Which kind of a family is in the picture; a caption need not name it.

    As in the paper, only images with exactly one category count: here, one named kind of the family.

    Args:
        split: of drawn scenes.
        family: such as "animal" or "vehicle".

    Returns:
        All captions of these images. Labels follow the order of ``KINDS``.

    Raises:
        ItmError: the split is no drawn one, or there is no such family.
    """
    if family not in FAMILIES:
        raise unknown("family", family, FAMILIES)
    kinds = [name for name, kind in KINDS.items() if kind.family == family]
    shown = [[thing.kind for thing in things if thing.kind in kinds] for things in _named(split)]
    label_of = {image: kinds.index(some[0]) for image, some in enumerate(shown) if len(some) == 1}
    return _of_images("object", split, label_of, tuple(kinds))


def count_task(split: Split, edges: Sequence[int] = COUNT_EDGES) -> ProbingTask:
    """How many individuals are in the picture, in bins; a caption need not name all.

    Args:
        split: of drawn scenes.
        edges: the smallest count of each bin; see ``count_bins``.

    Returns:
        All captions of the split.

    Raises:
        ItmError: the split is no drawn one, or the edges do not fit.
    """
    counts = torch.tensor([sum(thing.count for thing in things) for things in _named(split)])
    bins = dict(enumerate(count_bins(counts, edges).tolist()))
    ends = [f"{low} to {high - 1}" if high - 1 > low else f"{low}" for low, high in zip(edges, edges[1:], strict=False)]
    return _of_images("count", split, bins, (*ends, f"{edges[-1]} or more"))


def changed_task(split: Split, change: Callable[[str], str], seed: int = 0) -> ProbingTask:
    """Was a word of the caption replaced? A coin decides for each caption.

    Args:
        split: any split.
        change: a caption -> the changed caption, such as ``query_changes.replace_object``; captions that it leaves as
            they are do not count.
        seed: of the coins.

    Returns:
        Captions, half of them changed: label 1. A function that puts in the same few words every time makes a task that
        a list of these words solves; ``swapped_task`` does not.

    Raises:
        ItmError: no caption changes.
    """
    coins = Random(seed)
    rows = [(c, caption, change(caption)) for c, caption in enumerate(split.captions)]
    rows = [row for row in rows if row[1] != row[2]]
    if not rows:
        raise ItmError(f"changed_task: no caption of {split.name} changes; give another change")
    labels = [int(coins.random() < 0.5) for _ in rows]
    captions = [row[1 + label] for row, label in zip(rows, labels, strict=True)]
    image_of = split.image_of[[row[0] for row in rows]]
    return ProbingTask("changed", captions, torch.tensor(labels), image_of, image_of, ("as written", "changed"))


def swapped_task(split: Split, seed: int = 0) -> ProbingTask:
    """Was a noun of the caption replaced? Two captions of two images swap their nouns, or keep them, by one coin.

    The nouns are of one family, such as "wolf" and "dog". Because they swap, each word is as frequent among changed
    captions as among the others: no single word gives the answer away, only what it stands beside.

    Args:
        split: of drawn scenes.
        seed: of the pairs and the coins.

    Returns:
        Captions, about half of them changed: label 1. The groups are the pairs of images.

    Raises:
        ItmError: the split is no drawn one, or no two images can swap.
    """
    lots, things = Random(seed), _named(split)
    captions_of: dict[int, list[int]] = {}
    for caption, image in enumerate(split.image_of.tolist()):
        captions_of.setdefault(image, []).append(caption)
    rows: list[tuple[str, int, int, int]] = []  # caption, label, group, image
    for group, ((one, kind), (other, its)) in enumerate(_partners([[t.kind for t in some] for some in things], lots)):
        for many in (False, True):  # a plural stands for a plural
            sides = [
                [(c, w) for c in captions_of.get(image, []) if (w := _mention(split, c, name, many)) is not None]
                for image, name in ((one, kind), (other, its))
            ]
            for (c, w), (d, v) in zip(*sides, strict=False):
                swap = int(lots.random() < 0.5)
                truths = split.facts.truths[c], split.facts.truths[d]
                texts = [truth.text for truth in truths]
                if swap:
                    nouns = truths[0].words[w].text, truths[1].words[v].text
                    texts = [_with_noun(truths[0], w, nouns[1]), _with_noun(truths[1], v, nouns[0])]
                rows += [(texts[0], swap, group, one), (texts[1], swap, group, other)]
    if not rows:
        raise ItmError(
            f"swapped_task: no two images of {split.name} have kinds of one family to swap; give more images"
        )
    captions, labels, groups, images = zip(*rows, strict=True)
    return ProbingTask(
        "changed",
        list(captions),
        torch.tensor(labels),
        torch.tensor(groups),
        torch.tensor(images),
        ("as written", "changed"),
    )


def _partners(kinds: list[list[str]], lots: Random) -> list[tuple[tuple[int, str], tuple[int, str]]]:
    """Pairs of images, each image in one pair at most, with a kind of one family each that the other image lacks."""
    waiting: dict[str, list[tuple[int, str]]] = {}
    used: set[int] = set()
    pairs = []
    for image in lots.sample(range(len(kinds)), len(kinds)):
        for kind in lots.sample(kinds[image], len(kinds[image])):
            fitting = (
                (other, its)
                for other, its in waiting.get(KINDS[kind].family, [])
                if other not in used and its not in kinds[image] and kind not in kinds[other]
            )
            if (partner := next(fitting, None)) is not None:
                used |= {image, partner[0]}
                pairs.append((partner, (image, kind)))
                break
        else:
            for kind in kinds[image]:
                waiting.setdefault(KINDS[kind].family, []).append((image, kind))
    return pairs


def _mention(split: Split, caption: int, kind: str, many: bool) -> int | None:
    """The index of the noun by which a caption names a kind, or None; ``many`` asks for a plural."""
    things = split.facts.scenes[int(split.image_of[caption])].things
    for w, word in enumerate(split.facts.truths[caption].words):
        if word.word_class == "noun" and word.meaning == kind and (things[word.things[0]].count > 1) == many:
            return w
    return None


def _with_noun(truth: CaptionTruth, place: int, noun: str) -> str:
    words = list(truth.words)
    words[place] = replace(words[place], text=noun)
    if place and words[place - 1].text in ("a", "an"):
        words[place - 1] = replace(words[place - 1], text="an" if noun[0] in "aeiou" else "a")
    return sentence(words)


def _named(split: Split) -> list[list]:
    """Per image, the things that captions may name."""
    if not has_statements(split):
        raise ItmError(f"{split.name}: it is not known what its images show; use a split of the drawn scenes")
    return [[thing for thing in scene.things if thing.named] for scene in split.facts.scenes]


def _of_images(name: str, split: Split, label_of: dict[int, int], classes: tuple[str, ...]) -> ProbingTask:
    """All captions of the labelled images; the images are the groups."""
    rows = [(c, image) for c, image in enumerate(split.image_of.tolist()) if image in label_of]
    if not rows:
        raise ItmError(f"{name} task: no image of {split.name} has a label; give a larger split or another family")
    images = torch.tensor([image for _, image in rows])
    labels = torch.tensor([label_of[image] for _, image in rows])
    return ProbingTask(name, [split.captions[c] for c, _ in rows], labels, images, images, classes)
