"""The measure of HM-LSTM's claim: does a noun phrase find the region that it names among those of its image?"""

from __future__ import annotations

from typing import Any

import torch
from torch import LongTensor, Tensor

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.data.constituents import constituents
from itm_tutorial.data.corpus import Split
from itm_tutorial.data.parsing import WorldParser, parse_captions
from itm_tutorial.extraction.features import split_boxes, split_features

OVERLAP = 0.5  # intersection over union with a true box from which a region counts as found
CHUNK = 250  # captions at a time


@torch.inference_mode()
def phrases_to_regions(trained: Trained) -> dict[str, Any]:
    """R@1 and R@3 of noun phrases whose head noun names a box: regions of the same image ranked by their cosine.

    Returns:
        "phrase_r1" and "phrase_r3", in percent: whether a region with an IoU of at least ``OVERLAP`` with a box that
        the head noun names is first, or among the first three; "phrase_chance", the fraction of such regions, which
        is R@1 by chance; "phrase_other", R@1 where each phrase is replaced by another one at random, which shows what
        the regions alone explain; and "phrases", how many were asked.
    """
    split, model = trained.corpus.test, trained.model
    features, boxes = split_features(split, model.features), split_boxes(split, model.features)
    caption, phrase, named = grounded_phrases(split, trained.corpus.name)
    phrases = []
    for at in range(0, len(split.captions), CHUNK):
        _, vectors, _ = model.encode_phrases(split.captions[at : at + CHUNK])
        phrases.append(vectors)
    asked = torch.cat(phrases)[phrase]  # [n, dim]
    image = split.image_of[caption]
    regions = model.encode_regions(features)[image]  # [n, n_regions, dim]
    right = overlaps_enough(boxes[image], named)  # bool [n, n_regions]
    order = torch.randperm(len(asked), generator=torch.Generator().manual_seed(trained.seed))
    near, other = ((regions @ one.unsqueeze(2)).squeeze(2) for one in (asked, asked[order]))  # [n, n_regions]
    return {
        "phrase_r1": _found(near, right, 1),
        "phrase_r3": _found(near, right, 3),
        "phrase_chance": 100 * right.double().mean().item(),
        "phrase_other": _found(other, right, 1),
        "phrases": len(asked),
    }


def _found(similarity: Tensor, right: Tensor, k: int) -> float:
    """How often one of the k nearest regions is right, in percent."""
    return 100 * right.gather(1, similarity.topk(k, dim=1).indices).any(1).double().mean().item()


def grounded_phrases(split: Split, world: str) -> tuple[LongTensor, LongTensor, Tensor]:
    """The noun phrases of a split whose head noun names a box.

    Args:
        split: of a drawn world, which knows groundings and boxes; the truth is used for evaluation alone.
        world: the name of its parser.

    Returns:
        Per phrase its caption, int64 [n]; its number among all noun phrases of all captions, int64 [n]; and the boxes
        that its head names, float32 [n, most, 4], padded with empty ones.
    """
    captions, numbers, named, count = [], [], [], 0
    parses = parse_captions(split.captions, WorldParser(world))
    for caption, (parse, grounded) in enumerate(zip(parses, split.groundings, strict=True)):
        boxes, tree = split.boxes[int(split.image_of[caption])], constituents(parse)
        for node in tree.noun_phrases:
            own = [box for word, box in grounded if word == tree.heads[node]]
            if own:
                captions.append(caption)
                numbers.append(count)
                named.append(boxes[own])
            count += 1
    padded = torch.nn.utils.rnn.pad_sequence(named, batch_first=True)
    return torch.tensor(captions), torch.tensor(numbers), padded


def overlaps_enough(regions: Tensor, named: Tensor) -> Tensor:
    """Whether each region fits one of the named boxes.

    Args:
        regions: boxes [n, n_regions, 4].
        named: boxes [n, most, 4]; empty ones are padding.

    Returns:
        bool [n, n_regions]: an intersection over union of ``OVERLAP`` or more.
    """
    a, b = regions[:, :, None], named[:, None]  # [n, n_regions, 1, 4] and [n, 1, most, 4]
    shared = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    areas = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1)
    return (shared / (areas - shared).clamp(min=1e-9) >= OVERLAP).any(2)
