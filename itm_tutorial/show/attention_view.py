"""The attention between one caption and one picture, with the true boxes where they are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.show.attention_pixels import grid_side, seen_square

if TYPE_CHECKING:
    from itm_tutorial.evaluation.grounding import Attention

MOST_WORDS = 9  # panels, unless more words are asked for
CLEAR = 2  # times uniform attention: below it, a word's largest weight says little about where it attends
_OFTEN = """a an the is are was be there here this that these those it its and or of in on at to by for with from as
into his her their he she they has have who which while some very"""
FUNCTION_WORDS = frozenset(_OFTEN.split())
SIGNS = {"inside": "✓ ", "outside": "✗ ", "spread": "○ ", "": ""}


class AttentionView:
    """The attention between one caption and one picture, with the true boxes where they are known.

    In a drawn world, every word of "to the left of" names the two things that it relates. Of such a phrase only the
    content word is drawn with its boxes: "to" and "the" name nothing by themselves.

    Attributes:
        caption: as it stands in the split.
        image: uint8 [3, side, side], the square that the model saw, sharp.
        words: of the caption.
        weights: float32 [n_regions, n_words].
        boxes: float32 [n_regions, 4], in [0, 1].
        side: cells per side, where regions are the squares of a grid; else 0.
        named: content word -> the boxes it names, float32 [n, 4]; empty where this is not known.
    """

    def __init__(self, caption: str, image: Tensor, words: list[str], weights: Tensor, boxes: Tensor, side: int = 0):
        self.caption, self.image, self.words = caption, image, words
        self.weights, self.boxes, self.side = weights, boxes, side
        self.named: dict[int, Tensor] = {}
        self.n, self.noun = len(boxes), "square" if side else "region"

    @classmethod
    def of(cls, seen: Attention, split: Split, i: int, grid: bool | None, backbone: str) -> AttentionView:
        """Selects caption i of ``seen``, and adds the boxes that its content words name."""
        if not 0 <= i < len(seen):
            raise ItmError(f"no caption {i} among those attended; they go from 0 to {len(seen) - 1}")
        caption, image = int(seen.captions[i]), int(seen.images[i])
        boxes = seen.boxes[i]
        side = grid_side(boxes) if grid is not False else 0
        if grid and not side:
            raise ItmError(f"grid=True, but the {len(boxes)} regions are not the squares of a grid; leave grid out")
        picture = seen_square(split.display(image), backbone, seen.fit)
        view = cls(split.captions[caption], picture, seen.words[i], seen.weights[i], boxes, side)
        own = int(split.image_of[caption]) == image  # beside another picture, its words name nothing
        if own and split.groundings is not None and split.boxes is not None:
            for word, box in split.groundings[caption]:
                if view.words[word] not in FUNCTION_WORDS:
                    one = split.boxes[image][box][None]
                    view.named[word] = torch.cat([view.named[word], one]) if word in view.named else one
        return view

    def top(self, word: int) -> tuple[int, float]:
        """The region with the largest weight, and this weight."""
        weight, region = self.weights[:, word].max(0)
        return int(region), float(weight)

    def clear(self, word: int) -> bool:
        """Whether the largest weight is at least twice that of uniform attention."""
        return self.top(word)[1] >= CLEAR / self.n

    def hit(self, word: int) -> str:
        """Where the centre of the top region lies: "inside" or "outside" the boxes that the word names.

        Returns:
            "spread" where no weight is twice that of uniform attention, and "" where the word names no box.
        """
        if word not in self.named:
            return ""
        if not self.clear(word):
            return "spread"
        return "inside" if self.names(word, self.top(word)[0]) else "outside"

    def names(self, word: int, region: int) -> bool | None:
        """Whether the centre of a region lies in a box that the word names; None where it names none."""
        if word not in self.named:
            return None
        middle, boxes = (self.boxes[region, :2] + self.boxes[region, 2:]) / 2, self.named[word]
        return bool(((middle > boxes[:, :2]) & (middle < boxes[:, 2:])).all(1).any())

    def content_words(self) -> list[int]:
        """The places of the words that are no function words; all places where there are none."""
        places = range(len(self.words))
        return [w for w in places if self.words[w] not in FUNCTION_WORDS] or list(places)

    def first_word(self) -> int:
        """The first word that names a box; the first content word where none does."""
        return min(self.named, default=self.content_words()[0])

    def places_of(self, words: Sequence[str | int] | None) -> list[int]:
        """Words or places -> places; by default content words, and of too many those that name a box first."""
        if words is None:
            return sorted(sorted(self.content_words(), key=lambda w: w not in self.named)[:MOST_WORDS])
        places = []
        for word in words:
            found = [w for w, text in enumerate(self.words) if word in (w, text)]
            if not found:
                raise unknown(f"word of “{self.caption}”", str(word), self.words)
            places += found
        return places

    def description(self, word: int) -> str:
        """Which region a word attends to most, as a sentence without its full stop."""
        region, weight = self.top(word)
        several = len(self.named.get(word, ())) > 1
        boxes = {"inside": "a box it names" if several else "the box it names"}
        boxes["outside"] = "the boxes it names" if several else "the box it names"
        hit = self.hit(word)
        spread = "" if self.clear(word) else ", hardly more than to the others"
        truth = f", {hit} {boxes[hit]}" if hit in boxes else spread
        return f"“{self.words[word]}” attends to the {self.noun} {place_of(self.boxes[region])} ({weight:.2f}){truth}"


def place_of(box: Tensor) -> str:
    """Where a box lies in the picture, in words: "at the lower left"."""
    x, y = ((box[:2] + box[2:]) / 2).tolist()
    across = "left" if x < 1 / 3 else "right" if x > 2 / 3 else ""
    down = "upper" if y < 1 / 3 else "lower" if y > 2 / 3 else ""
    if across and down:
        return f"at the {down} {across}"
    if not across and not down:
        return "in the middle"
    return f"at the {across or {'upper': 'top', 'lower': 'bottom'}[down]}"
