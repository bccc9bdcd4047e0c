"""What chapter 02's claims train and measure in their own ways: long runs, entailment, and second stages."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from itm_tutorial.chapters import measures
from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.chapters.runner import Run, Trained
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.models import Matching
from itm_tutorial.training.finetuning import unfreeze
from itm_tutorial.worlds.scenes.facts import entails

CONVERGED = 0.01  # the last quarter of a run may add this fraction to its best rsum, and no more


def long_run(trained: Trained) -> dict[str, Any]:
    """rsum on val by epoch, on test at the best epoch, and whether training stood still in its last quarter."""
    by_epoch = [row["rsum"] for row in trained.history.epochs]
    before = max(by_epoch[: 3 * len(by_epoch) // 4])
    return {
        "val_rsum_by_epoch": [round(value, 1) for value in by_epoch],
        "steps_an_epoch": len(trained.corpus.train.captions) // trained.arm.columns["batch_size"],
        **measures.rsum(trained),
        "converged": max(by_epoch) <= (1 + CONVERGED) * before,
        **measures.seconds(trained),
    }


def overtaken(first: str, second: str, run: Run) -> dict[str, int | None]:
    """A control: the epoch from which the validation curve of one arm stays above that of another."""
    return {"epoch": crossing(*(run.row(name)["val_rsum_by_epoch"] for name in (first, second)))}


def crossing(first: list[float], second: list[float]) -> int | None:
    """The epoch, from 1, from which the first curve stays above the second; None where it never does."""
    behind = [epoch for epoch, (a, b) in enumerate(zip(first, second, strict=True), start=1) if a <= b]
    last = max(behind, default=0)
    return last + 1 if last < len(first) else None


def entailment(trained: Trained) -> dict[str, dict[str, float]]:
    """How well caption embeddings tell entailment by their cosine and by order violation, AUC in percent."""
    return {
        "entailment": {by: entailment_area(trained.model, trained.corpus.test, by) for by in ("cosine", "order")},
    }


@torch.inference_mode()
def entailment_area(model: Matching, split: Split, by: str) -> float:
    """How well a model's caption embeddings tell entailment, area under the curve in percent.

    Args:
        model: trained.
        split: of a drawn world.
        by: "order", minus how far the second caption lies above the first; or "cosine", which knows no direction.
    """
    first, second, entailed = entailment_pairs(split)
    embeddings = torch.cat(
        [model.encode_captions(split.captions[i : i + 512]) for i in range(0, len(split.captions), 512)]
    )
    a, b = embeddings[first], embeddings[second]  # [n_pairs, dim]
    scores = (a * b).sum(1) if by == "cosine" else -(b - a).clamp(min=0).square().sum(1)
    return area_under_curve(scores, entailed)


def entailment_pairs(split: Split) -> tuple[Tensor, Tensor, Tensor]:
    """Ordered pairs of captions of one image, and whether who believes the first must believe the second.

    Returns:
        int64 [n_pairs], int64 [n_pairs], bool [n_pairs].
    """
    captions_of: dict[int, list[int]] = {}
    for caption, image in enumerate(split.image_of.tolist()):
        captions_of.setdefault(image, []).append(caption)
    pairs = [(a, b) for own in captions_of.values() for a in own for b in own if a != b]
    truths = split.facts.truths
    entailed = [entails(truths[a].facts, truths[b].facts) for a, b in pairs]
    first, second = torch.tensor(pairs).T
    return first, second, torch.tensor(entailed)


def area_under_curve(scores: Tensor, positive: Tensor) -> float:
    """How often a positive scores above a negative, in percent; a tie counts half.

    Args:
        scores: [n].
        positive: bool [n].
    """
    negative, _ = scores[~positive].sort()
    below = torch.searchsorted(negative, scores[positive])
    below = below + torch.searchsorted(negative, scores[positive], right=True)
    return 50 * below.double().mean().item() / len(negative)


def backbone_free(arm: Arm, corpus: Corpus, seed: int, before: Matching) -> Matching:
    """The second stage: the trained model with its backbone inside, all weights free."""
    return unfreeze(before)


def backbone_frozen(arm: Arm, corpus: Corpus, seed: int, before: Matching) -> Matching:
    """The control of the second stage: a copy that is trained for as long at the same rate, without the backbone."""
    model = deepcopy(before)
    model.recipe = unfreeze(before).recipe
    model.loss_function.end_warmup()  # as unfreeze does
    return model
