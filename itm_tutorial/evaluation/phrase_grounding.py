"""Evaluates phrase localisation: does a model choose the region that shows what a noun phrase names?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import LongTensor, Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.parsing import Parser, parse_captions
from itm_tutorial.encoders.threads import free_cores
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.evaluation.grounding import CHUNK, _inside, attend
from itm_tutorial.extraction.features import split_boxes, split_confidence, split_features
from itm_tutorial.models import Images, Matching

ENOUGH = 0.5  # intersection over union from which a region counts as the box of a phrase
MODIFIERS = ("number", "pattern", "colour", "size")  # word classes beside the noun; the first that a phrase has counts
CHANCES = ("uniform", "by area")
POOLINGS = ("mean", "max")
ALL = "all"


@dataclass(frozen=True)
class GroundedPhrases:
    """Noun phrases whose boxes are known, one row per phrase.

    Attributes:
        row: int64 [n], the index of the caption.
        number: int64 [n], the index of the phrase among the noun phrases of its caption's parse.
        spans: int64 [n, 2], the words of the phrase in the caption, end excluded.
        kind: per phrase, "number", "pattern", "colour" or "size" if it holds such a word (in this order), else "noun".
        noun: per phrase, its last word.
        named: float32 [n, most, 4], the boxes that the noun names, padded with empty ones.
    """

    row: LongTensor
    number: LongTensor
    spans: LongTensor
    kind: list[str]
    noun: list[str]
    named: Tensor

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True)
class PhraseReport:
    """Chosen regions compared with the true boxes, by kind of phrase, in percent.

    A phrase that names several things is localised by a region of any of them.

    Attributes:
        pointing: party -> kind -> how often the centre of the chosen region lies in a box that the phrase names. The
            parties: "model"; "uniform" and "by area", the expected values of a region drawn at random, each with equal
            probability or in proportion to its area; "best region", how often any region does.
        iou: the same for an intersection over union of 0.5 or more.
        phrases: kind -> the number of phrases; "all" counts every one.
        hits: of the model, bool [n, 2], for each phrase: pointing, and intersection over union.
    """

    pointing: dict[str, dict[str, float]]
    iou: dict[str, dict[str, float]]
    phrases: dict[str, int]
    hits: Tensor

    def frame(self):
        """Both measures as a pandas DataFrame: one row per kind of phrase, one column per measure and party."""
        import pandas as pd

        columns = {("pointing", party): values for party, values in self.pointing.items()}
        columns |= {(f"IoU {ENOUGH}", party): values for party, values in self.iou.items()}
        return pd.DataFrame({**columns, ("phrases", ""): self.phrases})

    def __repr__(self) -> str:
        lines = [f"{f'pointing (IoU {ENOUGH})':<18}" + "".join(f"{party:>16}" for party in self.pointing)]
        for kind, n in self.phrases.items():
            cells = (f"{self.pointing[party][kind]:.1f} ({self.iou[party][kind]:.1f})" for party in self.pointing)
            lines.append(f"{kind:<18}" + "".join(f"{cell:>16}" for cell in cells) + f"{n:>9,} phrases")
        return "\n".join(lines)


def grounded_phrases(split: Split, parser: Parser) -> GroundedPhrases:
    """The noun phrases of a split whose noun names boxes, found by the parser from the text alone.

    Args:
        split: of a drawn world, which knows groundings and boxes.
        parser: of this world; see ``data.parsing.parser_for``.

    Returns:
        The phrases, in the order of the captions.

    Raises:
        ItmError: the split has no groundings, or no phrase of it names a box.
    """
    if split.groundings is None or split.facts is None or split.boxes is None:
        raise ItmError(f"{split.name}: it is not known which box a phrase names: use a split of a drawn world")
    rows, spans, kinds, nouns, named = [], [], [], [], []
    for row, parse in enumerate(parse_captions(split.captions, parser)):
        boxes, truth = split.boxes[int(split.image_of[row])], split.facts.truths[row]
        for number, (start, end) in enumerate(parse.noun_phrases):
            some = [box for word, box in split.groundings[row] if word == end - 1]
            if some:
                classes = {word.word_class for word in truth.words[start:end]}
                rows.append((row, number))
                spans.append((start, end))
                kinds.append(next((one for one in MODIFIERS if one in classes), "noun"))
                nouns.append(parse.words[end - 1])
                named.append(boxes[some])
    if not rows:
        raise ItmError(f"{split.name}: no noun phrase of its captions names a box; give the parser of its own world")
    row, number = torch.tensor(rows).unbind(1)
    padded = torch.nn.utils.rnn.pad_sequence(named, batch_first=True)  # an empty box overlaps nothing
    return GroundedPhrases(row, number, torch.tensor(spans), kinds, nouns, padded)


@torch.no_grad()
@free_cores()
def choose_regions(
    model: Matching, split: Split, phrases: GroundedPhrases, pooling: Literal["mean", "max"] = "mean"
) -> LongTensor:
    """The region of the own image that a model chooses for each phrase.

    Args:
        model: with ``phrase_scores(image_emb, caption_emb)`` -> [n_images, n_captions, n_regions, n_phrases], phrases
            in the order of the parse; or with attention between words and regions, such as "scan".
        split: any split.
        phrases: of this split.
        pooling: how the attention of a phrase follows from that of its words, "mean" or "max"; without effect on a
            model that scores phrases.

    Returns:
        int64 [n_phrases], indices of regions.

    Raises:
        ItmError: the model has neither, or an unknown pooling.
    """
    if pooling not in POOLINGS:
        raise unknown("pooling", pooling, POOLINGS)
    if not hasattr(model, "phrase_scores"):
        weights = attend(model, split).weights  # per caption, [n_regions, n_words]
        words = zip(phrases.row.tolist(), phrases.spans.tolist(), strict=True)
        of_phrases = [weights[row][:, start:end] for row, (start, end) in words]
        return torch.stack([(w.mean(1) if pooling == "mean" else w.amax(1)).argmax() for w in of_phrases])
    features, training = split_features(split, model.features), model.training
    if model.reads_boxes:
        features = Images(features, split_boxes(split, model.features), split_confidence(split, model.features))
    model.eval()
    try:
        chosen = []
        for some in torch.arange(len(split.captions)).split(CHUNK):
            caption_emb = model.encode_captions([split.captions[c] for c in some.tolist()])
            image_emb = model.encode_images(features[split.image_of[some]])
            all_pairs = model.phrase_scores(image_emb, caption_emb)  # [some, some, n_regions, n_phrases]
            best = all_pairs.diagonal().permute(2, 0, 1).argmax(1).cpu()  # [some, n_phrases]
            here = (phrases.row >= some[0]) & (phrases.row <= some[-1])
            chosen.append(best[phrases.row[here] - some[0], phrases.number[here]])
    finally:
        model.train(training)
    return torch.cat(chosen)


def evaluate_phrases(
    model: Matching, split: Split, parser: Parser, pooling: Literal["mean", "max"] = "mean"
) -> PhraseReport:
    """Compares the region chosen for each noun phrase with the boxes that the phrase names.

    Args:
        model, split, pooling: see ``choose_regions``; the split is one of a drawn world.
        parser: of this world.

    Returns:
        The report.

    Raises:
        ItmError: see ``grounded_phrases`` and ``choose_regions``.

    Example:
        >>> evaluate_phrases(model, corpus.test, parser_for(corpus)).iou["model"]["all"]
    """
    phrases = grounded_phrases(split, parser)
    return compare_regions(
        choose_regions(model, split, phrases, pooling), split_boxes(split, model.features), split, phrases
    )


def compare_regions(chosen: LongTensor, boxes: Tensor, split: Split, phrases: GroundedPhrases) -> PhraseReport:
    """Compares chosen regions with the boxes that phrases name.

    Args:
        chosen: int64 [n], per phrase the index of a region of its image.
        boxes: float32 [n_images, n_regions, 4] of the split's regions.
        split: of a drawn world.
        phrases: n grounded phrases of it.

    Returns:
        The report, with both chance lines.
    """
    regions = boxes[split.image_of[phrases.row]]  # [n, n_regions, 4]
    points = _inside(regions, phrases.named)[0].float()  # [n, n_regions]
    covers = (overlap(regions, phrases.named).amax(2) >= ENOUGH).float()
    area = (regions[..., 2:] - regions[..., :2]).prod(-1).clamp(min=0)
    drawn = {"uniform": torch.ones_like(area), "by area": area}
    drawn = {party: weight / weight.sum(1, keepdim=True).clamp(min=1e-12) for party, weight in drawn.items()}
    found: list[dict[str, Tensor]] = []
    for hit in (points, covers):
        values = {"model": hit.gather(1, chosen[:, None])[:, 0]}
        values |= {party: (weight * hit).sum(1) for party, weight in drawn.items()}
        found.append({**values, "best region": hit.amax(1)})
    counts = {ALL: len(phrases)}
    counts |= {kind: phrases.kind.count(kind) for kind in ("noun", *MODIFIERS) if kind in phrases.kind}
    pointing, iou = ({party: by_group(v, phrases.kind) for party, v in values.items()} for values in found)
    return PhraseReport(pointing, iou, counts, torch.stack([one["model"] for one in found], 1) > 0)


def by_group(values: Tensor, groups: list[str]) -> Mapping[str, float]:
    """The mean of values [n] in percent, of all and within each group."""
    means = {ALL: 100 * values.mean().item()}
    for group in sorted(set(groups)):
        means[group] = 100 * values[torch.tensor([one == group for one in groups])].mean().item()
    return means


def overlap(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union within each row: boxes [n, n_a, 4] and [n, n_b, 4] -> [n, n_a, n_b]; 0 for empty ones."""
    a, b = a[:, :, None], b[:, None]
    shared = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    areas = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1)
    return shared / (areas - shared).clamp(min=1e-9)
