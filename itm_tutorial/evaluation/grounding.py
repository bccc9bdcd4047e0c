"""Evaluates attention: do words attend to the regions that show what they name?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import LongTensor, Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.text import tokenize
from itm_tutorial.encoders.threads import free_cores
from itm_tutorial.errors import ItmError
from itm_tutorial.extraction.features import split_boxes, split_confidence, split_features
from itm_tutorial.extraction.regions import grid_boxes
from itm_tutorial.models import Images, Matching, build_model, provides

CHUNK = 16  # captions at a time: the model computes all pairs of a block, of which only the diagonal is used
CONTROLS = ("uniform", "shuffled captions", "untrained")
PATCH_TEMPERATURE = 0.07  # of the softmax over patches, where a model has patch maps and no attention; CLIP's first one


@dataclass(frozen=True)
class Attention:
    """The attention weights of captions, each paired with one image.

    Attributes:
        captions: int64 [n], indices of captions of the split.
        images: int64 [n], the image that each caption is paired with.
        words: per caption, its words, in the order that groundings count.
        weights: per caption, float32 [n_regions, n_words]; each word's weights sum to one.
        boxes: float32 [n, n_regions, 4] (x0, y0, x1, y1) in [0, 1].
        fit: of the model's ``FeatureSpec``: how the boxes lie in an image; "crop", in its central square, or "stretch",
            in all of it, where the model has a network of its own.
    """

    captions: LongTensor
    images: LongTensor
    words: list[list[str]]
    weights: list[Tensor]
    boxes: Tensor
    fit: str = ""

    def __len__(self) -> int:
        return len(self.captions)


@torch.no_grad()
@free_cores()
def attend(
    model: Matching, split: Split, captions: Sequence[int] | None = None, images: Sequence[int] | None = None
) -> Attention:
    """Computes the attention weights between the words of captions and the regions of images.

    A model with ``patch_scores`` in place of attention, such as "dual_encoder", compares each patch with each word
    alone, as a text of one word; a softmax over the patches makes weights of the cosines. Such a network was trained
    on whole images and whole texts, so these maps may point to the wrong place.

    Args:
        model: a model with attention, such as "scan"; it is not changed.
        split: any split.
        captions: indices of the captions; by default all.
        images: the image to pair with each caption; by default its own.

    Returns:
        The attention. If the model's regions attend to words, each word's weights are normalised to a sum of one.

    Raises:
        ItmError: the model has no attention, an index is out of range, or the numbers of images and captions differ.
    """
    if provides(model, "patch_scores"):
        return _attend_patches(model, split, captions, images)
    if not hasattr(model, "attention"):
        raise ItmError(f"{model.name} has no attention: use a model that attends to regions, such as 'scan'")
    captions = torch.arange(len(split.captions)) if captions is None else torch.as_tensor(captions)
    _check_rows("caption", captions, len(split.captions), split.name)
    images = split.image_of[captions] if images is None else torch.as_tensor(images)
    _check_rows("image", images, len(split.images), split.name)
    if images.shape != captions.shape:
        raise ItmError(f"images are {list(images.shape)} for {len(captions)} captions; give one image per caption")
    features, boxes = split_features(split, model.features), split_boxes(split, model.features)
    if model.reads_boxes:
        features = Images(features, boxes, split_confidence(split, model.features))
    words = [tokenize(split.captions[c]) for c in captions.tolist()]
    training = model.training
    model.eval()
    try:
        weights = []
        for some, beside in zip(captions.split(CHUNK), images.split(CHUNK), strict=True):
            caption_emb = model.encode_captions([split.captions[c] for c in some.tolist()])
            image_emb = model.encode_images(features[beside])
            all_pairs = model.attention(image_emb, caption_emb)  # [some, some, n_regions, seq_len]
            weights += all_pairs.diagonal().permute(2, 0, 1).float().cpu()  # [n_regions, seq_len] each
    finally:
        model.train(training)
    of_words = [_of_words(w, len(tokens)) for w, tokens in zip(weights, words, strict=True)]
    return Attention(captions, images, words, of_words, boxes[images], model.features.fit)


def _attend_patches(
    model: Matching, split: Split, captions: Sequence[int] | None, images: Sequence[int] | None
) -> Attention:
    """The weights of patches for each word, from cosines of patches and words; arguments as for ``attend``."""
    captions = torch.arange(len(split.captions)) if captions is None else torch.as_tensor(captions)
    _check_rows("caption", captions, len(split.captions), split.name)
    images = split.image_of[captions] if images is None else torch.as_tensor(images)
    _check_rows("image", images, len(split.images), split.name)
    if images.shape != captions.shape:
        raise ItmError(f"images are {list(images.shape)} for {len(captions)} captions; give one image per caption")
    words = [tokenize(split.captions[c]) for c in captions.tolist()]
    training, weights = model.training, []
    model.eval()
    try:
        for image, of_caption in zip(images.tolist(), words, strict=True):
            scores = model.patch_scores(split.images[image][None], of_caption)[0]  # [n_words, rows, columns]
            weights.append((scores.flatten(1) / PATCH_TEMPERATURE).softmax(1).T)  # [n_patches, n_words]
    finally:
        model.train(training)
    boxes = grid_boxes(len(weights[0]) if weights else 1).expand(len(weights), -1, -1)
    return Attention(captions, images, words, weights, boxes, model.network.fit)


def _check_rows(what: str, rows: LongTensor, n: int, split: str) -> None:
    for row in rows.tolist():
        if not 0 <= row < n:
            raise ItmError(f"no {what} {row} in the {split} split: they go from 0 to {n - 1}")


def _of_words(weights: Tensor, n_words: int) -> Tensor:
    """Removes <start> and <end>, [n_regions, seq_len] -> [n_regions, n_words]; each word's weights then sum to one."""
    weights = weights[:, 1 : n_words + 1]
    return weights / weights.sum(0).clamp(min=1e-12)


@dataclass(frozen=True)
class AttentionReport:
    """Attention compared with the true boxes, by word class, in percent.

    Attributes:
        pointing: "model" or a baseline -> word class -> how often the region with the largest weight has its centre in
            a box that the word names (the pointing game of Zhang et al. 2016).
        mass: the same keys -> the mean fraction of the weights that lies within these boxes.
        words: word class -> the number of words.
    """

    pointing: dict[str, dict[str, float]]
    mass: dict[str, dict[str, float]]
    words: dict[str, int]

    def lead(self, word_class: str) -> float:
        """By how many percentage points the model exceeds the best baseline in the pointing game."""
        return self.pointing["model"][word_class] - max(self.pointing[name][word_class] for name in CONTROLS)

    def frame(self):
        """Pointing game and mass as a pandas DataFrame: one row per word class, one column per metric and party."""
        import pandas as pd

        columns = {("pointing", name): values for name, values in self.pointing.items()}
        columns |= {("mass inside", name): values for name, values in self.mass.items()}
        return pd.DataFrame({**columns, ("words", ""): self.words})

    def __repr__(self) -> str:
        names = list(self.pointing)
        lines = [f"{'pointing game (mass inside)':<12}", f"{'':<10}" + "".join(f"{name:>20}" for name in names)]
        for word_class, n in self.words.items():
            cells = (f"{self.pointing[k][word_class]:.1f} ({self.mass[k][word_class]:.1f})" for k in names)
            lines.append(f"{word_class:<10}" + "".join(f"{cell:>20}" for cell in cells) + f"{n:>9,} words")
        return "\n".join(lines)


@dataclass(frozen=True)
class _GroundedWords:
    """Words whose boxes are known, one row per word.

    Attributes:
        row: int64 [n], the index of the caption.
        word: int64 [n], the index of the word in the caption.
        kind: the word class.
        named: float32 [n, most, 4], the boxes that the word names, padded with empty ones.
    """

    row: LongTensor
    word: LongTensor
    kind: list[str]
    named: Tensor


def evaluate_attention(model: Matching, split: Split, seed: int = 0) -> AttentionReport:
    """Compares the attention of words with the boxes they name, for the model and three baselines.

    The baselines: "uniform", equal weights on all regions (the expected value); "shuffled captions", the same model and
    image with a word of the same class from another caption; "untrained", the same model before training. Every word
    of a phrase such as "to the left of" counts as a word of the class "relation" and names both things.

    Args:
        model: a model with attention.
        split: of a drawn world, which knows groundings, boxes and word classes.
        seed: of the shuffling and of the untrained weights.

    Returns:
        The report.

    Raises:
        ItmError: the split has no groundings, or the model no attention.
    """
    if split.groundings is None or split.facts is None or split.boxes is None:
        raise ItmError(f"{split.name}: it is not known which box a word names: use a split of a drawn world")
    grounded = _grounded_words(split)
    seen = attend(model, split)
    generator = torch.Generator().manual_seed(seed)
    other = torch.randperm(len(split.captions), generator=generator)
    shuffled = attend(model, split, captions=other, images=split.image_of)
    word, there = _word_of_same_class(split, grounded, other)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = build_model(model.name, model.vocabulary, model.features, **model.options).to(model.device)
    uniform = torch.full((len(grounded.row), seen.boxes.shape[1]), 1 / seen.boxes.shape[1])
    inside, fraction = _inside(seen.boxes[grounded.row], grounded.named)  # [n, n_regions] each
    parties = {
        "model": (_weights(seen, grounded.row, grounded.word), None),
        "uniform": (uniform, None),
        "shuffled captions": (_weights(shuffled, grounded.row, word), there),
        "untrained": (_weights(attend(fresh, split), grounded.row, grounded.word), None),
    }
    pointing, mass = {}, {}
    classes = sorted(set(grounded.kind), key=grounded.kind.count, reverse=True)
    for name, (weights, counted) in parties.items():
        hits = inside.float().mean(1) if name == "uniform" else inside.gather(1, weights.argmax(1, True))[:, 0].float()
        pointing[name] = _by_class(hits, grounded.kind, classes, counted)
        mass[name] = _by_class((weights * fraction).sum(1), grounded.kind, classes, counted)
    return AttentionReport(pointing, mass, {kind: grounded.kind.count(kind) for kind in classes})


def _grounded_words(split: Split) -> _GroundedWords:
    rows, words, kinds, named = [], [], [], []
    for row, pairs in enumerate(split.groundings):
        boxes_of: dict[int, list[int]] = {}
        for word, box in pairs:
            boxes_of.setdefault(word, []).append(box)
        boxes, truth = split.boxes[int(split.image_of[row])], split.facts.truths[row]
        for word, some in boxes_of.items():
            rows.append(row)
            words.append(word)
            kinds.append(truth.words[word].word_class)
            named.append(boxes[some])
    padded = torch.nn.utils.rnn.pad_sequence(named, batch_first=True)  # an empty box contains nothing
    return _GroundedWords(torch.tensor(rows), torch.tensor(words), kinds, padded)


def _word_of_same_class(split: Split, grounded: _GroundedWords, other: LongTensor) -> tuple[LongTensor, Tensor]:
    """For each grounded word, a word of its class in another caption, int64 [n], and whether another image has one.

    If that caption has several words of the class, the first at or after the position of the grounded word is taken.
    """
    classes = [[word.word_class for word in truth.words] for truth in split.facts.truths]
    words, there = [], []
    for row, word, kind in zip(grounded.row.tolist(), grounded.word.tolist(), grounded.kind, strict=True):
        theirs = int(other[row])
        places = [w for w, k in enumerate(classes[theirs]) if k == kind]
        there.append(bool(places) and split.image_of[theirs] != split.image_of[row])
        words.append(min(places, key=lambda w: (w < word, w)) if places else 0)
    return torch.tensor(words), torch.tensor(there)


def _weights(seen: Attention, rows: LongTensor, words: LongTensor) -> Tensor:
    """The weights of one word per row, float32 [n, n_regions]."""
    return torch.stack([seen.weights[row][:, word] for row, word in zip(rows.tolist(), words.tolist(), strict=True)])


def _inside(regions: Tensor, named: Tensor) -> tuple[Tensor, Tensor]:
    """Compares the boxes of regions with the boxes that a word names.

    Args:
        regions: boxes [n, n_regions, 4].
        named: boxes [n, most, 4]; empty ones are padding.

    Returns:
        Whether the centre of a region lies in a named box, bool [n, n_regions], and the fraction of its area that does,
        float32 of the same shape (clipped to 1 where named boxes overlap).
    """
    r, b = regions[:, :, None], named[:, None]  # [n, n_regions, 1, 4] and [n, 1, most, 4]
    centre = (r[..., :2] + r[..., 2:]) / 2
    hit = ((centre > b[..., :2]) & (centre < b[..., 2:])).all(-1).any(-1)
    overlap = (torch.minimum(r[..., 2:], b[..., 2:]) - torch.maximum(r[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    area = (r[..., 2:] - r[..., :2]).prod(-1).clamp(min=1e-9)
    return hit, (overlap / area).sum(-1).clamp(max=1)


def _by_class(values: Tensor, kinds: list[str], classes: list[str], counted: Tensor | None) -> dict[str, float]:
    """The mean of each word class, in percent; nan where no word of the class counts."""
    means = {}
    for kind in classes:
        mask = torch.tensor([k == kind for k in kinds])
        mask = mask if counted is None else mask & counted
        means[kind] = 100 * values[mask].mean().item()
    return means
