"""What the notebook of the chapter reads off its own models: maps of steps, pairs of maps, concepts and gates."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import LongTensor, Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.text import tokenize
from itm_tutorial.evaluation.grounding import Attention
from itm_tutorial.extraction.features import split_boxes, split_features
from itm_tutorial.models import Matching
from itm_tutorial.models.dan import DAN
from itm_tutorial.models.sco import SCO
from itm_tutorial.models.sm_lstm import SelectiveLSTM
from itm_tutorial.show.attention_view import AttentionView


class Saliency(NamedTuple):
    """The pairs of maps of one caption and its own image.

    Attributes:
        tokens: <start>, the words, <end>.
        regions: [T, n_regions].
        words: [T, len(tokens)].
    """

    tokens: list[str]
    regions: Tensor
    words: Tensor


class Shown(NamedTuple):
    """What SCO predicts for the images of a split.

    Attributes:
        concepts: probabilities p_c, [n_images, n_concepts].
        gate: [n_images, dim]; 1 takes the concepts, 0 the context.
    """

    concepts: Tensor
    gate: Tensor


def picture_view(model: Matching, split: Split, caption: int) -> AttentionView:
    """A caption's own picture with the regions that a model reads, and the boxes that the caption names.

    Args:
        model: reads regions.
        split: any split.
        caption: index of a caption.

    Returns:
        The view, with equal weights for all regions.
    """
    image, words = int(split.image_of[caption]), tokenize(split.captions[caption])
    boxes = split_boxes(split, model.features)[image]
    equal = torch.full((len(boxes), len(words)), 1 / len(boxes))
    rows = torch.tensor([caption]), torch.tensor([image])
    seen = Attention(*rows, [words], [equal], boxes[None], model.features.fit)
    return AttentionView.of(seen, split, 0, None, model.features.backbone)


@torch.no_grad()
def image_maps(model: DAN, split: Split, image: int) -> Tensor:
    """DAN's attention over the regions of one image in each step, [K, n_regions]."""
    features = split_features(split, model.features)[image][None].to(model.device, model.dtype)
    return model.eval().image_encoder.steps(features).weights[0].float().cpu()


@torch.no_grad()
def saliency(model: SelectiveLSTM, split: Split, caption: int) -> Saliency:
    """sm-LSTM's pairs of maps of a caption and its own image."""
    model.eval()
    own = split.image_of[caption][None]
    captions = model.encode_captions([split.captions[caption]])
    maps = model.network.pair_maps(model.encode_images(split_features(split, model.features)[own]), captions)
    tokens = ["<start>", *tokenize(split.captions[caption]), "<end>"]
    return Saliency(tokens, maps.regions[:, 0].float().cpu(), maps.words[:, 0].float().cpu())


@torch.no_grad()
def shown_concepts(model: SCO, split: Split) -> Shown:
    """SCO's concepts and gates for all images of a split; no caption is read."""
    features = split_features(split, model.features).to(model.device, model.dtype)
    found = model.eval().image_encoder.predict(features)
    return Shown(-found.absent.expm1().float().cpu(), found.gate.float().cpu())


def named_by(model: SCO, split: Split, image: int) -> set[str]:
    """Which of SCO's concepts the captions of an image name: the truth beside the prediction."""
    words = {word for caption in split.captions_of(image) for word in tokenize(caption)}
    return {concept for concept in model.concepts if concept in words}


def moved(maps: Tensor) -> float:
    """How much weight moves from the first map to the last: maps [T, n_items] -> 0 (equal) to 1 (no item shared)."""
    return (maps[-1] - maps[0]).abs().sum().item() / 2


def work_per_image(
    steps: int, n_regions: int, n_words: int, dim: int, n_concepts: int = 256
) -> dict[str, tuple[int, int]]:
    """Multiply-adds once per image, and per pair, of the chapter's methods and of SCAN, by their largest terms.

    Regions and words are given as vectors of ``dim`` numbers, and every vector, state and hidden layer has as many.

    Args:
        steps: K of DAN, and T of sm-LSTM.
        n_regions: of an image.
        n_words: of a caption.
        dim: numbers per vector.
        n_concepts: of SCO.

    Returns:
        Method -> (once per image, per pair), for ``cost_lines``. Once per image, DAN maps all regions in each step;
        sm-LSTM maps them twice, for attention and for local similarities; SCO predicts concepts in each region, maps
        them and the mean region, and makes the gate.
    """
    per_step = (n_regions + n_words) * dim + 8 * dim**2
    return {
        "SCO": ((n_regions + 1) * n_concepts * dim + 3 * dim**2, dim),
        f"DAN, K = {steps}": (steps * n_regions * dim**2, (steps + 1) * dim),
        "SCAN": (0, n_regions * n_words * dim),
        f"sm-LSTM, T = {steps}": (2 * n_regions * dim**2, steps * per_step),
    }


def permutation_faults(order: LongTensor) -> int:
    """How many captions get another one's embedding if rows are put back by ``order`` and not by its inverse."""
    return int((order[order] != torch.arange(len(order))).sum())
