"""Evaluates written captions by their truth: how many of the statements of a caption are true of its drawn scene?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import LongTensor, Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.text import checked_captions, tokenize
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.statements import Statement, has_statements, statements
from itm_tutorial.worlds.scenes.kinds import KINDS

SORTS = ("object", "attribute", "number", "relation", "place", "light")  # of statements; "number" is the fact "count"
ALL = "all"


@dataclass(frozen=True)
class TruthReport:
    """How true captions are of their pictures, over a whole list of captions; all shares are in percent.

    Attributes:
        stated: int64 [n_captions, 6], the number of statements per caption and sort, in the order of ``SORTS``.
        true: int64 [n_captions, 6], how many of them are true of the picture.
        named: int64 [n_captions], how many things of the scene a caption names, by their kind or by their
            family; the word of a family, such as "animal", names all of its things.
        things: int64 [n_captions], how many things the scene has that a caption may name.
        distinct: the share of captions that differ from all captions before them in the list.
        copied: the share whose words are those of a training caption, in the same order; None where no training
            captions were given.
    """

    stated: LongTensor
    true: LongTensor
    named: LongTensor
    things: LongTensor
    distinct: float
    copied: float | None = None

    @property
    def n_stated(self) -> LongTensor:
        """int64 [n_captions]: the number of statements of each caption."""
        return self.stated.sum(1)

    @property
    def n_true(self) -> LongTensor:
        """int64 [n_captions]: how many of the statements of each caption are true."""
        return self.true.sum(1)

    @property
    def shares(self) -> dict[str, float]:
        """Sort, and "all" -> the share of the captions' statements that are true; NaN where they make none."""
        sums = zip(self.true.sum(0), self.stated.sum(0), strict=True)
        found = {sort: _percent(true, stated) for sort, (true, stated) in zip(SORTS, sums, strict=True)}
        return found | {ALL: _percent(self.true.sum(), self.stated.sum())}

    @property
    def counts(self) -> dict[str, int]:
        """Sort, and "all" -> the number of statements."""
        return dict(zip((*SORTS, ALL), [*self.stated.sum(0).tolist(), int(self.stated.sum())], strict=True))

    @property
    def entirely_true(self) -> float:
        """The share of captions whose statements are all true; a caption that states nothing is not one of them."""
        return _percent(((self.n_true == self.n_stated) & (self.n_stated > 0)).sum(), torch.tensor(len(self.stated)))

    @property
    def coverage(self) -> float:
        """The share of the things of the scenes that the captions name."""
        return _percent(self.named.sum(), self.things.sum())

    def frame(self):
        """One row per sort of statement as a pandas DataFrame: the share of true ones, and their number."""
        import pandas as pd

        return pd.DataFrame({"true (%)": self.shares, "statements": self.counts})

    def __repr__(self) -> str:
        lines = [f"{'statements':<12}{'true':>8}{'number':>9}"]
        lines += [f"{sort:<12}{share:>7.1f}%{self.counts[sort]:>9,}" for sort, share in self.shares.items()]
        lines += [f"captions with every statement true: {self.entirely_true:.1f}%"]
        lines += [
            f"things of the scene that are named: {self.coverage:.1f}%",
            f"distinct captions: {self.distinct:.1f}%",
        ]
        if self.copied is not None:
            lines += [f"captions that are training captions word by word: {self.copied:.1f}%"]
        return "\n".join(lines)


def statement_truth(caption: str, split: Split, image: int) -> list[tuple[Statement, bool]]:
    """The statements of a caption, each with whether it is true of a drawn scene.

    Args:
        caption: any text.
        split: of the drawn scenes.
        image: the index of the picture.

    Returns:
        Pairs of a statement and its truth, in the order of ``statements``.

    Raises:
        ItmError: the pictures are no drawn scenes.
    """
    _check_scenes(split)
    true = split.facts.of_image[image]
    return [(statement, statement.fact in true) for statement in statements(caption)]


def evaluate_captions(
    captions: Sequence[str],
    split: Split,
    images: Sequence[int] | LongTensor | None = None,
    training_captions: Sequence[str] | None = None,
) -> TruthReport:
    """Counts the statements of captions, and how many are true of the scenes that the captions are written for.

    What a caption states is read from its text alone (see ``statements``). What is true is known, since the scenes are
    drawn: no human judge and no reference caption is needed. An attribute of a thing that is not there is false, and so
    is the thing itself; a thing that no caption may name counts as absent.

    Args:
        captions: n_captions texts.
        split: of the drawn scenes.
        images: the index of the picture of each caption; by default caption n is about picture n.
        training_captions: of the model that wrote the captions, to see which captions it has copied.

    Returns:
        The report.

    Raises:
        ItmError: the pictures are no drawn scenes, there is no caption, or an image is out of range.

    Example:
        >>> itm.evaluate_captions(test.captions, test, test.image_of).entirely_true  # those of the grammar
        100.0
    """
    _check_scenes(split)
    captions = checked_captions(captions, "evaluate_captions")
    images = _checked_images(images, len(captions), len(split.images))
    read = {caption: statements(caption) for caption in dict.fromkeys(captions)}  # each text once
    stated, true = torch.zeros(2, len(captions), len(SORTS), dtype=torch.int64).unbind()
    named, things = torch.zeros(2, len(captions), dtype=torch.int64).unbind()
    for row, (caption, image) in enumerate(zip(captions, images, strict=True)):
        facts = split.facts.of_image[image]
        for statement in read[caption]:
            sort = SORTS.index(_sort(statement))
            stated[row, sort] += 1
            true[row, sort] += statement.fact in facts
        kinds = {statement.fact[1] for statement in read[caption] if statement.fact[0] == "object"}
        there = [thing.kind for thing in split.facts.scenes[image].things if thing.named]
        things[row] = len(there)
        named[row] = sum(kind in kinds or KINDS[kind].family in kinds for kind in there)
    words = [tuple(tokenize(caption)) for caption in captions]
    copied = None
    if training_captions is not None:
        known = {tuple(tokenize(caption)) for caption in training_captions}
        copied = 100 * sum(one in known for one in words) / len(words)
    return TruthReport(stated, true, named, things, 100 * len(set(words)) / len(words), copied)


def truth_controls(
    captions: Sequence[str], split: Split, training_captions: Sequence[str], seed: int = 0
) -> dict[str, TruthReport]:
    """How true captions would be that do not look at the picture: what the truth of written captions is compared with.

    Args:
        captions: one per picture of the split, in its order.
        split: of the drawn scenes.
        training_captions: of the model that wrote the captions.
        seed: of the exchange.

    Returns:
        "other pictures": the same captions, each for another picture; "commonest caption": the training caption that
        occurs most often, for every picture.

    Raises:
        ItmError: the pictures are no drawn scenes, there are fewer than two, or not one caption for each.
    """
    if len(captions) != len(split.images) or len(captions) < 2:
        raise ItmError(
            f"truth_controls: {len(captions)} captions for {len(split.images)} pictures; give one for each of two "
            "pictures or more"
        )
    others = exchanged(len(captions), seed)
    common = commonest_caption(training_captions)
    return {
        "other pictures": evaluate_captions(captions, split, others, training_captions),
        "commonest caption": evaluate_captions([common] * len(captions), split, None, training_captions),
    }


def exchanged(n: int, seed: int = 0) -> LongTensor:
    """Gives each of n captions the picture of another one, at random.

    Args:
        n: two or more.
        seed: of the exchange.

    Returns:
        int64 [n], a permutation without a fixed point.
    """
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    return torch.empty_like(order).scatter(0, order, order.roll(1))  # everybody gets that of the one before


def commonest_caption(captions: Sequence[str]) -> str:
    """The caption that occurs most often; of equally common ones the first by the alphabet.

    Raises:
        ItmError: there is no caption.
    """
    counts = Counter(captions)
    if not counts:
        raise ItmError("commonest_caption: give one training caption or more")
    return min(counts, key=lambda caption: (-counts[caption], caption))


def _sort(statement: Statement) -> str:
    return {"count": "number"}.get(statement.fact[0], statement.fact[0])


def _percent(part: Tensor, whole: Tensor) -> float:
    return 100 * part.item() / whole.item() if whole.item() else float("nan")


def _check_scenes(split: Split) -> None:
    if not has_statements(split):
        raise ItmError(f"{split.name}: its pictures are no drawn scenes, so nobody knows which statements are true")


def _checked_images(images: Sequence[int] | LongTensor | None, n: int, n_images: int) -> list[int]:
    if not n:
        raise ItmError("evaluate_captions: give one caption or more")
    found = list(range(n)) if images is None else torch.as_tensor(images).tolist()
    if len(found) != n:
        raise ItmError(f"evaluate_captions: {n} captions and {len(found)} images; give the picture of each caption")
    outside = [image for image in found if not 0 <= image < n_images]
    if outside:
        raise ItmError(f"evaluate_captions: image {outside[0]} is none of the {n_images} pictures of the split")
    return found
